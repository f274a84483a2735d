import { describe, expect, it } from 'vitest'
import { PrivacyLedger } from '../../../core/learning/privacy/ledger.ts'
import { epsilonAfter, noiseFor, noiseOverUpdate, roundsWithin } from './privacy-estimate.ts'

const TERMS = { noiseMultiplier: 6, delta: 1e-5 }

describe('the estimate of a promise of privacy', () => {
  it('is what the ledger of a member will count', () => {
    const ledger = new PrivacyLedger({ epsilonPpm: 8_000_000, deltaPerTrillion: 10_000_000 })
    const step = { noiseMultiplierPpm: 3_000_000, samplingPpm: 1_000_000 }
    expect(epsilonAfter(TERMS, 30)).toBeCloseTo(ledger.epsilonAfter(step, 30), 9)
    expect(roundsWithin(TERMS, 8, 1_000)).toBe(ledger.stepsLeft(step))
  })

  it('finds the least noise for all rounds', () => {
    const noise = noiseFor({ epsilonMax: 8, delta: 1e-5 }, 30) as number
    expect(roundsWithin({ noiseMultiplier: noise, delta: 1e-5 }, 8, 100)).toBe(30)
    expect(roundsWithin({ noiseMultiplier: noise - 0.01, delta: 1e-5 }, 8, 100)).toBeLessThan(30)
    expect(noiseFor({ epsilonMax: 1e-9, delta: 1e-5 }, 30)).toBeNull()
  })

  it('says how loud the noise is', () => {
    expect(noiseOverUpdate(1, { parameters: 10_000, members: 4 })).toBe(50)
  })
})
