import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ABLE, NOW_MS, testManifest } from '../../testing/task-fixtures.ts'
import { MEMORY_BYTES_MAX, PRICE_MICRO_UNITS_MAX } from './limits.ts'
import { matchManifest, matchTerms } from './matching.ts'
import { costOf, maximumCost } from './pricing.ts'

const MIB = 2 ** 20

describe('costOf', () => {
  const payment = { microUnitsPerSecond: 1_000n, microUnitsPerMebibyte: 10n, microUnitsTotalMax: 5_000n }

  it.each([
    [1_000_000, MIB, 1_010n],
    [500_000, 3 * MIB, 530n],
    [0, 0, 0n],
    // 1.999 + 0.0099: the sum is rounded down, once.
    [1_999, 1_038, 2n],
    [1_989, 1_038, 1n],
    [10_000_000, MIB, 5_000n],
  ])(
    '[P1] of %i µs and %i bytes is exact, rounded down once, and at most the total',
    (durationUs, memoryBytesPeak, cost) => {
      expect(costOf(payment, { durationUs, memoryBytesPeak })).toBe(cost)
    },
  )

  it('[P1] never shrinks when more is used, and never overflows', () => {
    const usage = fc.record({ durationUs: fc.nat(3_600_000_000), memoryBytesPeak: fc.nat(MEMORY_BYTES_MAX) })
    const price = fc.bigInt({ min: 0n, max: PRICE_MICRO_UNITS_MAX })
    const terms = fc.record({ microUnitsPerSecond: price, microUnitsPerMebibyte: price, microUnitsTotalMax: price })
    fc.assert(
      fc.property(terms, usage, usage, (payment, a, b) => {
        const both = { durationUs: a.durationUs + b.durationUs, memoryBytesPeak: a.memoryBytesPeak + b.memoryBytesPeak }
        expect(costOf(payment, both)).toBeGreaterThanOrEqual(costOf(payment, a))
        expect(costOf(payment, both)).toBeLessThanOrEqual(payment.microUnitsTotalMax)
      }),
    )
  })
})

describe('maximumCost', () => {
  it('[P2] is that of every replica of every unit at its limits', () => {
    const manifest = testManifest({ verification: { replicas: 3, quorum: 2 } })
    // 30 s × 1000 + 128 MiB × 10 is above the total of 5000.
    expect(maximumCost(manifest, 7)).toEqual({ perReceipt: 5_000n, perUnit: 15_000n, total: 105_000n })
    const cheap = testManifest({ payment: { ...manifest.payment, microUnitsTotalMax: 1_000_000n } })
    expect(maximumCost(cheap, 1).perReceipt).toBe(31_280n)
  })
})

describe('matchManifest', () => {
  const manifest = testManifest()

  it('[M4] finds nothing against an able executor', () => {
    expect(matchManifest(manifest, ABLE, NOW_MS)).toEqual([])
  })

  it.each([
    ['abi', { abis: ['wasi-command'] as const }],
    ['resources.memoryBytesMax', { memoryBytesMax: 2 ** 26 }],
    ['resources.cores', { cores: 0 }],
    ['resources.wallMsMax', { wallMsMax: 29_999 }],
    ['resources.stackBytesMax', { stackBytesMax: 1 }],
    ['resources.gasMax', { gasMax: 1n }],
    ['resources.outputBytesMax', { outputBytesMax: 1 }],
    ['payment.microUnitsPerSecond', { microUnitsPerSecondMin: 1_001n }],
    ['payment.microUnitsPerMebibyte', { microUnitsPerMebibyteMin: 11n }],
  ])('[M4] gives %s as the reason, with value and limit', (field, change) => {
    const mismatches = matchTerms(manifest, { ...ABLE, ...change }, NOW_MS)
    expect(mismatches.map((each) => each.field)).toEqual([field])
    expect(mismatches[0]?.limit).not.toBe('')
  })

  it('[M4] compares the executor’s record with the service level', () => {
    const strict = testManifest({
      serviceLevel: { uptimePpmMin: 990_000, failurePpmMax: 1_000, reputationPpmMin: 500_000 },
    })
    const poor = { ...ABLE, uptimePpm: 980_000, failurePpm: 2_000, reputationPpm: 400_000 }
    const fields = matchTerms(strict, poor, NOW_MS).map((each) => each.field)
    expect(fields).toEqual(['serviceLevel.uptimePpmMin', 'serviceLevel.failurePpmMax', 'serviceLevel.reputationPpmMin'])
    expect(matchTerms(strict, ABLE, NOW_MS)).toEqual([])
  })

  it('[M4] knows when it begins and ends', () => {
    expect(matchManifest(manifest, ABLE, manifest.validFromMs - 1).map((each) => each.field)).toEqual(['validFromMs'])
    expect(matchManifest(manifest, ABLE, manifest.validUntilMs).map((each) => each.field)).toEqual(['validUntilMs'])
    expect(matchManifest(manifest, ABLE, manifest.validUntilMs - 1)).toEqual([])
  })
})
