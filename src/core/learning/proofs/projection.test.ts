import { describe, expect, test } from 'vitest'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import { drawSigns, falseAcceptBound, honestRatio, project, squaresMax, weighRows } from './projection.ts'
import { innerProduct, modulo } from './scalars.ts'

describe('projections', () => {
  test.each([
    ['one value', (at: number) => (at === 0 ? 1_000 : 0)],
    ['two equal values, the worst case', (at: number) => (at < 2 ? 707 : 0)],
    ['all values', (at: number) => (at % 2 === 0 ? 100 : -101)],
  ])('[Z2] twice the bound passes no more often than is stated: %s', (_, valueAt) => {
    const [length, count, trials] = [100, 30, 1_500]
    const values = Int32Array.from({ length }, (_, at) => valueAt(at))
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
    let [honest, twice, thrice] = [0, 0, 0]
    for (let trial = 0; trial < trials; trial++) {
      const signs = drawSigns(seededBytes(trial).bytes(32), { count, length })
      const squares = BigInt(project(values, signs, count).reduce((sum, value) => sum + value * value, 0))
      if (squares <= squaresMax(Math.ceil(norm), count)) honest++
      if (squares <= squaresMax(Math.floor(norm / 2), count)) twice++
      if (squares <= squaresMax(Math.floor(norm / 3), count)) thrice++
    }
    expect(honest).toBe(trials)
    const stated = (factor: number) => trials * falseAcceptBound(count, factor)
    for (const [passed, factor] of [
      [twice, 2],
      [thrice, 3],
    ] as const) {
      expect(passed, `factor ${factor}`).toBeLessThanOrEqual(stated(factor) + 5 * Math.sqrt(stated(factor)) + 1)
    }
  })

  test('rows are weighed all at once', () => {
    const [length, count] = [19, 11]
    const signs = drawSigns(seededBytes(1).bytes(32), { count, length })
    const weights = Array.from({ length: count }, (_, at) => 1_000n ** BigInt(at))
    const values = Int32Array.from({ length }, (_, at) => at * at - 40)
    const rows = project(values, signs, count)
    const expected = rows.reduce((sum, value, at) => sum + BigInt(value) * (weights[at] as bigint), 0n)
    expect(innerProduct(weighRows(signs, weights, length), Array.from(values, BigInt))).toBe(modulo(expected))
  })

  test('[Z2] states its chances', () => {
    expect(honestRatio(126)).toBeGreaterThan(1.8)
    expect(honestRatio(126)).toBeLessThan(2.1)
    expect(falseAcceptBound(126, 2)).toBeLessThan(2.2e-3)
    expect(falseAcceptBound(126, 3)).toBeLessThan(1e-6)
    expect(falseAcceptBound(126, 1.1)).toBe(1)
    expect(falseAcceptBound(62, 3)).toBeGreaterThan(falseAcceptBound(126, 3))
  })
})
