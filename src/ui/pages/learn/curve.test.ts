import { describe, expect, it } from 'vitest'
import type { LearningRoundPoint } from '../../../node/learning-contract.ts'
import { curveOf, skippedRounds } from './curve.ts'

const point = (round: number, change: Partial<LearningRoundPoint>): LearningRoundPoint => ({
  round,
  at: round,
  outcome: 'merged',
  skippedBecause: null,
  members: 3,
  merged: 3,
  rejected: 0,
  attempts: 1,
  durationMs: 1_000,
  loss: 1 / (round + 1),
  accuracy: 0.5,
  trainLoss: 2,
  epsilon: null,
  modelHash: '',
  ...change,
})
const skipped = (round: number, code: string) => point(round, { outcome: 'skipped', skippedBecause: { code } })

describe('curveOf', () => {
  it('counts merged rounds, begins with the first model, and marks what was skipped', () => {
    const points = [skipped(0, 'roster'), point(1, {}), skipped(2, 'too-few'), skipped(3, 'too-few'), point(4, {})]
    const curve = curveOf(points)
    expect(curve.x).toEqual([0, 1, 2])
    expect(curve.loss).toEqual([1, 1 / 2, 1 / 5])
    expect(curve.skippedAt).toEqual([1.5])
    expect(skippedRounds(points).map(({ round }) => round)).toEqual([3, 2])
  })

  it('has gaps where this device was not yet there', () => {
    const before = { loss: null, accuracy: null, trainLoss: null }
    expect(curveOf([skipped(0, 'roster'), point(1, before), point(2, {})]).loss).toEqual([1, null, 1 / 3])
  })
})
