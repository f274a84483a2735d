import { type Rng, seededRng } from '../../core/tasks/rng.ts'

interface Scheduled {
  readonly atMs: number
  readonly order: number
  readonly action: () => void
}

/** The Unix time at which every simulation begins; any will do, but it must not change. */
const EPOCH_MS = 1_800_000_000_000

/** One virtual clock, one source of randomness, one list of what is to come. The same seed gives the same run. */
export class World {
  readonly rng: Rng
  nowMs = EPOCH_MS
  steps = 0
  /** What the next event has to wait for: reading records is asynchronous by its port, but takes no virtual time. */
  blocker: Promise<void> | null = null
  readonly #heap: Scheduled[] = []
  #order = 0
  readonly #trace: ((line: string) => void) | null

  constructor(seed: number, trace: ((line: string) => void) | null = null) {
    this.rng = seededRng(seed)
    this.#trace = trace
  }

  get sinceStartMs(): number {
    return this.nowMs - EPOCH_MS
  }

  /** Whether something happens, `ppm` times in a million. */
  chance(ppm: number): boolean {
    return ppm > 0 && this.rng.below(1_000_000) < ppm
  }

  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number {
    return min + this.rng.below(max - min + 1)
  }

  trace(line: () => string): void {
    this.#trace?.(`${String(this.sinceStartMs).padStart(7)} ${line()}`)
  }

  after(delayMs: number, action: () => void): void {
    this.#push({ atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, action })
  }

  /** Runs until a condition holds, nothing is left, or virtual time is over. @returns Whether the condition held. */
  async run(until: () => boolean, untilMs: number): Promise<boolean> {
    while (!until()) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs - EPOCH_MS > untilMs) return false
      this.#pop()
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.steps++
      next.action()
      if (this.blocker !== null) {
        await this.blocker
        this.blocker = null
      }
    }
    return true
  }

  #push(item: Scheduled): void {
    const heap = this.#heap
    let i = heap.push(item) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      // Both indices are inside of the heap.
      if (!earlier(item, heap[parent] as Scheduled)) break
      heap[i] = heap[parent] as Scheduled
      i = parent
    }
    heap[i] = item
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      // Indices below the length exist.
      if (child + 1 < heap.length && earlier(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child++
      if (!earlier(heap[child] as Scheduled, last)) break
      heap[i] = heap[child] as Scheduled
      i = child
    }
    heap[i] = last
  }
}

function earlier(a: Scheduled, b: Scheduled): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
