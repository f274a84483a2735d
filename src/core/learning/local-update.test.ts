import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { squaredNorm } from './fixed.ts'
import { localUpdate } from './local-update.ts'

describe('localUpdate', () => {
  it('is the difference when its norm is within the bound', () => {
    const global = Int32Array.of(65536, -131072, 0)
    const update = localUpdate([1.5, -2, 0.25], { global, clipNorm: 65536 })
    expect([...update.values]).toEqual([32768, 0, 16384])
    expect(update).toMatchObject({ clipped: false, norm: Math.ceil(Math.hypot(32768, 16384)) })
  })

  it('never has a norm over the bound, and keeps its direction', () => {
    const weight = fc.double({ min: -100, max: 100, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (local, clipNorm) => {
          const { values, clipped, norm } = localUpdate(local, { global: new Int32Array(local.length), clipNorm })
          expect(squaredNorm(values) <= BigInt(clipNorm) ** 2n).toBe(true)
          expect(clipped).toBe(norm > clipNorm)
          for (const [i, value] of values.entries())
            if (value !== 0) expect(Math.sign(value)).toBe(Math.sign(local[i] as number))
        },
      ),
    )
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 32768, -40000])('refuses a weight of %s', (weight) => {
    expect(() => localUpdate([weight], { global: Int32Array.of(0), clipNorm: 1 })).toThrow(
      expect.objectContaining({ name: 'FixedOverflowError' }),
    )
  })

  it('refuses global weights of another length', () => {
    expect(() => localUpdate([1], { global: new Int32Array(2), clipNorm: 1 })).toThrow(
      expect.objectContaining({ name: 'InvalidVectorError' }),
    )
  })
})
