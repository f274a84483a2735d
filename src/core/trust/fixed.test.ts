import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { divide, exp2Negative, multiply, ONE, ofPpm, sigmoid, tanh, toPpm } from './fixed.ts'

/** Distance to the exact value, in units of the last place. */
const ulps = (got: number, exact: number): number => Math.abs(got - exact * ONE)

describe('I16F16', () => {
  it('[T1] exp2Negative is within 0.52 of the last place, for every value up to 20', () => {
    let worst = 0
    for (let x = 0; x <= 20 * ONE; x += 7) worst = Math.max(worst, ulps(exp2Negative(x), 2 ** (-x / ONE)))
    expect(worst).toBeLessThan(0.52)
    expect(exp2Negative(0)).toBe(ONE)
    expect(exp2Negative(ONE)).toBe(ONE / 2)
    expect(exp2Negative(16 * ONE)).toBe(1)
    expect(exp2Negative(2 ** 31 - 1)).toBe(0)
  })

  it('[T1] sigmoid and tanh are within 0.52 of the last place, odd about their middle, and never fall', () => {
    let worst = 0
    let last = { sigmoid: 0, tanh: -ONE }
    let rises = true
    for (let x = -20 * ONE; x <= 20 * ONE; x += 13) {
      const now = { sigmoid: sigmoid(x), tanh: tanh(x) }
      worst = Math.max(worst, ulps(now.sigmoid, 1 / (1 + Math.exp(-x / ONE))), ulps(now.tanh, Math.tanh(x / ONE)))
      rises &&= now.sigmoid >= last.sigmoid && now.tanh >= last.tanh
      last = now
    }
    expect(rises).toBe(true)
    expect(worst).toBeLessThan(0.52)
    expect([sigmoid(0), tanh(0), sigmoid(2 ** 31 - 1), tanh(2 ** 31 - 1)]).toEqual([ONE / 2, 0, ONE, ONE])
  })

  it('[T1] multiply and divide are the floor of the exact result', () => {
    const value = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    const clamp = (n: bigint) => Number(n > 2n ** 31n - 1n ? 2n ** 31n - 1n : n < -(2n ** 31n) ? -(2n ** 31n) : n)
    const floorDiv = (a: bigint, b: bigint) => (a - (((a % b) + b) % b)) / b
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(multiply(a, b)).toBe(clamp(floorDiv(BigInt(a) * BigInt(b), 65_536n)))
        if (b > 0) expect(divide(a, b)).toBe(clamp(floorDiv(BigInt(a) * 65_536n, BigInt(b))))
      }),
      { numRuns: 2_000 },
    )
  })

  it('keeps parts per million over a round trip to within a place', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => Math.abs(toPpm(ofPpm(ppm)) - ppm) <= 8))
  })
})
