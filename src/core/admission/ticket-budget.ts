import type { PeerId } from '../codec/ids.ts'
import { AdmissionBusyError } from './errors.ts'
import {
  PROOFS_BURST_MAX,
  PROOFS_PER_SECOND_MAX,
  TICKET_FAILING_PEERS_MAX,
  TICKET_FAILURES_PER_MINUTE_MAX,
} from './limits.ts'

const MINUTE_MS = 60_000

/** Bounds what others make this peer spend on their tickets. Rule [A9]. */
export class TicketBudget {
  readonly #failures = new Map<PeerId, { count: number; sinceMs: number }>()
  #tokens = PROOFS_BURST_MAX
  #filledAtMs: number

  constructor(nowMs: number) {
    this.#filledAtMs = nowMs
  }

  /** @throws {@link AdmissionBusyError} When the peer showed too many bad tickets in this minute. */
  checkPeer(peer: PeerId, nowMs: number): void {
    const failed = this.#failures.get(peer)
    if (failed === undefined || nowMs - failed.sinceMs >= MINUTE_MS) return
    if (failed.count < TICKET_FAILURES_PER_MINUTE_MAX) return
    throw new AdmissionBusyError(
      `Bad tickets in a minute are ${failed.count}, limit ${TICKET_FAILURES_PER_MINUTE_MAX}`,
      {
        field: 'ticket',
        value: failed.count,
        limit: TICKET_FAILURES_PER_MINUTE_MAX,
      },
    )
  }

  failed(peer: PeerId, nowMs: number): void {
    const before = this.#failures.get(peer)
    const fresh = before === undefined || nowMs - before.sinceMs >= MINUTE_MS
    // Deleting first moves the peer to the young end.
    this.#failures.delete(peer)
    this.#failures.set(peer, fresh ? { count: 1, sinceMs: nowMs } : { ...before, count: before.count + 1 })
    if (this.#failures.size <= TICKET_FAILING_PEERS_MAX) return
    const [oldest] = this.#failures.keys()
    if (oldest !== undefined) this.#failures.delete(oldest)
  }

  /** To be called before each proof is hashed. @throws {@link AdmissionBusyError} When too many were in this second. */
  spendProof(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#filledAtMs)
    this.#filledAtMs = nowMs
    this.#tokens = Math.min(PROOFS_BURST_MAX, this.#tokens + (passedMs * PROOFS_PER_SECOND_MAX) / 1_000)
    if (this.#tokens < 1) {
      throw new AdmissionBusyError(`Proofs checked at once are ${PROOFS_BURST_MAX}, limit ${PROOFS_BURST_MAX}`, {
        field: 'ticket',
        value: PROOFS_BURST_MAX,
        limit: PROOFS_BURST_MAX,
      })
    }
    this.#tokens--
  }
}
