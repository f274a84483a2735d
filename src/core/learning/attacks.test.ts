import { describe, expect, it } from 'vitest'
import { seededRng } from '../tasks/rng.ts'
import { type Attack, flippedLabel, hostileUpdate, normal, TABLE_ATTACKS } from './attacks.ts'
import { FIXED_ONE } from './fixed.ts'
import { VECTOR_NORM_MAX } from './limits.ts'

// ByzFL, tests/unit_test_attacks.py: the rows of one 3 × 3 matrix are the honest updates.
const HONEST = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
].map((row) => Int32Array.from(row, (value) => value * FIXED_ONE))

function sent(attack: Attack, honest = HONEST): number[] {
  const own = Int32Array.of(11, 12, 13)
  return Array.from(hostileUpdate(attack, honest, { own, rng: seededRng(1) }), (value) => value / FIXED_ONE)
}

describe('hostileUpdate', () => {
  it('is ByzFL’s sign flip, inner-product manipulation and ALIE', () => {
    expect(sent({ attack: 'sign-flip' })).toEqual([-4, -5, -6])
    expect(sent({ attack: 'inner-product', tau: 2 })).toEqual([-8, -10, -12])
    expect(sent({ attack: 'alie', tau: 1.5 })).toEqual([8.5, 9.5, 10.5])
  })

  it('is the own update where the attack is on data, or there is none', () => {
    for (const attack of ['none', 'label-flip'] as const)
      expect(sent({ attack })).toEqual([11, 12, 13].map((value) => value / FIXED_ONE))
  })

  it('gaussian has its deviation, differs between attackers and repeats by seed', () => {
    const rng = seededRng(3)
    const own = new Int32Array(20_000)
    const [first, second] = [0, 1].map(() => hostileUpdate({ attack: 'gaussian', deviation: 10 }, HONEST, { own, rng }))
    const again = hostileUpdate({ attack: 'gaussian', deviation: 10 }, HONEST, { own, rng: seededRng(3) })
    expect(again).toEqual(first)
    expect(second).not.toEqual(first)
    let squares = 0
    for (const value of first as Int32Array) squares += (value / FIXED_ONE) ** 2
    // Six standard errors of a variance of 100 from 20,000 values.
    expect(Math.abs(squares / own.length - 100)).toBeLessThan(6)
  })

  it('never leaves what an update may hold', () => {
    const huge = [Int32Array.of(VECTOR_NORM_MAX, -VECTOR_NORM_MAX)]
    const made = hostileUpdate({ attack: 'inner-product', tau: 10 }, huge, {
      own: new Int32Array(2),
      rng: seededRng(1),
    })
    expect(made).toEqual(Int32Array.of(-VECTOR_NORM_MAX, VECTOR_NORM_MAX))
  })
})

describe('TABLE_ATTACKS', () => {
  it('are those of the published table', () => {
    expect(TABLE_ATTACKS.map(({ attack }) => attack)).toEqual([
      'none',
      'sign-flip',
      'inner-product',
      'inner-product',
      'alie',
      'label-flip',
      'gaussian',
    ])
  })
})

describe('flippedLabel', () => {
  it('is 9 − y for digits, and undone by itself', () => {
    for (let label = 0; label < 10; label++) {
      expect(flippedLabel(label, 10)).toBe(9 - label)
      expect(flippedLabel(flippedLabel(label, 10), 10)).toBe(label)
    }
  })
})

describe('normal', () => {
  it('has mean 0 and is always finite', () => {
    const rng = seededRng(9)
    let sum = 0
    for (let i = 0; i < 20_000; i++) {
      const value = normal(rng)
      expect(Number.isFinite(value)).toBe(true)
      sum += value
    }
    expect(Math.abs(sum / 20_000)).toBeLessThan(6 / Math.sqrt(20_000))
  })
})
