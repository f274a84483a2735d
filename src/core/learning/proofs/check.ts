import { invariant } from '../../codec/errors.ts'
import type { ByteSource } from '../byte-source.ts'
import { bases, type Element, type ElementList, type GroupEngine, type Term } from './group-engine.ts'
import { drawScalars, modulo } from './scalars.ts'

/**
 * Equations `Σ scalar × element = 0`, many as one: each is weighted by a scalar of the verifier's own, so that a false one is missed with a
 * chance of 2^-250. Scalars of shared generators add up, which is what makes a batch cheaper than its parts.
 *
 * Equations without shared generators are cheap, and nearly every change of a proof breaks one of them: they are checked first and by
 * themselves, so that nonsense costs its reader little.
 */
export class Check {
  readonly #engine: GroupEngine
  readonly #random: ByteSource
  readonly #light: Terms
  readonly #heavy: Terms

  constructor(engine: GroupEngine, random: ByteSource) {
    this.#engine = engine
    this.#random = random
    this.#light = new Terms(bases(engine))
    this.#heavy = new Terms(bases(engine))
  }

  /** Starts an equation. Only a heavy one may have lists. */
  equation(kind: 'light' | 'heavy'): Equation {
    const weight = drawScalars(this.#random, 1)[0] as bigint
    const terms = kind === 'light' ? this.#light : this.#heavy
    return {
      value: (scalar) => {
        terms.value += weight * scalar
      },
      blinding: (scalar) => {
        terms.blinding += weight * scalar
      },
      element: (element, scalar) => {
        terms.elements.push({ element, scalar: modulo(weight * scalar) })
      },
      list: (list, scalars) => {
        invariant(kind === 'heavy', 'an equation with lists is heavy')
        const sums = terms.sumsOf(list)
        scalars.forEach((scalar, at) => {
          sums[at] = modulo((sums[at] as bigint) + weight * scalar)
        })
      },
    }
  }

  /** Whether all equations hold. */
  holds(): boolean {
    return [this.#light, this.#heavy].every((terms) => this.#engine.sum(terms.all()).every((byte) => byte === 0))
  }
}

/** A sum of many equations. */
class Terms {
  value = 0n
  blinding = 0n
  readonly elements: Term[] = []
  readonly #bases: ElementList
  readonly #lists = new Map<ElementList, bigint[]>()

  constructor(of: ElementList) {
    this.#bases = of
  }

  sumsOf(list: ElementList): bigint[] {
    const sums = this.#lists.get(list) ?? new Array<bigint>(list.length).fill(0n)
    this.#lists.set(list, sums)
    return sums
  }

  all(): Term[] {
    const own: Term = { list: this.#bases, from: 0, scalars: [modulo(this.value), modulo(this.blinding)] }
    const shared = [...this.#lists].map(([list, scalars]): Term => ({ list, from: 0, scalars }))
    return [own, ...this.elements, ...shared]
  }
}

/** One equation's terms. */
export interface Equation {
  value(scalar: bigint): void
  blinding(scalar: bigint): void
  element(element: Element, scalar: bigint): void
  /** Shared generators: always the same object for the same list. */
  list(list: ElementList, scalars: readonly bigint[]): void
}
