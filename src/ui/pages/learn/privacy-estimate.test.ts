import { describe, expect, it } from 'vitest'
import { PrivacyLedger } from '../../../core/learning/privacy/ledger.ts'
import { stepOfPlan } from '../../../core/learning/privacy/noise.ts'
import { epsilonAfter, noiseFor, noiseOverUpdate, roundsWithin } from './privacy-estimate.ts'

const TERMS = { mode: 'local', noiseMultiplier: 6, delta: 1e-5 } as const

describe('the estimate of a promise of privacy', () => {
  it('is what the ledger of a member will count', () => {
    const ledger = new PrivacyLedger({ epsilonPpm: 8_000_000, deltaPerTrillion: 10_000_000 })
    const step = { noiseMultiplierPpm: 3_000_000, samplingPpm: 1_000_000 }
    expect(epsilonAfter(TERMS, 30)).toBeCloseTo(ledger.epsilonAfter(step, 30), 9)
    expect(roundsWithin(TERMS, 8, 1_000)).toBe(ledger.stepsLeft(step))
  })

  it('is what the ledger counts for a sum, too', () => {
    const plan = {
      mode: 'distributed',
      clipNorm: 8 * 65_536,
      noiseMultiplierPpm: 6_000_000,
      contributorsMin: 3,
    } as const
    const ledger = new PrivacyLedger({ epsilonPpm: 8_000_000, deltaPerTrillion: 10_000_000 })
    const counted = ledger.epsilonAfter(stepOfPlan(plan, { length: 6_634 }), 30)
    expect(epsilonAfter({ ...TERMS, mode: 'distributed' }, 30)).toBeCloseTo(counted, 4)
  })

  it('finds the least noise for all rounds', () => {
    const noise = noiseFor({ mode: 'local', epsilonMax: 8, delta: 1e-5 }, 30) as number
    expect(roundsWithin({ ...TERMS, noiseMultiplier: noise }, 8, 100)).toBe(30)
    expect(roundsWithin({ ...TERMS, noiseMultiplier: noise - 0.01 }, 8, 100)).toBeLessThan(30)
    expect(noiseFor({ mode: 'local', epsilonMax: 1e-9, delta: 1e-5 }, 30)).toBeNull()
  })

  it('says how loud the noise is', () => {
    const of = { parameters: 10_000, members: 4 }
    expect(noiseOverUpdate({ mode: 'local', noiseMultiplier: 1 }, of)).toBe(50)
    expect(noiseOverUpdate({ mode: 'distributed', noiseMultiplier: 1 }, of)).toBe(25)
  })
})
