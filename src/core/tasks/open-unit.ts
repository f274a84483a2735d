import type { Hash, PeerId } from '../codec/ids.ts'
import type { LoadedInput } from './requester-events.ts'
import { type Leader, leaderOf, type Vote } from './tally.ts'

/** One unit lent to one executor. */
export interface LeaseState {
  readonly unit: number
  readonly peer: PeerId
  readonly grantedAtMs: number
  readonly deadlineAtMs: number
  /** The number of the lease message that carried it. */
  readonly grant: number
}

/** A unit that is loaded, lent, or waiting for agreement; forgotten when it is decided. */
export interface OpenUnit {
  readonly unit: number
  input: LoadedInput | null
  loading: boolean
  /** Whether its input is being read ahead of its first lease. */
  prefetched: boolean
  /** Times it was lent. */
  attempts: number
  /** Times its executor vanished with it. */
  vanished: number
  readonly leases: Map<PeerId, LeaseState>
  readonly votes: Map<PeerId, Vote>
  readonly failedBy: Set<PeerId>
  /** Outcomes this peer holds, durably. */
  readonly outcomes: Set<Hash>
  /** Voters whose receipt has a record of its own. */
  readonly recorded: Set<PeerId>
  /** Voters that keep their outcome until this peer has fetched one. */
  readonly owed: Set<PeerId>
  /** `asked`: this peer recomputes it right now. */
  audit: 'open' | 'asked' | 'settled'
  /** What this peer computed itself; outranks every vote. */
  verdict: string | null
  fetching: boolean
  /** Whether it waits in the queue of units to be lent again. */
  queued: boolean
}

export function openUnit(unit: number): OpenUnit {
  return {
    unit,
    input: null,
    loading: false,
    prefetched: false,
    attempts: 0,
    vanished: 0,
    leases: new Map(),
    votes: new Map(),
    failedBy: new Set(),
    outcomes: new Set(),
    recorded: new Set(),
    owed: new Set(),
    audit: 'open',
    verdict: null,
    fetching: false,
    queued: false,
  }
}

/** The outcome that leads, or the one this peer computed itself if somebody states it. */
export function leaderIn(unit: OpenUnit): Leader | undefined {
  if (unit.votes.size === 0) return undefined
  if (unit.verdict === null) return leaderOf(unit.votes.values())
  const { verdict } = unit
  return leaderOf([...unit.votes.values()].filter((vote) => vote.key === verdict))
}

/** How many more executors the unit should be lent to now. Rule [L1]. */
export function leasesWanted(
  unit: OpenUnit,
  verification: { readonly replicas: number; readonly quorum: number },
): number {
  if (unit.audit === 'asked' || unit.fetching) return 0
  const agreeing = leaderIn(unit)?.votes.length ?? 0
  const missing = Math.max(verification.quorum - agreeing, verification.replicas - unit.votes.size)
  return Math.max(0, missing - unit.leases.size)
}
