import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HourQuota } from './hour-quota.ts'
import { QUOTA_STEP_MS, QUOTA_WINDOW_MS, STANDING_GOOD_MILLI, STANDING_MAX, TIER_STANDING_MIN } from './limits.ts'
import { standingAfter, standingOf } from './standing.ts'
import { type Tier, tierOf, tierQuotas } from './tier.ts'

const PPM = 1_000_000
const quotaOf = (tier: Tier) => tierQuotas()[tier]
const ORDER = ['newcomer', 'established', 'trusted', 'elite'] as const

describe('tiers', () => {
  it.each([
    [0, 'newcomer', 10, 5],
    [249, 'newcomer', 10, 5],
    [250, 'established', 50, 20],
    [251, 'established', 50, 20],
    [499, 'established', 50, 20],
    [500, 'trusted', 200, 50],
    [501, 'trusted', 200, 50],
    [749, 'trusted', 200, 50],
    [750, 'elite', 1_000, 100],
    [751, 'elite', 1_000, 100],
    [999, 'elite', 1_000, 100],
    [1_000, 'elite', 1_000, 100],
  ] as const)('[T7] standing %i is %s: %i tasks an hour, %i connections', (standing, tier, tasks, connections) => {
    expect(tierOf(standing)).toBe(tier)
    expect(quotaOf(tier)).toEqual({ tasksPerHour: tasks, connectionsMax: connections })
  })

  it('[T7] are as a network states them, and the default where it says nothing', () => {
    const stated = tierQuotas({ newcomerTasksPerHour: 0, eliteConnectionsMax: 7, guestTasksPerHour: 99, other: 3 })
    expect(stated.newcomer).toEqual({ tasksPerHour: 0, connectionsMax: 5 })
    expect(stated.elite).toEqual({ tasksPerHour: 1_000, connectionsMax: 7 })
    expect(stated.guest).toEqual({ tasksPerHour: 0, connectionsMax: 2 })
    expect(stated.trusted).toEqual(quotaOf('trusted'))
  })

  it('[T7] the table by quarters is the thresholds, for every standing there is', () => {
    for (let standing = 0; standing <= STANDING_MAX; standing++) {
      const expected = ORDER.findLast((tier) => standing >= TIER_STANDING_MIN[tier])
      expect(tierOf(standing)).toBe(expected)
    }
  })
})

describe('standingAfter', () => {
  it('[T6] stays within its bounds, earns slowly and loses fast', () => {
    const milli = fc.integer({ min: 0, max: STANDING_MAX * 1_000 })
    fc.assert(
      fc.property(milli, fc.integer({ min: 0, max: 3 * PPM }), (before, sharePpm) => {
        const good = standingAfter(before, 'good', sharePpm)
        const failed = standingAfter(before, 'failed', sharePpm)
        const wrong = standingAfter(before, 'wrong', sharePpm)
        for (const after of [good, failed, wrong]) {
          expect(after).toBeGreaterThanOrEqual(0)
          expect(after).toBeLessThanOrEqual(STANDING_MAX * 1_000)
        }
        expect(good - before).toBeLessThanOrEqual(STANDING_GOOD_MILLI)
        if (failed > 0) expect(before - failed).toBeGreaterThanOrEqual(10 * (good - before))
        expect(wrong).toBe(Math.max(0, before - 250_000))
      }),
    )
    expect([249_999, 250_000].map((each) => tierOf(standingOf(each)))).toEqual(['newcomer', 'established'])
  })
})

describe('HourQuota', () => {
  it('[T8] takes the last task and refuses one part more', () => {
    for (const tier of ORDER) {
      const { tasksPerHour } = quotaOf(tier)
      const quota = new HourQuota()
      expect(quota.take(0, { ppm: tasksPerHour * PPM - 1, tasksPerHour })).toBe(true)
      expect(quota.take(0, { ppm: 2, tasksPerHour })).toBe(false)
      expect(quota.take(0, { ppm: 1, tasksPerHour })).toBe(true)
      expect(quota.take(0, { ppm: 1, tasksPerHour })).toBe(false)
    }
  })

  it('[T8] gives back after an hour and a step, not a millisecond before the hour', () => {
    const quota = new HourQuota()
    const at = 7 * QUOTA_STEP_MS + 11
    quota.charge(at, 10 * PPM)
    expect(quota.left(at + QUOTA_WINDOW_MS - 1, 10)).toBe(0)
    expect(quota.left(at + QUOTA_WINDOW_MS, 10)).toBe(0)
    const freed = Math.floor(at / QUOTA_STEP_MS) * QUOTA_STEP_MS + QUOTA_WINDOW_MS + QUOTA_STEP_MS
    expect(quota.left(freed - 1, 10)).toBe(0)
    expect(quota.left(freed, 10)).toBe(10 * PPM)
  })

  it('[T8] no hour anywhere holds more than the quota, whoever asks when', () => {
    const asks = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 900_000 }), ppm: fc.integer({ min: 1, max: 3 * PPM }) }),
      { minLength: 1, maxLength: 120 },
    )
    fc.assert(
      fc.property(asks, (list) => {
        const quota = new HourQuota()
        const taken: { atMs: number; ppm: number }[] = []
        let atMs = 1_700_000_000_000
        for (const { afterMs, ppm } of list) {
          atMs += afterMs
          if (quota.take(atMs, { ppm, tasksPerHour: 10 })) taken.push({ atMs, ppm })
        }
        for (const { atMs: from } of taken) {
          const inHour = taken.filter((each) => each.atMs >= from && each.atMs < from + QUOTA_WINDOW_MS)
          expect(inHour.reduce((sum, { ppm }) => sum + ppm, 0)).toBeLessThanOrEqual(10 * PPM)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('refunds what was taken this minute, and nothing earlier', () => {
    const quota = new HourQuota()
    quota.charge(0, 5)
    quota.charge(QUOTA_STEP_MS, 3)
    quota.refund(QUOTA_STEP_MS, 9)
    expect(quota.used(QUOTA_STEP_MS)).toBe(5)
  })
})
