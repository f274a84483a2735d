import type { PeerId } from '../codec/ids.ts'
import type { ExecutorOutput } from './executor-output.ts'
import type { ExecutorState } from './executor-state.ts'
import * as limits from './limits.ts'
import type { Manifest } from './manifest.ts'
import { matchManifest, matchTerms } from './matching.ts'
import type { Offer } from './messages.ts'
import type { OfferedJob, RequesterLink } from './requester-link.ts'
import type { UnitWork } from './unit-work.ts'

/** Jobs that others offer: whether they fit, how they are made ready, and when they are forgotten. Rule [M4]. */
export class OfferDesk {
  readonly #state: ExecutorState
  readonly #units: UnitWork

  constructor(state: ExecutorState, units: UnitWork) {
    this.#state = state
    this.#units = units
  }

  /** A requester offers a job, or repeats its offer. */
  offered(requester: PeerId, offer: Offer, out: ExecutorOutput): void {
    const link = this.#state.link(requester)
    if (link === undefined) return
    let offered = link.jobs.get(offer.job)
    if (offered === undefined) {
      if (link.jobs.size >= limits.OFFERED_JOBS_PER_REQUESTER_MAX) return
      offered = {
        requester,
        job: offer.job,
        offer,
        state: 'new',
        manifest: null,
        heardAtMs: this.#state.nowMs,
        retryAtMs: 0,
      }
      link.jobs.set(offer.job, offered)
    }
    offered.offer = offer
    offered.heardAtMs = this.#state.nowMs
    if (offered.state === 'declined' || offered.state === 'failed') this.#retry(offered)
    this.consider(offered, out)
  }

  #retry(offered: OfferedJob): void {
    if (this.#state.nowMs >= offered.retryAtMs) offered.state = 'new'
  }

  /** Takes the first step towards a job that is new and may be worked for. Rule [M4]. */
  consider(offered: OfferedJob, out: ExecutorOutput): void {
    if (offered.state !== 'new' || !this.#state.mayWorkFor(offered.requester)) return
    const mismatches = matchTerms(offered.offer, this.#state.capability, this.#state.nowMs)
    if (mismatches.length > 0) return this.#decline(offered, mismatches, out)
    const { requester, job } = offered
    offered.state = 'fetching'
    out.effect({ type: 'fetchManifest', job, cid: offered.offer.manifestCid, from: requester })
  }

  #decline(offered: OfferedJob, mismatches: ReturnType<typeof matchTerms>, out: ExecutorOutput): void {
    const { requester, job } = offered
    offered.state = 'declined'
    offered.retryAtMs = this.#state.nowMs + limits.OFFER_RETRY_MS
    out.emit({ type: 'offerDeclined', job, requester, mismatches })
  }

  /** The manifest of a job is here. */
  manifestReady(offered: OfferedJob, manifest: Manifest, out: ExecutorOutput): void {
    if (offered.state !== 'fetching') return
    if (manifest.requester !== offered.requester)
      return this.offerFailed(offered, 'manifest names another requester', out)
    const mismatches = matchManifest(manifest, this.#state.capability, this.#state.nowMs)
    if (mismatches.length > 0) return this.#decline(offered, mismatches, out)
    offered.manifest = manifest
    offered.state = 'preparing'
    out.effect({ type: 'prepareModule', job: offered.job, manifest, from: offered.requester })
  }

  /** A job could not be made ready; it is tried again later. */
  offerFailed(offered: OfferedJob, reason: string, out: ExecutorOutput): void {
    offered.state = 'failed'
    offered.retryAtMs = this.#state.nowMs + limits.OFFER_RETRY_MS
    out.emit({ type: 'offerFailed', job: offered.job, requester: offered.requester, reason })
  }

  /** A job’s module is compiled: its units can run. */
  moduleReady(offered: OfferedJob, out: ExecutorOutput): void {
    if (offered.state !== 'preparing') return
    offered.state = 'ready'
    const link = this.#state.links.get(offered.requester)
    if (link !== undefined) out.bids.add(link)
  }

  /** This device can do more or less than before: every offer is looked at again. */
  capabilityChanged(out: ExecutorOutput): void {
    for (const link of this.#state.links.values()) {
      for (const offered of link.jobs.values()) {
        if (offered.state === 'declined') offered.state = 'new'
        const misfit =
          offered.state === 'ready' && matchTerms(offered.offer, this.#state.capability, this.#state.nowMs).length > 0
        if (misfit) offered.state = 'new'
        this.consider(offered, out)
      }
      out.bids.add(link)
    }
  }

  /** A requester that repeats its offer no more has nothing left, or is gone: what is only queued for it is dropped. */
  forgetOld(out: ExecutorOutput): void {
    for (const link of [...this.#state.links.values()]) {
      for (const offered of [...link.jobs.values()]) {
        if (this.#state.nowMs - offered.heardAtMs > limits.OFFER_TTL_MS) this.#forget(link, offered, out)
      }
      if (link.jobs.size === 0 && this.#state.queue.sizeOf(link.peer) === 0) {
        this.#state.links.delete(link.peer)
        this.#state.queue.remove(link.peer)
      }
    }
  }

  #forget(link: RequesterLink, offered: OfferedJob, out: ExecutorOutput): void {
    link.jobs.delete(offered.job)
    const running = new Set([...this.#state.running.values()].map((each) => each.queued))
    for (const queued of [...this.#state.held.values()]) {
      if (queued.offered === offered && !running.has(queued)) this.#units.letGo(queued, out)
    }
  }
}
