import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clipToNorm, floorSqrt, squaredNorm } from './clip.ts'

const vector = fc
  .array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 40 })
  .map((values) => Int32Array.from(values))

describe('clip', () => {
  test('squaredNorm is exact for every vector', () => {
    fc.assert(
      fc.property(vector, (values) => {
        expect(squaredNorm(values)).toBe([...values].reduce((sum, value) => sum + BigInt(value) ** 2n, 0n))
      }),
    )
    // More than one chunk, at the largest values.
    const large = new Int32Array(150_000).fill(-(2 ** 31))
    expect(squaredNorm(large)).toBe(150_000n * 2n ** 62n)
  })

  test('floorSqrt is the floor of the root', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 200n }), (value) => {
        const root = floorSqrt(value)
        expect(root * root <= value && (root + 1n) ** 2n > value).toBe(true)
      }),
    )
  })

  test('[D1] clipToNorm never leaves more than the norm, and keeps what is within', () => {
    fc.assert(
      fc.property(vector, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (values, normMax) => {
        const before = values.slice()
        const clipped = clipToNorm(values, normMax)
        expect(squaredNorm(clipped) <= BigInt(normMax) ** 2n).toBe(true)
        expect(values).toEqual(before)
        if (squaredNorm(values) <= BigInt(normMax) ** 2n) expect(clipped).toEqual(values)
        else
          for (const [at, value] of clipped.entries())
            expect(Math.abs(value)).toBeLessThanOrEqual(Math.abs(values[at] as number))
      }),
      { numRuns: 500 },
    )
  })

  test('[D1] clipToNorm holds where rounding to the nearest after clipping would not', () => {
    // 10,000 equal values whose clipped size is 1.6: rounded up, their norm would be 200 where 160 is allowed.
    const values = new Int32Array(10_000).fill(1_000)
    const rounded = values.map((value) => Math.round((value * 160) / Math.sqrt(Number(squaredNorm(values)))))
    expect(squaredNorm(rounded)).toBeGreaterThan(160n ** 2n)
    expect(squaredNorm(clipToNorm(values, 160))).toBeLessThanOrEqual(160n ** 2n)
  })

  test('clipToNorm keeps the direction to a part in a thousand', () => {
    const values = Int32Array.from({ length: 1_000 }, (_, index) => (index - 500) * 100_000)
    const clipped = clipToNorm(values, 10_000_000)
    const norm = Math.sqrt(Number(squaredNorm(clipped)))
    expect(norm).toBeGreaterThan(9_999_000)
    const dot = values.reduce((sum, value, at) => sum + value * (clipped[at] as number), 0)
    expect(dot / norm / Math.sqrt(Number(squaredNorm(values)))).toBeGreaterThan(0.999)
  })
})
