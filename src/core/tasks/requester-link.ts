import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import type { Manifest } from './manifest.ts'
import type { Offer } from './messages.ts'

/** One job of one requester, as an executor knows it. */
export interface OfferedJob {
  readonly requester: PeerId
  readonly job: JobId
  offer: Offer
  /** `new`: not looked at, `declined`: does not match, `failed`: manifest or module refused. */
  state: 'new' | 'declined' | 'fetching' | 'preparing' | 'ready' | 'failed'
  manifest: Manifest | null
  heardAtMs: number
  /** When a declined or failed one is looked at again. */
  retryAtMs: number
}

/** A lease that waits for a worker. */
export interface QueuedUnit {
  readonly offered: OfferedJob
  readonly unit: number
  readonly inputHash: Hash
  readonly inputBytes: number
  readonly input: Uint8Array | null
  readonly deadlineAtMs: number
  /** Cancelled ones stay in their queue until their turn. */
  cancelled: boolean
}

/** A requester as an executor knows it. */
export interface RequesterLink {
  readonly peer: PeerId
  readonly jobs: Map<JobId, OfferedJob>
  session: number
  /** Highest number of a lease message in that session. */
  grant: number
  heardAtMs: number
  /** Mean duration of its recent units, microseconds; `null` before the first. */
  meanUs: number | null
  /** Of its last unit; 0 before the first. */
  gasPerSecond: number
  /** Slots of the last bid. */
  slotsBid: number
}

export function requesterLink(peer: PeerId, nowMs: number): RequesterLink {
  return { peer, jobs: new Map(), session: 0, grant: 0, heardAtMs: nowMs, meanUs: null, gasPerSecond: 0, slotsBid: 0 }
}
