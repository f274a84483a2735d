import type { PeerId } from '../codec/ids.ts'
import type { Bidding } from './bidding.ts'
import type { Executed, ExecutionId } from './executor-events.ts'
import type { ExecutorOutput } from './executor-output.ts'
import { type ExecutorState, heldKey } from './executor-state.ts'
import type { Charge } from './fair-queue.ts'
import * as limits from './limits.ts'
import type { CancelMessage, Lease, LeaseMessage, ReleaseReason } from './messages.ts'
import { forgetOldest } from './oldest.ts'
import type { SignedReceipt } from './receipt.ts'
import { receiptOf } from './receipt-of.ts'
import type { OfferedJob, QueuedUnit } from './requester-link.ts'
import type { ResultSending } from './result-sending.ts'

/** Why a unit is not tried here again. */
const FAULTS: ReadonlySet<ReleaseReason> = new Set([
  'wall-limit',
  'worker-crash',
  'input-unavailable',
  'module-refused',
  'internal',
])

/** Units from their lease to their signed receipt. Rules [F1] and [X3]. */
export class UnitWork {
  readonly #state: ExecutorState
  readonly #bids: Bidding
  readonly #results: ResultSending
  readonly #failedUnits = new Set<string>()
  #nextId: ExecutionId = 1
  #meanUs: number | null = null

  constructor(state: ExecutorState, concerns: { readonly bids: Bidding; readonly results: ResultSending }) {
    this.#state = state
    this.#bids = concerns.bids
    this.#results = concerns.results
  }

  /** A requester lends units: each is queued, or given back with the reason. */
  leased(requester: PeerId, message: LeaseMessage, out: ExecutorOutput): void {
    const link = this.#state.link(requester)
    if (link === undefined) return
    link.grant = message.session === link.session ? Math.max(link.grant, message.grant) : message.grant
    link.session = message.session
    const offered = link.jobs.get(message.job)
    for (const lease of message.leases) {
      const key = heldKey(requester, message.job, lease.unit)
      if (this.#state.held.has(key) || this.#state.outbox.has(requester, message.job, lease.unit)) continue
      const refusal = this.#refusal(key, offered, lease)
      if (refusal !== null) {
        out.release({ requester, job: message.job }, { unit: lease.unit, reason: refusal })
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
    if (!this.#state.mayWorkFor(offered.requester)) return 'paused'
    if (this.#failedUnits.has(key)) return 'internal'
    const full = this.#state.queue.sizeOf(offered.requester) >= limits.SLOTS_MAX
    return full || this.#state.outbox.size >= limits.OUTBOX_RESULTS_MAX ? 'overloaded' : null
  }

  #enqueue(offered: OfferedJob, lease: Lease, deadlineMs: number): void {
    const { unit, inputHash, inputBytes, input } = lease
    const deadlineAtMs = this.#state.nowMs + deadlineMs
    const queued: QueuedUnit = { offered, unit, inputHash, inputBytes, input, deadlineAtMs, cancelled: false }
    this.#state.held.set(heldKey(offered.requester, offered.job, unit), queued)
    this.#state.queue.push(offered.requester, queued)
  }

  /** Lets go of a unit that is queued or running, and says so. */
  giveBack(queued: QueuedUnit, reason: ReleaseReason, out: ExecutorOutput): void {
    if (this.letGo(queued, out)) out.release(queued.offered, { unit: queued.unit, reason })
  }

  /** @returns Whether it could; a unit that only waits for its signature is as good as done. */
  letGo(queued: QueuedUnit, out: ExecutorOutput): boolean {
    for (const [id, running] of this.#state.running) {
      if (running.queued !== queued) continue
      if (running.phase === 'finished') return false
      this.#state.running.delete(id)
      this.#state.active--
      this.#state.queue.settle(running.charge, 0)
      out.effect({ type: 'cancelExecution', id })
    }
    queued.cancelled = true
    this.#state.held.delete(heldKey(queued.offered.requester, queued.offered.job, queued.unit))
    return true
  }

  /** A requester takes units back, or a whole job. */
  cancelled(requester: PeerId, message: CancelMessage, out: ExecutorOutput): void {
    if (message.units.length > 0) {
      for (const unit of message.units) {
        const queued = this.#state.held.get(heldKey(requester, message.job, unit))
        if (queued !== undefined) this.letGo(queued, out)
      }
      return
    }
    for (const queued of [...this.#state.held.values()]) {
      if (queued.offered.requester === requester && queued.offered.job === message.job) this.letGo(queued, out)
    }
    this.#state.links.get(requester)?.jobs.delete(message.job)
  }

  /** Short units are handed out several at once, so that a worker need not wait for the scheduler between two. */
  #activeMax(): number {
    const { workers } = this.#state.controls
    if (this.#meanUs === null || this.#meanUs > limits.SHORT_UNIT_US) return workers
    const ahead = Math.floor(limits.EXECUTIONS_AHEAD_US / Math.max(this.#meanUs, 1))
    return workers * Math.min(limits.EXECUTIONS_PER_WORKER_MAX, Math.max(2, ahead))
  }

  /** Tops up when half is gone: several units at a time rather than one for each that ends. */
  start(out: ExecutorOutput): void {
    const most = this.#activeMax()
    if (this.#state.active > Math.floor(most / 2) && this.#state.active >= this.#state.controls.workers) return
    while (this.#state.active < most) {
      const next = this.#state.queue.take()
      if (next === undefined) return
      const { item: queued, charge } = next
      if (queued.cancelled) {
        this.#state.queue.settle(charge, 0)
      } else if (queued.deadlineAtMs <= this.#state.nowMs) {
        this.#state.queue.settle(charge, 0)
        this.giveBack(queued, 'overloaded', out)
      } else {
        this.#execute(queued, charge, out)
      }
    }
  }

  #execute(queued: QueuedUnit, charge: Charge, out: ExecutorOutput): void {
    const { offered, unit, inputHash, inputBytes, input } = queued
    const { requester, job, manifest } = offered
    // Only jobs that are ready have units, and those have their manifest.
    if (manifest === null) return
    const id = this.#nextId++
    this.#state.running.set(id, { queued, charge, phase: 'running', outcome: null })
    this.#state.active++
    out.effect({ type: 'execute', id, job, manifest, unit, inputHash, inputBytes, input, from: requester })
    out.emit({ type: 'unitStarted', job, requester, unit })
  }

  /** A worker is through with a unit: its receipt is to be signed, with those of others. */
  executed(id: ExecutionId, executed: Executed, out: ExecutorOutput): void {
    const running = this.#state.running.get(id)
    const manifest = running?.queued.offered.manifest
    if (running === undefined || running.phase !== 'running' || !manifest) return
    this.#state.active--
    this.#state.queue.settle(running.charge, executed.durationUs)
    running.phase = 'finished'
    running.outcome = executed.outcome
    const { offered, unit, inputHash } = running.queued
    const { requester, job } = offered
    this.#results.gather(requester, { id, receipt: receiptOf({ job, unit, inputHash }, { manifest, executed }) })
    this.#learn(requester, executed)
    this.#bids.rebidIfMisjudged(requester, out)
  }

  /** Means over about the last eight units. */
  #learn(requester: PeerId, { durationUs, gas }: Executed): void {
    const mean = (before: number | null) => (before === null ? durationUs : before + (durationUs - before) / 8)
    this.#meanUs = mean(this.#meanUs)
    const link = this.#state.links.get(requester)
    if (link === undefined) return
    link.meanUs = mean(link.meanUs)
    link.gasPerSecond = Math.min(Number.MAX_SAFE_INTEGER, Math.round((Number(gas) * 1e6) / Math.max(durationUs, 1)))
  }

  /** A worker could not run a unit to its end, or its receipt could not be signed. */
  executionFailed(id: ExecutionId, reason: ReleaseReason, out: ExecutorOutput): void {
    const running = this.#state.running.get(id)
    if (running === undefined) return
    const { offered, unit } = running.queued
    this.#state.running.delete(id)
    if (running.phase === 'running') {
      this.#state.active--
      this.#state.queue.settle(running.charge, 0)
    }
    const key = heldKey(offered.requester, offered.job, unit)
    this.#state.held.delete(key)
    if (FAULTS.has(reason)) {
      this.#failedUnits.add(key)
      forgetOldest(this.#failedUnits, limits.FAILED_UNITS_MAX)
    }
    out.release(offered, { unit, reason })
  }

  /** A receipt is signed: the result can go. */
  receiptSigned(id: ExecutionId, signed: SignedReceipt, out: ExecutorOutput): void {
    const running = this.#state.running.get(id)
    if (running === undefined) return
    const { requester, job } = running.queued.offered
    const { receipt } = signed
    this.#state.running.delete(id)
    this.#state.held.delete(heldKey(requester, job, receipt.unit))
    const result = { receipt: signed, outcome: running.outcome }
    this.#results.add({ requester, job }, result)
    const { success, durationUs, memoryBytesPeak, costMicroUnits } = receipt
    const usage = { success, durationUs, memoryBytesPeak, costMicroUnits }
    out.emit({ type: 'unitFinished', job, requester, unit: receipt.unit, ...usage })
  }
}
