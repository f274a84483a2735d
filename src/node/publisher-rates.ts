import type { PeerId } from '../core/codec/ids.ts'
import { TokenBucket } from '../net/token-bucket.ts'

/** Publishers whose rates are known; who published longest ago gives way. */
const PUBLISHERS_MAX = 1_024

/** Keeps each publisher to its own rate, so that one that floods uses up nobody else's. */
export class PublisherRates {
  readonly #rate: { readonly perSecond: number; readonly burst: number }
  readonly #buckets = new Map<PeerId, TokenBucket>()

  constructor(rate: { readonly perSecond: number; readonly burst: number }) {
    this.#rate = rate
  }

  /** @returns Whether this publication is within the publisher's rate. */
  take(publisher: PeerId, nowMs: number): boolean {
    const { perSecond, burst } = this.#rate
    const bucket = this.#buckets.get(publisher) ?? new TokenBucket(perSecond, burst, nowMs)
    this.#buckets.delete(publisher)
    this.#buckets.set(publisher, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > PUBLISHERS_MAX && oldest !== undefined) this.#buckets.delete(oldest)
    return bucket.take(nowMs)
  }
}
