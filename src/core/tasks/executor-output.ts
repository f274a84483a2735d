import type { JobId, PeerId } from '../codec/ids.ts'
import type { ExecutorEffect, ExecutorNotice } from './executor-events.ts'
import type { Release } from './messages.ts'
import type { RequesterLink } from './requester-link.ts'
import type { StoreOp } from './store-ops.ts'

interface JobOf {
  readonly requester: PeerId
  readonly job: JobId
}

/** Collects what one step of an executor asks for; records go first, so that nothing is told to anybody before it is durable. */
export class ExecutorOutput {
  /** Links whose bid has changed. */
  readonly bids = new Set<RequesterLink>()
  readonly #ops: StoreOp[] = []
  readonly #effects: ExecutorEffect[] = []
  readonly #releases = new Map<string, JobOf & { readonly releases: Release[] }>()

  /** Asks for a write. */
  persist(op: StoreOp): void {
    this.#ops.push(op)
  }

  effect(effect: ExecutorEffect): void {
    this.#effects.push(effect)
  }

  send(peer: PeerId, message: Extract<ExecutorEffect, { type: 'send' }>['message']): void {
    this.#effects.push({ type: 'send', peer, message })
  }

  emit(event: ExecutorNotice): void {
    this.#effects.push({ type: 'emit', event })
  }

  /** Gives a unit back; all of a job's go in one message. */
  release({ requester, job }: JobOf, release: Release): void {
    const key = `${requester}/${job}`
    const batch = this.#releases.get(key) ?? { requester, job, releases: [] }
    this.#releases.set(key, batch)
    batch.releases.push(release)
    this.emit({ type: 'unitReleased', job, requester, unit: release.unit, reason: release.reason })
  }

  /** Sends what {@link release} gathered. */
  sendReleases(): void {
    for (const { requester, job, releases } of this.#releases.values()) {
      this.send(requester, { type: 'release', job, releases })
    }
  }

  /** Everything that was asked for, in order. */
  finish(): ExecutorEffect[] {
    return this.#ops.length > 0 ? [{ type: 'persist', ops: this.#ops }, ...this.#effects] : [...this.#effects]
  }
}
