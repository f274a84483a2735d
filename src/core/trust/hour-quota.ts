import { QUOTA_STEP_MS, QUOTA_WINDOW_MS } from './limits.ts'

const STEPS = QUOTA_WINDOW_MS / QUOTA_STEP_MS
const PPM = 1_000_000

/**
 * What was used of an hourly quota, in parts per million of a task, over a window that slides by minutes. A minute is forgotten
 * when all of it is an hour old: no span of an hour ever holds more than its quota. Rule [T8].
 */
export class HourQuota {
  /** The last 61 minutes, by minute modulo their number. */
  readonly #used: number[] = Array(STEPS + 1).fill(0)
  #step = 0
  #total = 0

  used(nowMs: number): number {
    this.#advance(nowMs)
    return this.#total
  }

  /** What is left of a quota in whole tasks an hour; 0 when a lower tier has less than was used. */
  left(nowMs: number, tasksPerHour: number): number {
    return Math.max(0, tasksPerHour * PPM - this.used(nowMs))
  }

  /** Takes `ppm` if that much is left. @returns Whether it was taken. */
  take(nowMs: number, { ppm, tasksPerHour }: { readonly ppm: number; readonly tasksPerHour: number }): boolean {
    if (ppm > this.left(nowMs, tasksPerHour)) return false
    this.charge(nowMs, ppm)
    return true
  }

  /** Counts what was used without asking, such as a unit that took longer than was expected. */
  charge(nowMs: number, ppm: number): void {
    this.#advance(nowMs)
    const at = this.#step % this.#used.length
    this.#used[at] = (this.#used[at] ?? 0) + ppm
    this.#total += ppm
  }

  /** Gives back what was taken within this minute and then not used; earlier ones stay used. */
  refund(nowMs: number, ppm: number): void {
    this.#advance(nowMs)
    const at = this.#step % this.#used.length
    const back = Math.min(ppm, this.#used[at] ?? 0)
    this.#used[at] = (this.#used[at] ?? 0) - back
    this.#total -= back
  }

  #advance(nowMs: number): void {
    const step = Math.floor(nowMs / QUOTA_STEP_MS)
    if (step <= this.#step) return
    const gone = Math.min(step - this.#step, this.#used.length)
    for (let offset = 1; offset <= gone; offset++) {
      const at = (this.#step + offset) % this.#used.length
      this.#total -= this.#used[at] ?? 0
      this.#used[at] = 0
    }
    this.#step = step
  }
}
