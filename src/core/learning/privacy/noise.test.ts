import { describe, expect, test } from 'vitest'
import { chiSquare, chiSquareLimit } from '../../../testing/chi-square.ts'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import { clipToNorm } from './clip.ts'
import { addNoise, checkNoisePlan, type NoisePlan, noisedCoordinateMax, stepOfPlan, sumPenalty } from './noise.ts'

const plan: NoisePlan = { mode: 'distributed', clipNorm: 65_536, noiseMultiplierPpm: 1_000_000, contributorsMin: 10 }

describe('addNoise', () => {
  test('[D2] shares of the noise add up to the noise asked for', () => {
    const length = 4_000
    const sum = new Float64Array(length)
    for (let peer = 0; peer < plan.contributorsMin; peer++) {
      addNoise(new Int32Array(length), plan, seededBytes(peer)).forEach((value, at) => {
        sum[at] = (sum[at] as number) + value
      })
    }
    const measured = sum.reduce((total, value) => total + value * value, 0) / length / plan.clipNorm ** 2
    expect(Math.abs(measured - 1)).toBeLessThan(5 * Math.sqrt(2 / length))
  })

  test('[D2] in local mode everybody adds all of it', () => {
    const local: NoisePlan = { ...plan, mode: 'local', contributorsMin: 1 }
    const length = 4_000
    const noised = addNoise(new Int32Array(length).fill(100), local, seededBytes(1))
    const measured = noised.reduce((total, value) => total + (value - 100) ** 2, 0) / length / plan.clipNorm ** 2
    expect(Math.abs(measured - 1)).toBeLessThan(5 * Math.sqrt(2 / length))
  })

  test('[D2] refuses an update above its clip norm, to the unit', () => {
    const update = new Int32Array([65_536, 1])
    expect(() => addNoise(update, plan, seededBytes(1))).toThrow(
      expect.objectContaining({ name: 'PrivacyParameterError', message: expect.stringContaining('65536') }),
    )
    expect(addNoise(clipToNorm(update, 65_536), plan, seededBytes(1))).toHaveLength(2)
  })

  test('[Q3] a draw beyond the room of the sum is an error, not a wrapped number', () => {
    // A source that never stops saying yes makes a Laplace draw without end, or one out of bounds.
    const broken = { bytes: (count: number) => new Uint8Array(count) }
    expect(() => addNoise(new Int32Array(10), plan, broken)).toThrow()
  })

  test('leaves the update as it was', () => {
    const update = new Int32Array([1, -2, 3])
    addNoise(update, plan, seededBytes(1))
    expect([...update]).toEqual([1, -2, 3])
  })

  test('noisedCoordinateMax leaves twelve deviations', () => {
    const room = noisedCoordinateMax(plan)
    const deviation = 65_536 / Math.sqrt(10)
    expect(room).toBeGreaterThanOrEqual(65_536 + 12 * deviation)
    expect(room).toBeLessThan(65_536 + 12 * deviation + 2)
  })
})

describe('stepOfPlan', () => {
  test('[D3] counts the clip norm once in distributed mode and twice in local mode', () => {
    expect(stepOfPlan(plan, { length: 25_450 })).toEqual({ noiseMultiplierPpm: 999_999, samplingPpm: 1_000_000 })
    const local: NoisePlan = { ...plan, mode: 'local', contributorsMin: 1 }
    expect(stepOfPlan(local, { length: 25_450 }).noiseMultiplierPpm).toBe(500_000)
  })

  test('[D3] a sum of small discrete Gaussians costs more than its variance says', () => {
    // τ at s² = 1 and two shares: 10·e^(-π²). With large shares it vanishes.
    expect(sumPenalty(1, 2)).toBeCloseTo(10 * Math.exp(-(Math.PI ** 2)), 12)
    expect(sumPenalty(16, 50)).toBeLessThan(1e-60)
    expect(sumPenalty(1, 1)).toBe(0)
  })

  test('[D3] the penalty bounds what a sum of two differs from one discrete Gaussian by', () => {
    // Two shares of variance 1/2 against one of variance 1: an honest difference that the chi-square test sees.
    const chances = (variance: number) => {
      const weights = Array.from({ length: 41 }, (_, at) => Math.exp((-1 * (at - 20) ** 2) / (2 * variance)))
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      return weights.map((weight) => weight / total)
    }
    const [half, whole] = [chances(0.5), chances(1)]
    const sum = whole.map((_, x) => half.reduce((total, chance, a) => total + chance * (half[x - a + 20] ?? 0), 0))
    const worst = Math.max(
      ...sum.slice(15, 26).map((chance, at) => Math.abs(Math.log(chance / (whole[at + 15] as number)))),
    )
    expect(worst).toBeLessThanOrEqual(sumPenalty(0.5, 2))
    expect(worst).toBeGreaterThan(0.001)
    expect(chiSquare(sum.map((c) => c * 1e7).slice(15, 26), whole.map((c) => c * 1e7).slice(15, 26))).toBeGreaterThan(
      chiSquareLimit(10),
    )
  })
})

describe('checkNoisePlan', () => {
  test.each([
    [{ clipNorm: 0 }, 'clipNorm'],
    [{ clipNorm: 1.5 }, 'clipNorm'],
    [{ noiseMultiplierPpm: 9_999 }, 'noiseMultiplierPpm'],
    [{ noiseMultiplierPpm: 1_000_000_001 }, 'noiseMultiplierPpm'],
    [{ contributorsMin: 0 }, 'contributorsMin'],
    [{ mode: 'local' as const }, 'contributorsMin'],
    // A share that deviates by 3.2 units is too coarse to be added up.
    [{ clipNorm: 10 }, 'share of the noise'],
  ])('refuses %j', (change, named) => {
    expect(() => checkNoisePlan({ ...plan, ...change })).toThrow(
      expect.objectContaining({ name: 'PrivacyParameterError', message: expect.stringContaining(named) }),
    )
  })
})
