/** What is chosen in the attack lab, and what of it cannot be run. */
import { type Attack, TABLE_ATTACKS } from './attacks.ts'
import { InvalidLabSettingError } from './errors.ts'
import type { LabTerms } from './lab.ts'
import { attackName, type LabRule, labRules } from './lab-rules.ts'
import {
  LAB_ALPHA_MAX,
  LAB_ALPHA_MIN,
  LAB_PEERS_MAX,
  LAB_PEERS_MIN,
  LAB_ROUNDS_MAX,
  LAB_ROUNDS_MIN,
  LAB_RULES_MAX,
} from './limits.ts'
import type { Architecture } from './model.ts'
import { participantsMin } from './rules.ts'

/** One setting: the same one gives the same curves on the same engine. Plain data. */
export interface LabSetting {
  /** n. */
  readonly peers: number
  /** f: how many attack, and how many the rules reckon with. */
  readonly hostile: number
  /** Dirichlet concentration of the split; null is IID. */
  readonly alpha: number | null
  /** Id of one of {@link LAB_ATTACKS}. */
  readonly attack: string
  /** Ids of {@link labRules}, side by side. */
  readonly rules: readonly string[]
  readonly rounds: number
  readonly seed: number
}

/** Attacks under the ids that addresses have. */
export const LAB_ATTACKS: readonly { readonly id: string; readonly name: string; readonly attack: Attack }[] =
  TABLE_ATTACKS.map((attack) => ({ id: attackId(attack), name: attackName(attack), attack }))

function attackId(attack: Attack): string {
  return attack.attack === 'inner-product' ? `inner-product-${attack.tau}` : attack.attack
}

export type LabField = keyof LabSetting

/** Why a setting cannot be run, at the field that has to change. */
export interface LabProblem {
  readonly field: LabField
  readonly message: string
}

/** What the lab trains on the bundled digits: small, so that several rules finish in seconds. */
export const LAB_ARCHITECTURE: Architecture = { kind: 'mlp', inputs: 196, hidden: [32], outputs: 10 }

/** Chosen by the clean mean alone: they take it to about 0.9 in a hundred rounds. */
const TRAINING = { batch: 32, learningRate: 2, momentum: 0.9 } as const

/** What the setting says of the training. */
export function labTerms({ peers, hostile, rounds }: LabSetting): LabTerms {
  return { peers, hostile, rounds, ...TRAINING }
}

/** The attack and the rules of a setting, rules in the order of {@link labRules}. */
export function labChoices(setting: LabSetting): { readonly attack: Attack; readonly rules: readonly LabRule[] } {
  const attack = LAB_ATTACKS.find(({ id }) => id === setting.attack)?.attack ?? { attack: 'none' }
  return { attack, rules: labRules(setting.hostile).filter(({ id }) => setting.rules.includes(id)) }
}

/** All that is wrong with a setting; empty when it can be run. */
export function labProblems(setting: LabSetting): readonly LabProblem[] {
  const { peers, hostile, alpha, attack, rules, rounds, seed } = setting
  const problems: LabProblem[] = []
  const whole = (field: LabField, value: number, [least, most]: readonly [number, number]): void => {
    if (Number.isInteger(value) && value >= least && value <= most) return
    problems.push({ field, message: `${shown(value)} is not a whole number from ${least} to ${most}` })
  }
  whole('peers', peers, [LAB_PEERS_MIN, LAB_PEERS_MAX])
  whole('hostile', hostile, [0, LAB_PEERS_MAX - 1])
  whole('rounds', rounds, [LAB_ROUNDS_MIN, LAB_ROUNDS_MAX])
  whole('seed', seed, [0, 2 ** 32 - 1])
  if (alpha !== null && !(alpha >= LAB_ALPHA_MIN && alpha <= LAB_ALPHA_MAX))
    problems.push({ field: 'alpha', message: `${shown(alpha)} is not from ${LAB_ALPHA_MIN} to ${LAB_ALPHA_MAX}` })
  if (LAB_ATTACKS.every(({ id }) => id !== attack))
    problems.push({ field: 'attack', message: `${attack} is none of the attacks` })
  if (problems.length > 0) return problems
  if (hostile >= peers) {
    const message = `${hostile} of ${peers} leaves nobody honest; at most ${peers - 1} may attack`
    return [{ field: 'hostile', message }]
  }
  return ruleProblems(setting, rules)
}

function ruleProblems({ peers, hostile }: LabSetting, ids: readonly string[]): readonly LabProblem[] {
  const known = labRules(hostile)
  const problem = (message: string): LabProblem => ({ field: 'rules', message })
  if (ids.length === 0) return [problem('Choose at least one rule')]
  if (ids.length > LAB_RULES_MAX)
    return [problem(`${ids.length} rules at once are too many; at most ${LAB_RULES_MAX} are drawn side by side`)]
  return ids.flatMap((id) => {
    const chosen = known.find((rule) => rule.id === id)
    if (chosen === undefined) return [problem(`${id} is none of the rules`)]
    const least = participantsMin(chosen.rule)
    if (peers >= least) return []
    const bound = BOUNDS[chosen.rule.rule]
    return [
      problem(`${chosen.name} needs ${bound}: against ${hostile} hostile at least ${least} members, not ${peers}`),
    ]
  })
}

const BOUNDS: Readonly<Record<LabRule['rule']['rule'], string>> = {
  mean: 'n ≥ 1',
  median: 'n ≥ 2f + 1',
  'trimmed-mean': 'n ≥ 2f + 1',
  'centered-clipping': 'n ≥ 2f + 1',
  krum: 'n ≥ 2f + 3',
  'multi-krum': 'n ≥ 2f + 3',
  bulyan: 'n ≥ 4f + 3',
}

/** What was typed may be no number at all. */
function shown(value: number): string {
  return Number.isNaN(value) ? 'This' : String(value)
}

/**
 * Refuses a setting that cannot be run.
 *
 * @throws {@link InvalidLabSettingError} Naming the first field, and why.
 */
export function checkLabSetting(setting: LabSetting): void {
  const [first] = labProblems(setting)
  if (first === undefined) return
  const { field, message } = first
  const value = setting[field]
  throw new InvalidLabSettingError(`Setting ${field}: ${message}`, { field, value: String(value) })
}
