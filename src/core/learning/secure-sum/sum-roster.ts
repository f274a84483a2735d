import type { PeerId } from '../../codec/ids.ts'
import type { GraphPlan } from './graph.ts'
import type { RosterBody, RosterStage } from './messages.ts'
import type { SecureSumTerms } from './session.ts'

/** A stage that is open, with who goes on. */
export interface OpenRoster {
  readonly body: RosterBody
  readonly digest: Uint8Array
  readonly peers: readonly PeerId[]
  readonly members: ReadonlySet<PeerId>
  readonly caller: PeerId
  /** The signed statement, for evidence. */
  readonly bytes: Uint8Array
}

export const STAGES: readonly RosterStage[] = ['share', 'mask', 'unmask']

/** @returns What is wrong with the list itself, or `null`. */
export function rosterFault(body: RosterBody): string | null {
  const { entries } = body
  for (let at = 1; at < entries.length; at++) {
    // Both are indices of the list.
    const before = (entries[at - 1] as { peer: PeerId }).peer
    const peer = (entries[at] as { peer: PeerId }).peer
    if (before >= peer) return `Entry ${at} is ${peer}, out of order or twice`
  }
  return null
}

/** @returns Why too few (or too many) go on, or `null`. Rule [Q7]. */
export function countFault(
  body: RosterBody,
  of: { readonly terms: SecureSumTerms; readonly plan: GraphPlan | null },
): string | null {
  const { terms, plan } = of
  const count = body.entries.length
  if (count > terms.participantsMax) return `The ${body.stage} stage has ${count} peers, limit ${terms.participantsMax}`
  const least = Math.max(terms.participantsMin, plan?.survivorsMin ?? 0)
  return count < least ? `The ${body.stage} stage has ${count} peers, limit at least ${least}` : null
}

/**
 * @returns A survivor that would be left with fewer than the threshold of its holders, or `null`. Its neighbours would be gone, and with
 * their mask keys revealed nothing but its own mask would cover it. Rule [Q8].
 */
export function exposedSurvivor(
  survivors: ReadonlySet<PeerId>,
  of: { readonly neighbours: ReadonlyMap<PeerId, readonly PeerId[]>; readonly plan: GraphPlan },
): PeerId | null {
  for (const peer of survivors) {
    // Survivors are in the graph.
    const neighbours = of.neighbours.get(peer) as readonly PeerId[]
    const left = 1 + neighbours.filter((neighbour) => survivors.has(neighbour)).length
    if (left < of.plan.threshold) return peer
  }
  return null
}
