import { describe, expect, test } from 'vitest'
import { type Dropout, SumRoom } from '../../../testing/secure-sum-room.ts'
import { seededRng } from '../../tasks/rng.ts'
import { planGraph } from './graph.ts'

const DROPOUTS: readonly Dropout[] = ['before-keys', 'after-keys', 'after-shares', 'after-masked']

/**
 * Draws a room whose dropouts stay within what its plan allows at every stage. Three to eight peers, small rooms more often: what a room
 * costs grows with the square.
 */
function roomWithin(seed: number): SumRoom {
  const rng = seededRng(seed)
  const count = 3 + Math.min(rng.below(6), rng.below(6))
  const early = count > 4 ? rng.below(2) : 0
  const { threshold } = planGraph(count - early)
  const spare = rng.below(count - early - Math.max(threshold, 3) + 1)
  // Not the caller: who takes its place is the round's to say.
  const order = Array.from({ length: count - 1 }, (_, index) => index + 1)
  const dropouts = new Map<number, Dropout>()
  for (let dropped = 0; dropped < early + spare; dropped++) {
    const [index] = order.splice(rng.below(order.length), 1)
    const stage = dropped < early ? 'before-keys' : (DROPOUTS[1 + rng.below(3)] as Dropout)
    dropouts.set(index as number, stage)
  }
  return new SumRoom({ count, length: 1 + rng.below(24), seed, dropouts })
}

describe('SecureSum', () => {
  test('[Q2] equals the plain integer sum in 1,000 random rooms with dropouts at every stage', {
    timeout: 120_000,
  }, () => {
    const seen = new Map<string, number>()
    for (let seed = 1; seed <= 1_000; seed++) {
      const room = roomWithin(seed).run()
      const sums = room.all('sum')
      expect(sums.length, `seed ${seed}: ${JSON.stringify(room.all('failed'))}`).toBeGreaterThanOrEqual(3 - 1)
      for (const { effect } of sums) {
        expect(effect.values, `seed ${seed}`).toEqual(room.plainSum(effect.contributors))
        seen.set(String(effect.contributors.length), (seen.get(String(effect.contributors.length)) ?? 0) + 1)
      }
      expect(room.all('evidence'), `seed ${seed}`).toEqual([])
      expect(room.all('refused'), `seed ${seed}`).toEqual([])
    }
    expect(seen.size).toBeGreaterThan(3)
  })
})
