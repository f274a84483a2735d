import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import type {
  Executed,
  ExecutionId,
  ExecutorControls,
  ExecutorEffect,
  ExecutorEvent,
  ExecutorNotice,
  ExecutorStatus,
  Pause,
  PauseReason,
} from './executor-events.ts'
import { type Charge, FairQueue } from './fair-queue.ts'
import * as limits from './limits.ts'
import type { Manifest } from './manifest.ts'
import { type Capability, matchManifest, matchTerms } from './matching.ts'
import type {
  CancelMessage,
  CountersignMessage,
  HeldUnits,
  Lease,
  LeaseMessage,
  Offer,
  Release,
  ReleaseReason,
  RequesterMessage,
} from './messages.ts'
import { Outbox } from './outbox.ts'
import type { Receipt, SignedReceipt } from './receipt.ts'
import { receiptOf } from './receipt-of.ts'
import { recordOps } from './record-codec.ts'
import { type OfferedJob, type QueuedUnit, type RequesterLink, requesterLink } from './requester-link.ts'
import type { StoreOp } from './store-ops.ts'
import { keyText } from './tally.ts'

/** A unit that was given to a worker and has no signed receipt yet. */
interface Running {
  readonly queued: QueuedUnit
  readonly charge: Charge
  phase: 'running' | 'signing'
  /** Filled in when it is signed. */
  receipt: Receipt | null
  outcome: Uint8Array | null
}

type JobOf = Pick<OfferedJob, 'requester' | 'job'>

interface ReleaseBatch extends JobOf {
  readonly releases: Release[]
}

/** What one step asks for. */
interface Output {
  readonly ops: StoreOp[]
  readonly effects: ExecutorEffect[]
  readonly releases: Map<string, ReleaseBatch>
  /** Links whose bid has changed. */
  readonly bids: Set<RequesterLink>
}

const NOTHING_ALLOWED: ExecutorControls = { optedIn: false, workers: 0, weights: [] }

/** Why a unit is not tried here again. */
const FAULTS: ReadonlySet<ReleaseReason> = new Set([
  'wall-limit',
  'worker-crash',
  'input-unavailable',
  'module-refused',
  'internal',
])

const unitKey = (requester: PeerId, job: JobId, unit: number) => `${requester}/${job}/${unit}`

/**
 * The executing side of the scheduler: listens to offers, bids for work it can do, runs units fairly between requesters, and sends
 * signed results until they are acknowledged. Deterministic: the same events give the same effects. Rules [L1] to [L9], [F1], [X1]
 * to [X4] of docs/PROTOCOL.md.
 */
export class Executor {
  readonly #self: PeerId
  #capability: Capability
  #controls = NOTHING_ALLOWED
  readonly #pauses = new Map<PauseReason, number | null>()
  readonly #links = new Map<PeerId, RequesterLink>()
  readonly #queue = new FairQueue<QueuedUnit>()
  /** Units queued or running, by {@link unitKey}. */
  readonly #held = new Map<string, QueuedUnit>()
  readonly #running = new Map<ExecutionId, Running>()
  #active = 0
  #nextId: ExecutionId = 1
  readonly #outbox = new Outbox()
  readonly #failedUnits = new Set<string>()
  /** What this executor found, so that it can attest what others found. Oldest first. */
  readonly #ownOutcomes = new Map<string, string>()
  #attestationsPending = 0
  #meanUs: number | null = null
  #flushAtMs: number | null = null
  #heartbeatAtMs = 0
  #wakeAtMs: number | null = null
  #statusKey = ''
  #nowMs = 0

  constructor(init: { readonly self: PeerId; readonly capability: Capability }) {
    this.#self = init.self
    this.#capability = init.capability
  }

  /** Moves on by one event. */
  step(event: ExecutorEvent): ExecutorEffect[] {
    const out: Output = { ops: [], effects: [], releases: new Map(), bids: new Set() }
    this.#nowMs = event.nowMs
    this.#handle(event, out)
    this.#startUnits(out)
    this.#flushResults(out)
    for (const { requester, job, releases } of out.releases.values()) {
      out.effects.push(this.#send(requester, { type: 'release', job, releases }))
    }
    for (const link of out.bids) this.#bid(link, this.#heldBy(), out)
    this.#emitStatus(out)
    const wake = this.#wake()
    const effects: ExecutorEffect[] = out.ops.length > 0 ? [{ type: 'persist', ops: out.ops }] : []
    effects.push(...out.effects)
    if (wake !== null) effects.push(wake)
    return effects
  }

  /** What this executor does now, and why. */
  status(): ExecutorStatus {
    const paused = this.#pauseReasons()
    const ownWork = this.#active > 0
    if (paused.length > 0 && !ownWork) return { state: 'paused', reasons: paused, untilMs: this.#pausedUntilMs() }
    if (this.#running.size > 0 || this.#queue.size > 0) {
      return { state: 'working', running: this.#active, queued: this.#queue.size }
    }
    const states = new Set([...this.#links.values()].flatMap((link) => [...link.jobs.values()].map((job) => job.state)))
    if (states.has('ready')) return { state: 'idle', reason: 'waiting-for-leases' }
    if (states.has('fetching') || states.has('preparing') || states.has('new'))
      return { state: 'idle', reason: 'preparing' }
    return { state: 'idle', reason: states.size > 0 ? 'no-match' : 'no-offers' }
  }

  /** Units waiting for a worker, by requester. */
  queueLengths(): ReadonlyMap<PeerId, number> {
    return new Map([...this.#links.keys()].map((peer) => [peer, this.#queue.sizeOf(peer)]))
  }

  #handle(event: ExecutorEvent, out: Output): void {
    switch (event.type) {
      case 'start':
        for (const { requester, job, result } of event.outbox) {
          this.#outbox.add({ requester, job }, result, { nowMs: this.#nowMs, persisted: true })
        }
        return
      case 'tick':
        return this.#tick(out)
      case 'controls':
        this.#controls = event.controls
        for (const { requester, weight } of event.controls.weights) this.#queue.setWeight(requester, weight)
        return this.#allowanceChanged(out)
      case 'capability':
        this.#capability = event.capability
        return this.#capabilityChanged(out)
      case 'pause':
        return this.#pause(event.pause, out)
      case 'resume':
        this.#pauses.delete(event.reason)
        return this.#allowanceChanged(out)
      case 'peerDisconnected':
        return
      case 'message':
        return this.#message(event.from, event.message, out)
      case 'manifestReady':
        return this.#withJob(event, (offered) => this.#manifestReady(offered, event.manifest, out))
      case 'manifestFailed':
      case 'moduleFailed':
        return this.#withJob(event, (offered) => this.#offerFailed(offered, event.reason, out))
      case 'moduleReady':
        return this.#withJob(event, (offered) => this.#moduleReady(offered, out))
      case 'executed':
        return this.#executed(event.id, event.executed, out)
      case 'executionFailed':
        return this.#executionFailed(event.id, event.reason, out)
      case 'receiptsSigned':
        for (const { id, signed } of event.receipts) this.#receiptSigned(id, signed, out)
        return
      case 'attestationSigned': {
        this.#attestationsPending--
        const { requester, job, signed } = event
        out.effects.push(this.#send(requester, { type: 'attestation', job, attestation: signed }))
        return
      }
    }
  }

  #send(peer: PeerId, message: Extract<ExecutorEffect, { type: 'send' }>['message']): ExecutorEffect {
    return { type: 'send', peer, message }
  }

  #emit(event: ExecutorNotice, out: Output): void {
    out.effects.push({ type: 'emit', event })
  }

  #withJob(of: { readonly requester: PeerId; readonly job: JobId }, action: (offered: OfferedJob) => void): void {
    const offered = this.#links.get(of.requester)?.jobs.get(of.job)
    if (offered !== undefined) action(offered)
  }

  // What the owner allows

  #pauseReasons(): ('not-opted-in' | 'no-workers' | PauseReason)[] {
    const reasons: ('not-opted-in' | 'no-workers' | PauseReason)[] = [...this.#pauses.keys()]
    if (this.#controls.workers === 0) reasons.unshift('no-workers')
    if (!this.#controls.optedIn) reasons.unshift('not-opted-in')
    return reasons
  }

  /** When the last timed pause ends, if time alone ends them all. */
  #pausedUntilMs(): number | null {
    const untils = [...this.#pauses.values()]
    if (!this.#controls.optedIn || this.#controls.workers === 0 || untils.includes(null)) return null
    return Math.max(...untils.map((until) => until ?? 0))
  }

  /** Rule [X1]: nothing runs for others before the owner agreed, and nothing at all while paused. */
  #mayWorkFor(requester: PeerId): boolean {
    if (this.#pauses.size > 0 || this.#controls.workers === 0) return false
    return this.#controls.optedIn || requester === this.#self
  }

  #pause(pause: Pause, out: Output): void {
    this.#pauses.set(pause.reason, pause.untilMs)
    this.#allowanceChanged(out)
  }

  /** Gives back what may not be run any more, takes up what may, and tells every requester. */
  #allowanceChanged(out: Output): void {
    for (const queued of [...this.#held.values()]) {
      if (!this.#mayWorkFor(queued.offered.requester)) this.#giveBack(queued, 'paused', out)
    }
    for (const link of this.#links.values()) {
      for (const offered of link.jobs.values()) this.#consider(offered, out)
      if (link.slotsBid > 0 || this.#slotsFor(link) > 0) out.bids.add(link)
    }
  }

  #capabilityChanged(out: Output): void {
    for (const link of this.#links.values()) {
      for (const offered of link.jobs.values()) {
        if (offered.state === 'declined') offered.state = 'new'
        const misfit = offered.state === 'ready' && matchTerms(offered.offer, this.#capability, this.#nowMs).length > 0
        if (misfit) offered.state = 'new'
        this.#consider(offered, out)
      }
      out.bids.add(link)
    }
  }

  // Offers

  #message(from: PeerId, message: RequesterMessage, out: Output): void {
    const link = this.#links.get(from)
    if (link !== undefined) {
      if (this.#nowMs - link.heardAtMs > limits.RESEND_INTERVAL_MS) this.#outbox.hurry(from, this.#nowMs)
      link.heardAtMs = this.#nowMs
    }
    switch (message.type) {
      case 'offer':
        for (const offer of message.offers) this.#offered(from, offer, out)
        return
      case 'lease':
        return this.#leased(from, message, out)
      case 'ack':
        for (const unit of message.units) this.#acknowledged(from, message.job, unit, out)
        return
      case 'cancel':
        return this.#cancelled(from, message, out)
      case 'countersign':
        return this.#countersign(from, message, out)
    }
  }

  #offered(requester: PeerId, offer: Offer, out: Output): void {
    const link = this.#link(requester)
    if (link === undefined) return
    let offered = link.jobs.get(offer.job)
    if (offered === undefined) {
      if (link.jobs.size >= limits.OFFERED_JOBS_PER_REQUESTER_MAX) return
      offered = { requester, job: offer.job, offer, state: 'new', manifest: null, heardAtMs: this.#nowMs, retryAtMs: 0 }
      link.jobs.set(offer.job, offered)
    }
    offered.offer = offer
    offered.heardAtMs = this.#nowMs
    if (offered.state === 'declined' || offered.state === 'failed') this.#retry(offered)
    this.#consider(offered, out)
  }

  #retry(offered: OfferedJob): void {
    if (this.#nowMs >= offered.retryAtMs) offered.state = 'new'
  }

  #link(peer: PeerId): RequesterLink | undefined {
    const known = this.#links.get(peer)
    if (known !== undefined || this.#links.size >= limits.REQUESTERS_MAX) return known
    const link = requesterLink(peer, this.#nowMs)
    this.#links.set(peer, link)
    this.#heartbeatAtMs = Math.max(this.#heartbeatAtMs, this.#nowMs)
    return link
  }

  /** Takes the first step towards a job that is new and may be worked for. Rule [M4]. */
  #consider(offered: OfferedJob, out: Output): void {
    if (offered.state !== 'new' || !this.#mayWorkFor(offered.requester)) return
    const mismatches = matchTerms(offered.offer, this.#capability, this.#nowMs)
    if (mismatches.length > 0) return this.#decline(offered, mismatches, out)
    const { requester, job } = offered
    offered.state = 'fetching'
    out.effects.push({ type: 'fetchManifest', job, cid: offered.offer.manifestCid, from: requester })
  }

  #decline(offered: OfferedJob, mismatches: ReturnType<typeof matchTerms>, out: Output): void {
    const { requester, job } = offered
    offered.state = 'declined'
    offered.retryAtMs = this.#nowMs + limits.OFFER_RETRY_MS
    this.#emit({ type: 'offerDeclined', job, requester, mismatches }, out)
  }

  #manifestReady(offered: OfferedJob, manifest: Manifest, out: Output): void {
    if (offered.state !== 'fetching') return
    if (manifest.requester !== offered.requester)
      return this.#offerFailed(offered, 'manifest names another requester', out)
    const mismatches = matchManifest(manifest, this.#capability, this.#nowMs)
    if (mismatches.length > 0) return this.#decline(offered, mismatches, out)
    offered.manifest = manifest
    offered.state = 'preparing'
    out.effects.push({ type: 'prepareModule', job: offered.job, manifest, from: offered.requester })
  }

  #offerFailed(offered: OfferedJob, reason: string, out: Output): void {
    offered.state = 'failed'
    offered.retryAtMs = this.#nowMs + limits.OFFER_RETRY_MS
    this.#emit({ type: 'offerFailed', job: offered.job, requester: offered.requester, reason }, out)
  }

  #moduleReady(offered: OfferedJob, out: Output): void {
    if (offered.state !== 'preparing') return
    offered.state = 'ready'
    const link = this.#links.get(offered.requester)
    if (link !== undefined) out.bids.add(link)
  }

  // Bids

  /** Units it wants to hold of one requester: its share of the workers, and enough queued to hide the round trip. Rule [X2]. */
  #slotsFor(link: RequesterLink): number {
    if (!this.#isServing(link) || this.#outbox.size >= limits.OUTBOX_RESULTS_MAX) return 0
    let serving = 0
    for (const other of this.#links.values()) if (this.#isServing(other)) serving++
    const queued = link.meanUs === null ? 1 : Math.ceil((limits.PIPELINE_MS * 1_000) / Math.max(link.meanUs, 1))
    const depth = Math.min(limits.PIPELINE_PER_WORKER_MAX, Math.max(1, queued))
    const all = this.#controls.workers * (1 + depth)
    return Math.min(limits.SLOTS_MAX, Math.max(1, Math.ceil(all / serving)))
  }

  #isServing(link: RequesterLink): boolean {
    if (!this.#mayWorkFor(link.peer)) return false
    for (const offered of link.jobs.values()) if (offered.state === 'ready') return true
    return false
  }

  #bid(link: RequesterLink, held: ReadonlyMap<PeerId, readonly HeldUnits[]>, out: Output): void {
    const slots = this.#slotsFor(link)
    const jobs = [...link.jobs.values()].filter((offered) => offered.state === 'ready').map((offered) => offered.job)
    const { session, grant } = link
    link.slotsBid = slots
    const load = { slots, workers: this.#controls.workers, gasPerSecond: link.gasPerSecond }
    const message = { type: 'bid', jobs, ...load, session, grant, held: held.get(link.peer) ?? [] } as const
    out.effects.push(this.#send(link.peer, message))
  }

  /** Lists everything this executor has of each requester. */
  #heldBy(): Map<PeerId, HeldUnits[]> {
    const lists = new Map<string, { queued: number[]; running: number[]; done: number[] }>()
    const held = new Map<PeerId, HeldUnits[]>()
    const listFor = (requester: PeerId, job: JobId) => {
      const key = `${requester}/${job}`
      const known = lists.get(key)
      if (known !== undefined) return known
      const list = { queued: [], running: [], done: [] }
      lists.set(key, list)
      const jobs = held.get(requester) ?? []
      held.set(requester, jobs)
      if (jobs.length < limits.OFFERED_JOBS_PER_REQUESTER_MAX) jobs.push({ job, ...list })
      return list
    }
    const add = (list: number[], unit: number) => {
      if (list.length < limits.UNITS_PER_MESSAGE_MAX) list.push(unit)
    }
    const running = new Set([...this.#running.values()].map((each) => each.queued))
    for (const queued of this.#held.values()) {
      const list = listFor(queued.offered.requester, queued.offered.job)
      add(running.has(queued) ? list.running : list.queued, queued.unit)
    }
    for (const { requester, job, result } of this.#outbox.entries()) {
      add(listFor(requester, job).done, result.receipt.receipt.unit)
    }
    return held
  }

  // Leases

  #leased(requester: PeerId, message: LeaseMessage, out: Output): void {
    const link = this.#link(requester)
    if (link === undefined) return
    link.grant = message.session === link.session ? Math.max(link.grant, message.grant) : message.grant
    link.session = message.session
    const offered = link.jobs.get(message.job)
    for (const lease of message.leases) {
      const key = unitKey(requester, message.job, lease.unit)
      if (this.#held.has(key) || this.#outbox.has(requester, message.job, lease.unit)) continue
      const refusal = this.#refusal(key, offered, lease)
      if (refusal !== null) {
        this.#release({ requester, job: message.job }, { unit: lease.unit, reason: refusal }, out)
        continue
      }
      // `#refusal` refuses when the job is unknown.
      this.#enqueue(offered as OfferedJob, lease, message.deadlineMs)
    }
  }

  #refusal(key: string, offered: OfferedJob | undefined, { inputBytes }: Lease): ReleaseReason | null {
    if (offered === undefined || offered.state !== 'ready' || offered.manifest === null) return 'declined'
    const { bytesMin, bytesMax } = offered.manifest.input
    if (inputBytes < bytesMin || inputBytes > bytesMax) return 'input-unavailable'
    if (!this.#mayWorkFor(offered.requester)) return 'paused'
    if (this.#failedUnits.has(key)) return 'internal'
    const full = this.#queue.sizeOf(offered.requester) >= limits.SLOTS_MAX
    return full || this.#outbox.size >= limits.OUTBOX_RESULTS_MAX ? 'overloaded' : null
  }

  #enqueue(offered: OfferedJob, lease: Lease, deadlineMs: number): void {
    const { unit, inputHash, inputBytes, input } = lease
    const deadlineAtMs = this.#nowMs + deadlineMs
    const queued: QueuedUnit = { offered, unit, inputHash, inputBytes, input, deadlineAtMs, cancelled: false }
    this.#held.set(unitKey(offered.requester, offered.job, unit), queued)
    this.#queue.push(offered.requester, queued)
  }

  #release({ requester, job }: JobOf, release: Release, out: Output): void {
    const key = `${requester}/${job}`
    const batch = out.releases.get(key) ?? { requester, job, releases: [] }
    out.releases.set(key, batch)
    batch.releases.push(release)
    this.#emit({ type: 'unitReleased', job, requester, unit: release.unit, reason: release.reason }, out)
  }

  /** Lets go of a unit that is queued or running, and says so. */
  #giveBack(queued: QueuedUnit, reason: ReleaseReason, out: Output): void {
    if (this.#letGo(queued, out)) this.#release(queued.offered, { unit: queued.unit, reason }, out)
  }

  /** @returns Whether it could; a unit that only waits for its signature is as good as done. */
  #letGo(queued: QueuedUnit, out: Output): boolean {
    for (const [id, running] of this.#running) {
      if (running.queued !== queued) continue
      if (running.phase === 'signing') return false
      this.#running.delete(id)
      this.#active--
      this.#queue.settle(running.charge, 0)
      out.effects.push({ type: 'cancelExecution', id })
    }
    queued.cancelled = true
    this.#held.delete(unitKey(queued.offered.requester, queued.offered.job, queued.unit))
    return true
  }

  #cancelled(requester: PeerId, message: CancelMessage, out: Output): void {
    if (message.units.length > 0) {
      for (const unit of message.units) {
        const queued = this.#held.get(unitKey(requester, message.job, unit))
        if (queued !== undefined) this.#letGo(queued, out)
      }
      return
    }
    for (const queued of [...this.#held.values()]) {
      if (queued.offered.requester === requester && queued.offered.job === message.job) this.#letGo(queued, out)
    }
    this.#links.get(requester)?.jobs.delete(message.job)
  }

  // Executions

  /** Short units are handed out several at once, so that a worker need not wait for the scheduler between two. */
  #activeMax(): number {
    const { workers } = this.#controls
    if (this.#meanUs === null || this.#meanUs > limits.SHORT_UNIT_US) return workers
    const ahead = Math.floor(limits.EXECUTIONS_AHEAD_US / Math.max(this.#meanUs, 1))
    return workers * Math.min(limits.EXECUTIONS_PER_WORKER_MAX, Math.max(2, ahead))
  }

  /** Tops up when half is gone: several units at a time rather than one for each that ends. */
  #startUnits(out: Output): void {
    const most = this.#activeMax()
    if (this.#active > Math.floor(most / 2) && this.#active >= this.#controls.workers) return
    while (this.#active < most) {
      const next = this.#queue.take()
      if (next === undefined) return
      const { item: queued, charge } = next
      if (queued.cancelled) {
        this.#queue.settle(charge, 0)
      } else if (queued.deadlineAtMs <= this.#nowMs) {
        this.#queue.settle(charge, 0)
        this.#giveBack(queued, 'overloaded', out)
      } else {
        this.#execute(queued, charge, out)
      }
    }
  }

  #execute(queued: QueuedUnit, charge: Charge, out: Output): void {
    const { offered, unit, inputHash, inputBytes, input } = queued
    const { requester, job, manifest } = offered
    // Only jobs that are ready have units, and those have their manifest.
    if (manifest === null) return
    const id = this.#nextId++
    this.#running.set(id, { queued, charge, phase: 'running', receipt: null, outcome: null })
    this.#active++
    out.effects.push({ type: 'execute', id, job, manifest, unit, inputHash, inputBytes, input, from: requester })
    this.#emit({ type: 'unitStarted', job, requester, unit }, out)
  }

  #executed(id: ExecutionId, executed: Executed, out: Output): void {
    const running = this.#running.get(id)
    const manifest = running?.queued.offered.manifest
    if (running === undefined || running.phase !== 'running' || !manifest) return
    this.#active--
    this.#queue.settle(running.charge, executed.durationUs)
    running.phase = 'signing'
    running.outcome = executed.outcome
    running.receipt = receiptOf(
      { job: running.queued.offered.job, unit: running.queued.unit, inputHash: running.queued.inputHash },
      { manifest, executed },
    )
    this.#learn(running.queued.offered.requester, executed)
    out.effects.push({ type: 'signReceipt', id, receipt: running.receipt })
  }

  /** Means over about the last eight units. */
  #learn(requester: PeerId, { durationUs, gas }: Executed): void {
    const mean = (before: number | null) => (before === null ? durationUs : before + (durationUs - before) / 8)
    this.#meanUs = mean(this.#meanUs)
    const link = this.#links.get(requester)
    if (link === undefined) return
    link.meanUs = mean(link.meanUs)
    link.gasPerSecond = Math.min(Number.MAX_SAFE_INTEGER, Math.round((Number(gas) * 1e6) / Math.max(durationUs, 1)))
  }

  #executionFailed(id: ExecutionId, reason: ReleaseReason, out: Output): void {
    const running = this.#running.get(id)
    if (running === undefined || running.phase !== 'running') return
    const { offered, unit } = running.queued
    this.#running.delete(id)
    this.#active--
    this.#queue.settle(running.charge, 0)
    const key = unitKey(offered.requester, offered.job, unit)
    this.#held.delete(key)
    if (FAULTS.has(reason)) remember(this.#failedUnits, key)
    this.#release(offered, { unit, reason }, out)
  }

  #receiptSigned(id: ExecutionId, signed: SignedReceipt, out: Output): void {
    const running = this.#running.get(id)
    if (running === undefined) return
    const { requester, job } = running.queued.offered
    const { receipt } = signed
    this.#running.delete(id)
    this.#held.delete(unitKey(requester, job, receipt.unit))
    const result = { receipt: signed, outcome: running.outcome }
    this.#outbox.add({ requester, job }, result, { nowMs: this.#nowMs, persisted: false })
    this.#flushAtMs ??= this.#nowMs + limits.RESULT_FLUSH_MS
    this.#ownOutcomes.set(`${job}/${receipt.unit}`, agreementOf(receipt))
    trim(this.#ownOutcomes, limits.OWN_OUTCOMES_MAX)
    const { success, durationUs, memoryBytesPeak, costMicroUnits } = receipt
    const usage = { success, durationUs, memoryBytesPeak, costMicroUnits }
    this.#emit({ type: 'unitFinished', job, requester, unit: receipt.unit, ...usage }, out)
    this.#rebidIfMisjudged(requester, out)
  }

  /** A first guess of the slots is soon wrong by far for tiny units: say so at once. */
  #rebidIfMisjudged(requester: PeerId, out: Output): void {
    const link = this.#links.get(requester)
    if (link === undefined) return
    const slots = this.#slotsFor(link)
    if (slots >= link.slotsBid * 2 || slots * 2 <= link.slotsBid) out.bids.add(link)
  }

  // Results

  /** Sends new results when enough have gathered, when they have waited enough, or when no more are about to come. */
  #flushResults(out: Output): void {
    if (this.#outbox.unsent === 0) {
      this.#flushAtMs = null
      return
    }
    const due = this.#flushAtMs !== null && this.#nowMs >= this.#flushAtMs
    const idle = this.#running.size === 0
    if (!due && !idle && this.#outbox.unsent < limits.RESULTS_FLUSH_COUNT) return
    this.#flushAtMs = null
    this.#sendResults(this.#outbox.takeUnsent(this.#nowMs), out)
  }

  #sendResults(batches: ReturnType<Outbox['takeUnsent']>, out: Output): void {
    for (const { requester, job, results } of batches) {
      out.effects.push(this.#send(requester, { type: 'results', job, results }))
    }
  }

  #acknowledged(requester: PeerId, job: JobId, unit: number, out: Output): void {
    const where = this.#outbox.remove(requester, job, unit)
    if (where === 'absent') return
    if (where === 'persisted') out.ops.push(recordOps.dropOutbox(requester, job, unit))
    this.#emit({ type: 'unitAcknowledged', job, requester, unit }, out)
  }

  /** Attests what it found itself, and nothing else. Rule [R5]. */
  #countersign(requester: PeerId, message: CountersignMessage, out: Output): void {
    if (this.#attestationsPending >= limits.ATTESTATIONS_PENDING_MAX) return
    const agreed = message.receipts.filter(
      ({ executor, receipt }) =>
        executor !== this.#self &&
        this.#ownOutcomes.get(`${receipt.manifest}/${receipt.unit}`) === agreementOf(receipt),
    )
    if (agreed.length === 0) return
    const receipts: readonly Hash[] = [...new Set(agreed.map(({ hash }) => hash))]
    this.#attestationsPending++
    const { job } = message
    out.effects.push({ type: 'signAttestation', requester, job, attestation: { manifest: job, receipts } })
  }

  // Time

  #tick(out: Output): void {
    this.#wakeAtMs = null
    for (const [reason, untilMs] of [...this.#pauses]) {
      if (untilMs === null || untilMs > this.#nowMs) continue
      this.#pauses.delete(reason)
      this.#allowanceChanged(out)
    }
    if (this.#nowMs < this.#heartbeatAtMs) return
    this.#heartbeatAtMs = this.#nowMs + limits.HEARTBEAT_INTERVAL_MS
    this.#forgetOldOffers(out)
    this.#sendResults(this.#outbox.takeDue(this.#nowMs), out)
    for (const { requester, job, result } of this.#outbox.takeToPersist(this.#nowMs)) {
      out.ops.push(recordOps.outbox(requester, job, result))
    }
    for (const { requester, job, unit } of this.#outbox.takeExpired(this.#nowMs)) {
      out.ops.push(recordOps.dropOutbox(requester, job, unit))
    }
    const held = this.#heldBy()
    for (const link of this.#links.values()) {
      if (link.slotsBid > 0 || this.#slotsFor(link) > 0 || held.has(link.peer)) out.bids.add(link)
    }
  }

  /** A requester that repeats its offer no more has nothing left, or is gone: what is only queued for it is dropped. */
  #forgetOldOffers(out: Output): void {
    for (const link of [...this.#links.values()]) {
      for (const offered of [...link.jobs.values()]) {
        if (this.#nowMs - offered.heardAtMs > limits.OFFER_TTL_MS) this.#forget(link, offered, out)
      }
      if (link.jobs.size === 0 && this.#queue.sizeOf(link.peer) === 0) {
        this.#links.delete(link.peer)
        this.#queue.remove(link.peer)
      }
    }
  }

  #forget(link: RequesterLink, offered: OfferedJob, out: Output): void {
    link.jobs.delete(offered.job)
    const running = new Set([...this.#running.values()].map((each) => each.queued))
    for (const queued of [...this.#held.values()]) {
      if (queued.offered === offered && !running.has(queued)) this.#letGo(queued, out)
    }
  }

  #wake(): ExecutorEffect | null {
    const times = [...this.#pauses.values()].filter((untilMs) => untilMs !== null)
    if (this.#links.size > 0 || this.#outbox.size > 0) times.push(Math.max(this.#heartbeatAtMs, this.#nowMs))
    if (this.#flushAtMs !== null) times.push(this.#flushAtMs)
    if (times.length === 0) return null
    const atMs = Math.min(...times)
    if (atMs === this.#wakeAtMs) return null
    this.#wakeAtMs = atMs
    return { type: 'wakeAt', atMs }
  }

  #emitStatus(out: Output): void {
    const status = this.status()
    const key = status.state === 'working' ? 'working' : JSON.stringify(status)
    if (key === this.#statusKey) return
    this.#statusKey = key
    this.#emit({ type: 'statusChanged', status }, out)
  }
}

/** What two executors of one unit must have in common for one to attest the other's receipt. */
function agreementOf(receipt: Receipt): string {
  return `${receipt.inputHash} ${keyText(receipt)}`
}

function remember(set: Set<string>, key: string): void {
  set.add(key)
  trim(set, limits.FAILED_UNITS_MAX)
}

/** Forgets the oldest beyond a bound. */
function trim(collection: Set<string> | Map<string, string>, max: number): void {
  for (const oldest of collection.keys()) {
    if (collection.size <= max) return
    collection.delete(oldest)
  }
}
