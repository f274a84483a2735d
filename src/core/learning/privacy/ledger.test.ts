import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from '../../codec/cbor.ts'
import { type LedgerStep, noiseMultiplierFor, PrivacyLedger } from './ledger.ts'
import { EPSILON_MAX, LEDGER_ENTRIES_MAX } from './limits.ts'

const budget = { epsilonPpm: 8_000_000, deltaPerTrillion: 10_000_000 }
const step: LedgerStep = { noiseMultiplierPpm: 1_500_000, samplingPpm: 40_000 }

describe('PrivacyLedger', () => {
  test('[D4] spends what Opacus publishes for 2,250 steps', () => {
    const ledger = new PrivacyLedger(budget, [{ ...step, steps: 2_250 }])
    const { epsilon, epsilonLeft, conversion, delta, steps } = ledger.spent()
    expect(Math.abs(epsilon - 7.32911117143)).toBeLessThan(1e-7)
    expect(epsilonLeft).toBeCloseTo(8 - epsilon, 12)
    expect({ conversion, delta, steps }).toEqual({ conversion: 'canonne-kamath-steinke', delta: 1e-5, steps: 2_250 })
  })

  test('starts with nothing spent', () => {
    expect(new PrivacyLedger(budget).spent()).toMatchObject({ epsilon: 0, epsilonLeft: 8, steps: 0 })
  })

  test('[D6] refuses the step that would exceed the budget, and takes nothing for it', () => {
    const round: LedgerStep = { noiseMultiplierPpm: 2_000_000, samplingPpm: 1_000_000 }
    const ledger = new PrivacyLedger(budget)
    const room = ledger.stepsLeft(round)
    expect(room).toBeGreaterThan(1)
    for (let taken = 0; taken < room; taken++) {
      expect(ledger.stepsLeft(round), `after ${taken}`).toBe(room - taken)
      ledger.charge(round)
    }
    const before = ledger.spent()
    expect(before.epsilon).toBeLessThanOrEqual(8)
    expect(() => ledger.charge(round)).toThrow(expect.objectContaining({ name: 'PrivacyBudgetError' }))
    expect(ledger.spent()).toEqual(before)
    expect(ledger.stepsLeft(round)).toBe(0)
    // A step with more noise may still fit.
    ledger.charge({ noiseMultiplierPpm: 900_000_000, samplingPpm: 1_000_000 })
  })

  test('[D6] keeps what was spent over a restart', () => {
    const ledger = new PrivacyLedger(budget)
    ledger.charge(step)
    ledger.charge({ ...step, samplingPpm: 1_000_000, noiseMultiplierPpm: 3_000_000 })
    ledger.charge(step)
    const again = PrivacyLedger.decode(ledger.encode())
    expect(again.spent().epsilon).toBeCloseTo(ledger.spent().epsilon, 12)
    expect(again.spent().steps).toBe(3)
  })

  test('composition is the sum at every order, in whichever order of steps', () => {
    const some = fc.record({
      noiseMultiplierPpm: fc.integer({ min: 500_000, max: 5_000_000 }),
      samplingPpm: fc.constantFrom(1_000_000, 100_000),
    })
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 4 }), (steps) => {
        const wide = { epsilonPpm: EPSILON_MAX * 1_000_000, deltaPerTrillion: 10_000_000 }
        const [forth, back] = [new PrivacyLedger(wide), new PrivacyLedger(wide)]
        for (const one of steps) forth.charge(one)
        for (const one of [...steps].reverse()) back.charge(one)
        expect(forth.spent().epsilon).toBeCloseTo(back.spent().epsilon, 9)
        // Never more than the sum of single ε's would say, never less than the largest of them.
        const single = steps.map((one) => new PrivacyLedger(wide).epsilonAfter(one))
        expect(forth.spent().epsilon).toBeLessThanOrEqual(single.reduce((sum, one) => sum + one, 0) + 1e-9)
        expect(forth.spent().epsilon).toBeGreaterThanOrEqual(Math.max(...single) - 1e-9)
      }),
      { numRuns: 15 },
    )
  })

  test.each([
    ['a step without noise', { noiseMultiplierPpm: 0, samplingPpm: 1 }],
    ['a step that nobody takes', { noiseMultiplierPpm: 1, samplingPpm: 0 }],
    ['a fraction', { noiseMultiplierPpm: 1.5, samplingPpm: 1 }],
    ['a text', { noiseMultiplierPpm: '1', samplingPpm: 1 }],
  ])('refuses %s', (_, bad) => {
    expect(() => new PrivacyLedger(budget).charge(bad as LedgerStep)).toThrow(
      expect.objectContaining({ name: 'InvalidMessageError' }),
    )
  })

  test('refuses a damaged record', () => {
    const ledger = new PrivacyLedger(budget, [{ ...step, steps: 1 }])
    expect(() => PrivacyLedger.decode(ledger.encode().slice(1))).toThrow(/privacy ledger/)
    expect(() => PrivacyLedger.decode(encode({ budget, entries: [{ ...step, steps: -1 }] }))).toThrow(/entries.0.steps/)
    expect(() => new PrivacyLedger({ ...budget, epsilonPpm: 1_000_000_001 })).toThrow(/epsilonPpm/)
  })

  test('refuses one kind of step too many', () => {
    const ledger = new PrivacyLedger({ epsilonPpm: EPSILON_MAX * 1_000_000, deltaPerTrillion: 10_000_000 })
    const quiet = (at: number) => ({ noiseMultiplierPpm: 900_000_000 + at, samplingPpm: 1_000_000 })
    for (let at = 0; at < LEDGER_ENTRIES_MAX; at++) ledger.charge(quiet(at))
    expect(() => ledger.charge(quiet(LEDGER_ENTRIES_MAX))).toThrow(/256 kinds of step/)
    ledger.charge(quiet(0))
  })
})

describe('noiseMultiplierFor', () => {
  test('finds the noise with which a number of steps just fits', () => {
    const noiseMultiplierPpm = noiseMultiplierFor(budget, { steps: 60, samplingPpm: 1_000_000 })
    const fits = new PrivacyLedger(budget).stepsLeft({ noiseMultiplierPpm, samplingPpm: 1_000_000 })
    expect(fits).toBe(60)
    // With one millionth of noise less it is a step short.
    const less = { noiseMultiplierPpm: noiseMultiplierPpm - 2, samplingPpm: 1_000_000 }
    expect(new PrivacyLedger(budget).stepsLeft(less)).toBe(59)
  })
})
