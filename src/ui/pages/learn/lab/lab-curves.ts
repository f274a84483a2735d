/** What a run of the lab has shown so far, as it is drawn and summed up. */
import type { LabRound } from '../../../../core/learning/lab.ts'
import { labRules } from '../../../../core/learning/lab-rules.ts'
import { LAB_ATTACKS, type LabSetting } from '../../../../core/learning/lab-setting.ts'
import type { AggregationRule } from '../../../../core/learning/rules.ts'

/** One rule's curve. */
export interface LabCurve {
  readonly id: string
  readonly name: string
  readonly rule: AggregationRule['rule']
  /** By score; null from where the model left the numbers. */
  readonly accuracy: readonly (number | null)[]
  readonly loss: readonly (number | null)[]
  /** Sums over the rounds. */
  readonly rounds: number
  readonly hostileSelected: number
  readonly honestSelected: number
  readonly agreement: number
  /** The round in which an attack drove the model beyond all numbers. */
  readonly lostAt: number | null
}

export interface LabCurves {
  /** Rounds that all rules have done. */
  readonly round: number
  /** Rounds of the scores. */
  readonly x: readonly number[]
  readonly curves: readonly LabCurve[]
}

/** The reports of one round, as the worker gives them. */
type Reports = readonly { readonly rule: string; readonly round: LabRound | null }[]

export function emptyCurves(setting: LabSetting): LabCurves {
  const chosen = labRules(setting.hostile).filter(({ id }) => setting.rules.includes(id))
  const curves = chosen.map(({ id, name, rule }) => ({
    ...{ id, name, rule: rule.rule, accuracy: [], loss: [] },
    ...{ rounds: 0, hostileSelected: 0, honestSelected: 0, agreement: 0, lostAt: null },
  }))
  return { round: 0, x: [], curves }
}

/** The curves with one more round. */
export function addRound(last: LabCurves, reports: Reports): LabCurves {
  const round = last.round + 1
  const scored = reports.some((report) => report.round?.score != null)
  const curves = last.curves.map((curve) => {
    const now = reports.find(({ rule }) => rule === curve.id)?.round ?? null
    const score = now?.score ?? null
    return {
      ...curve,
      accuracy: scored ? [...curve.accuracy, score?.accuracy ?? null] : curve.accuracy,
      loss: scored ? [...curve.loss, score?.loss ?? null] : curve.loss,
      rounds: curve.rounds + (now === null ? 0 : 1),
      hostileSelected: curve.hostileSelected + (now?.selected.hostile ?? 0),
      honestSelected: curve.honestSelected + (now?.selected.honest ?? 0),
      agreement: curve.agreement + (now?.agreement ?? 0),
      lostAt: curve.lostAt ?? (now === null ? round : null),
    }
  })
  return { round, x: scored ? [...last.x, round] : last.x, curves }
}

/** What a rule came to, by round where it is a share. */
export interface LabOutcome {
  readonly id: string
  readonly name: string
  /** Null when the model is lost, or there is no score yet. */
  readonly accuracy: number | null
  readonly loss: number | null
  /** Share of the hostile updates that went in; null when nobody attacks, or when the rule weighs values and leaves out no one's update. */
  readonly hostileKept: number | null
  /** Share of the honest updates that were left out; null when the rule leaves out no one's. */
  readonly honestDropped: number | null
  /** Mean cosine between the aggregate and the honest mean. */
  readonly agreement: number | null
  readonly lostAt: number | null
}

/** Rules that take or leave whole updates; the mean takes all. */
const TAKES_UPDATES: ReadonlySet<AggregationRule['rule']> = new Set(['mean', 'krum', 'multi-krum', 'bulyan'])

export function outcomesOf({ curves }: LabCurves, setting: LabSetting): LabOutcome[] {
  const hostile = setting.attack === 'none' ? 0 : setting.hostile
  const honest = setting.peers - hostile
  return curves.map((curve) => {
    const { id, name, rule, rounds, lostAt } = curve
    const takes = TAKES_UPDATES.has(rule) && rounds > 0
    return {
      ...{ id, name, lostAt },
      accuracy: curve.accuracy.at(-1) ?? null,
      loss: curve.loss.at(-1) ?? null,
      hostileKept: takes && hostile > 0 ? curve.hostileSelected / (rounds * hostile) : null,
      honestDropped: takes ? 1 - curve.honestSelected / (rounds * honest) : null,
      agreement: rounds > 0 ? curve.agreement / rounds : null,
    }
  })
}

/** Below this a model of ten classes is little better than a guess. */
const GUESSING_MAX = 0.2
/** Within this, curves say nothing about which rule is better. */
const ALIKE_MAX = 0.03

/** What a finished run shows, in one sentence. */
export function sentenceOf(outcomes: readonly LabOutcome[], setting: LabSetting): string {
  const ranked = outcomes.map((each) => ({ ...each, accuracy: each.accuracy ?? 0 }))
  ranked.sort((a, b) => b.accuracy - a.accuracy)
  const [best, worst] = [ranked[0], ranked.at(-1)]
  if (best === undefined || worst === undefined) return ''
  const attack = LAB_ATTACKS.find(({ id }) => id === setting.attack)
  const attacked = setting.attack !== 'none' && setting.hostile > 0
  const under = attacked ? `With ${setting.hostile} of ${setting.peers} sending ${attack?.name}` : 'With nobody hostile'
  if (best.accuracy < GUESSING_MAX)
    return `${under}, ${ranked.length === 1 ? best.name : 'every rule'} is left guessing, at ${shown(best.accuracy)}.`
  if (ranked.length === 1) return `${under}, ${best.name} reaches ${shown(best.accuracy)}.`
  if (best.accuracy - worst.accuracy <= ALIKE_MAX)
    return `${under}, all ${ranked.length} rules end alike, from ${shown(worst.accuracy)} to ${shown(best.accuracy)}.`
  const fate = worst.accuracy < GUESSING_MAX ? 'is left guessing, at' : 'ends at'
  return `${under}, ${best.name} does best and reaches ${shown(best.accuracy)}; ${worst.name} ${fate} ${shown(worst.accuracy)}.`
}

/** Accuracies are told apart in percent. */
function shown(accuracy: number): string {
  return `${(100 * accuracy).toFixed(1)} %`
}
