import { invariant } from '../codec/errors.ts'
import { seededRng } from '../tasks/rng.ts'
import { shuffle } from './dataset-split.ts'

/**
 * The batches of a run: rows of a dataset in passes, each a new shuffle, cut into batches that are always full (one may hold the end of
 * a pass and the begin of the next). Same count, size and seed: same rows, on every engine.
 */
export class BatchRows {
  readonly #order: Uint32Array
  readonly #rng
  #at: number

  /** @param count - Rows of the dataset, at least 1. */
  constructor(count: number, seed: number) {
    invariant(count >= 1, 'batches are of at least one row')
    this.#order = Uint32Array.from({ length: count }, (_, row) => row)
    this.#rng = seededRng(seed)
    this.#at = count
  }

  /** The next row. */
  next(): number {
    if (this.#at === this.#order.length) {
      shuffle(this.#order, this.#rng)
      this.#at = 0
    }
    return this.#order[this.#at++] as number
  }
}
