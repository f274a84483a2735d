import { describe, expect, test } from 'vitest'
import { chiSquare, chiSquareLimit } from '../../../testing/chi-square.ts'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import { DiscreteGaussian, ExactCoin, type Fraction } from './discrete-gaussian.ts'

/** Chances of -span … span, the tails added to the ends. */
function expectedCounts(variance: number, span: number, draws: number): number[] {
  const weight = (x: number) => Math.exp((-x * x) / (2 * variance))
  let total = 0
  for (let x = -20 * span; x <= 20 * span; x++) total += weight(x)
  const counts = Array.from({ length: 2 * span + 1 }, (_, at) => (draws * weight(at - span)) / total)
  let tail = 0
  for (let x = span + 1; x <= 20 * span; x++) tail += (draws * weight(x)) / total
  counts[0] = (counts[0] as number) + tail
  counts[2 * span] = (counts[2 * span] as number) + tail
  return counts
}

function countsOf(draws: Iterable<number>, span: number): number[] {
  const counts = new Array<number>(2 * span + 1).fill(0)
  for (const x of draws) {
    const at = Math.max(-span, Math.min(span, x)) + span
    counts[at] = (counts[at] as number) + 1
  }
  return counts
}

function drawMany(variance: Fraction, count: number, seed: number): number[] {
  const sampler = new DiscreteGaussian(variance, seededBytes(seed))
  return Array.from({ length: count }, () => Number(sampler.draw()))
}

const DRAWS = 40_000

describe('DiscreteGaussian', () => {
  const cases: readonly { variance: Fraction; span: number }[] = [
    { variance: { numerator: 1n, denominator: 2n }, span: 2 },
    { variance: { numerator: 1n, denominator: 1n }, span: 3 },
    { variance: { numerator: 4n, denominator: 1n }, span: 6 },
    { variance: { numerator: 355n, denominator: 17n }, span: 14 },
  ]
  test.each(cases)('[D2] passes the chi-square test at variance $variance', ({ variance, span }) => {
    const value = Number(variance.numerator) / Number(variance.denominator)
    const statistic = chiSquare(countsOf(drawMany(variance, DRAWS, 7), span), expectedCounts(value, span, DRAWS))
    expect(statistic).toBeLessThan(chiSquareLimit(2 * span))
  })

  test('the chi-square test tells a rounded normal from a discrete Gaussian', () => {
    // The negative of the tests above: the same number of draws of the wrong distribution fails.
    const bytes = new DataView(seededBytes(3).bytes(8 * DRAWS).buffer)
    const rounded = Array.from({ length: DRAWS }, (_, at) => {
      const [u, v] = [(bytes.getUint32(8 * at) + 1) / 2 ** 32, bytes.getUint32(8 * at + 4) / 2 ** 32]
      return Math.round(Math.sqrt(0.5) * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v))
    })
    expect(chiSquare(countsOf(rounded, 2), expectedCounts(0.5, 2, DRAWS))).toBeGreaterThan(chiSquareLimit(4))
  })

  test('[D2] has the variance asked for, from 4 units to 10^15', () => {
    for (const variance of [4n, 10_000n, 10n ** 9n, 10n ** 15n]) {
      const count = 8_000
      const draws = drawMany({ numerator: variance * 3n, denominator: 3n }, count, Number(variance % 97n))
      const mean = draws.reduce((sum, x) => sum + x, 0) / count
      const measured = draws.reduce((sum, x) => sum + x * x, 0) / count / Number(variance)
      // The variance of a sample deviates by √(2/n) of itself, its mean by σ/√n; five of each.
      expect(Math.abs(measured - 1), `variance ${variance}`).toBeLessThan(5 * Math.sqrt(2 / count))
      expect(Math.abs(mean), `mean at ${variance}`).toBeLessThan((5 * Math.sqrt(Number(variance))) / Math.sqrt(count))
    }
  })

  test('draws the same from the same bytes', () => {
    const variance = { numerator: 10n ** 12n, denominator: 7n }
    expect(drawMany(variance, 50, 1)).toEqual(drawMany(variance, 50, 1))
    expect(drawMany(variance, 50, 1)).not.toEqual(drawMany(variance, 50, 2))
  })
})

describe('ExactCoin', () => {
  test('chance decides alike on its fast and its exact path', () => {
    // An error of 1 sends every decision down the exact path, where both bytes and decisions must come out by the same chance.
    for (const error of [undefined, 1]) {
      const coin = new ExactCoin(seededBytes(11), error)
      const counts = [0, 0]
      for (let draw = 0; draw < 20_000; draw++) {
        const at = coin.chance(2n ** 80n / 7n, 2n ** 80n) ? 1 : 0
        counts[at] = (counts[at] as number) + 1
      }
      expect(chiSquare(counts, [(20_000 * 6) / 7, 20_000 / 7]), `error ${error}`).toBeLessThan(chiSquareLimit(1))
    }
  })

  test('chance is certain at 0 and at 1', () => {
    const coin = new ExactCoin(seededBytes(1))
    expect(coin.chance(0n, 5n)).toBe(false)
    expect(coin.chance(5n, 5n)).toBe(true)
    expect(coin.chance(6n, 5n)).toBe(true)
  })

  test.each([
    { numerator: 1n, denominator: 3n },
    { numerator: 1n, denominator: 1n },
    { numerator: 7n, denominator: 2n },
  ])('chanceOfExp is e^-$numerator/$denominator', ({ numerator, denominator }) => {
    const coin = new ExactCoin(seededBytes(5))
    const draws = 30_000
    let yes = 0
    for (let draw = 0; draw < draws; draw++) if (coin.chanceOfExp(numerator, denominator)) yes++
    const chance = Math.exp(-Number(numerator) / Number(denominator))
    expect(chiSquare([yes, draws - yes], [draws * chance, draws * (1 - chance)])).toBeLessThan(chiSquareLimit(1))
  })

  test('below is uniform, also for bounds beside a power of two', () => {
    for (const bound of [3n, 8n, 9n]) {
      const coin = new ExactCoin(seededBytes(Number(bound)))
      const counts = new Array<number>(Number(bound)).fill(0)
      for (let draw = 0; draw < 18_000; draw++) {
        const at = Number(coin.below(bound))
        counts[at] = (counts[at] as number) + 1
      }
      const expected = counts.map(() => 18_000 / Number(bound))
      expect(chiSquare(counts, expected), `bound ${bound}`).toBeLessThan(chiSquareLimit(Number(bound) - 1))
    }
  })

  test('a source that always answers the same is found out', () => {
    const coin = new ExactCoin({ bytes: (count) => new Uint8Array(count).fill(0xff) })
    expect(() => coin.below(5n)).toThrow(/random/)
  })
})
