import { exp2Negative, type Fixed, HALF, multiply, ONE, ofPpm, ratio, sigmoid, tanh } from './fixed.ts'
import {
  AGE_SCALE_MS,
  AGE_WEIGHT_PPM,
  COST_WEIGHT_PPM,
  MODEL_BAD_PPM,
  MODEL_GOOD_PPM,
  SCORE_HALF_LIFE_MS,
  SPEED_WEIGHT_PPM,
  SUCCESS_WEIGHT_PPM,
  TASKS_MIN,
  TASKS_WINDOW,
} from './limits.ts'

/** Where a score starts, and what it returns to when nothing is heard. */
export const NEUTRAL: Fixed = HALF

/** What is counted of one executor, in all or of one category. The last three are of good tasks alone. */
export interface Tally {
  readonly good: number
  readonly bad: number
  readonly durationUs: number
  readonly costMicro: number
  /** Millions of gas: the measure of work that all executors of a unit agree on. */
  readonly megagas: number
}

export const EMPTY_TALLY: Tally = { good: 0, bad: 0, durationUs: 0, costMicro: 0, megagas: 0 }

/** One good task. */
export interface TaskMeasure {
  /** As signed in the receipt: understating it forgoes pay. */
  readonly durationUs: number
  readonly costMicro: number
  readonly megagas: number
}

export const tasksOf = (tally: Tally): number => tally.good + tally.bad

/** Counts a good task. Past `TASKS_WINDOW` everything is halved first, so that the present outweighs the past. */
export function countGood(tally: Tally, { durationUs, costMicro, megagas }: TaskMeasure): Tally {
  const before = faded(tally)
  return {
    good: before.good + 1,
    bad: before.bad,
    durationUs: before.durationUs + durationUs,
    costMicro: before.costMicro + costMicro,
    // A unit of no work would have no pace.
    megagas: before.megagas + Math.max(1, megagas),
  }
}

export function countBad(tally: Tally): Tally {
  const before = faded(tally)
  return { ...before, bad: before.bad + 1 }
}

function faded(tally: Tally): Tally {
  return tasksOf(tally) < TASKS_WINDOW ? tally : scaled(tally, { by: 1, of: 2 })
}

/** The same record with fewer tasks. A bad one stays at least one: fading does not acquit. */
function scaled(tally: Tally, { by, of }: { readonly by: number; readonly of: number }): Tally {
  const part = (count: number) => Math.floor((count * by) / of)
  return {
    good: part(tally.good),
    bad: tally.bad > 0 ? Math.max(1, part(tally.bad)) : 0,
    durationUs: part(tally.durationUs),
    costMicro: part(tally.costMicro),
    megagas: part(tally.megagas),
  }
}

/** The way back after a blacklisting: a record too short to be judged by, so that checked trials decide. Rule [T12]. */
export function onProbation(tally: Tally): Tally {
  const tasks = tasksOf(tally)
  const kept = TASKS_MIN / 2
  return tasks <= kept ? tally : scaled(tally, { by: kept - 1, of: tasks })
}

/**
 * `baseline / average`, where both are a total per work done. No good task yet means an average without bound, hence 0; a price of
 * nothing is at the baseline if that is nothing too.
 */
function advantage(
  of: { readonly total: number; readonly work: number },
  baseline: { total: number; work: number },
): Fixed {
  if (of.work === 0) return 0
  if (baseline.work === 0) return ONE
  if (of.total === 0) return baseline.total === 0 ? ONE : MANIFOLD
  // (baseline.total / baseline.work) / (of.total / of.work); products of two sums may pass 2^53.
  const numerator = BigInt(baseline.total) * BigInt(of.work) * BigInt(ONE)
  const quotient = numerator / (BigInt(of.total) * BigInt(baseline.work))
  return quotient > BigInt(MANIFOLD) ? MANIFOLD : Number(quotient)
}

/** An advantage beyond which the sigmoid is 1 to the last place. */
const MANIFOLD: Fixed = 32 * ONE

/**
 * Quality, 0 to 1: 0.5·success rate + 0.2·sigmoid(baseline / average duration) + 0.2·sigmoid(baseline / average cost) +
 * 0.1·tanh(days / 30). Rule [T2].
 *
 * @param options.baseline - The same counts over all executors.
 * @param options.ageMs - Since the first dealing.
 */
export function scoreOf(tally: Tally, options: { readonly baseline: Tally; readonly ageMs: number }): Fixed {
  const { baseline, ageMs } = options
  const tasks = tasksOf(tally)
  const success = tasks === 0 ? NEUTRAL : ratio(tally.good, tasks)
  const pace = (total: 'durationUs' | 'costMicro') =>
    sigmoid(advantage({ total: tally[total], work: tally.megagas }, { total: baseline[total], work: baseline.megagas }))
  const days = ratio(Math.min(ageMs, AGE_SCALE_MS * 32), AGE_SCALE_MS)
  // Weights are parts per million, so that they add up to one exactly; the sum is below 2^37.
  const sum =
    success * SUCCESS_WEIGHT_PPM +
    pace('durationUs') * SPEED_WEIGHT_PPM +
    pace('costMicro') * COST_WEIGHT_PPM +
    tanh(days) * AGE_WEIGHT_PPM
  return Math.floor(sum / 1_000_000)
}

/** Drawn to neutral by 0.5^(idle / half-life). Rule [T3]. */
export function decayed(score: Fixed, idleMs: number): Fixed {
  const halfLives = ratio(Math.min(idleMs, SCORE_HALF_LIFE_MS * 64), SCORE_HALF_LIFE_MS)
  const keep = exp2Negative(halfLives)
  const distance = score - NEUTRAL
  // Toward neutral from both sides, so that no sign is favoured by rounding.
  return NEUTRAL + (distance < 0 ? -multiply(-distance, keep) : multiply(distance, keep))
}

/** How good a peer's updates of shared models are: starts neutral. Rule [T5]. */
export interface ModelRecord {
  readonly score: Fixed
  readonly updates: number
}

export const NEW_MODEL_RECORD: ModelRecord = { score: NEUTRAL, updates: 0 }

/** +0.01 for a good update, -0.1 for a bad one, within 0 and 1. */
export function countUpdate(record: ModelRecord, good: boolean): ModelRecord {
  const next = record.score + (good ? ofPpm(MODEL_GOOD_PPM) : -ofPpm(MODEL_BAD_PPM))
  return { score: Math.min(ONE, Math.max(0, next)), updates: Math.min(record.updates + 1, TASKS_WINDOW) }
}

/** Scores by how many tasks each rests on; `null` when they rest on none. */
export function weightedMean(parts: readonly { readonly score: Fixed; readonly weight: number }[]): Fixed | null {
  let sum = 0
  let weights = 0
  for (const { score, weight } of parts) {
    sum += score * weight
    weights += weight
  }
  return weights === 0 ? null : Math.floor(sum / weights)
}
