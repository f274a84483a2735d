import { invariant } from '../../codec/errors.ts'
import type { ByteSource } from '../byte-source.ts'
import { blindingBase, drawScalars, modulo, Point, valueBase } from './group.ts'
import { multiplySum } from './multiply-sum.ts'

/**
 * Equations `Σ scalar × point = 0`, many as one: each is weighted by a scalar of the verifier's own, so that a false one is missed with a
 * chance of 2^-250. Scalars of shared generators add up, which is what makes a batch cheaper than its parts.
 *
 * Equations without shared generators are cheap, and nearly every change of a proof breaks one of them: they are checked first and by
 * themselves, so that nonsense costs its reader little.
 */
export class Check {
  readonly #random: ByteSource
  readonly #light = new Terms()
  readonly #heavy = new Terms()

  constructor(random: ByteSource) {
    this.#random = random
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
      point: (point, scalar) => {
        terms.points.push(point)
        terms.scalars.push(modulo(weight * scalar))
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
    return this.#light.isZero() && this.#heavy.isZero()
  }
}

/** A sum of many equations. */
class Terms {
  value = 0n
  blinding = 0n
  readonly points: Point[] = []
  readonly scalars: bigint[] = []
  readonly #lists = new Map<readonly Point[], bigint[]>()

  sumsOf(list: readonly Point[]): bigint[] {
    const sums = this.#lists.get(list) ?? new Array<bigint>(list.length).fill(0n)
    this.#lists.set(list, sums)
    return sums
  }

  isZero(): boolean {
    const points = [valueBase, blindingBase(), ...this.points]
    const scalars = [modulo(this.value), modulo(this.blinding), ...this.scalars]
    for (const [list, sums] of this.#lists) {
      for (const point of list) points.push(point)
      for (const sum of sums) scalars.push(sum)
    }
    return multiplySum(points, scalars).equals(Point.ZERO)
  }
}

/** One equation's terms. */
export interface Equation {
  value(scalar: bigint): void
  blinding(scalar: bigint): void
  point(point: Point, scalar: bigint): void
  /** Shared generators: always the same array for the same list. */
  list(list: readonly Point[], scalars: readonly bigint[]): void
}
