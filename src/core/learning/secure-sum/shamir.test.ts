import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chiSquare, chiSquareLimit } from '../../../testing/chi-square.ts'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import { invert, multiply } from './gf256.ts'
import { joinShares, splitSecret } from './shamir.ts'

describe('GF(2^8)', () => {
  test('multiplies as FIPS 197, section 4.2, does', () => {
    expect(multiply(0x57, 0x83)).toBe(0xc1)
    expect(multiply(0x57, 0x13)).toBe(0xfe)
  })

  test('is a field: every element but 0 has its inverse, and products distribute', () => {
    for (let a = 1; a < 256; a++) expect(multiply(a, invert(a)), `of ${a}`).toBe(1)
    const byte = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(byte, byte, byte, (a, b, c) => {
        expect(multiply(a, b)).toBe(multiply(b, a))
        expect(multiply(a, multiply(b, c))).toBe(multiply(multiply(a, b), c))
        expect(multiply(a, b ^ c)).toBe(multiply(a, b) ^ multiply(a, c))
      }),
    )
  })
})

describe('splitSecret', () => {
  test('[Q4] any shares of the threshold give the secret back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        (secret, threshold, more, seed) => {
          const shares = splitSecret(secret, { threshold, holders: threshold + more, random: seededBytes(seed) })
          const chosen = [...shares].sort((a, b) => ((a.index * seed) % 251) - ((b.index * seed) % 251))
          expect(joinShares(chosen, threshold)).toEqual(secret)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('takes all 255 holders, and not one more', () => {
    const secret = new Uint8Array(32).fill(9)
    const shares = splitSecret(secret, { threshold: 200, holders: 255, random: seededBytes(1) })
    expect(joinShares(shares.slice(55), 200)).toEqual(secret)
    expect(() => splitSecret(secret, { threshold: 2, holders: 256, random: seededBytes(1) })).toThrow(/255/)
  })

  test('[Q4] fewer shares than the threshold are refused', () => {
    const shares = splitSecret(new Uint8Array(32), { threshold: 4, holders: 6, random: seededBytes(2) })
    expect(() => joinShares(shares.slice(0, 3), 4)).toThrow(
      expect.objectContaining({ name: 'TooFewSharesError', details: { field: 'shares', value: 3, limit: 4 } }),
    )
  })

  test('one share fewer than the threshold looks the same for every secret', () => {
    // The bytes of two of three shares, for a secret of zeros and one of 0xff: uniform alike.
    for (const fill of [0, 0xff]) {
      const counts = new Array<number>(256).fill(0)
      const random = seededBytes(40 + fill)
      for (let trial = 0; trial < 400; trial++) {
        const shares = splitSecret(new Uint8Array(32).fill(fill), { threshold: 3, holders: 3, random })
        for (const share of shares.slice(0, 2)) {
          for (const byte of share.bytes) counts[byte] = (counts[byte] as number) + 1
        }
      }
      expect(
        chiSquare(
          counts,
          counts.map(() => 100),
        ),
        `secret ${fill}`,
      ).toBeLessThan(chiSquareLimit(255))
    }
  })
})
