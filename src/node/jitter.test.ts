import { describe, expect, it } from 'vitest'
import { testSigner } from '../testing/signers.ts'
import { JITTER_US_MAX, JITTER_US_MIN, Jitter } from './jitter.ts'

/** A clock that moves by 10 µs whenever somebody looks. */
function portsOf(draw: readonly [number, number]) {
  const clock = { nowMs: 0, turns: 0 }
  return {
    clock,
    ports: {
      now: () => {
        clock.nowMs += 0.01
        return clock.nowMs
      },
      random: () => Uint8Array.from(draw),
      turn: async () => {
        clock.turns++
      },
    },
  }
}

const DRAWS = [
  { draw: [0, 0], delayUs: JITTER_US_MIN },
  { draw: [255, 255], delayUs: JITTER_US_MAX },
] as const

describe('jitter', () => {
  for (const { draw, delayUs } of DRAWS) {
    it(`[S11] waits ${delayUs} µs in each form, whatever the answer`, async () => {
      for (const answer of [true, false]) {
        const sync = portsOf(draw)
        expect(new Jitter(sync.ports).verifyWithJitterSync(() => answer)).toBe(answer)
        expect(sync.clock.nowMs * 1_000).toBeGreaterThanOrEqual(delayUs)
        expect(sync.clock.nowMs * 1_000).toBeLessThan(delayUs + 40)

        const waiting = portsOf(draw)
        expect(await new Jitter(waiting.ports).verifyWithJitter(async () => answer)).toBe(answer)
        expect(waiting.clock.nowMs * 1_000).toBeGreaterThanOrEqual(delayUs)
        expect(waiting.clock.turns).toBeGreaterThan(0)

        const batch = portsOf(draw)
        const item = { author: testSigner(1).author, bytes: new Uint8Array(1), signature: new Uint8Array(64) }
        const options = { verifier: { verify: async () => answer }, shuffle: { below: () => 0 } }
        expect(await new Jitter(batch.ports).verifyBatchWithJitter([item, item, item], options)).toEqual([
          answer,
          answer,
          answer,
        ])
        // One delay for all, not one for each.
        expect(batch.clock.nowMs * 1_000).toBeLessThan(delayUs + 40)
        expect(batch.clock.nowMs * 1_000).toBeGreaterThanOrEqual(delayUs)
      }
    })
  }

  it('[S11] waits as long when the comparison throws', async () => {
    const fail = (): boolean => {
      throw new Error('no')
    }
    const sync = portsOf([255, 255])
    expect(() => new Jitter(sync.ports).verifyWithJitterSync(fail)).toThrow('no')
    expect(sync.clock.nowMs * 1_000).toBeGreaterThanOrEqual(JITTER_US_MAX)
    const waiting = portsOf([255, 255])
    await expect(new Jitter(waiting.ports).verifyWithJitter(fail)).rejects.toThrow('no')
    expect(waiting.clock.nowMs * 1_000).toBeGreaterThanOrEqual(JITTER_US_MAX)
  })

  it('[S11] takes at least the least and seldom much more than the most, on the real clock', async () => {
    const jitter = new Jitter()
    const tookUs: number[] = []
    for (let i = 0; i < 40; i++) {
      const started = performance.now()
      await jitter.verifyWithJitter(() => true)
      tookUs.push((performance.now() - started) * 1_000)
    }
    tookUs.sort((a, b) => a - b)
    expect(tookUs[0]).toBeGreaterThanOrEqual(JITTER_US_MIN)
    // The median: single ones are late whenever the machine has other work.
    expect(tookUs[20]).toBeLessThan(JITTER_US_MAX * 3)
    expect((tookUs[35] ?? 0) - (tookUs[5] ?? 0)).toBeGreaterThan(50)
  })
})
