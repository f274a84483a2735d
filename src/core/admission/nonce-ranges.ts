import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, integer, list } from '../codec/fields.ts'
import { TICKET_LIMITS, WORK_CHALLENGE_BYTES, WORK_CHUNK_HASHES, WORK_RANGES_MAX } from './limits.ts'

const count = integer(0, Number.MAX_SAFE_INTEGER)

const recordSchema = v.strictObject({
  challenge: bytes(WORK_CHALLENGE_BYTES, WORK_CHALLENGE_BYTES),
  floor: count,
  above: list(count, 0, WORK_RANGES_MAX),
  elapsedMs: count,
})

/** How far the search for one proof came: chunks of nonces, numbered from 0. */
export interface NonceRecord {
  readonly challenge: Uint8Array
  /** Every chunk below is done. */
  readonly floor: number
  /** Chunks above the floor that are done. */
  readonly above: readonly number[]
  readonly elapsedMs: number
}

export function encodeNonceRecord(record: NonceRecord): Uint8Array {
  return encode(record)
}

/** @throws {@link InvalidMessageError} Or a limit error, naming the field. */
export function decodeNonceRecord(record: Uint8Array): NonceRecord {
  const limits = { ...TICKET_LIMITS, itemsMax: 2 * WORK_RANGES_MAX, bytesMax: 16 * WORK_RANGES_MAX }
  return decode(record, { what: 'nonceRecord', limits, schema: recordSchema })
}

/**
 * Hands out nonces in chunks, each once: what a worker did not finish is handed out again, also after a restart. Nothing is tried
 * twice and nothing left out. Rule [A13].
 */
export class NonceRanges {
  /** Every chunk below is done. */
  #floor: number
  /** Chunks above the floor that are done. */
  readonly #done: Set<number>
  readonly #handed = new Set<number>()
  #next: number

  constructor(record: Pick<NonceRecord, 'floor' | 'above'> = { floor: 0, above: [] }) {
    this.#floor = record.floor
    this.#done = new Set(record.above)
    this.#next = record.floor
    this.#settle()
  }

  /** Guesses made so far, unfinished chunks left out. */
  get hashes(): number {
    return (this.#floor + this.#done.size) * WORK_CHUNK_HASHES
  }

  /** A chunk that nobody has; `null` when as many are unfinished as can be remembered. */
  take(): { readonly chunk: number; readonly first: bigint; readonly count: number } | null {
    if (this.#done.size + this.#handed.size >= WORK_RANGES_MAX) return null
    while (this.#done.has(this.#next) || this.#handed.has(this.#next)) this.#next++
    const chunk = this.#next++
    this.#handed.add(chunk)
    return { chunk, first: BigInt(chunk) * BigInt(WORK_CHUNK_HASHES), count: WORK_CHUNK_HASHES }
  }

  done(chunk: number): void {
    if (!this.#handed.delete(chunk)) return
    this.#done.add(chunk)
    this.#settle()
  }

  /** The worker that had it is gone. */
  giveBack(chunk: number): void {
    if (this.#handed.delete(chunk)) this.#next = Math.min(this.#next, chunk)
  }

  record(): Pick<NonceRecord, 'floor' | 'above'> {
    return { floor: this.#floor, above: [...this.#done].sort((a, b) => a - b) }
  }

  #settle(): void {
    while (this.#done.delete(this.#floor)) this.#floor++
  }
}
