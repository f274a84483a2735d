import { describe, expect, test } from 'vitest'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import { sha256Hex } from '../../codec/hash.ts'
import { checkQuality, claimQuality, drawnSamples, missedChance, type QualityOpening } from './quality-claim.ts'

const names = {
  task: sha256Hex(new Uint8Array([1])),
  model: sha256Hex(new Uint8Array([2])),
  challengeSet: sha256Hex(new Uint8Array([3])),
}
const beacon = new Uint8Array(32).fill(4)

function setOf(samples: number) {
  const labels = Uint8Array.from(seededBytes(1).bytes(samples), (byte) => byte % 10)
  // A model that is right nine times in ten.
  const predictions = labels.map((label, at) => (at % 10 === 3 ? (label + 1) % 10 : label))
  return { labels, predictions, predict: (index: number) => predictions[index] as number }
}

describe('quality claim', () => {
  test.each([1, 2, 3, 7, 64, 1_000])('[Z5] an honest claim over %d samples is accepted', (samples) => {
    const { labels, predictions, predict } = setOf(samples)
    const tree = claimQuality(names, predictions, labels)
    expect(tree.claim.correct).toBe(predictions.filter((prediction, at) => prediction === labels[at]).length)
    const openings = tree.open(beacon, 32)
    expect(openings).toHaveLength(Math.min(32, samples))
    checkQuality(tree.claim, openings, { beacon, checks: 32, labels, predict })
  })

  test('[Z5] is refused when anything in it is changed', () => {
    const { labels, predictions, predict } = setOf(100)
    const { claim, open } = claimQuality(names, predictions, labels)
    const openings = open(beacon, 8)
    const of = { beacon, checks: 8, labels, predict }
    const refuse = (changed: readonly QualityOpening[], what = claim) =>
      expect(() => checkQuality(what, changed, of)).toThrow(expect.objectContaining({ name: 'InvalidProofError' }))
    const [first, ...rest] = openings as [QualityOpening, ...QualityOpening[]]
    refuse(openings, { ...claim, correct: claim.correct + 1 })
    refuse(openings, { ...claim, model: names.task })
    refuse(openings, { ...claim, samples: 99 })
    refuse(rest)
    refuse([...rest, first])
    refuse([{ ...first, prediction: (first.prediction + 1) % 10 }, ...rest])
    refuse([{ ...first, index: first.index ^ 1 }, ...rest])
    refuse([{ ...first, path: first.path.slice(1) }, ...rest])
    first.path.forEach((node, at) => {
      const hash = node.hash.map((byte) => byte ^ 1)
      refuse([{ ...first, path: first.path.with(at, { ...node, hash }) }, ...rest])
      refuse([{ ...first, path: first.path.with(at, { ...node, correct: node.correct + 1 }) }, ...rest])
      refuse([{ ...first, path: first.path.with(at, { ...node, correct: -1 }) }, ...rest])
    })
  })

  test('[Z5] a count that is too high is found as often as is stated', () => {
    const { labels, predict } = setOf(500)
    // Claims every sample right, where one in ten is wrong.
    const tree = claimQuality(names, labels, labels)
    expect(tree.claim.correct).toBe(500)
    const [trials, checks] = [400, 8]
    let missed = 0
    for (let trial = 0; trial < trials; trial++) {
      const drawn = {
        beacon: new Uint8Array(32).map((_, at) => (trial >> (at % 4)) ^ (trial * (at + 1))),
        checks,
        labels,
        predict,
      }
      try {
        checkQuality(tree.claim, tree.open(drawn.beacon, checks), drawn)
        missed++
      } catch (error) {
        expect((error as Error).message).toMatch(/^prediction/)
      }
    }
    const stated = trials * missedChance(0.1, checks)
    expect(missed).toBeLessThanOrEqual(stated + 5 * Math.sqrt(stated))
    expect(missed).toBeGreaterThan(0)
  })

  test('draws other samples for another beacon, none twice', () => {
    const { labels, predictions } = setOf(300)
    const { claim } = claimQuality(names, predictions, labels)
    const drawn = drawnSamples(claim, beacon, 64)
    expect(new Set(drawn).size).toBe(64)
    expect(drawnSamples(claim, new Uint8Array(32), 64)).not.toEqual(drawn)
  })
})
