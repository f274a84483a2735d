/** setTimeout's own bound; a later time is waited for in pieces. */
const DELAY_MS_MAX = 2 ** 31 - 1

/** One timer for a state machine's `wakeAt`: a later wish replaces an earlier one. */
export class WakeTimer {
  readonly #now: () => number
  readonly #wake: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #atMs = Number.POSITIVE_INFINITY

  constructor(now: () => number, wake: () => void) {
    this.#now = now
    this.#wake = wake
  }

  at(atMs: number): void {
    if (atMs === this.#atMs) return
    this.stop()
    this.#atMs = atMs
    this.#arm()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#atMs = Number.POSITIVE_INFINITY
  }

  #arm(): void {
    const delay = Math.min(Math.max(0, this.#atMs - this.#now()), DELAY_MS_MAX)
    this.#timer = setTimeout(() => {
      if (this.#now() < this.#atMs) {
        this.#arm()
        return
      }
      this.#atMs = Number.POSITIVE_INFINITY
      this.#wake()
    }, delay)
  }
}
