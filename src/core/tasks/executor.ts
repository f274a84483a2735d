import type { PeerId } from '../codec/ids.ts'
import { Bidding } from './bidding.ts'
import type { ExecutorEffect, ExecutorEvent, ExecutorStatus, Pause } from './executor-events.ts'
import { ExecutorOutput } from './executor-output.ts'
import { type ExecutorInit, ExecutorState } from './executor-state.ts'
import * as limits from './limits.ts'
import type { RequesterMessage } from './messages.ts'
import { OfferDesk } from './offer-desk.ts'
import { ResultSending } from './result-sending.ts'
import { UnitWork } from './unit-work.ts'

/**
 * The executing side of the scheduler: listens to offers, bids for work it can do, runs units fairly between requesters, and sends
 * signed results until they are acknowledged. Deterministic: the same events give the same effects. Rules [L1] to [L9], [F1], [X1]
 * to [X4] of docs/PROTOCOL.md.
 *
 * Here are what its owner allows and its time; each other concern has a class of its own, and all share one {@link ExecutorState}.
 */
export class Executor {
  readonly #state: ExecutorState
  readonly #bids: Bidding
  readonly #results: ResultSending
  readonly #units: UnitWork
  readonly #offers: OfferDesk
  #wakeAtMs: number | null = null
  #statusKey = ''

  constructor(init: ExecutorInit) {
    this.#state = new ExecutorState(init)
    this.#bids = new Bidding(this.#state)
    this.#results = new ResultSending(this.#state)
    this.#units = new UnitWork(this.#state, { bids: this.#bids, results: this.#results })
    this.#offers = new OfferDesk(this.#state, this.#units)
  }

  /** Moves on by one event. */
  step(event: ExecutorEvent): ExecutorEffect[] {
    const out = new ExecutorOutput()
    this.#state.nowMs = event.nowMs
    this.#handle(event, out)
    this.#units.start(out)
    this.#results.flush(out)
    out.sendReleases()
    for (const link of out.bids) this.#bids.bid(link, this.#bids.heldBy(), out)
    this.#emitStatus(out)
    const wake = this.#wake()
    if (wake !== null) out.effect(wake)
    return out.finish()
  }

  /** What this executor does now, and why. */
  status(): ExecutorStatus {
    const paused = this.#state.pauseReasons()
    const ownWork = this.#state.active > 0
    if (paused.length > 0 && !ownWork) return { state: 'paused', reasons: paused, untilMs: this.#state.pausedUntilMs() }
    if (this.#state.running.size > 0 || this.#state.queue.size > 0) {
      return { state: 'working', running: this.#state.active, queued: this.#state.queue.size }
    }
    const states = new Set(
      [...this.#state.links.values()].flatMap((link) => [...link.jobs.values()].map((job) => job.state)),
    )
    if (states.has('ready')) return { state: 'idle', reason: 'waiting-for-leases' }
    if (states.has('fetching') || states.has('preparing') || states.has('new'))
      return { state: 'idle', reason: 'preparing' }
    return { state: 'idle', reason: states.size > 0 ? 'no-match' : 'no-offers' }
  }

  /** Units waiting for a worker, by requester. */
  queueLengths(): ReadonlyMap<PeerId, number> {
    return new Map([...this.#state.links.keys()].map((peer) => [peer, this.#state.queue.sizeOf(peer)]))
  }

  #handle(event: ExecutorEvent, out: ExecutorOutput): void {
    switch (event.type) {
      case 'start':
        for (const { requester, job, result } of event.outbox) {
          this.#state.outbox.add({ requester, job }, result, { nowMs: this.#state.nowMs, persisted: true })
        }
        return
      case 'tick':
        return this.#tick(out)
      case 'controls':
        this.#state.controls = event.controls
        for (const { requester, weight } of event.controls.weights) this.#state.queue.setWeight(requester, weight)
        return this.#allowanceChanged(out)
      case 'capability':
        this.#state.capability = event.capability
        return this.#offers.capabilityChanged(out)
      case 'pause':
        return this.#pause(event.pause, out)
      case 'resume':
        this.#state.pauses.delete(event.reason)
        return this.#allowanceChanged(out)
      case 'peerDisconnected':
        return
      case 'message':
        return this.#message(event.from, event.message, out)
      case 'manifestReady':
        return this.#state.withJob(event, (offered) => this.#offers.manifestReady(offered, event.manifest, out))
      case 'manifestFailed':
      case 'moduleFailed':
        return this.#state.withJob(event, (offered) => this.#offers.offerFailed(offered, event.reason, out))
      case 'moduleReady':
        return this.#state.withJob(event, (offered) => this.#offers.moduleReady(offered, out))
      case 'executed':
        return this.#units.executed(event.id, event.executed, out)
      case 'executionFailed':
        return this.#units.executionFailed(event.id, event.reason, out)
      case 'receiptsSigned':
        for (const { id, signed } of event.receipts) this.#units.receiptSigned(id, signed, out)
        return
      case 'attestationSigned':
        return this.#results.attested(event, out)
    }
  }

  #message(from: PeerId, message: RequesterMessage, out: ExecutorOutput): void {
    const link = this.#state.links.get(from)
    if (link !== undefined) {
      if (this.#state.nowMs - link.heardAtMs > limits.RESEND_INTERVAL_MS)
        this.#state.outbox.hurry(from, this.#state.nowMs)
      link.heardAtMs = this.#state.nowMs
    }
    switch (message.type) {
      case 'offer':
        for (const offer of message.offers) this.#offers.offered(from, offer, out)
        return
      case 'lease':
        return this.#units.leased(from, message, out)
      case 'ack':
        for (const unit of message.units) this.#results.acknowledged(from, message.job, unit, out)
        return
      case 'cancel':
        return this.#units.cancelled(from, message, out)
      case 'countersign':
        return this.#results.countersign(from, message, out)
    }
  }

  // What the owner allows

  #pause(pause: Pause, out: ExecutorOutput): void {
    this.#state.pauses.set(pause.reason, pause.untilMs)
    this.#allowanceChanged(out)
  }

  /** Gives back what may not be run any more, takes up what may, and tells every requester. */
  #allowanceChanged(out: ExecutorOutput): void {
    for (const queued of [...this.#state.held.values()]) {
      if (!this.#state.mayWorkFor(queued.offered.requester)) this.#units.giveBack(queued, 'paused', out)
    }
    for (const link of this.#state.links.values()) {
      for (const offered of link.jobs.values()) this.#offers.consider(offered, out)
      if (link.slotsBid > 0 || this.#bids.slotsFor(link) > 0) out.bids.add(link)
    }
  }

  // Time

  #tick(out: ExecutorOutput): void {
    this.#wakeAtMs = null
    for (const [reason, untilMs] of [...this.#state.pauses]) {
      if (untilMs === null || untilMs > this.#state.nowMs) continue
      this.#state.pauses.delete(reason)
      this.#allowanceChanged(out)
    }
    if (this.#state.nowMs < this.#state.heartbeatAtMs) return
    this.#state.heartbeatAtMs = this.#state.nowMs + limits.HEARTBEAT_INTERVAL_MS
    this.#offers.forgetOld(out)
    this.#results.tick(out)
    const held = this.#bids.heldBy()
    for (const link of this.#state.links.values()) {
      if (link.slotsBid > 0 || this.#bids.slotsFor(link) > 0 || held.has(link.peer)) out.bids.add(link)
    }
  }

  #wake(): ExecutorEffect | null {
    const times = [...this.#state.pauses.values()].filter((untilMs) => untilMs !== null)
    if (this.#state.links.size > 0 || this.#state.outbox.size > 0)
      times.push(Math.max(this.#state.heartbeatAtMs, this.#state.nowMs))
    const { signAtMs } = this.#results
    if (signAtMs !== null) times.push(signAtMs)
    if (times.length === 0) return null
    const atMs = Math.min(...times)
    if (atMs === this.#wakeAtMs) return null
    this.#wakeAtMs = atMs
    return { type: 'wakeAt', atMs }
  }

  #emitStatus(out: ExecutorOutput): void {
    const status = this.status()
    const key = status.state === 'working' ? 'working' : JSON.stringify(status)
    if (key === this.#statusKey) return
    this.#statusKey = key
    out.emit({ type: 'statusChanged', status })
  }
}
