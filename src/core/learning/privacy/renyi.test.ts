import { describe, expect, test } from 'vitest'
import { epsilonOf, RENYI_ORDERS, renyiOfStep } from './renyi.ts'

function renyiAfter(samplingRate: number, noiseMultiplier: number, steps: number): number[] {
  return RENYI_ORDERS.map((order) => steps * renyiOfStep({ noiseMultiplier, samplingRate }, order))
}

describe('renyiOfStep', () => {
  test('[D4] gives the ε that Opacus publishes', () => {
    // opacus/tests/accountants_test.py: q = 0.04, σ = 1.5, 2,250 steps, δ = 1e-5.
    const { epsilon, order } = epsilonOf(renyiAfter(0.04, 1.5, 2_250), { delta: 1e-5 })
    expect(Math.abs(epsilon - 7.32911117143)).toBeLessThan(1e-7)
    expect(order).toBe(3.9)
  })

  test.each([
    { q: 0.01, sigma: 1.1, steps: 1_000, epsilon: 1.7117700912, order: 9.6 },
    { q: 0.01, sigma: 1, steps: 10_000, epsilon: 6.7127382974, order: 4.1 },
  ])('agrees with numerical quadrature at q = $q, σ = $sigma', ({ q, sigma, steps, epsilon, order }) => {
    const found = epsilonOf(renyiAfter(q, sigma, steps), { delta: 1e-5 })
    expect(found.epsilon).toBeCloseTo(epsilon, 9)
    expect(found.order).toBe(order)
  })

  test.each([
    [2, 1.2851008160516542e-4],
    [3, 1.9627788991500341e-4],
    [4, 2.667183146270714e-4],
    [8, 5.840703355202598e-4],
    [16, 1.6998267277531747],
    [32, 8.469416433675926],
    [2.5, 1.62077409369989e-4],
    [9.6, 7.4605443218872e-4],
  ])('at order %d and q = 0.01, σ = 1.1 is %d', (order, expected) => {
    const value = renyiOfStep({ noiseMultiplier: 1.1, samplingRate: 0.01 }, order)
    expect(Math.abs(value / expected - 1)).toBeLessThan(1e-10)
  })

  test('is the integral that defines it, at random parameters', () => {
    // A_α = E over N(0, σ²) of ((1-q) + q e^((2z-1)/2σ²))^α, by Simpson's rule.
    for (const [q, sigma, order] of [
      [0.3, 2, 1.7],
      [0.05, 0.9, 3.4],
      [0.5, 4, 7.3],
      [0.2, 1.3, 5],
    ] as const) {
      const steps = 40_000
      const [from, to] = [-20 * sigma, order + 20 * sigma]
      const width = (to - from) / steps
      let integral = 0
      for (let at = 0; at <= steps; at++) {
        const z = from + at * width
        const ratio = 1 - q + q * Math.exp((2 * z - 1) / (2 * sigma * sigma))
        const density = Math.exp((-z * z) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI))
        integral += (at === 0 || at === steps ? 1 : at % 2 === 1 ? 4 : 2) * density * ratio ** order
      }
      const expected = Math.log((integral * width) / 3) / (order - 1)
      const value = renyiOfStep({ noiseMultiplier: sigma, samplingRate: q }, order)
      expect(Math.abs(value / expected - 1), `q ${q} σ ${sigma} α ${order}`).toBeLessThan(1e-9)
    }
  })

  test('is α/2σ² without sampling, and 0 for whom nobody samples', () => {
    expect(renyiOfStep({ noiseMultiplier: 2, samplingRate: 1 }, 5)).toBe(5 / 8)
    expect(renyiOfStep({ noiseMultiplier: 2, samplingRate: 0 }, 5)).toBe(0)
  })

  test('rises with the order and with the sampling rate, and falls with the noise', () => {
    const at = (samplingRate: number, noiseMultiplier: number, order: number) =>
      renyiOfStep({ samplingRate, noiseMultiplier }, order)
    for (let i = 1; i < RENYI_ORDERS.length; i++) {
      expect(at(0.1, 1, RENYI_ORDERS[i] as number)).toBeGreaterThanOrEqual(at(0.1, 1, RENYI_ORDERS[i - 1] as number))
    }
    expect(at(0.2, 1, 4.5)).toBeGreaterThan(at(0.1, 1, 4.5))
    expect(at(0.1, 2, 4.5)).toBeLessThan(at(0.1, 1, 4.5))
  })

  test.each([
    [{ noiseMultiplier: 0, samplingRate: 1 }, 2],
    [{ noiseMultiplier: Number.NaN, samplingRate: 1 }, 2],
    [{ noiseMultiplier: 1, samplingRate: 1.1 }, 2],
    [{ noiseMultiplier: 1, samplingRate: 1 }, 1],
  ])('refuses %j at order %d', (step, order) => {
    expect(() => renyiOfStep(step, order)).toThrow(expect.objectContaining({ name: 'PrivacyParameterError' }))
  })
})

describe('epsilonOf', () => {
  test('[D4] names two conversions, and the sharper is the default', () => {
    // 256 of 60,000, σ = 1.1, 14,100 steps: the figure with the older conversion is 3.01.
    const renyi = renyiAfter(256 / 60_000, 1.1, 14_100)
    const older = epsilonOf(renyi, { delta: 1e-5, conversion: 'mironov' }).epsilon
    expect(older).toBeCloseTo(3.0124, 3)
    expect(epsilonOf(renyi, { delta: 1e-5 }).epsilon).toBeLessThan(older)
  })

  test('follows pure privacy to the published figure', () => {
    // dp_accounting: ε(α) = 1.1 at orders 2 to 32, δ = 1e-5.
    const orders = Array.from({ length: 31 }, (_, at) => at + 2)
    const found = epsilonOf(
      orders.map(() => 1.1),
      { delta: 1e-5, orders },
    )
    expect(found.epsilon).toBeCloseTo(1.32783806176, 10)
    expect(found.order).toBe(32)
  })
})
