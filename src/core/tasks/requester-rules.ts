import type { PeerId } from '../codec/ids.ts'
import type { OpenUnit } from './open-unit.ts'

/**
 * The decisions on which the promises of a requester rest, apart from the machinery, so that the simulator can break one and show
 * that its invariants notice.
 */
export interface RequesterRules {
  /** [V2] Whether this many distinct executors in agreement are enough. */
  quorumReached(agreeing: number, quorum: number): boolean
  /** [L3] Whether this unit may be lent to this executor, whatever its other merits. */
  mayLend(unit: OpenUnit, peer: PeerId): boolean
  /** [L6] Whether a unit still takes results. */
  takesResults(decided: boolean): boolean
}

export const REQUESTER_RULES: RequesterRules = {
  quorumReached: (agreeing, quorum) => agreeing >= quorum,
  mayLend: (unit, peer) => !unit.failedBy.has(peer) && !unit.leases.has(peer) && !unit.votes.has(peer),
  takesResults: (decided) => !decided,
}
