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

interface Entry {
  readonly author: PeerId
  /** From here on the timestamp alone refuses the statement. */
  readonly expiresAtMs: number
}

/** Everything a window remembers, for a durable copy. */
export type ReplaySnapshot = readonly (readonly [key: string, author: PeerId, expiresAtMs: number])[]

/**
 * Refuses statements from another time and statements seen before. Rules [S3] and [S4]. Fails closed: when there is no room to
 * remember a nonce, the statement is refused. Not for receipts and other evidence, which stay good for ever.
 */
export class ReplayWindow {
  /** By nonce, in the order of arrival. Expiry is within 2 windows of arrival, so old ones are near the front. */
  readonly #seen = new Map<string, Entry>()
  readonly #perAuthor = new Map<PeerId, number>()

  constructor(snapshot: ReplaySnapshot = []) {
    for (const [key, author, expiresAtMs] of snapshot) this.#remember(key, { author, expiresAtMs })
  }

  get size(): number {
    return this.#seen.size
  }

  /**
   * Takes note of a statement, once.
   *
   * @throws {@link StaleStatementError} When its timestamp is outside of the window.
   * @throws {@link ReplayedStatementError} When its author used the nonce before.
   * @throws {@link LimitExceededError} When its author, or all together, made more statements than can be remembered.
   */
  admit(stamped: Stamped, nowMs: number): void {
    const ageMs = nowMs - stamped.timestampMs
    if (Math.abs(ageMs) > TIMESTAMP_WINDOW_MS) {
      throw new StaleStatementError(`Timestamp is ${ageMs} ms old, limit ±${TIMESTAMP_WINDOW_MS} ms`, {
        field: 'timestampMs',
        value: stamped.timestampMs,
        limit: TIMESTAMP_WINDOW_MS,
      })
    }
    this.#expire(nowMs)
    const key = `${stamped.author}/${toHex(stamped.nonce)}`
    if (this.#seen.has(key)) {
      throw new ReplayedStatementError('Nonce was used before by this author', { field: 'nonce', value: key })
    }
    this.#checkRoom(stamped.author)
    this.#remember(key, { author: stamped.author, expiresAtMs: stamped.timestampMs + TIMESTAMP_WINDOW_MS })
  }

  snapshot(): ReplaySnapshot {
    return [...this.#seen].map(([key, { author, expiresAtMs }]) => [key, author, expiresAtMs] as const)
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

  #remember(key: string, entry: Entry): void {
    this.#seen.set(key, entry)
    this.#perAuthor.set(entry.author, (this.#perAuthor.get(entry.author) ?? 0) + 1)
  }

  /** Walks from the oldest arrival to the first that is still needed; one behind it that expired earlier only waits. */
  #expire(nowMs: number): void {
    for (const [key, entry] of this.#seen) {
      if (entry.expiresAtMs >= nowMs) return
      this.#seen.delete(key)
      const left = (this.#perAuthor.get(entry.author) ?? 1) - 1
      if (left === 0) this.#perAuthor.delete(entry.author)
      else this.#perAuthor.set(entry.author, left)
    }
  }
}

/** Admits each author's sequence numbers only upwards, where order matters. Rule [S5]. */
export class SequenceGuard {
  readonly #last = new Map<string, number>()

  /** @throws {@link ReplayedStatementError} When the number is not above the last one of this author and kind. */
  admit(statement: { readonly author: PeerId; readonly kind: string; readonly seq: number }): void {
    const key = `${statement.author}/${statement.kind}`
    const last = this.#last.get(key) ?? -1
    if (statement.seq <= last) {
      throw new ReplayedStatementError(`Sequence number is ${statement.seq}, limit above ${last}`, {
        field: 'seq',
        value: statement.seq,
        limit: last,
      })
    }
    // Deleting first moves the author to the young end.
    this.#last.delete(key)
    this.#last.set(key, statement.seq)
    if (this.#last.size <= SEQUENCE_AUTHORS_MAX) return
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest)
      return
    }
  }
}
