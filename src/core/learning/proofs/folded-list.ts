import type { ElementList, GroupEngine, Term } from './group-engine.ts'
import { FOLDS_TOGETHER } from './limits.ts'
import { modulo } from './scalars.ts'

/**
 * Generators that are halved again and again, as `low + factor × high`. Folding one pair costs as much as a product; so halvings are only noted,
 * sums go over the generators before them, which a sum of many does not mind, and then several halvings are done as one, with one row of
 * doublings for all parts.
 */
export class FoldedList {
  readonly #engine: GroupEngine
  #base: ElementList
  /** What each part of the base is multiplied by. */
  #factors: readonly bigint[] = [1n]

  constructor(engine: GroupEngine, base: ElementList) {
    this.#engine = engine
    this.#base = base
  }

  get length(): number {
    return this.#base.length / this.#factors.length
  }

  /** `Σ scalars[i] × element[from + i]`, as terms of a sum. */
  terms(from: number, scalars: readonly bigint[]): Term[] {
    return this.#factors.map((factor, part) => ({
      list: this.#base,
      from: part * this.length + from,
      scalars: factor === 1n ? scalars : scalars.map((scalar) => modulo(scalar * factor)),
    }))
  }

  halve(factor: bigint): void {
    this.#factors = this.#factors.flatMap((before) => [before, modulo(before * factor)])
    if (this.#factors.length < FOLDS_TOGETHER) return
    this.#base = this.#engine.fold(this.#base, this.#factors)
    this.#factors = [1n]
  }
}
