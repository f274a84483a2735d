import type { JobId, PeerId } from '../codec/ids.ts'
import type { ExecutionId, ExecutorControls, PauseReason } from './executor-events.ts'
import { type Charge, FairQueue } from './fair-queue.ts'
import * as limits from './limits.ts'
import type { Capability } from './matching.ts'
import { Outbox } from './outbox.ts'
import { type OfferedJob, type QueuedUnit, type RequesterLink, requesterLink } from './requester-link.ts'

/** A unit that was given to a worker and has no signed receipt yet. */
interface Running {
  readonly queued: QueuedUnit
  readonly charge: Charge
  /** `finished` waits for its receipt to be signed. */
  phase: 'running' | 'finished'
  /** Filled in when it is finished. */
  outcome: Uint8Array | null
}

const NOTHING_ALLOWED: ExecutorControls = { optedIn: false, workers: 0, weights: [] }

/** `<requester>/<job>/<unit>`. */
export const heldKey = (requester: PeerId, job: JobId, unit: number): string => `${requester}/${job}/${unit}`

/** What an executor is made with. */
export interface ExecutorInit {
  readonly self: PeerId
  readonly capability: Capability
}

/** What every concern of an executor works on: what its owner allows, the requesters it hears, the units it holds, and the moment of the step. */
export class ExecutorState {
  readonly self: PeerId
  capability: Capability
  controls = NOTHING_ALLOWED
  readonly pauses = new Map<PauseReason, number | null>()
  readonly links = new Map<PeerId, RequesterLink>()
  readonly queue = new FairQueue<QueuedUnit>()
  /** Units queued or running, by {@link heldKey}. */
  readonly held = new Map<string, QueuedUnit>()
  readonly running = new Map<ExecutionId, Running>()
  /** Units that workers have; those that only wait for a signature are not among them. */
  active = 0
  readonly outbox = new Outbox()
  heartbeatAtMs = 0
  nowMs = 0

  constructor({ self, capability }: ExecutorInit) {
    this.self = self
    this.capability = capability
  }

  /** Rule [X1]: nothing runs for others before the owner agreed, and nothing at all while paused. */
  mayWorkFor(requester: PeerId): boolean {
    if (this.pauses.size > 0 || this.controls.workers === 0) return false
    return this.controls.optedIn || requester === this.self
  }

  /** Does something with an offered job, if it is known. */
  withJob(of: { readonly requester: PeerId; readonly job: JobId }, action: (offered: OfferedJob) => void): void {
    const offered = this.links.get(of.requester)?.jobs.get(of.job)
    if (offered !== undefined) action(offered)
  }

  /** Finds or makes what is known of a requester; `undefined` when there are too many. */
  link(peer: PeerId): RequesterLink | undefined {
    const known = this.links.get(peer)
    if (known !== undefined || this.links.size >= limits.REQUESTERS_MAX) return known
    const link = requesterLink(peer, this.nowMs)
    this.links.set(peer, link)
    this.heartbeatAtMs = Math.max(this.heartbeatAtMs, this.nowMs)
    return link
  }

  /** Why nothing runs for others; empty when it may. */
  pauseReasons(): ('not-opted-in' | 'no-workers' | PauseReason)[] {
    const reasons: ('not-opted-in' | 'no-workers' | PauseReason)[] = [...this.pauses.keys()]
    if (this.controls.workers === 0) reasons.unshift('no-workers')
    if (!this.controls.optedIn) reasons.unshift('not-opted-in')
    return reasons
  }

  /** When the last timed pause ends, if time alone ends them all. */
  pausedUntilMs(): number | null {
    const untils = [...this.pauses.values()]
    if (!this.controls.optedIn || this.controls.workers === 0 || untils.includes(null)) return null
    return Math.max(...untils.map((until) => until ?? 0))
  }
}
