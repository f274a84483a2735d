/** Lets `perSecond` events a second through, and `burst` at once after a quiet time. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
    this.#at = nowMs
  }

  /** Takes one token; false when none is left. */
  take(nowMs: number): boolean {
    // A clock set back gives nothing, and takes nothing away.
    const passedMs = Math.max(0, nowMs - this.#at)
    this.#at = nowMs
    this.#tokens = Math.min(this.#burst, this.#tokens + (passedMs / 1000) * this.#perSecond)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
