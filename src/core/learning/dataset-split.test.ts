import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRng } from '../tasks/rng.ts'
import { checkSamples, classCounts, type Samples, takeSamples } from './dataset.ts'
import { BatchRows } from './dataset-batches.ts'
import { partitionRows, sampleRows, splitHeldOut } from './dataset-split.ts'

function samplesOf(count: number, classes: number): Samples {
  const rng = seededRng(count)
  const labels = Uint8Array.from({ length: count }, () => rng.below(classes))
  return {
    values: Float32Array.from({ length: count }, (_, i) => i),
    labels,
    features: 1,
    classes,
    labelNames: Array.from({ length: classes }, (_, i) => String(i)),
    picture: null,
  }
}

describe('checkSamples', () => {
  const good = samplesOf(6, 3)
  it('takes samples that hold together', () => {
    checkSamples(good)
  })

  it.each([
    ['NaN', { values: Float32Array.of(0, 1, Number.NaN, 3, 4, 5) }, /Feature 0 of sample 2 is NaN/],
    ['infinity', { values: new Float32Array(6).fill(Number.POSITIVE_INFINITY) }, /Feature 0 of sample 0 is Infinity/],
    [
      'a label that is no class',
      { labels: Uint8Array.of(0, 1, 2, 3, 0, 0) },
      /Label of sample 3 is 3, limit 2 at most/,
    ],
    ['too few values', { values: new Float32Array(5) }, /values 5, limit 6 exactly/],
    ['another picture', { picture: { width: 2, height: 1 } }, /picture 2, limit 1/],
    ['names that are missing', { labelNames: ['a'] }, /labelNames 1, limit 3 exactly/],
    ['no features', { features: 0 }, /features 0/],
    ['one class', { classes: 1, labelNames: ['a'] }, /classes 1/],
  ])('refuses %s', (_, change, message) => {
    expect(() => checkSamples({ ...good, ...change })).toThrow(message)
  })
})

describe('splitHeldOut', () => {
  it('keeps out the share of each class, and each row is in one part', () => {
    const samples = samplesOf(1000, 4)
    const { training, heldOut } = splitHeldOut(samples, 0.2, 5)
    expect([...training, ...heldOut].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    const counts = classCounts(samples)
    const kept = classCounts(takeSamples(samples, heldOut))
    for (let i = 0; i < 4; i++) expect(kept[i]).toBe(Math.round((counts[i] as number) * 0.2))
    expect(splitHeldOut(samples, 0.2, 5)).toEqual({ training, heldOut })
    expect(splitHeldOut(samples, 0.2, 6).heldOut).not.toEqual(heldOut)
  })

  it('leaves a class of one sample in training', () => {
    expect(splitHeldOut({ ...samplesOf(1, 2) }, 0.9, 1).training.length).toBe(1)
  })

  it.each([-0.1, 0.91, Number.NaN])('refuses a share of %s', (share) => {
    expect(() => splitHeldOut(samplesOf(4, 2), share, 1)).toThrow(/Held-out share is .*, limit 0 to 0.9/)
  })
})

describe('partitionRows', () => {
  it('gives every row to exactly one part, whatever alpha', () => {
    const samples = samplesOf(400, 5)
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(null, 0.05, 0.3, 1, 100),
        fc.integer({ min: 0, max: 1000 }),
        (parts, alpha, seed) => {
          const rows: number[] = []
          for (let part = 0; part < parts; part++) {
            try {
              rows.push(...partitionRows(samples, { parts, part, alpha, seed }))
            } catch (error) {
              // A part may come out empty, and says so.
              expect((error as Error).message).toMatch(/this one came out empty/)
            }
          }
          expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is skewed at alpha 0.3 and nearly even at 1000', () => {
    const samples = samplesOf(4000, 10)
    const spread = (alpha: number | null) => {
      const shares = Array.from({ length: 8 }, (_, part) => {
        const counts = classCounts(takeSamples(samples, partitionRows(samples, { parts: 8, part, alpha, seed: 3 })))
        return Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0)
      })
      return shares.reduce((sum, share) => sum + share, 0) / 8
    }
    expect(spread(0.3)).toBeGreaterThan(0.25)
    expect(spread(1000)).toBeLessThan(0.15)
    expect(spread(null)).toBeLessThan(0.15)
  })

  it.each([
    [{ parts: 0, part: 0, alpha: null }, /parts 0/],
    [{ parts: 1025, part: 0, alpha: null }, /parts 1025/],
    [{ parts: 2, part: 2, alpha: null }, /part 2, limit 0 to 1/],
    [{ parts: 2, part: 0, alpha: 0 }, /alpha 0/],
    [{ parts: 2, part: 0, alpha: Number.NaN }, /alpha NaN/],
  ])('refuses %j', (partition, message) => {
    expect(() => partitionRows(samplesOf(4, 2), { ...partition, seed: 1 })).toThrow(message)
  })
})

describe('sampleRows', () => {
  it('takes as many different rows as asked', () => {
    const rows = sampleRows(samplesOf(50, 2), 20, 9)
    expect(new Set(rows).size).toBe(20)
    expect(sampleRows(samplesOf(5, 2), 20, 9).length).toBe(5)
  })
})

describe('BatchRows', () => {
  it('gives each row once in every pass, in an order of the seed', () => {
    const rows = new BatchRows(7, 1)
    const passes = [0, 1].map(() => Array.from({ length: 7 }, () => rows.next()))
    for (const pass of passes) expect([...pass].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(passes[0]).not.toEqual(passes[1])
    const again = new BatchRows(7, 1)
    expect(Array.from({ length: 7 }, () => again.next())).toEqual(passes[0])
  })
})
