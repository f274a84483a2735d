import type { LearningRoundPoint } from '../../../node/learning-contract.ts'

/** The rounds of a task as curves: x counts merged rounds, 0 being the model it began with. */
export interface Curve {
  readonly x: readonly number[]
  readonly loss: readonly (number | null)[]
  readonly accuracy: readonly (number | null)[]
  readonly trainLoss: readonly (number | null)[]
  /** Between which merged rounds others were skipped, halves: 2.5 lies after the second. */
  readonly skippedAt: readonly number[]
}

/** Rounds that only settle who is a member merge nothing, and are no failure. */
const SETTLES_MEMBERS = 'roster'

export function curveOf(points: readonly LearningRoundPoint[]): Curve {
  const curve = {
    x: [] as number[],
    loss: [] as (number | null)[],
    accuracy: [] as (number | null)[],
    trainLoss: [] as (number | null)[],
    skippedAt: [] as number[],
  }
  const take = (at: number, { loss, accuracy, trainLoss }: LearningRoundPoint): void => {
    curve.x.push(at)
    curve.loss.push(loss)
    curve.accuracy.push(accuracy)
    curve.trainLoss.push(trainLoss)
  }
  let merged = 0
  for (const point of points) {
    if (point.outcome === 'merged') take(++merged, point)
    else if (merged === 0 && curve.x.length === 0 && point.loss !== null) take(0, point)
    if (point.outcome === 'skipped' && point.skippedBecause?.code !== SETTLES_MEMBERS) {
      const between = merged + 0.5
      if (curve.skippedAt.at(-1) !== between) curve.skippedAt.push(between)
    }
  }
  return curve
}

/** Rounds that were skipped for another reason than members coming and going, newest first. */
export function skippedRounds(points: readonly LearningRoundPoint[]): LearningRoundPoint[] {
  return points
    .filter(({ outcome, skippedBecause }) => outcome === 'skipped' && skippedBecause?.code !== SETTLES_MEMBERS)
    .reverse()
}
