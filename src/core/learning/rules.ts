import type { PeerId } from '../codec/ids.ts'
import { AggregationBoundError } from './errors.ts'
import { ITERATIONS_MAX, PARAMETERS_MAX, PEERS_MAX, SAMPLES_CAP_MAX, VECTOR_NORM_MAX } from './limits.ts'

/** What every rule states. All of it is plain data, so that a rule can stand in a signed manifest. */
interface RuleCommon {
  /** f: how many of the updates may be hostile. The rule's bound is checked against the updates that are really there. */
  readonly byzantineMax: number
  /**
   * Replace each update by the mean of its n − f nearest, itself included, before the rule
   * (Allouah et al. 2023, arXiv 2302.01772). @default false
   */
  readonly nearestNeighbourMixing?: boolean
  /**
   * Cut the ⌊2f(n − f)/n⌋ longest updates to the length of the next, before anything else (Allouah et al. 2024, arXiv 2405.14432): length
   * buys nobody more weight than an honest update has, whatever lengths a round has. @default false
   */
  readonly adaptiveClipping?: boolean
  /** L2 bound applied to each update first, in units of I16F16 (65536 is 1.0). Absent or null: none. */
  readonly clipNorm?: number | null
}

/** Averages all. Tolerates nobody: `byzantineMax` is 0. */
export interface MeanRule extends RuleCommon {
  readonly rule: 'mean'
  /**
   * Weigh by the peers' own sample counts, each cut to this cap; absent: all alike. Counts are claims that nobody can
   * check, so the cap bounds what a claim can buy, and no other rule looks at them.
   */
  readonly samplesMax?: number
}

/** The middle value of each coordinate (of an even number, the mean of the middle two). Needs n ≥ 2f + 1. */
export interface MedianRule extends RuleCommon {
  readonly rule: 'median'
}

/** Drops the f lowest and f highest values of each coordinate and averages the rest. Needs 2f < n. */
export interface TrimmedMeanRule extends RuleCommon {
  readonly rule: 'trimmed-mean'
}

/**
 * The update with the lowest score, the sum of the n − f − 2 smallest *squared* distances to others (Blanchard et al. 2017).
 * Some implementations average over n − f − 1 instead and pick other updates. Needs n ≥ 2f + 3.
 */
export interface KrumRule extends RuleCommon {
  readonly rule: 'krum'
}

/** The mean of the `selectCount` updates with the lowest Krum scores. Needs n ≥ 2f + 3. */
export interface MultiKrumRule extends RuleCommon {
  readonly rule: 'multi-krum'
  /** m: 1 to n − f. @default n − f */
  readonly selectCount?: number
}

/**
 * Picks θ = n − 2f updates one by one with Krum among those left, then averages, in each coordinate, the θ − 2f values closest
 * to their median (El Mhamdi et al. 2018). Needs n ≥ 4f + 3.
 */
export interface BulyanRule extends RuleCommon {
  readonly rule: 'bulyan'
}

/**
 * Moves the centre by the mean of the differences to it, each cut to `radius`, `iterations` times; the centre starts at the last
 * aggregate (Karimireddy et al. 2021). Meant for updates that are the peers' momenta. Needs n ≥ 2f + 1.
 */
export interface CenteredClippingRule extends RuleCommon {
  readonly rule: 'centered-clipping'
  /** τ, in units of I16F16. */
  readonly radius: number
  /** L. */
  readonly iterations: number
}

/** How updates become one, told apart by `rule`. */
export type AggregationRule =
  | MeanRule
  | MedianRule
  | TrimmedMeanRule
  | KrumRule
  | MultiKrumRule
  | BulyanRule
  | CenteredClippingRule

export type RuleName = AggregationRule['rule']

/** One peer's update, I16F16. */
export interface PeerUpdate {
  readonly peer: PeerId
  readonly values: Int32Array
  /** How many samples the peer says it trained on: an unverifiable claim, see {@link MeanRule.samplesMax}. */
  readonly samples?: number
}

/** What a rule carries from round to round. Plain data, the same bytes on every peer; who joins late takes it with the model. */
export interface AggregationState {
  /** The last aggregate, where centered clipping starts; its length is d, which every update must have. */
  readonly center: Int32Array
}

/**
 * The state before the first round: the centre is at zero.
 *
 * @throws {@link AggregationBoundError} Unless `parametersCount` is a whole number from 1 to 2^24.
 */
export function initialState(parametersCount: number): AggregationState {
  within('parametersCount', parametersCount, 1, PARAMETERS_MAX)
  return { center: new Int32Array(parametersCount) }
}

/**
 * Why an update is not in the aggregate. `wrong-length` and `norm-too-large` are the peer's fault; `not-selected` is a choice of
 * Krum, multi-Krum or Bulyan and no offence.
 */
export type RejectionReason = 'wrong-length' | 'norm-too-large' | 'not-selected'

export interface RejectedUpdate {
  readonly peer: PeerId
  readonly reason: RejectionReason
}

export interface Aggregation {
  /** d values, I16F16. */
  readonly values: Int32Array
  /** For the next round. */
  readonly state: AggregationState
  /** Whose updates went in, by peer id. */
  readonly selected: readonly PeerId[]
  /** Whose did not, and why, by peer id. */
  readonly rejected: readonly RejectedUpdate[]
  /** Whose update was scaled down to `clipNorm`, by peer id. */
  readonly clipped: readonly PeerId[]
}

/**
 * The rule of tasks whose creator chooses none: the trimmed mean of clipped and mixed updates. Mixing alone lets small reversed updates pass
 * for neighbours where data are skewed, since honest ones of rare classes are longer and lie farther off; clipping brings these back. The
 * figures are in docs/LEARNING.md.
 */
export function defaultRule(byzantineMax: number): AggregationRule {
  return { rule: 'trimmed-mean', byzantineMax, nearestNeighbourMixing: true, adaptiveClipping: true }
}

/** Fewest updates with which a rule keeps its promise against `byzantineMax` hostile ones. */
export function participantsMin(rule: Pick<AggregationRule, 'rule' | 'byzantineMax'>): number {
  const f = rule.byzantineMax
  switch (rule.rule) {
    case 'mean':
      return 1
    case 'median':
    case 'trimmed-mean':
    case 'centered-clipping':
      return 2 * f + 1
    case 'krum':
    case 'multi-krum':
      return 2 * f + 3
    case 'bulyan':
      return 4 * f + 3
  }
}

/**
 * Checks what a rule says, without updates: for the creator's form and for manifests of others.
 *
 * @throws {@link AggregationBoundError} Naming the field, its value and the limit.
 */
export function checkRule(rule: AggregationRule): void {
  within('byzantineMax', rule.byzantineMax, 0, rule.rule === 'mean' ? 0 : PEERS_MAX)
  if (rule.clipNorm !== undefined && rule.clipNorm !== null) within('clipNorm', rule.clipNorm, 1, VECTOR_NORM_MAX)
  if (rule.rule === 'mean' && rule.samplesMax !== undefined) within('samplesMax', rule.samplesMax, 1, SAMPLES_CAP_MAX)
  if (rule.rule === 'multi-krum' && rule.selectCount !== undefined)
    within('selectCount', rule.selectCount, 1, PEERS_MAX - rule.byzantineMax)
  if (rule.rule === 'centered-clipping') {
    within('radius', rule.radius, 1, VECTOR_NORM_MAX)
    within('iterations', rule.iterations, 1, ITERATIONS_MAX)
  }
  within('participantsMin', participantsMin(rule), 1, PEERS_MAX)
}

/**
 * Checks that a rule keeps its promise with this many updates. Nothing is adjusted: too few is an error.
 *
 * @throws {@link AggregationBoundError} Naming the field, its value and the limit.
 */
export function checkBounds(rule: AggregationRule, updatesCount: number): void {
  checkRule(rule)
  const least = Math.max(participantsMin(rule), rule.nearestNeighbourMixing === true ? 2 * rule.byzantineMax + 1 : 1)
  within('updates', updatesCount, least, PEERS_MAX, ` under ${rule.rule} with byzantineMax ${rule.byzantineMax}`)
  if (rule.rule === 'multi-krum' && rule.selectCount !== undefined)
    within('selectCount', rule.selectCount, 1, updatesCount - rule.byzantineMax, ' (n − f)')
}

function within(field: string, value: number, least: number, most: number, context = ''): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new AggregationBoundError(
    `${field} is ${value}; it must be a whole number from ${least} to ${most}${context}`,
    { field, value, least, most },
  )
}
