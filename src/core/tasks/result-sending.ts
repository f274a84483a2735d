import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import { BATCH_STATEMENTS_MAX } from '../identity/limits.ts'
import type { UnsignedReceipt } from './executor-events.ts'
import type { ExecutorOutput } from './executor-output.ts'
import type { ExecutorState } from './executor-state.ts'
import * as limits from './limits.ts'
import type { CountersignMessage, UnitResult } from './messages.ts'
import { forgetOldest } from './oldest.ts'
import type { Outbox } from './outbox.ts'
import type { Receipt, SignedAttestation } from './receipt.ts'
import { recordOps } from './record-codec.ts'
import { keyText } from './tally.ts'

/** Finished units on their way to their requesters, and attestations of what others found. Rules [L8], [X5] and [R5]. */
export class ResultSending {
  readonly #state: ExecutorState
  /** What this executor found, so that it can attest what others found. Oldest first. */
  readonly #ownOutcomes = new Map<string, string>()
  #attestationsPending = 0
  /** Receipts that wait to be signed together, and how many of each requester. */
  #gathered: UnsignedReceipt[] = []
  readonly #gatheredOf = new Map<PeerId, number>()
  #signAtMs: number | null = null

  constructor(state: ExecutorState) {
    this.#state = state
  }

  /** When receipts that wait for company are signed without it; `null` while none wait. */
  get signAtMs(): number | null {
    return this.#signAtMs
  }

  /** Takes the receipt of a unit that was just finished. */
  gather(requester: PeerId, unsigned: UnsignedReceipt): void {
    this.#gathered.push(unsigned)
    this.#gatheredOf.set(requester, (this.#gatheredOf.get(requester) ?? 0) + 1)
    this.#signAtMs ??= this.#state.nowMs + limits.RECEIPTS_GATHER_MS
  }

  /** Takes a result that was just signed. */
  add(of: { readonly requester: PeerId; readonly job: JobId }, result: UnitResult): void {
    const { nowMs, outbox } = this.#state
    const { receipt } = result.receipt
    outbox.add(of, result, { nowMs, persisted: false })
    this.#ownOutcomes.set(`${of.job}/${receipt.unit}`, agreementOf(receipt))
    forgetOldest(this.#ownOutcomes, limits.OWN_OUTCOMES_MAX)
  }

  /** An attestation was signed. */
  attested(
    { requester, job, signed }: { readonly requester: PeerId; readonly job: JobId; readonly signed: SignedAttestation },
    out: ExecutorOutput,
  ): void {
    this.#attestationsPending--
    out.send(requester, { type: 'attestation', job, attestation: signed })
  }

  /** Has receipts signed when enough have gathered or have waited enough, and sends what was signed. Rule [X5]. */
  flush(out: ExecutorOutput): void {
    if (this.#gathered.length > 0 && this.#mayNotWait()) {
      for (let at = 0; at < this.#gathered.length; at += BATCH_STATEMENTS_MAX) {
        out.effect({ type: 'signReceipts', receipts: this.#gathered.slice(at, at + BATCH_STATEMENTS_MAX) })
      }
      this.#gathered = []
      this.#gatheredOf.clear()
      this.#signAtMs = null
    }
    this.#send(this.#state.outbox.takeUnsent(this.#state.nowMs), out)
  }

  /** Whether somebody would wait for what has gathered: the requester to lend more, or this executor for something to do. */
  #mayNotWait(): boolean {
    if (this.#signAtMs !== null && this.#state.nowMs >= this.#signAtMs) return true
    for (const [requester, gathered] of this.#gatheredOf) {
      if (gathered >= Math.min(limits.RECEIPTS_GATHERED_MAX, this.#unfinishedOf(requester))) return true
    }
    return false
  }

  /** Units of one requester that are queued or running here. */
  #unfinishedOf(requester: PeerId): number {
    let unfinished = this.#state.queue.sizeOf(requester)
    for (const { queued, phase } of this.#state.running.values()) {
      if (phase === 'running' && queued.offered.requester === requester) unfinished++
    }
    return unfinished
  }

  #send(batches: ReturnType<Outbox['takeUnsent']>, out: ExecutorOutput): void {
    for (const { requester, job, results } of batches) {
      out.send(requester, { type: 'results', job, results })
    }
  }

  /** A requester needs a result no more. */
  acknowledged(requester: PeerId, job: JobId, unit: number, out: ExecutorOutput): void {
    const where = this.#state.outbox.remove(requester, job, unit)
    if (where === 'absent') return
    if (where === 'persisted') out.persist(recordOps.dropOutbox(requester, job, unit))
    out.emit({ type: 'unitAcknowledged', job, requester, unit })
  }

  /** Attests what it found itself, and nothing else. Rule [R5]. */
  countersign(requester: PeerId, message: CountersignMessage, out: ExecutorOutput): void {
    if (this.#attestationsPending >= limits.ATTESTATIONS_PENDING_MAX) return
    const agreed = message.receipts.filter(
      ({ executor, receipt }) =>
        executor !== this.#state.self &&
        this.#ownOutcomes.get(`${receipt.manifest}/${receipt.unit}`) === agreementOf(receipt),
    )
    if (agreed.length === 0) return
    const receipts: readonly Hash[] = [...new Set(agreed.map(({ hash }) => hash))]
    this.#attestationsPending++
    const { job } = message
    out.effect({ type: 'signAttestation', requester, job, attestation: { manifest: job, receipts } })
  }

  /** Repeats what nobody acknowledged, writes down what has waited long, and gives up what nobody wanted. */
  tick(out: ExecutorOutput): void {
    const { nowMs, outbox } = this.#state
    this.#send(outbox.takeDue(nowMs), out)
    for (const { requester, job, result } of outbox.takeToPersist(nowMs)) {
      out.persist(recordOps.outbox(requester, job, result))
    }
    for (const { requester, job, unit } of outbox.takeExpired(nowMs)) {
      out.persist(recordOps.dropOutbox(requester, job, unit))
    }
  }
}

/** What two executors of one unit must have in common for one to attest the other's receipt. */
function agreementOf(receipt: Receipt): string {
  return `${receipt.inputHash} ${keyText(receipt)}`
}
