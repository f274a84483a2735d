import type { NetworkReason, NetworkState } from './network.ts'

/** What the state of the network follows from. */
export interface StatusFacts {
  readonly started: boolean
  readonly online: boolean
  readonly waking: boolean
  readonly relaysConfigured: number
  readonly relaysConnected: number
  readonly relaysReserved: number
  /** Some relay refused because it is full. */
  readonly relayFull: boolean
  /** A reservation was held before. */
  readonly wasReserved: boolean
  readonly direct: number
  readonly relayed: number
  readonly known: number
  readonly targetDegree: number
  readonly dialsFailing: boolean
  readonly rtcBudgetLeft: boolean
}

/** Direct links from which on the mesh holds by itself, whatever the target: the loss of two still leaves one. */
const MESHED_DEGREE = 3

/** Says in one state and one reason how the network is. */
export function summarise(facts: StatusFacts): { readonly state: NetworkState; readonly reason: NetworkReason } {
  if (!facts.started) return { state: 'stopped', reason: 'not-started' }
  const enough = Math.min(MESHED_DEGREE, facts.targetDegree, Math.max(1, facts.known))
  if (facts.direct >= enough && facts.direct > 0) {
    return {
      state: 'meshed',
      reason: facts.relaysReserved > 0 || facts.relaysConfigured === 0 ? 'none' : relayReason(facts),
    }
  }
  if (!facts.online) return { state: 'offline', reason: 'network-lost' }
  if (facts.relaysConfigured === 0 && facts.direct === 0) return { state: 'offline', reason: 'no-relay-configured' }
  if (facts.relaysReserved === 0 && facts.direct === 0) {
    return { state: 'connecting-relay', reason: facts.waking ? 'waking-up' : relayReason(facts) }
  }
  if (!facts.rtcBudgetLeft) return { state: 'relayed', reason: 'rtc-budget-used' }
  if (facts.known === 0) return { state: 'relayed', reason: 'no-other-peer' }
  if (facts.dialsFailing) return { state: 'relayed', reason: 'dials-failing' }
  return { state: 'meshing', reason: 'dialling' }
}

function relayReason(facts: StatusFacts): NetworkReason {
  if (facts.relayFull) return 'relay-full'
  if (facts.relaysConnected > 0) return 'none'
  return facts.wasReserved ? 'relay-lost' : 'relay-unreachable'
}
