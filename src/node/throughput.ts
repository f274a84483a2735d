/** Resolution of the throughput plot. */
export const THROUGHPUT_STEP_MS = 1_000
/** Ten minutes of history; older steps are dropped. */
const STEPS_MAX = 600
/** Steps the present rate is taken from: long enough to be calm, short enough to follow a peer that left. */
const RATE_STEPS = 20

export interface Estimate {
  readonly low: number
  readonly middle: number
  readonly high: number
}

/** Units finished per second over time, and from it when the rest will be done. */
export class Throughput {
  readonly #steps: number[] = []
  #firstStep = 0
  #started = false

  /** @param nowMs - The peer's clock; never runs backwards by more than a step. */
  count(nowMs: number, units = 1): void {
    const index = this.#advance(nowMs)
    this.#steps[index] = (this.#steps[index] ?? 0) + units
  }

  history(nowMs: number): readonly number[] {
    if (this.#started) this.#advance(nowMs)
    return this.#steps
  }

  /** Units per second over the last {@link RATE_STEPS} whole steps. */
  rate(nowMs: number): number {
    const steps = this.#recent(nowMs)
    return steps.length === 0 ? 0 : mean(steps) / (THROUGHPUT_STEP_MS / 1000)
  }

  /**
   * When `remaining` units will be done, ms from now: the middle from the mean rate, the spread from one standard error either
   * way. `null` while no unit has finished lately.
   */
  estimate(nowMs: number, remaining: number): Estimate | null {
    const steps = this.#recent(nowMs)
    const average = mean(steps)
    if (steps.length === 0 || average === 0) return null
    const variance = mean(steps.map((units) => (units - average) ** 2))
    const error = Math.min(Math.sqrt(variance / steps.length), average * 0.9)
    const time = (rate: number): number => (remaining / rate) * THROUGHPUT_STEP_MS
    return { low: time(average + error), middle: time(average), high: time(average - error) }
  }

  #recent(nowMs: number): readonly number[] {
    if (!this.#started) return []
    const current = this.#advance(nowMs)
    // The running step is left out once there is a whole one: it is not over.
    const end = current === 0 ? 1 : current
    return this.#steps.slice(Math.max(0, end - RATE_STEPS), end)
  }

  #advance(nowMs: number): number {
    const step = Math.floor(nowMs / THROUGHPUT_STEP_MS)
    if (!this.#started) {
      this.#started = true
      this.#firstStep = step
    }
    // After a long pause only what is kept is filled.
    if (step - this.#firstStep - this.#steps.length > STEPS_MAX) {
      this.#steps.length = 0
      this.#firstStep = step - STEPS_MAX + 1
    }
    while (this.#firstStep + this.#steps.length <= step) this.#steps.push(0)
    if (this.#steps.length > STEPS_MAX) {
      this.#firstStep += this.#steps.length - STEPS_MAX
      this.#steps.splice(0, this.#steps.length - STEPS_MAX)
    }
    return Math.max(0, step - this.#firstStep)
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
