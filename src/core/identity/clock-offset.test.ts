import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClockOffset } from './clock-offset.ts'
import {
  CLOCK_OFFSET_MAX_MS,
  CLOCK_PEERS_MAX,
  CLOCK_PEERS_MIN,
  CLOCK_ROUND_TRIP_MAX_MS,
  CLOCK_SAMPLE_TTL_MS,
} from './limits.ts'

const NOW_MS = 1_800_000_000_000

function clockOf(offsets: readonly number[], options: { roundTripMs?: number; atMs?: number } = {}): ClockOffset {
  const clock = new ClockOffset()
  for (const [i, offsetMs] of offsets.entries()) {
    clock.sample(`peer-${i}`, { offsetMs, roundTripMs: options.roundTripMs ?? 10 }, options.atMs ?? NOW_MS)
  }
  return clock
}

describe('the clock offset', () => {
  it('[S9] goes by those admitted alone as soon as they are enough, by everyone before', () => {
    const clock = clockOf([...Array(CLOCK_PEERS_MIN).fill(1_000), ...Array(8).fill(90_000)])
    const among = (count: number) => (peer: string) => Number(peer.slice(5)) < count
    expect(clock.estimate(NOW_MS, among(CLOCK_PEERS_MIN - 1))).toMatchObject({ offsetMs: 90_000 })
    expect(clock.estimate(NOW_MS, among(CLOCK_PEERS_MIN))).toMatchObject({ offsetMs: 1_000, peers: CLOCK_PEERS_MIN })
    expect(clock.estimate(NOW_MS)).toMatchObject({ offsetMs: 90_000 })
  })

  it('[S9] is unknown below the minimum of peers, and none is corrected', () => {
    const one = { state: 'unknown', offsetMs: 0, medianMs: null }
    expect(clockOf(Array(CLOCK_PEERS_MIN - 1).fill(5_000)).estimate(NOW_MS)).toMatchObject(one)
    expect(clockOf(Array(CLOCK_PEERS_MIN).fill(5_000)).estimate(NOW_MS)).toMatchObject({
      state: 'good',
      offsetMs: 5_000,
    })
  })

  it('[S9] stays between honest clocks while fewer than half of the votes lie, ours among them', () => {
    const offset = fc.integer({ min: -CLOCK_OFFSET_MAX_MS, max: CLOCK_OFFSET_MAX_MS })
    const lie = fc.oneof(fc.integer(), fc.constantFrom(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))
    fc.assert(
      fc.property(
        fc.array(offset, { minLength: CLOCK_PEERS_MIN, maxLength: 20 }),
        fc.array(lie, { maxLength: 20 }),
        (honest, lies) => {
          // The own clock votes with the honest: lies.length < half of all votes.
          const few = lies.slice(0, honest.length)
          const { offsetMs } = clockOf([...few, ...honest]).estimate(NOW_MS)
          expect(offsetMs).toBeGreaterThanOrEqual(Math.min(0, ...honest))
          expect(offsetMs).toBeLessThanOrEqual(Math.max(0, ...honest))
        },
      ),
    )
  })

  it('[S9] never corrects by more than the maximum, whoever says so', () => {
    for (const sign of [1, -1]) {
      const at = clockOf(Array(9).fill(sign * CLOCK_OFFSET_MAX_MS)).estimate(NOW_MS)
      expect(at).toMatchObject({ state: 'good', offsetMs: sign * CLOCK_OFFSET_MAX_MS })
      const beyond = clockOf(Array(9).fill(sign * (CLOCK_OFFSET_MAX_MS + 1))).estimate(NOW_MS)
      expect(beyond).toMatchObject({ state: 'implausible', offsetMs: 0, medianMs: sign * (CLOCK_OFFSET_MAX_MS + 1) })
    }
  })

  it('[S9] counts a peer once, however often it answers', () => {
    const clock = clockOf([100, 100, 100])
    for (let i = 0; i < 1_000; i++) clock.sample('liar', { offsetMs: 1e6, roundTripMs: 1 }, NOW_MS)
    expect(clock.estimate(NOW_MS)).toMatchObject({ offsetMs: 100, peers: 4 })
    clock.forget('liar')
    expect(clock.estimate(NOW_MS).peers).toBe(3)
  })

  it('[S9] drops samples that took too long, are too old or no numbers', () => {
    expect(clockOf([1, 2, 3], { roundTripMs: CLOCK_ROUND_TRIP_MAX_MS }).estimate(NOW_MS).peers).toBe(3)
    for (const roundTripMs of [CLOCK_ROUND_TRIP_MAX_MS + 1, -1, Number.NaN]) {
      expect(clockOf([1, 2, 3], { roundTripMs }).estimate(NOW_MS).peers).toBe(0)
    }
    expect(clockOf([Number.NaN, Number.POSITIVE_INFINITY]).estimate(NOW_MS).peers).toBe(0)
    const aged = clockOf([1, 2, 3])
    expect(aged.estimate(NOW_MS + CLOCK_SAMPLE_TTL_MS).peers).toBe(3)
    expect(aged.estimate(NOW_MS + CLOCK_SAMPLE_TTL_MS + 1).peers).toBe(0)
  })

  it('[S9] keeps a bounded number of peers, the last heard', () => {
    const clock = clockOf(Array(CLOCK_PEERS_MAX + 1).fill(7))
    expect(clock.estimate(NOW_MS).peers).toBe(CLOCK_PEERS_MAX)
  })
})
