import type { PeerId } from '../../core/codec/ids.ts'
import { InvariantViolation } from './checker.ts'

/** What two requesters had got when they began to wait at the same time. */
interface Baseline {
  readonly a: number
  readonly b: number
}

/** Watches one executor: requesters that wait at the same time must get about the same CPU time. */
export class FairnessWatch {
  readonly #peer: PeerId
  readonly #served = new Map<PeerId, number>()
  readonly #baselines = new Map<string, Baseline>()
  #longestUs = 0

  constructor(peer: PeerId) {
    this.#peer = peer
  }

  served(requester: PeerId, durationUs: number): void {
    this.#served.set(requester, (this.#served.get(requester) ?? 0) + durationUs)
    this.#longestUs = Math.max(this.#longestUs, durationUs)
  }

  /**
   * @param waiting - Units that wait, by requester.
   * @param atOnceMax - Units that may run at once: each may be one requester's before the queue knows its cost.
   */
  check(waiting: ReadonlyMap<PeerId, number>, atOnceMax: number): void {
    const backlogged = [...waiting].filter(([, count]) => count > 0).map(([peer]) => peer)
    const pairs = new Set<string>()
    for (const [i, a] of backlogged.entries()) {
      for (const b of backlogged.slice(i + 1)) {
        const [first, second] = a < b ? [a, b] : [b, a]
        pairs.add(`${first} ${second}`)
        this.#checkPair([first, second], atOnceMax)
      }
    }
    for (const pair of [...this.#baselines.keys()]) if (!pairs.has(pair)) this.#baselines.delete(pair)
  }

  #checkPair([a, b]: readonly [PeerId, PeerId], atOnceMax: number): void {
    const servedA = this.#served.get(a) ?? 0
    const servedB = this.#served.get(b) ?? 0
    const key = `${a} ${b}`
    const since = this.#baselines.get(key) ?? { a: servedA, b: servedB }
    this.#baselines.set(key, since)
    const gapUs = Math.abs(servedA - since.a - (servedB - since.b))
    const boundUs = (2 * atOnceMax + 2) * Math.max(this.#longestUs, 50_000)
    if (gapUs <= boundUs) return
    throw new InvariantViolation(
      'fairness',
      `${this.#peer} served ${gapUs} µs more to one of two that wait, limit ${boundUs}`,
    )
  }
}
