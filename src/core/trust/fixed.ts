/**
 * Arithmetic in I16F16: whole numbers that count 2^-16ths, so that every engine, and every peer, gets the same result. Values
 * stay within ±2^31; every intermediate product stays below 2^53, where doubles are exact integers.
 */

/** A number in I16F16: an integer, `value · 2^16`. */
export type Fixed = number

const FRACTION_BITS = 16
export const ONE: Fixed = 2 ** FRACTION_BITS
export const HALF: Fixed = ONE / 2
const MAX: Fixed = 2 ** 31 - 1
const MIN: Fixed = -(2 ** 31)

/** Bits behind the point inside of {@link exp2Negative}: products of two such numbers below one stay exact. */
const DEEP_BITS = 26
const DEEP_ONE = 2 ** DEEP_BITS

/** Cuts to the range of I16F16. */
function saturate(value: number): Fixed {
  // Adding 0 makes -0 the one zero that integers have.
  return value > MAX ? MAX : value < MIN ? MIN : value + 0
}

/** `numerator / denominator`, rounded down; `denominator > 0`, both whole numbers below 2^37 in size. */
export function ratio(numerator: number, denominator: number): Fixed {
  return saturate(Math.floor((numerator * ONE) / denominator))
}

/** Product, rounded down. */
export function multiply(a: Fixed, b: Fixed): Fixed {
  // Split so that no partial product passes 2^48.
  const high = Math.floor(a / ONE)
  const low = a - high * ONE
  return saturate(high * b + Math.floor((low * b) / ONE))
}

/** Quotient, rounded down; `b > 0`. */
export function divide(a: Fixed, b: Fixed): Fixed {
  return saturate(Math.floor((a * ONE) / b))
}

/** The nearest I16F16 to a rate in parts per million. */
export function ofPpm(ppm: number): Fixed {
  return Math.round((ppm * ONE) / 1_000_000)
}

/** The nearest rate in parts per million. */
export function toPpm(value: Fixed): number {
  return Math.round((value * 1_000_000) / ONE)
}

/** For display alone; never feed it back. */
export function toNumber(value: Fixed): number {
  return value / ONE
}

/** 2^-(2^-1), 2^-(2^-2), … in Q26: what each bit of an exponent's fraction contributes. */
const ROOTS: readonly number[] = rootsOfHalf()

/** Square roots of 1/2 by integers alone: `Math.sqrt` and `Math.pow` are not the same bits on every engine. */
function rootsOfHalf(): readonly number[] {
  // Twice the working bits, so that the square root of a root keeps its precision.
  let scaled = 1n << 103n
  const roots: number[] = []
  for (let bit = 0; bit < DEEP_BITS; bit++) {
    // `scaled` is x · 2^104; its integer root is sqrt(x) · 2^52, scaled up again for the next.
    const root = integerRoot(scaled)
    roots.push(Number((root + (1n << 25n)) >> 26n))
    scaled = root << 52n
  }
  return roots
}

/** Floor of the square root, by Newton's method from above. */
function integerRoot(value: bigint): bigint {
  let guess = 1n << 53n
  for (;;) {
    const next = (guess + value / guess) >> 1n
    if (next >= guess) return guess
    guess = next
  }
}

/** `2^-x` in Q26 for `x >= 0` in Q26. */
function deepExp2Negative(exponent: number): number {
  const whole = Math.floor(exponent / DEEP_ONE)
  if (whole > DEEP_BITS) return 0
  let fraction = exponent - whole * DEEP_ONE
  let result = DEEP_ONE
  for (let bit = 0; fraction > 0 && bit < DEEP_BITS; bit++) {
    fraction *= 2
    if (fraction < DEEP_ONE) continue
    fraction -= DEEP_ONE
    // Each factor is below one; rounding to nearest keeps the sum of the errors under 2^-22.
    result = Math.round((result * (ROOTS[bit] as number)) / DEEP_ONE)
  }
  return Math.round(result / 2 ** whole)
}

/**
 * `2^-x`, correct to half a unit of the last place and 2^-6 of one.
 *
 * @param x - At least 0, at most 2^15.
 */
export function exp2Negative(x: Fixed): Fixed {
  const exponent = x * 2 ** (DEEP_BITS - FRACTION_BITS)
  return Math.round(deepExp2Negative(exponent) / 2 ** (DEEP_BITS - FRACTION_BITS))
}

/** log2(e) in Q26, rounded. */
const LOG2_E = 96_817_625

/** Beyond this `e^-x` is below what Q26 can hold. */
const EXPONENT_MAX: Fixed = 32 * ONE

/** `e^-x` in Q26 for `x >= 0` in I16F16. */
function deepExpNegative(x: Fixed): number {
  if (x >= EXPONENT_MAX) return 0
  // Below 2^21 · 2^27 = 2^48.
  return deepExp2Negative(Math.round((x * LOG2_E) / ONE))
}

/** The logistic function 1 / (1 + e^-x), within one unit of the last place. */
export function sigmoid(x: Fixed): Fixed {
  if (x < 0) return ONE - sigmoid(-x)
  return Math.round((ONE * DEEP_ONE) / (DEEP_ONE + deepExpNegative(x)))
}

/** The hyperbolic tangent, (1 - e^-2x) / (1 + e^-2x), within one unit of the last place. */
export function tanh(x: Fixed): Fixed {
  if (x < 0) return -tanh(-x)
  const small = deepExpNegative(Math.min(2 * x, EXPONENT_MAX))
  return Math.round((ONE * (DEEP_ONE - small)) / (DEEP_ONE + small))
}
