import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addFixed,
  clippingFactor,
  decodeVector,
  encodeVector,
  FIXED_ONE,
  fromFixedVector,
  rootCeiling,
  roundEven,
  squaredDistance,
  squaredNorm,
  subtractFixed,
  toFixedVector,
} from './fixed.ts'

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const overflow = expect.objectContaining({ name: 'FixedOverflowError' })

describe('toFixedVector', () => {
  it('rounds to the nearest, ties to even', () => {
    const ulp = 1 / FIXED_ONE
    expect(toFixedVector([0.5 * ulp, 1.5 * ulp, 2.5 * ulp, -0.5 * ulp, -1.5 * ulp, 0.51 * ulp])).toEqual(
      Int32Array.of(0, 2, 2, 0, -2, 1),
    )
  })

  it('reaches both ends and refuses what is one step beyond', () => {
    const last = 32768 - 1 / FIXED_ONE
    expect(toFixedVector([last, -32768])).toEqual(Int32Array.of(2 ** 31 - 1, -(2 ** 31)))
    for (const value of [32768, last + 0.75 / FIXED_ONE, -32768 - 0.75 / FIXED_ONE, 1e300])
      expect(() => toFixedVector([0, value])).toThrow(overflow)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %s and says where', (value) => {
    expect(() => toFixedVector(Float32Array.of(0, 1, value))).toThrow(/Value 2 is/)
  })

  it('is undone by fromFixedVector', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 23), max: 2 ** 23 })), (values) => {
        const fixed = Int32Array.from(values)
        expect(toFixedVector(fromFixedVector(fixed))).toEqual(fixed)
      }),
    )
  })
})

describe('addFixed and subtractFixed', () => {
  it('undo each other', () => {
    const half = fc.integer({ min: -(2 ** 30), max: 2 ** 30 - 1 })
    fc.assert(
      fc.property(fc.array(fc.tuple(half, half)), (pairs) => {
        const a = Int32Array.from(pairs, ([x]) => x)
        const b = Int32Array.from(pairs, ([, y]) => y)
        expect(subtractFixed(addFixed(a, b), b)).toEqual(a)
      }),
    )
  })

  it('refuse what does not fit, instead of wrapping', () => {
    expect(() => addFixed(Int32Array.of(2 ** 31 - 1), Int32Array.of(1))).toThrow(overflow)
    expect(() => subtractFixed(Int32Array.of(-(2 ** 31)), Int32Array.of(1))).toThrow(overflow)
    expect(() => addFixed(Int32Array.of(1), Int32Array.of(1, 2))).toThrow(/1 and 2 values/)
  })
})

describe('the wire form', () => {
  it('is little-endian', () => {
    expect(encodeVector(Int32Array.of(1, -2))).toEqual(Uint8Array.of(1, 0, 0, 0, 254, 255, 255, 255))
  })

  it('comes back the same, from any offset', () => {
    fc.assert(
      fc.property(fc.array(int32), (values) => {
        const fixed = Int32Array.from(values)
        const shifted = new Uint8Array(values.length * 4 + 1)
        shifted.set(encodeVector(fixed), 1)
        expect(decodeVector(shifted.subarray(1), values.length)).toEqual(fixed)
      }),
    )
  })

  it('refuses one byte too few or too many', () => {
    for (const length of [7, 9, 0]) expect(() => decodeVector(new Uint8Array(length), 2)).toThrow(/is 8 bytes/)
  })
})

describe('squares', () => {
  const exact = (values: Iterable<number>): bigint => {
    let sum = 0n
    for (const value of values) sum += BigInt(value) ** 2n
    return sum
  }

  it('squaredNorm is exact for any 32-bit values', () => {
    fc.assert(
      fc.property(fc.array(int32), (values) => {
        expect(squaredNorm(Int32Array.from(values))).toBe(exact(values))
      }),
    )
    expect(squaredNorm(Int32Array.of(-(2 ** 31), -(2 ** 31), -(2 ** 31)))).toBe(3n << 62n)
  })

  it('squaredNorm is exact beyond one block of terms', () => {
    const length = (1 << 20) + 3
    expect(squaredNorm(new Int32Array(length).fill(-(2 ** 31) + 1))).toBe(BigInt(length) * (2n ** 31n - 1n) ** 2n)
  })

  it('squaredDistance is exact for values within ±(2^30 − 1)', () => {
    const value = fc.integer({ min: -(2 ** 30) + 1, max: 2 ** 30 - 1 })
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value)), (pairs) => {
        const a = Int32Array.from(pairs, ([x]) => x)
        const b = Int32Array.from(pairs, ([, y]) => y)
        expect(squaredDistance(a, b)).toBe(exact(pairs.map(([x, y]) => x - y)))
      }),
    )
  })
})

describe('roundEven', () => {
  it('goes to the nearest, ties to even', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 0.49, -2.51, 7].map((value) => roundEven(value) + 0)).toEqual([
      0, 2, 2, 0, -2, 0, -3, 7,
    ])
  })
})

describe('clippingFactor', () => {
  it('is 1 up to the bound', () => {
    expect(clippingFactor(5, 25n)).toBe(1)
    expect(clippingFactor(5, 26n)).toBeLessThan(1)
  })

  it('never leaves a norm above the bound, and loses less than 2^-20 of it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 2 ** 30 - 1 }),
        (values, normMax) => {
          const before = squaredNorm(Int32Array.from(values))
          const factor = clippingFactor(normMax, before)
          const after = squaredNorm(Int32Array.from(values, (value) => Math.trunc(value * factor)))
          expect(after).toBeLessThanOrEqual(BigInt(normMax) ** 2n)
          if (factor < 1) expect(factor * Math.sqrt(Number(before))).toBeGreaterThan(normMax * (1 - 2 ** -20) - 1)
        },
      ),
    )
  })
})

describe('rootCeiling', () => {
  it('is the least whole number whose square is enough', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), (value) => {
        const root = rootCeiling(value)
        expect(root * root).toBeGreaterThanOrEqual(value)
        if (root > 0n) expect((root - 1n) ** 2n).toBeLessThan(value)
      }),
    )
    expect([0n, 1n, 2n, 4n, 5n].map(rootCeiling)).toEqual([0n, 1n, 2n, 2n, 3n])
  })
})
