import type { JobId, PeerId } from '../codec/ids.ts'
import type { OutboxRecord } from './executor-events.ts'
import {
  OUTBOX_PERSIST_AFTER_MS,
  OUTBOX_TTL_MS,
  RESEND_INTERVAL_MS,
  RESEND_INTERVAL_MS_MAX,
  RESULTS_BYTES_PER_MESSAGE_MAX,
  RESULTS_PER_MESSAGE_MAX,
} from './limits.ts'
import type { UnitResult } from './messages.ts'

/** Of a receipt with its place in a batch, which takes a fraction of this when its company travels with it. */
const RECEIPT_BYTES_ABOUT = 1_024

interface Entry {
  readonly requester: PeerId
  readonly job: JobId
  readonly result: UnitResult
  readonly sinceMs: number
  resendAtMs: number
  intervalMs: number
  persisted: boolean
}

/** Results of one requester's job, to go in one message. */
export interface ResultBatch {
  readonly requester: PeerId
  readonly job: JobId
  readonly results: UnitResult[]
}

/** An executor's results that nobody has acknowledged yet. Rule [L8]. */
export class Outbox {
  readonly #entries = new Map<string, Entry>()
  /** Never sent yet: what one step brought. */
  #unsent: Entry[] = []

  get size(): number {
    return this.#entries.size
  }

  has(requester: PeerId, job: JobId, unit: number): boolean {
    return this.#entries.has(keyOf(requester, job, unit))
  }

  /** Takes a new result, or one restored from its record. */
  add(
    of: { readonly requester: PeerId; readonly job: JobId },
    result: UnitResult,
    at: { nowMs: number; persisted: boolean },
  ): void {
    const { nowMs, persisted } = at
    const timing = { sinceMs: nowMs, resendAtMs: nowMs, intervalMs: RESEND_INTERVAL_MS, persisted }
    const entry: Entry = { requester: of.requester, job: of.job, result, ...timing }
    this.#entries.set(keyOf(of.requester, of.job, result.receipt.receipt.unit), entry)
    this.#unsent.push(entry)
  }

  /** @returns Whether it was there, and whether it has a record to delete. */
  remove(requester: PeerId, job: JobId, unit: number): 'absent' | 'memory' | 'persisted' {
    const key = keyOf(requester, job, unit)
    const entry = this.#entries.get(key)
    if (entry === undefined) return 'absent'
    this.#entries.delete(key)
    return entry.persisted ? 'persisted' : 'memory'
  }

  /** What has not been sent yet, in messages of bounded size. */
  takeUnsent(nowMs: number): ResultBatch[] {
    const fresh = this.#unsent
    this.#unsent = []
    return this.#batch(
      fresh.filter((entry) => this.#entries.get(keyOfEntry(entry)) === entry),
      nowMs,
    )
  }

  /** What was sent and not acknowledged for an interval; the interval doubles while the requester stays silent. */
  takeDue(nowMs: number): ResultBatch[] {
    const due: Entry[] = []
    for (const entry of this.#entries.values()) if (entry.resendAtMs <= nowMs) due.push(entry)
    for (const entry of due) entry.intervalMs = Math.min(entry.intervalMs * 2, RESEND_INTERVAL_MS_MAX)
    return this.#batch(due, nowMs)
  }

  /** The requester is back: everything for it goes again soon. */
  hurry(requester: PeerId, nowMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.requester !== requester || entry.intervalMs === RESEND_INTERVAL_MS) continue
      entry.intervalMs = RESEND_INTERVAL_MS
      entry.resendAtMs = nowMs
    }
  }

  /** Small results that have waited long enough to deserve a record. */
  takeToPersist(nowMs: number): OutboxRecord[] {
    const records: OutboxRecord[] = []
    for (const entry of this.#entries.values()) {
      // Oldest first: the rest is younger still.
      if (nowMs - entry.sinceMs < OUTBOX_PERSIST_AFTER_MS) break
      if (entry.persisted || entry.result.outcome === null) continue
      entry.persisted = true
      records.push({ requester: entry.requester, job: entry.job, result: entry.result })
    }
    return records
  }

  entries(): Iterable<OutboxRecord> {
    return this.#entries.values()
  }

  /** Gives up what nobody wanted for a day. */
  takeExpired(nowMs: number): { readonly requester: PeerId; readonly job: JobId; readonly unit: number }[] {
    const expired = [...this.#entries.values()].filter((entry) => nowMs - entry.sinceMs > OUTBOX_TTL_MS)
    for (const entry of expired) this.#entries.delete(keyOfEntry(entry))
    return expired.map(({ requester, job, result }) => ({ requester, job, unit: result.receipt.receipt.unit }))
  }

  #batch(entries: readonly Entry[], nowMs: number): ResultBatch[] {
    const batches: ResultBatch[] = []
    const open = new Map<string, { batch: ResultBatch; bytes: number }>()
    for (const entry of entries) {
      entry.resendAtMs = nowMs + entry.intervalMs
      const key = `${entry.requester}/${entry.job}`
      const bytes = (entry.result.outcome?.length ?? 0) + RECEIPT_BYTES_ABOUT
      let current = open.get(key)
      const full = current && current.batch.results.length >= RESULTS_PER_MESSAGE_MAX
      if (current === undefined || full || current.bytes + bytes > RESULTS_BYTES_PER_MESSAGE_MAX) {
        current = { batch: { requester: entry.requester, job: entry.job, results: [] }, bytes: 0 }
        open.set(key, current)
        batches.push(current.batch)
      }
      current.batch.results.push(entry.result)
      current.bytes += bytes
    }
    return batches
  }
}

function keyOf(requester: PeerId, job: JobId, unit: number): string {
  return `${requester}/${job}/${unit}`
}

function keyOfEntry(entry: Entry): string {
  return keyOf(entry.requester, entry.job, entry.result.receipt.receipt.unit)
}
