import { expect, it } from 'vitest'
import { THROUGHPUT_STEP_MS, Throughput } from './throughput.ts'

it('Throughput knows nothing before the first unit', () => {
  const throughput = new Throughput()
  expect(throughput.rate(5_000)).toBe(0)
  expect(throughput.estimate(5_000, 10)).toBeNull()
  expect(throughput.history(5_000)).toEqual([])
})

it('Throughput estimates the rest from a steady rate without spread', () => {
  const throughput = new Throughput()
  for (let step = 0; step < 10; step++) throughput.count(step * THROUGHPUT_STEP_MS, 5)
  expect(throughput.rate(9_500)).toBe(5)
  expect(throughput.estimate(9_500, 50)).toEqual({ low: 10_000, middle: 10_000, high: 10_000 })
})

it('Throughput widens the estimate when the rate varies, and forgets a rate that ended', () => {
  const throughput = new Throughput()
  for (let step = 0; step < 10; step++) throughput.count(step * THROUGHPUT_STEP_MS, step % 2 === 0 ? 1 : 9)
  const estimate = throughput.estimate(10_000, 50)
  expect(estimate?.low).toBeLessThan(estimate?.middle ?? 0)
  expect(estimate?.high).toBeGreaterThan(estimate?.middle ?? 0)
  expect(throughput.rate(60_000)).toBe(0)
})

it('Throughput stays bounded over a day', () => {
  const throughput = new Throughput()
  throughput.count(0)
  throughput.count(86_400_000)
  expect(throughput.history(86_400_000).length).toBeLessThanOrEqual(600)
  expect(throughput.history(86_400_000).at(-1)).toBe(1)
})
