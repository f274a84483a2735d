import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import { COUNTERSIGN_INTERVAL_MS, COUNTERSIGN_QUEUE_MAX, COUNTERSIGN_RECEIPTS_MAX } from './limits.ts'
import type { SignedAttestation, SignedReceipt } from './receipt.ts'
import type { StepOutput } from './step-output.ts'

interface Pending {
  readonly peer: PeerId
  readonly job: JobId
  receipts: SignedReceipt[]
}

/**
 * Asks executors to attest the receipts of others who ran the same units, many in one statement. Best effort: what is lost is not
 * asked for again, since the receipts themselves are the evidence. Rule [R5].
 */
export class Countersigning {
  readonly #pending = new Map<string, Pending>()
  /** What each executor was asked to attest and has not: nothing else is taken from it. Oldest first. */
  readonly #asked = new Map<string, PeerId>()
  #nextAtMs = 0

  get pending(): boolean {
    return this.#pending.size > 0
  }

  /** Takes the agreeing receipts of an accepted unit. */
  add(job: JobId, receipts: readonly SignedReceipt[], out: StepOutput): void {
    for (const { executor } of receipts) {
      const key = `${job}/${executor}`
      const pending: Pending = this.#pending.get(key) ?? { peer: executor, job, receipts: [] }
      this.#pending.set(key, pending)
      for (const other of receipts) {
        if (other.executor === executor) continue
        pending.receipts.push(other)
        if (pending.receipts.length === COUNTERSIGN_RECEIPTS_MAX) this.#ask(key, pending, out)
      }
    }
  }

  /** Sends what has waited. */
  tick(nowMs: number, out: StepOutput): void {
    if (nowMs < this.#nextAtMs) return
    this.#nextAtMs = nowMs + COUNTERSIGN_INTERVAL_MS
    for (const [key, pending] of [...this.#pending]) this.#ask(key, pending, out)
  }

  /** Sends what waits for a job that ends. */
  finish(job: JobId, out: StepOutput): void {
    for (const [key, pending] of [...this.#pending]) if (pending.job === job) this.#ask(key, pending, out)
  }

  /** @returns Which of the attested receipts this peer was asked to attest, each once. */
  answered(peer: PeerId, signed: SignedAttestation): Hash[] {
    return signed.attestation.receipts.filter((receipt) => this.#asked.delete(`${receipt}/${peer}`))
  }

  #ask(key: string, pending: Pending, out: StepOutput): void {
    this.#pending.delete(key)
    if (pending.receipts.length === 0) return
    for (const { hash } of pending.receipts) this.#asked.set(`${hash}/${pending.peer}`, pending.peer)
    for (const oldest of this.#asked.keys()) {
      if (this.#asked.size <= COUNTERSIGN_QUEUE_MAX) break
      this.#asked.delete(oldest)
    }
    out.send(pending.peer, { type: 'countersign', job: pending.job, receipts: pending.receipts })
    // Further receipts of the same step begin a new list.
    pending.receipts = []
  }
}
