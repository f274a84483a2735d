import { chacha20 } from '@noble/ciphers/chacha.js'
import { invariant } from '../../codec/errors.ts'
import { HONEST_REJECT_BITS } from './limits.ts'
import { modulo } from './scalars.ts'

/**
 * Random projections: each is the sum of an update's values with signs that are drawn after the update was committed to. Their squares
 * add up to about `count` times the squared norm, so a bound on the one is a bound on the other, but for a chance that is stated here.
 *
 * Source of the idea: Y. Zhu et al., "RiseFL" (https://arxiv.org/abs/2311.15310); of the bounds for signs: D. Achlioptas, "Database-friendly
 * random projections", 2003, lemmas 5 and 6.
 */

/** Signs of all projections, a bit each: 1 is minus. */
export function drawSigns(seed: Uint8Array, of: { readonly count: number; readonly length: number }): Uint8Array {
  const rowBytes = Math.ceil(of.length / 8)
  return chacha20(seed, new Uint8Array(12), new Uint8Array(rowBytes * of.count))
}

/** The projections of an update. Whole numbers below 2^53. */
export function project(values: Int32Array, signs: Uint8Array, count: number): number[] {
  const rowBytes = Math.ceil(values.length / 8)
  return Array.from({ length: count }, (_, row) => {
    let sum = 0
    for (let at = 0; at < values.length; at++) {
      const bit = ((signs[row * rowBytes + (at >> 3)] as number) >> (at & 7)) & 1
      sum += bit === 1 ? -(values[at] as number) : (values[at] as number)
    }
    return sum
  })
}

/** Rows whose signs are looked up together. */
const ROWS_TOGETHER = 8

/**
 * `Σ_j weights[j] × row j`: all rows as one, as scalars. The sums of eight weights with every choice of signs are made first, so that a value takes
 * an addition for each eight rows.
 */
export function weighRows(signs: Uint8Array, weights: readonly bigint[], length: number): bigint[] {
  const rowBytes = Math.ceil(length / 8)
  const result = new Array<bigint>(length).fill(0n)
  for (let first = 0; first < weights.length; first += ROWS_TOGETHER) {
    const some = weights.slice(first, first + ROWS_TOGETHER)
    let sums = [0n]
    for (const weight of some) sums = [...sums.map((sum) => sum + weight), ...sums.map((sum) => sum - weight)]
    for (let at = 0; at < length; at++) {
      let choice = 0
      for (let row = 0; row < some.length; row++) {
        const bit = ((signs[(first + row) * rowBytes + (at >> 3)] as number) >> (at & 7)) & 1
        choice |= bit << row
      }
      result[at] = (result[at] as bigint) + (sums[choice] as bigint)
    }
  }
  return result.map(modulo)
}

/**
 * How far the sum of squares of an honest update may exceed its expectation: beyond it, it lies with a chance of at most
 * 2^-HONEST_REJECT_BITS. Chernoff's bound for chi-square, `(ρ e^(1-ρ))^(k/2)`, which bounds signs too.
 */
export function honestRatio(count: number): number {
  const needed = (2 * HONEST_REJECT_BITS * Math.LN2) / count
  let [low, high] = [1, 1 + 4 * needed + 4]
  for (let halving = 0; halving < 80; halving++) {
    const middle = (low + high) / 2
    if (middle - 1 - Math.log(middle) < needed) low = middle
    else high = middle
  }
  return high
}

/** What the squared projections of an update within the norm may add up to: the statement that is proved. */
export function squaresMax(normMax: number, count: number): bigint {
  // Millionths, rounded up: every peer finds the same whole number, as the ratio is far from where engines could differ.
  const ratioPpm = BigInt(Math.ceil(honestRatio(count) * 1_000_000))
  return (BigInt(normMax) ** 2n * BigInt(count) * ratioPpm) / 1_000_000n
}

/**
 * The chance that an update of `factor` times the norm bound passes, at most, whichever update it is: the minimum over s of
 * `(1 - s + 3s²/2)^k e^(skρ/f²)`. For updates that are spread over many values it is far smaller; this holds for the worst.
 *
 * @param factor - Above 1. Where the bound says nothing, 1.
 */
export function falseAcceptBound(count: number, factor: number): number {
  invariant(factor > 1, 'a factor above the bound')
  const ratio = honestRatio(count) / factor ** 2
  if (ratio >= 1) return 1
  // The derivative's root: 1.5ρs² + (3 - ρ)s - (1 - ρ) = 0.
  const [a, b, c] = [1.5 * ratio, 3 - ratio, ratio - 1]
  const s = (-b + Math.sqrt(b * b - 4 * a * c)) / (2 * a)
  return Math.min(1, Math.exp(count * (Math.log(1 - s + 1.5 * s * s) + s * ratio)))
}
