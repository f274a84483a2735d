import { describe, expect, test } from 'vitest'
import { analyticDelta, analyticEpsilon, analyticNoiseMultiplier } from './analytic-gaussian.ts'
import { logErfc } from './log-math.ts'
import { epsilonOf, RENYI_ORDERS, renyiOfStep } from './renyi.ts'

describe('analytic Gaussian', () => {
  test.each([
    [0.5, 9.997256146434315],
    [1, 4.377178095681137],
    [2, 1.9930914044151198],
    [4, 0.9263415039982288],
  ])('analyticEpsilon at σ = %d and δ = 1e-5 is %d', (sigma, epsilon) => {
    expect(analyticEpsilon(sigma, 1e-5)).toBeCloseTo(epsilon, 9)
  })

  test.each([
    [1, 1e-5, 3.7306316348159374],
    [8, 1e-5, 0.6002290722],
    [1, 1e-6, 4.224678889],
  ])('analyticNoiseMultiplier for ε = %d, δ = %d is %d', (epsilon, delta, sigma) => {
    expect(analyticNoiseMultiplier(epsilon, delta)).toBeCloseTo(sigma, 8)
  })

  test('inverts itself, and is never worse than Rényi', () => {
    for (const epsilon of [0.1, 1, 3, 12]) {
      const sigma = analyticNoiseMultiplier(epsilon, 1e-6)
      expect(analyticEpsilon(sigma, 1e-6)).toBeCloseTo(epsilon, 9)
      expect(analyticDelta(epsilon, sigma)).toBeLessThanOrEqual(1e-6)
      const renyi = RENYI_ORDERS.map((order) => renyiOfStep({ noiseMultiplier: sigma, samplingRate: 1 }, order))
      expect(epsilonOf(renyi, { delta: 1e-6 }).epsilon).toBeGreaterThan(epsilon)
    }
  })

  test('refuses what promises nothing', () => {
    expect(() => analyticEpsilon(0, 1e-5)).toThrow(/noiseMultiplier/)
    expect(() => analyticEpsilon(1, 0)).toThrow(/delta/)
    expect(() => analyticNoiseMultiplier(0, 1e-5)).toThrow(/epsilon/)
  })
})

describe('logErfc', () => {
  // Values of erfc from DLMF and its asymptotic series.
  test.each([
    [0, 0],
    [1, Math.log(0.15729920705028513)],
    [2, Math.log(0.004677734981047266)],
    [-1, Math.log(1.8427007929497148)],
    [5, Math.log(1.5374597944280349e-12)],
    [-3, Math.log(2 - 2.209049699858544e-5)],
    // Beyond doubles: the asymptotic series, DLMF 7.12.1.
    [30, -900 - Math.log(30 * Math.sqrt(Math.PI)) + Math.log1p(-1 / 1_800 + 3 / 1_800 ** 2 - 15 / 1_800 ** 3)],
  ])('at %d is %d', (x, expected) => {
    expect(Math.abs(logErfc(x) - expected)).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)))
  })

  test('is continuous where its two halves meet', () => {
    expect(logErfc(2 - 1e-9)).toBeCloseTo(logErfc(2 + 1e-9), 7)
    expect(Math.abs(logErfc(1.9999999999) - logErfc(2))).toBeLessThan(1e-8)
  })
})
