import type { PeerId, RootId } from '../codec/ids.ts'
import type { Rng } from '../tasks/rng.ts'
import { divide, type Fixed, HALF, multiply } from './fixed.ts'
import { PRICE_CLASSES_MAX, TASK_MS, TRIAL_SHARE_PPM, UNIT_SHARE_MIN_PPM, WEIGHT_MIN } from './limits.ts'
import type { Tier } from './tier.ts'

const PPM = 1_000_000

/** What trust knows of one executor at this moment; the scheduler adds load and price. */
export interface ExecutorView {
  readonly peer: PeerId
  /** `null` for a guest, whose root is unknown. */
  readonly root: RootId | null
  readonly tier: Tier
  /** Quality, 0 to `ONE`, own experience blended with what others attest; `null` before the minimum of tasks. */
  readonly score: Fixed | null
  /** Parts per million of a task that may still be lent to it this hour; `Number.MAX_SAFE_INTEGER` where quotas are off. */
  readonly quotaLeftPpm: number
  /** Blacklisted: never lent to. */
  readonly barred: boolean
  /** Accused by others, not yet cleared or convicted: lent to only what is checked. */
  readonly suspect: boolean
}

/** An executor that could take units now. */
export interface Candidate {
  readonly view: ExecutorView
  /** Units it bids for in all, at least 1. */
  readonly slots: number
  /** Units it holds already. */
  readonly held: number
  /** 0 is the cheapest; each step halves the weight. */
  readonly priceClass: number
}

/** Whether it has shown too little to be judged: a trial is what it may get. Rule [T20]. */
export function onTrial(view: ExecutorView): boolean {
  return view.score === null
}

/**
 * How strongly an executor is preferred, 0 to `ONE`: the square of its reputation (twice as good is asked four times as often), by
 * the share of its slots that are free, halved with each class of price. 0 exactly when it may not be lent anything. Rule [T18].
 */
export function assignmentWeight({ view, slots, held, priceClass }: Candidate): Fixed {
  if (view.barred || view.root === null || view.quotaLeftPpm <= 0 || held >= slots) return 0
  const reputation = view.score ?? HALF
  const free = divide(slots - held, slots)
  const weight = multiply(multiply(reputation, reputation), free)
  return Math.max(WEIGHT_MIN, Math.floor(weight / 2 ** Math.min(priceClass, PRICE_CLASSES_MAX)))
}

/**
 * Draws executors, best more often, each at most once. While proven ones are there, those on trial get `trialPpm` of the draws; if
 * one kind runs out the other takes its place, so nobody idles for a rule. Rules [T19] and [T20].
 *
 * @param options.count - How many are wanted; fewer come back when fewer may.
 * @param options.rng - Chance; the same numbers give the same choice.
 * @param options.trialPpm - Part for those on trial. @default TRIAL_SHARE_PPM
 * @returns In the order they are to be served.
 */
export function selectExecutors<C extends Candidate>(
  candidates: readonly C[],
  options: { readonly count: number; readonly rng: Rng; readonly trialPpm?: number },
): C[] {
  const { rng, trialPpm = TRIAL_SHARE_PPM } = options
  const proven: Weighted<C>[] = []
  const trial: Weighted<C>[] = []
  for (const candidate of candidates) {
    const weight = assignmentWeight(candidate)
    if (weight > 0) (onTrial(candidate.view) ? trial : proven).push({ candidate, weight })
  }
  const chosen: C[] = []
  while (chosen.length < options.count && proven.length + trial.length > 0) {
    const wantsTrial = trial.length > 0 && rng.below(PPM) < trialPpm
    const from = wantsTrial || proven.length === 0 ? trial : proven
    chosen.push(draw(from, rng))
  }
  return chosen
}

interface Weighted<C> {
  readonly candidate: C
  readonly weight: number
}

/** Takes one out, by weight. */
function draw<C>(from: Weighted<C>[], rng: Rng): C {
  const total = from.reduce((sum, { weight }) => sum + weight, 0)
  let ticket = rng.below(total)
  let index = 0
  // The ticket is below the sum of all weights, so the walk ends at an entry.
  for (; ticket >= (from[index] as Weighted<C>).weight; index++) ticket -= (from[index] as Weighted<C>).weight
  const [taken] = from.splice(index, 1)
  return (taken as Weighted<C>).candidate
}

/** The best of those with a record, best first, ties by peer id: for showing, and where chance is not wanted. Rule [T19]. */
export function topExecutors(views: readonly ExecutorView[], count: number): ExecutorView[] {
  return views
    .filter((view) => view.score !== null && !view.barred && view.root !== null)
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0) || (a.peer < b.peer ? -1 : 1))
    .slice(0, count)
}

/** What a unit of this length counts against the quota, parts per million of a task. Rule [T9]. */
export function unitSharePpm(durationMs: number): number {
  return Math.max(UNIT_SHARE_MIN_PPM, Math.ceil((durationMs * PPM) / TASK_MS))
}

/** How many units of this expected length may be lent to it now, at most `free`. */
export function leaseAllowance(
  view: ExecutorView,
  unit: { readonly durationMs: number; readonly free: number },
): number {
  if (view.barred || view.root === null) return 0
  return Math.min(unit.free, Math.floor(view.quotaLeftPpm / unitSharePpm(unit.durationMs)))
}

/** How often a lone executor's result is recomputed, by its tier, parts per million: trust is what saves checking. */
const AUDIT_PPM: Readonly<Record<Tier, number>> = {
  guest: PPM,
  newcomer: 500_000,
  established: 200_000,
  trusted: 100_000,
  elite: 50_000,
}

/**
 * How a unit is checked when this executor runs it alone: always on trial or under suspicion, and less often the higher its tier; never
 * less than the job asks. Where a second executor's receipt is asked for anyway the job's own rate is enough, for agreement is as good
 * and cheaper. Rule [T21].
 */
export function auditPpmFor(
  view: ExecutorView,
  verification: { readonly quorum: number; readonly auditPpm: number },
): number {
  if (verification.quorum >= 2) return verification.auditPpm
  return Math.max(verification.auditPpm, onTrial(view) || view.suspect ? PPM : AUDIT_PPM[view.tier])
}
