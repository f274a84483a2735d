/**
 * Vectors in I16F16: 32-bit integers that count 2^-16ths, little-endian on the wire. What peers must agree on to the byte is computed on
 * these. Sums go through doubles only where every intermediate is a whole number below 2^53 (or one correctly rounded IEEE operation
 * on such numbers), so no engine can differ; squared norms and distances are exact 64-bit integers.
 */
import { FixedOverflowError, InvalidVectorError } from './errors.ts'

/** 1.0. */
export const FIXED_ONE = 65_536
const INT32_MAX = 2_147_483_647
const INT32_MIN = -2_147_483_648
const BYTES_PER_VALUE = 4

/**
 * To I16F16, each value to the nearest, ties to even.
 *
 * @throws {@link FixedOverflowError} When a value is not finite, or does not fit: nothing saturates silently.
 */
export function toFixedVector(values: ArrayLike<number>): Int32Array {
  const fixed = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    const scaled = roundEven(value * FIXED_ONE)
    // Written so that NaN fails it too.
    if (!(scaled >= INT32_MIN && scaled <= INT32_MAX))
      throw new FixedOverflowError(`Value ${i} is ${value}; an I16F16 is finite and from -32768 to below 32768`, {
        index: i,
        value,
      })
    fixed[i] = scaled
  }
  return fixed
}

/** From I16F16. Exact as doubles; 32-bit floats keep 24 bits of each. */
export function fromFixedVector(fixed: Int32Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(fixed.length)
  for (let i = 0; i < fixed.length; i++) values[i] = (fixed[i] as number) / FIXED_ONE
  return values
}

/**
 * `a + b`: a round's new weights.
 *
 * @throws {@link FixedOverflowError} When a sum does not fit.
 * @throws {@link InvalidVectorError} When the lengths differ.
 */
export function addFixed(a: Int32Array, b: Int32Array): Int32Array {
  return combine(a, b, 1)
}

/**
 * `a − b`: an update from local and global weights.
 *
 * @throws {@link FixedOverflowError} When a difference does not fit.
 * @throws {@link InvalidVectorError} When the lengths differ.
 */
export function subtractFixed(a: Int32Array, b: Int32Array): Int32Array {
  return combine(a, b, -1)
}

function combine(a: Int32Array, b: Int32Array, sign: 1 | -1): Int32Array {
  if (a.length !== b.length)
    throw new InvalidVectorError(`Vectors have ${a.length} and ${b.length} values; they must have as many`)
  const result = new Int32Array(a.length)
  for (let i = 0; i < a.length; i++) {
    const value = (a[i] as number) + sign * (b[i] as number)
    if (value > INT32_MAX || value < INT32_MIN)
      throw new FixedOverflowError(
        `Value ${i} would be ${value / FIXED_ONE}; an I16F16 is from -32768 to below 32768`,
        {
          index: i,
          value: value / FIXED_ONE,
        },
      )
    result[i] = value
  }
  return result
}

/** The wire form: little-endian, whatever the machine is. */
export function encodeVector(fixed: Int32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fixed.length * BYTES_PER_VALUE)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < fixed.length; i++) view.setInt32(i * BYTES_PER_VALUE, fixed[i] as number, true)
  return bytes
}

/**
 * From the wire form.
 *
 * @throws {@link InvalidVectorError} Unless there are exactly 4 bytes for each of `valuesCount` values.
 */
export function decodeVector(bytes: Uint8Array, valuesCount: number): Int32Array {
  if (bytes.length !== valuesCount * BYTES_PER_VALUE)
    throw new InvalidVectorError(
      `A vector of ${valuesCount} values is ${valuesCount * BYTES_PER_VALUE} bytes, not ${bytes.length}`,
      { bytes: bytes.length, valuesCount },
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fixed = new Int32Array(valuesCount)
  for (let i = 0; i < valuesCount; i++) fixed[i] = view.getInt32(i * BYTES_PER_VALUE, true)
  return fixed
}

/** 1.5 · 2^52: doubles this large have no fraction, so adding it rounds as IEEE does, to nearest with ties to even. */
const ROUNDER = 6_755_399_441_055_744

/** The nearest whole number, ties to even, as `f64.nearest` has it; `|value| < 2^51`, larger ones come back near themselves. */
export function roundEven(value: number): number {
  return value + ROUNDER - ROUNDER
}

/** Terms whose partial products still sum exactly in doubles: each is at most 2^32. */
const EXACT_TERMS_MAX = 1 << 20

/** The exact square of the L2 norm, in 2^-32ths. */
export function squaredNorm(values: Int32Array): bigint {
  return inSpans(values.length, (span) => addSquares(values, span))
}

/** The exact square of the L2 distance; values of both within ±(2^30 − 1), so that a difference is 32 bits. */
export function squaredDistance(a: Int32Array, b: Int32Array): bigint {
  return inSpans(a.length, (span) => addSquaredDifferences(a, b, span))
}

interface Span {
  readonly start: number
  readonly end: number
  readonly sums: Float64Array
}

/** With halves of 16 bits, (2^16·h + l)² = 2^32·h² + 2^17·h·l + l²: three sums of exact doubles. */
function inSpans(length: number, add: (span: Span) => void): bigint {
  const sums = new Float64Array(3)
  let total = 0n
  for (let start = 0; start < length; start += EXACT_TERMS_MAX) {
    add({ start, end: Math.min(length, start + EXACT_TERMS_MAX), sums })
    const [highs = 0, mixed = 0, lows = 0] = sums
    total += (BigInt(highs) << 32n) + (BigInt(mixed) << 17n) + BigInt(lows)
  }
  return total
}

// The loops are functions of their own, without a bigint in sight: where there is one, V8 keeps the sums as objects, five times slower.

function addSquares(values: Int32Array, { start, end, sums }: Span): void {
  let highs = 0
  let mixed = 0
  let lows = 0
  for (let i = start; i < end; i++) {
    const value = values[i] as number
    const high = value >> 16
    const low = value & 0xffff
    highs += Math.imul(high, high)
    mixed += Math.imul(high, low)
    lows += Math.imul(low, low) >>> 0
  }
  sums[0] = highs
  sums[1] = mixed
  sums[2] = lows
}

function addSquaredDifferences(a: Int32Array, b: Int32Array, { start, end, sums }: Span): void {
  let highs = 0
  let mixed = 0
  let lows = 0
  for (let i = start; i < end; i++) {
    const value = ((a[i] as number) - (b[i] as number)) | 0
    const high = value >> 16
    const low = value & 0xffff
    highs += Math.imul(high, high)
    mixed += Math.imul(high, low)
    lows += Math.imul(low, low) >>> 0
  }
  sums[0] = highs
  sums[1] = mixed
  sums[2] = lows
}

/** Bits of a scaling factor: with 31 of a value its products are below 2^53, exact in doubles. */
const FACTOR_BITS = 22n

/**
 * What to multiply a vector with so that its norm is at most `normMax`: 1 if it is already, otherwise the quotient cut (never
 * rounded up) to 22 significant bits. A product with any 32-bit value is exact.
 */
export function clippingFactor(normMax: number, squaredNormNow: bigint): number {
  const limit = BigInt(normMax)
  if (squaredNormNow <= limit * limit) return 1
  const norm = rootCeiling(squaredNormNow)
  let shift = FACTOR_BITS
  while ((limit << shift) / norm < 1n << (FACTOR_BITS - 1n)) shift++
  return Number((limit << shift) / norm) / 2 ** Number(shift)
}

/** The smallest whole number whose square is at least `value`, by Newton's method from above: `Math.sqrt` need not be exact. */
export function rootCeiling(value: bigint): bigint {
  if (value <= 1n) return value
  let guess = 1n << BigInt((value.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (guess + value / guess) >> 1n
    if (next >= guess) return guess * guess === value ? guess : guess + 1n
    guess = next
  }
}
