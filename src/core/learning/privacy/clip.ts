import { InvariantError, invariant } from '../../codec/errors.ts'

/**
 * Clipping to an L2 norm, on integers.
 *
 * Noise hides an update only as far as its norm is bounded, and rounding to a fixed point after clipping can raise the norm again (by up
 * to √d / 2 units). Here the bound is kept where the noise is added: on the integers. Values are rounded first, then clipped, and scaled
 * values are cut toward zero, which never raises a norm. The sensitivity is the clip norm itself, to the unit. Rule [D1].
 */

/** Values whose squares are added up before the sum moves to a big integer: 2^16 low words below 2^32 stay below 2^53. */
const CHUNK_VALUES = 65_536

/** The exact squared L2 norm of 32-bit integers. */
export function squaredNorm(values: Int32Array): bigint {
  let total = 0n
  for (let start = 0; start < values.length; start += CHUNK_VALUES) {
    let high = 0
    let middle = 0
    let low = 0
    const end = Math.min(values.length, start + CHUNK_VALUES)
    for (let at = start; at < end; at++) {
      // In range; v = h·2^16 + l, so v² = h²·2^32 + 2hl·2^16 + l², and each sum of 2^16 of them is below 2^49.
      const value = values[at] as number
      const h = value >> 16
      const l = value & 0xffff
      high += h * h
      middle += h * l
      low += l * l
    }
    total += (BigInt(high) << 32n) + (BigInt(middle) << 17n) + BigInt(low)
  }
  return total
}

/** The largest integer whose square is not above `value`; Newton's method. */
export function floorSqrt(value: bigint): bigint {
  invariant(value >= 0n, 'a square root is of a number from 0')
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** Factors that are tried, each smaller by 2^-40: the first is off by some 2^-52 at most. */
const SCALE_TRIES_MAX = 8

/**
 * Scales values down to a norm, if they are above it.
 *
 * @param values - In whichever units; not modified.
 * @param normMax - A positive integer in the same units.
 * @returns New values with `squaredNorm(result) <= normMax²`, exactly.
 */
export function clipToNorm(values: Int32Array, normMax: number): Int32Array {
  invariant(Number.isSafeInteger(normMax) && normMax > 0, 'the clip norm is a positive integer')
  const limit = BigInt(normMax) ** 2n
  const squared = squaredNorm(values)
  if (squared <= limit) return values.slice()
  let scale = normMax / Math.sqrt(Number(squared))
  for (let attempt = 0; attempt < SCALE_TRIES_MAX; attempt++) {
    const scaled = values.map((value) => Math.trunc(value * scale))
    if (squaredNorm(scaled) <= limit) return scaled
    scale *= 1 - 2 ** -40
  }
  // A double is exact to 2^-52, so the loop ends at its first or second turn.
  throw new InvariantError('Invariant violated: a scaled vector keeps its norm')
}
