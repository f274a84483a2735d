import { toHex } from '../codec/bytes.ts'
import { LimitExceededError } from '../codec/errors.ts'
import type { PeerId } from '../codec/ids.ts'
import { ReplayedStatementError, StaleStatementError } from './errors.ts'
import { REPLAY_NONCES_MAX, REPLAY_NONCES_PER_AUTHOR_MAX, SEQUENCE_AUTHORS_MAX, TIMESTAMP_WINDOW_MS } from './limits.ts'

/** What the window looks at. */
export interface Stamped {
  readonly author: PeerId
  readonly nonce: Uint8Array
  readonly timestampMs: number
}

/** One remembered statement. */
export interface Remembered {
  /** Author and nonce. */
  readonly key: string
  readonly author: PeerId
  /** Up to and with this time the timestamp alone would let the statement pass. */
  readonly expiresAtMs: number
}

/** Everything a window remembers, for a durable copy. */
export interface ReplaySnapshot {
  /** What expired up to here was forgotten, and is refused even when the clock is set back. */
  readonly floorMs: number
  readonly remembered: readonly Remembered[]
}

/**
 * Refuses statements from another time and statements seen before. Rules [S3] and [S4]. Fails closed: when there is no room to
 * remember a nonce, the statement is refused. Not for receipts and other evidence, which stay good for ever.
 */
export class ReplayWindow {
  /** By author and nonce, in the order of arrival. Expiry is within 2 windows of arrival, so old ones are near the front. */
  readonly #seen = new Map<string, Remembered>()
  readonly #perAuthor = new Map<PeerId, number>()
  #floorMs: number

  constructor(snapshot: ReplaySnapshot = { floorMs: 0, remembered: [] }) {
    this.#floorMs = snapshot.floorMs
    for (const entry of snapshot.remembered) if (!this.#seen.has(entry.key)) this.#remember(entry)
  }

  get size(): number {
    return this.#seen.size
  }

  /** What expired up to here was forgotten. */
  get floorMs(): number {
    return this.#floorMs
  }

  /**
   * Refuses what {@link admit} would, but for want of room, and takes no note of it: spares verifying what is refused anyway.
   *
   * @throws {@link StaleStatementError} When its timestamp is outside of the window.
   * @throws {@link ReplayedStatementError} When its author used the nonce before.
   */
  check(stamped: Stamped, nowMs: number): void {
    const ageMs = nowMs - stamped.timestampMs
    const forgotten = stamped.timestampMs + TIMESTAMP_WINDOW_MS <= this.#floorMs
    if (Math.abs(ageMs) > TIMESTAMP_WINDOW_MS || forgotten) {
      throw new StaleStatementError(`Timestamp is ${ageMs} ms old, limit ±${TIMESTAMP_WINDOW_MS} ms`, {
        field: 'timestampMs',
        value: stamped.timestampMs,
        limit: TIMESTAMP_WINDOW_MS,
      })
    }
    const key = keyOf(stamped)
    if (this.#seen.has(key)) {
      throw new ReplayedStatementError('Nonce was used before by this author', { field: 'nonce', value: key })
    }
  }

  /**
   * Takes note of a statement, once. Its signature must have been found good: otherwise anyone could use up its author's nonces.
   *
   * @returns What is to be remembered durably, and the keys of what was forgotten meanwhile.
   * @throws Like {@link check}.
   * @throws {@link LimitExceededError} When its author, or all together, made more statements than can be remembered.
   */
  admit(stamped: Stamped, nowMs: number): { readonly entry: Remembered; readonly forgotten: readonly string[] } {
    const forgotten = this.#expire(nowMs)
    this.check(stamped, nowMs)
    this.#checkRoom(stamped.author)
    const entry = {
      key: keyOf(stamped),
      author: stamped.author,
      expiresAtMs: stamped.timestampMs + TIMESTAMP_WINDOW_MS,
    }
    this.#remember(entry)
    return { entry, forgotten }
  }

  snapshot(): ReplaySnapshot {
    return { floorMs: this.#floorMs, remembered: [...this.#seen.values()] }
  }

  #checkRoom(author: PeerId): void {
    const own = this.#perAuthor.get(author) ?? 0
    const full = this.#seen.size >= REPLAY_NONCES_MAX
    if (own < REPLAY_NONCES_PER_AUTHOR_MAX && !full) return
    const [value, limit] = full ? [this.#seen.size, REPLAY_NONCES_MAX] : [own, REPLAY_NONCES_PER_AUTHOR_MAX]
    throw new LimitExceededError(`Statements inside the window are ${value + 1}, limit ${limit}`, {
      field: 'nonce',
      value: value + 1,
      limit,
    })
  }

  #remember(entry: Remembered): void {
    this.#seen.set(entry.key, entry)
    this.#perAuthor.set(entry.author, (this.#perAuthor.get(entry.author) ?? 0) + 1)
  }

  /** Walks from the oldest arrival to the first that is still needed; one behind it that expired earlier only waits. */
  #expire(nowMs: number): string[] {
    const forgotten: string[] = []
    for (const [key, entry] of this.#seen) {
      if (entry.expiresAtMs >= nowMs) break
      this.#seen.delete(key)
      forgotten.push(key)
      this.#floorMs = Math.max(this.#floorMs, entry.expiresAtMs)
      const left = (this.#perAuthor.get(entry.author) ?? 1) - 1
      if (left === 0) this.#perAuthor.delete(entry.author)
      else this.#perAuthor.set(entry.author, left)
    }
    return forgotten
  }
}

function keyOf({ author, nonce }: Stamped): string {
  return `${author}/${toHex(nonce)}`
}

/** What the guard looks at. */
export interface Numbered {
  readonly author: PeerId
  readonly kind: string
  readonly seq: number
  readonly timestampMs: number
}

/**
 * Admits each author's sequence numbers only upwards, where order matters. Rule [S5]. A number is good for as long as its statement's
 * timestamp: what came before it is refused by its own after that, and an author that lost count is heard again.
 */
export class SequenceGuard {
  readonly #last = new Map<string, { readonly seq: number; readonly expiresAtMs: number }>()

  /** @throws {@link ReplayedStatementError} When the number is not above the last one of this author and kind. */
  check({ author, kind, seq }: Numbered, nowMs: number): void {
    const last = this.#last.get(`${author}/${kind}`)
    if (last === undefined || seq > last.seq || nowMs > last.expiresAtMs) return
    throw new ReplayedStatementError(`Sequence number is ${seq}, limit above ${last.seq}`, {
      field: 'seq',
      value: seq,
      limit: last.seq,
    })
  }

  /** Takes note of a number. @throws Like {@link check}. */
  admit(numbered: Numbered, nowMs: number): void {
    this.check(numbered, nowMs)
    this.restore({ ...numbered, expiresAtMs: numbered.timestampMs + TIMESTAMP_WINDOW_MS })
  }

  /** Takes note of a number from before a restart. */
  restore({ author, kind, seq, expiresAtMs }: Omit<Numbered, 'timestampMs'> & { readonly expiresAtMs: number }): void {
    const key = `${author}/${kind}`
    // Deleting first moves the author to the young end.
    this.#last.delete(key)
    this.#last.set(key, { seq, expiresAtMs })
    if (this.#last.size <= SEQUENCE_AUTHORS_MAX) return
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest)
      return
    }
  }
}
