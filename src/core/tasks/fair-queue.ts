import { Queue } from './queue.ts'

interface Lane<T> {
  readonly items: Queue<T>
  weight: number
  /** CPU time this lane had, divided by its weight, on the scale of the queue's clock. */
  virtualUs: number
  /** Mean cost of its recent items: what the next one is charged until its real cost is known. */
  meanUs: number
}

/** What a lane is charged for an item that was taken, until {@link FairQueue.settle} replaces it. */
export interface Charge {
  readonly lane: string
  readonly estimateUs: number
}

/** Assumed cost of a lane's first item. */
const FIRST_ESTIMATE_US = 50_000

/**
 * Shares workers between requesters by the CPU time they use, in proportion to their weights. Rule [F1].
 *
 * Start-time fair queueing: the lane that had the least weighted time goes next, and a lane that comes back from idleness starts at
 * the present, so that it cannot save up time. Over any time in which two lanes both wait, their weighted CPU
 * times differ by at most about one longest item for each worker and lane.
 */
export class FairQueue<T> {
  readonly #lanes = new Map<string, Lane<T>>()
  #size = 0
  /** Virtual time of the last lane served: the present. */
  #clockUs = 0

  /** Items waiting, over all lanes. */
  get size(): number {
    return this.#size
  }

  sizeOf(lane: string): number {
    return this.#lanes.get(lane)?.items.size ?? 0
  }

  setWeight(lane: string, weight: number): void {
    this.#lane(lane).weight = weight
  }

  push(name: string, item: T): void {
    const lane = this.#lane(name)
    if (lane.items.size === 0) lane.virtualUs = Math.max(lane.virtualUs, this.#clockUs)
    lane.items.push(item)
    this.#size++
  }

  /** Takes the next item of the lane that had least, and charges it an estimate. */
  take(): { readonly item: T; readonly charge: Charge } | undefined {
    let best: Lane<T> | undefined
    let bestName = ''
    for (const [name, lane] of this.#lanes) {
      if (lane.items.size > 0 && (best === undefined || lane.virtualUs < best.virtualUs)) {
        best = lane
        bestName = name
      }
    }
    if (best === undefined) return undefined
    this.#clockUs = Math.max(this.#clockUs, best.virtualUs)
    best.virtualUs += best.meanUs / best.weight
    this.#size--
    // The lane has an item, or it would not have been chosen.
    return { item: best.items.shift() as T, charge: { lane: bestName, estimateUs: best.meanUs } }
  }

  /** Replaces the estimate by what the item really used; 0 when it never ran. */
  settle(charge: Charge, usedUs: number): void {
    const lane = this.#lanes.get(charge.lane)
    if (lane === undefined) return
    lane.virtualUs += (usedUs - charge.estimateUs) / lane.weight
    if (usedUs > 0) lane.meanUs += (usedUs - lane.meanUs) / 8
  }

  /** Empties a lane, and forgets it when nothing of it is remembered for later. */
  remove(name: string): void {
    const lane = this.#lanes.get(name)
    if (lane === undefined) return
    this.#size -= lane.items.size
    this.#lanes.delete(name)
  }

  #lane(name: string): Lane<T> {
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { items: new Queue(), weight: 1, virtualUs: this.#clockUs, meanUs: FIRST_ESTIMATE_US }
      this.#lanes.set(name, lane)
    }
    return lane
  }
}
