import { StarlingError } from '../codec/errors.ts'
import type { PeerId } from '../codec/ids.ts'
import { type RefusalReason, refusalReason } from '../identity/refusal.ts'
import {
  EVIDENCE_BYTES_MAX,
  EVIDENCE_ITEMS_MAX,
  MISCONDUCT_COST_MILLI,
  MISCONDUCT_MAX_MILLI,
  MISCONDUCT_MILLI_STEP_MS,
  MISCONDUCT_SENDERS_MAX,
} from './limits.ts'

/** What no honest peer in good order does, by the cost of each. */
export type Misconduct = keyof typeof MISCONDUCT_COST_MILLI

const OF_REASON: Readonly<Record<RefusalReason, Misconduct | null>> = {
  signature: 'forged',
  replayed: 'replayed',
  malformed: 'malformed',
  kind: 'malformed',
  network: 'foreign',
  limit: 'oversized',
  // A clock that is off, or a slow link, is no ill will.
  stale: null,
}

/**
 * What a refusal says against whoever made what was refused.
 *
 * @returns `null` When it says nothing: our own fault, a matter of clocks, or want of room to remember somebody's statements.
 */
export function misconductOf(error: unknown): Misconduct | null {
  const reason = refusalReason(error)
  if (reason === null) return null
  const ours = reason === 'limit' && error instanceof StarlingError && error.details.field === 'nonce'
  return ours ? null : OF_REASON[reason]
}

/**
 * What a refusal says against whoever published a statement, as gossip's own signature proves.
 *
 * A publication that was honest once may be sent again by anyone, its signature and all: that an author's own statement comes twice or
 * late is not held against it. But nobody publishes another's, so telling one again is.
 *
 * @param by.author - Who signed the statement; `null` when it cannot be read.
 */
export function publisherMisconduct(
  error: unknown,
  by: { readonly publisher: PeerId; readonly author: PeerId | null },
): Misconduct | null {
  const reason = refusalReason(error)
  if (reason !== 'replayed' && reason !== 'stale') return misconductOf(error)
  return by.author !== null && by.author !== by.publisher ? 'replayed' : null
}

/** What a sender did until it was enough. */
export interface MisconductVerdict {
  /** By kind, only what happened. */
  readonly counts: ReadonlyMap<Misconduct, number>
  /** The newest pieces that were refused, each whole. */
  readonly evidence: readonly Uint8Array[]
}

interface Bucket {
  levelMilli: number
  atMs: number
  readonly counts: Map<Misconduct, number>
  readonly evidence: Uint8Array[]
}

/**
 * Measures what senders do that only a hostile or broken peer does: each act fills a bucket that leaks with time, and a bucket that
 * runs over is a verdict. In thousandths of an act, whole numbers only. What is counted must be surely the sender's own: proved by
 * the link it came over, or by a signature of the sender on what carried it. Rule [T26].
 */
export class MisconductMeter<Sender> {
  /** Least recently blamed first. */
  readonly #buckets = new Map<Sender, Bucket>()

  get size(): number {
    return this.#buckets.size
  }

  /** What is in a sender's bucket, thousandths of an act. */
  levelMilli(sender: Sender, nowMs: number): number {
    const bucket = this.#buckets.get(sender)
    return bucket === undefined ? 0 : leaked(bucket, nowMs)
  }

  /** Counts one act. @returns The verdict when it was one too many; the bucket is empty then. */
  blame(
    sender: Sender,
    act: { readonly nowMs: number; readonly kind: Misconduct; readonly evidence?: Uint8Array | undefined },
  ): MisconductVerdict | null {
    const { nowMs, kind, evidence } = act
    const bucket = this.#bucket(sender, nowMs)
    bucket.levelMilli = leaked(bucket, nowMs) + MISCONDUCT_COST_MILLI[kind]
    bucket.atMs = timeOf(bucket, nowMs)
    bucket.counts.set(kind, (bucket.counts.get(kind) ?? 0) + 1)
    if (evidence !== undefined && evidence.length <= EVIDENCE_BYTES_MAX) {
      bucket.evidence.push(evidence)
      if (bucket.evidence.length > EVIDENCE_ITEMS_MAX) bucket.evidence.shift()
    }
    if (bucket.levelMilli <= MISCONDUCT_MAX_MILLI) return null
    this.#buckets.delete(sender)
    return { counts: bucket.counts, evidence: bucket.evidence }
  }

  #bucket(sender: Sender, nowMs: number): Bucket {
    const known = this.#buckets.get(sender)
    this.#buckets.delete(sender)
    // What was forgiven whole is forgotten whole.
    const bucket =
      known !== undefined && leaked(known, nowMs) > 0
        ? known
        : { levelMilli: 0, atMs: nowMs, counts: new Map(), evidence: [] }
    this.#buckets.set(sender, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > MISCONDUCT_SENDERS_MAX && oldest !== undefined) this.#buckets.delete(oldest)
    return bucket
  }
}

function leaked({ levelMilli, atMs }: Bucket, nowMs: number): number {
  // A clock set back forgives nothing and adds nothing.
  const steps = Math.floor(Math.max(0, nowMs - atMs) / MISCONDUCT_MILLI_STEP_MS)
  return Math.max(0, levelMilli - steps)
}

/** The part of a step that has passed already counts towards the next. */
function timeOf({ atMs }: Bucket, nowMs: number): number {
  return nowMs - (Math.max(0, nowMs - atMs) % MISCONDUCT_MILLI_STEP_MS)
}
