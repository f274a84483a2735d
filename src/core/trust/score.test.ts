import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ONE, toNumber } from './fixed.ts'
import { AGE_SCALE_MS, MODEL_BAD_PPM, SCORE_HALF_LIFE_MS, TASKS_MIN, TASKS_WINDOW } from './limits.ts'
import {
  countBad,
  countGood,
  countUpdate,
  decayed,
  EMPTY_TALLY,
  NEUTRAL,
  NEW_MODEL_RECORD,
  onProbation,
  scoreOf,
  type Tally,
  tasksOf,
} from './score.ts'

const PLACE = 1 / ONE
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

const tally = fc.record({
  good: fc.integer({ min: 0, max: 1_000 }),
  bad: fc.integer({ min: 0, max: 1_000 }),
  durationUs: fc.integer({ min: 1, max: 30_000_000_000 }),
  costMicro: fc.integer({ min: 1, max: 30_000_000_000 }),
  megagas: fc.integer({ min: 1, max: 70_000_000_000 }),
})

/** The formula in floating point, straight from its words. */
function formula(of: Tally, baseline: Tally, ageMs: number): number {
  const pace = (total: 'durationUs' | 'costMicro') =>
    sigmoid(baseline[total] / baseline.megagas / (of[total] / of.megagas))
  const tasks = of.good + of.bad
  const success = tasks === 0 ? 0.5 : of.good / tasks
  return 0.5 * success + 0.2 * pace('durationUs') + 0.2 * pace('costMicro') + 0.1 * Math.tanh(ageMs / AGE_SCALE_MS)
}

describe('scoreOf', () => {
  it('[T2] is the formula, to within three places of 2^-16', () => {
    fc.assert(
      fc.property(tally, tally, fc.integer({ min: 0, max: 400 * 86_400_000 }), (of, baseline, ageMs) => {
        const score = scoreOf(of, { baseline, ageMs })
        expect(Math.abs(toNumber(score) - formula(of, baseline, ageMs))).toBeLessThan(3 * PLACE)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(ONE)
      }),
      { numRuns: 2_000 },
    )
  })

  it('[T2] counts a price of nothing as the baseline where all ask nothing, and as the best where others ask', () => {
    const free = { ...EMPTY_TALLY, good: 10, durationUs: 100, megagas: 10 }
    const asking = { ...free, costMicro: 100 }
    const atBaseline = scoreOf(free, { baseline: free, ageMs: 0 })
    expect(toNumber(atBaseline)).toBeCloseTo(0.5 + 0.4 * sigmoid(1), 4)
    expect(toNumber(scoreOf(free, { baseline: asking, ageMs: 0 }))).toBeCloseTo(0.7 + 0.2 * sigmoid(1), 4)
  })
})

describe('decayed', () => {
  it('[T3] halves the distance to neutral with each half-life, at any idle time', () => {
    const score = fc.integer({ min: 0, max: ONE })
    fc.assert(
      fc.property(score, fc.integer({ min: 0, max: 100 * SCORE_HALF_LIFE_MS }), (before, idleMs) => {
        const exact = NEUTRAL + (before - NEUTRAL) * 0.5 ** (idleMs / SCORE_HALF_LIFE_MS)
        expect(Math.abs(decayed(before, idleMs) - exact)).toBeLessThanOrEqual(2)
        // Never past neutral, never away from it.
        expect(Math.abs(decayed(before, idleMs) - NEUTRAL)).toBeLessThanOrEqual(Math.abs(before - NEUTRAL))
      }),
      { numRuns: 2_000 },
    )
    expect(decayed(ONE, 0)).toBe(ONE)
    expect(decayed(ONE, SCORE_HALF_LIFE_MS)).toBe(0.75 * ONE)
    expect(decayed(0, SCORE_HALF_LIFE_MS)).toBe(0.25 * ONE)
    expect(decayed(ONE, SCORE_HALF_LIFE_MS - 1)).toBeGreaterThanOrEqual(0.75 * ONE)
    expect(decayed(ONE, SCORE_HALF_LIFE_MS + 1)).toBeLessThanOrEqual(0.75 * ONE)
  })
})

describe('tallies', () => {
  const measure = { durationUs: 5, costMicro: 7, megagas: 3 }

  it('[T4] halve at the window, and keep one bad task for ever', () => {
    let full = countBad(EMPTY_TALLY)
    while (tasksOf(full) < TASKS_WINDOW) full = countGood(full, measure)
    expect(tasksOf(full)).toBe(TASKS_WINDOW)
    const next = countGood(full, measure)
    expect(next).toMatchObject({ good: Math.floor((TASKS_WINDOW - 1) / 2) + 1, bad: 1 })
    // Averages stay what they were.
    expect(next.durationUs / next.megagas).toBeCloseTo(5 / 3, 2)
  })

  it('[T12] are cut below the minimum on probation, whatever they were', () => {
    fc.assert(
      fc.property(tally, (of) => {
        expect(tasksOf(onProbation(of))).toBeLessThan(TASKS_MIN)
        expect(onProbation(of).bad > 0).toBe(of.bad > 0)
      }),
    )
  })
})

describe('countUpdate', () => {
  it('[T5] gives 0.01 for a good update and takes 0.1 for a bad one, within 0 and 1', () => {
    const up = countUpdate(NEW_MODEL_RECORD, true)
    expect(toNumber(up.score)).toBeCloseTo(0.51, 4)
    expect(toNumber(countUpdate(NEW_MODEL_RECORD, false).score)).toBeCloseTo(0.5 - MODEL_BAD_PPM / 1e6, 4)
    let record = NEW_MODEL_RECORD
    for (let update = 0; update < 60; update++) record = countUpdate(record, true)
    expect(record.score).toBe(ONE)
    for (let update = 0; update < 12; update++) record = countUpdate(record, false)
    expect(record.score).toBe(0)
  })
})
