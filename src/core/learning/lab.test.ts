import { describe, expect, it } from 'vitest'
import { seededRng } from '../tasks/rng.ts'
import { REFERENCE_KERNEL } from './aggregate-reference.ts'
import type { Attack } from './attacks.ts'
import { normal, TABLE_ATTACKS } from './attacks.ts'
import type { Samples } from './dataset.ts'
import { AggregationBoundError } from './errors.ts'
import { type LabCase, type LabRound, type LabTerms, labRounds } from './lab.ts'
import { SamplesLearner } from './lab-learner.ts'
import { splitAmong } from './lab-split.ts'
import { type AggregationRule, defaultRule } from './rules.ts'

const CLASSES = 3
const FEATURES = 4

/** Three clouds that a line tells apart. */
function clouds(count: number, seed: number): Samples {
  const rng = seededRng(seed)
  const labels = Uint8Array.from({ length: count }, (_, at) => at % CLASSES)
  const values = Float32Array.from({ length: count * FEATURES }, (_, at) => {
    const label = labels[Math.floor(at / FEATURES)] as number
    return (at % FEATURES === label ? 2 : 0) + 0.4 * normal(rng)
  })
  return { values, labels, features: FEATURES, classes: CLASSES, labelNames: ['a', 'b', 'c'], picture: null }
}

const LEARNER = new SamplesLearner(
  { kind: 'mlp', inputs: FEATURES, hidden: [8], outputs: CLASSES },
  { training: clouds(600, 1), test: clouds(300, 2) },
  { batchMax: 16 },
)
const TERMS: LabTerms = { peers: 11, hostile: 2, rounds: 40, batch: 16, learningRate: 1, momentum: 0.8 }
const MEAN: AggregationRule = { rule: 'mean', byzantineMax: 0 }

function run(change: Partial<LabCase>, terms: LabTerms = TERMS): LabRound[] {
  const each: LabCase = { rule: MEAN, attack: { attack: 'none' }, alpha: null, seed: 1, ...change }
  return [...labRounds(each, terms, { learner: LEARNER, kernel: REFERENCE_KERNEL, scoreEvery: 10 })]
}

const accuracy = (rounds: readonly LabRound[]): number => rounds.at(-1)?.score?.accuracy ?? Number.NaN
const REVERSED: Attack = { attack: 'inner-product', tau: 10 }

describe('labRounds', () => {
  it('gives the same rounds for one seed and others for another, whatever ran in between', () => {
    const first = run({ attack: { attack: 'gaussian', deviation: 1 }, alpha: 0.3 })
    run({ attack: REVERSED })
    expect(run({ attack: { attack: 'gaussian', deviation: 1 }, alpha: 0.3 })).toEqual(first)
    expect(run({ attack: { attack: 'gaussian', deviation: 1 }, alpha: 0.3, seed: 2 })).not.toEqual(first)
  })

  it('cases that take turns do not disturb each other', () => {
    const options = { learner: LEARNER, kernel: REFERENCE_KERNEL, scoreEvery: 10 }
    const start = (rule: AggregationRule) => labRounds({ rule, attack: REVERSED, alpha: 0.3, seed: 5 }, TERMS, options)
    const [one, two] = [start(MEAN), start(defaultRule(2))]
    const taken: [LabRound[], LabRound[]] = [[], []]
    for (let round = 0; round < TERMS.rounds; round++) {
      for (const [at, rounds] of [one, two].entries()) {
        const next = rounds.next()
        if (!next.done) taken[at]?.push(next.value)
      }
    }
    expect(taken[0]).toEqual([...start(MEAN)])
    expect(taken[1]).toEqual([...start(defaultRule(2))])
  })

  it('learns when nobody attacks, and scores when asked', () => {
    const rounds = run({})
    expect(accuracy(rounds)).toBeGreaterThan(0.95)
    expect(rounds.map(({ round }) => round)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1))
    expect(rounds.filter(({ score }) => score !== null).map(({ round }) => round)).toEqual([10, 20, 30, 40])
    expect(rounds.at(-1)?.score?.loss).toBeLessThan(rounds[9]?.score?.loss ?? 0)
  })

  it('the last round is scored even if it is out of step', () => {
    const rounds = run({}, { ...TERMS, rounds: 13 })
    expect(rounds.filter(({ score }) => score !== null).map(({ round }) => round)).toEqual([10, 13])
  })

  it.each(TABLE_ATTACKS.filter(({ attack }) => attack !== 'none'))('%o changes what is learned', (attack) => {
    expect(run({ attack }).map(({ agreement }) => agreement)).not.toEqual(run({}).map(({ agreement }) => agreement))
  })

  it('an attack that outweighs the others ends the learning of the mean, and not that of the default rule', () => {
    const mean = run({ attack: REVERSED })
    const robust = run({ attack: REVERSED, rule: defaultRule(2) })
    expect(accuracy(mean)).toBeLessThan(0.5)
    expect(mean[0]?.agreement).toBeCloseTo(-1, 1)
    expect(accuracy(robust)).toBeGreaterThan(0.95)
    expect(robust[0]?.agreement).toBeGreaterThan(0.8)
  })

  it('hostile peers that train on wrong labels spoil the mean of a majority', () => {
    const flipped = run({ attack: { attack: 'label-flip' } }, { ...TERMS, hostile: 8 })
    expect(accuracy(flipped)).toBeLessThan(0.7)
  })

  it('under none the hostile are honest', () => {
    expect(run({}, { ...TERMS, hostile: 5 })).toEqual(run({}, { ...TERMS, hostile: 0 }))
  })

  it('says whose updates went in', () => {
    const rule: AggregationRule = { rule: 'multi-krum', byzantineMax: 2 }
    for (const { selected } of run({ attack: { attack: 'gaussian', deviation: 10 }, rule }))
      expect(selected).toEqual({ hostile: 0, honest: 9 })
    for (const { selected } of run({ attack: { attack: 'gaussian', deviation: 10 } }))
      expect(selected).toEqual({ hostile: 2, honest: 9 })
    // All send one vector, which is then its own best neighbour.
    const fooled = run({ attack: { attack: 'sign-flip' }, rule: { rule: 'krum', byzantineMax: 2 }, alpha: 0.05 })
    for (const { selected } of fooled) expect(selected.hostile + selected.honest).toBe(1)
  })

  it('refuses more hostile peers than the rule bears', () => {
    expect(() => run({ rule: { rule: 'bulyan', byzantineMax: 3 } })).toThrow(AggregationBoundError)
  })
})

describe('splitAmong', () => {
  const { labels } = clouds(300, 1)

  it.each([null, 0.3, 0.05])('gives every sample to one peer, α %s', (alpha) => {
    const parts = splitAmong(labels, { peers: 7, classes: CLASSES, alpha }, seededRng(3))
    const given = new Set(parts.flatMap((part) => [...part]))
    expect(given.size).toBe(300)
    expect(parts.every((part) => part.length > 0)).toBe(true)
    // Only who drew nothing gets one that somebody has already.
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBeLessThan(300 + 7)
  })

  it('skews the classes as α falls', () => {
    const largest = (alpha: number | null): number => {
      const parts = splitAmong(labels, { peers: 7, classes: CLASSES, alpha }, seededRng(3))
      const shares = parts.map((part) => {
        const counts = [0, 1, 2].map((label) => part.filter((sample) => labels[sample] === label).length)
        return Math.max(...counts) / part.length
      })
      return shares.reduce((sum, share) => sum + share, 0) / shares.length
    }
    expect(largest(null)).toBeLessThan(0.5)
    expect(largest(0.3)).toBeGreaterThan(0.6)
  })
})
