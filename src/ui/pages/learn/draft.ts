import {
  DATASET_CLASSES_MAX,
  LAYER_WIDTH_MAX,
  LAYERS_MAX,
  MEMBERS_MAX,
  ROUNDS_MAX,
} from '../../../core/learning/limits.ts'
import { type Architecture, parameterCount } from '../../../core/learning/model.ts'
import { type AggregationRule, participantsMin, type RuleName } from '../../../core/learning/rules.ts'
import type {
  LearningDataSummary,
  LearningMode,
  LearningOptions,
  LearningPrivacy,
  LearningTaskSpec,
} from '../../../node/learning-contract.ts'
import { errorText } from '../../state/session.ts'
import { RULE_WORDS } from './words.ts'

/** The form as it is typed; numbers stay text until they are read. */
export interface TaskDraft {
  readonly name: string
  readonly description: string
  readonly hidden: string
  readonly numbers: Readonly<Record<NumberName, string>>
  readonly rule: RuleName
  readonly mode: LearningMode
  readonly optimiser: LearningOptions['optimiser']
  readonly mixing: boolean
  /** Members prove the size of updates that nobody sees; of no meaning where they are seen. */
  readonly proofs: boolean
  readonly privacy: LearningPrivacy['mode'] | null
}

export interface NumberField {
  readonly label: string
  readonly note: string
  readonly min: number
  readonly max: number
  readonly whole: boolean
  readonly fresh: string
}

const whole = (label: string, fresh: number, min: number, max: number, note: string): NumberField => ({
  label,
  note,
  min,
  max,
  whole: true,
  fresh: String(fresh),
})
const decimal = (label: string, fresh: number, min: number, max: number, note: string): NumberField => ({
  ...whole(label, fresh, min, max, note),
  whole: false,
})

const HOUR_S = 3_600

export const NUMBERS = {
  rounds: whole(
    'Rounds',
    30,
    1,
    ROUNDS_MAX,
    'How often members train and merge. More is better until the curve is flat.',
  ),
  participantsMin: whole('Members at least', 3, 2, MEMBERS_MAX, 'With fewer good updates a round is skipped.'),
  participantsTarget: whole('Members hoped for', 3, 2, MEMBERS_MAX, 'The first round waits for them, for a while.'),
  byzantineMax: whole('Hostile members, f', 1, 0, MEMBERS_MAX, 'As many may lie without spoiling the model.'),
  clipNorm: decimal(
    'Largest change, L2',
    8,
    0.001,
    16_000,
    'Larger updates are scaled down to it: nobody shouts louder.',
  ),
  proximalMu: decimal('FedProx μ', 0.01, 0, 100, 'Holds members near the shared model, for when their data differ.'),
  localSteps: whole('Steps a round', 60, 1, 10_000, 'Batches a member trains on before it sends its change.'),
  batchSize: whole('Samples a step', 32, 1, 4_096, 'How many samples one step looks at.'),
  learningRate: decimal('Learning rate', 0.1, 0.000_001, 100, 'How far one step goes.'),
  momentum: decimal('Momentum', 0.9, 0, 0.999_999, 'How much of the last step goes into the next.'),
  radius: decimal('Step of the clipping', 0.03, 0.000_1, 16_000, 'How far one update can move the result.'),
  iterations: whole('Steps of the clipping', 6, 1, 16, 'How often it moves in a round.'),
  joinSeconds: decimal(
    'Wait for members, s',
    30,
    0.2,
    24 * HOUR_S,
    'For those hoped for, before it starts with fewer.',
  ),
  trainSeconds: decimal('Time to train, s', 60, 0.2, 24 * HOUR_S, 'Who takes longer misses the round.'),
  voteSeconds: decimal('Time to agree, s', 4, 0.2, 24 * HOUR_S, 'Of one attempt; later ones get longer.'),
  heldOutPercent: decimal('Held back to test, %', 10, 5, 50, 'Samples of each member that are never trained on.'),
  updateFactor: decimal(
    'Bad update, loss ×',
    2,
    1,
    1_000,
    'A member votes against an update that raises its loss more.',
  ),
  candidateFactor: decimal('Bad model, loss ×', 4, 1, 1_000, 'The same for the merged model; most against: skipped.'),
  epsilonMax: decimal(
    'Budget ε',
    8,
    0.01,
    1_000,
    'A member stops before it has given away more. Below 1 is strong, above 10 is little.',
  ),
  delta: decimal(
    'δ',
    0.000_01,
    0.000_000_001,
    0.999,
    'Chance that the promise fails. Keep it far below one in the number of members.',
  ),
  noise: decimal('Noise, × largest change', 1, 0.01, 1_000, 'More noise spends less of the budget and teaches less.'),
} as const satisfies Readonly<Record<string, NumberField>>

export type NumberName = keyof typeof NUMBERS
export type FieldName = NumberName | 'name' | 'description' | 'data' | 'hidden' | 'rule' | 'mode' | 'privacy'
export type FieldErrors = Partial<Record<FieldName, string>>

const freshNumbers = Object.fromEntries(
  Object.entries(NUMBERS).map(([name, { fresh }]) => [name, fresh]),
  // The keys are those of NUMBERS.
) as Record<NumberName, string>

export const FRESH: TaskDraft = {
  name: 'Digits',
  description: '',
  hidden: '32',
  numbers: { ...freshNumbers, delta: '0.00001' },
  rule: 'trimmed-mean',
  mode: 'plain',
  optimiser: 'sgd',
  mixing: true,
  proofs: false,
  privacy: null,
}

/** Why a number as typed cannot be taken, or `null`. */
export function refuseNumber(name: NumberName, text: string): string | null {
  const { label, min, max, whole: isWhole } = NUMBERS[name]
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= max && (!isWhole || Number.isInteger(value))) return null
  return `${label} is ${text.trim() || 'empty'}; it must be ${isWhole ? 'a whole number' : 'a number'} from ${min} to ${max}`
}

/** Fields that the choices leave in use; what is folded out of sight by them cannot be wrong. */
export function usedNumbers({ rule, privacy }: Pick<TaskDraft, 'rule' | 'privacy'>): NumberName[] {
  // The keys are those of NUMBERS.
  return (Object.keys(NUMBERS) as NumberName[]).filter((name) => {
    if (name === 'byzantineMax') return rule !== 'mean'
    if (name === 'radius' || name === 'iterations') return rule === 'centered-clipping'
    if (name === 'epsilonMax' || name === 'delta' || name === 'noise') return privacy !== null
    return true
  })
}

/** Layers as typed: `32`, `64 32`, or nothing for none. `null` when it is no list of widths. */
export function readLayers(text: string): number[] | null {
  const parts = text.split(/[\s,;-]+/).filter((part) => part !== '')
  const widths = parts.map(Number)
  const fits = widths.every((width) => Number.isInteger(width) && width >= 1 && width <= LAYER_WIDTH_MAX)
  return fits && widths.length < LAYERS_MAX ? widths : null
}

/** A spec for the data at hand, and what is wrong with it field by field; with errors there is no spec. */
export function readDraft(
  draft: TaskDraft,
  summary: Pick<LearningDataSummary, 'inputs' | 'classes' | 'table'> | null,
): { readonly spec: LearningTaskSpec | null; readonly errors: FieldErrors } {
  const errors: FieldErrors = {}
  if (draft.name.trim() === '') errors.name = 'The task needs a name: it is what others see'
  for (const name of usedNumbers(draft)) {
    const refusal = refuseNumber(name, draft.numbers[name])
    if (refusal !== null) errors[name] = refusal
  }
  boundErrors(draft, errors)
  const hidden = readLayers(draft.hidden)
  if (hidden === null)
    errors.hidden = `Hidden layers are “${draft.hidden}”; write up to ${LAYERS_MAX - 1} widths of 1 to ${LAYER_WIDTH_MAX}, such as 64 32`
  if (summary === null || hidden === null) return { spec: null, errors }
  if (summary.classes.length < 2)
    errors.data = `The data has ${summary.classes.length} class; it needs 2 to ${DATASET_CLASSES_MAX}`
  const architecture: Architecture = {
    kind: 'mlp',
    inputs: summary.inputs,
    hidden,
    outputs: Math.max(1, summary.classes.length),
  }
  try {
    parameterCount(architecture)
  } catch (error) {
    errors.hidden = `${errorText(error)}. Use smaller layers or smaller pictures`
  }
  if (Object.keys(errors).length > 0) return { spec: null, errors }
  const spec: LearningTaskSpec = {
    name: draft.name.trim(),
    description: draft.description.trim(),
    architecture,
    classes: summary.classes,
    ...(summary.table !== null && { table: summary.table }),
    options: optionsOfDraft(draft),
  }
  return { spec, errors }
}

/** What only two fields together say: the bound of the rule, what a secret sum allows, and that one hopes for no fewer than one needs. */
function boundErrors(draft: TaskDraft, errors: FieldErrors): void {
  const value = (name: NumberName): number => Number(draft.numbers[name])
  if (!errors.participantsMin && !errors.byzantineMax && draft.mode === 'plain') {
    const least = membersNeeded(draft)
    if (value('participantsMin') < least) {
      const { word, bound } = RULE_WORDS[draft.rule]
      errors.participantsMin = `Members at least is ${value('participantsMin')}; ${word} against ${value('byzantineMax')} hostile needs ${least} (${bound})`
    }
  }
  if (draft.mode === 'secure-sum' && draft.rule !== 'mean')
    errors.rule = 'A secret sum hides single updates, so only the plain average can merge them'
  if (errors.participantsMin || errors.participantsTarget) return
  if (value('participantsTarget') < value('participantsMin'))
    errors.participantsTarget = `Members hoped for is ${value('participantsTarget')}; it must be at least ${value('participantsMin')}, the fewest that a round needs`
}

/** Fewest members with which the chosen rule keeps its promise. */
export function membersNeeded({ rule, numbers }: Pick<TaskDraft, 'rule' | 'numbers'>): number {
  return participantsMin({ rule, byzantineMax: rule === 'mean' ? 0 : Number(numbers.byzantineMax) })
}

/** Updates travel as whole 65536ths. */
const FIXED_ONE = 65_536

function ruleOf({ rule, numbers, mixing }: TaskDraft): AggregationRule {
  if (rule === 'mean') return { rule, byzantineMax: 0 }
  const shared = {
    byzantineMax: Number(numbers.byzantineMax),
    nearestNeighbourMixing: mixing,
    adaptiveClipping: mixing,
  }
  if (rule !== 'centered-clipping') return { rule, ...shared }
  const radius = Math.max(1, Math.round(Number(numbers.radius) * FIXED_ONE))
  return { rule, ...shared, radius, iterations: Number(numbers.iterations) }
}

/** Of each proof: an update of twice the bound passes once in 450, one of three times once in a million. */
const PROJECTIONS = 126

function optionsOfDraft(draft: TaskDraft): Partial<LearningOptions> {
  const value = (name: NumberName): number => Number(draft.numbers[name])
  const ms = (name: NumberName): number => Math.round(value(name) * 1_000)
  return {
    optimiser: draft.optimiser,
    learningRate: value('learningRate'),
    momentum: value('momentum'),
    proximalMu: value('proximalMu'),
    batchSize: value('batchSize'),
    localSteps: value('localSteps'),
    rounds: value('rounds'),
    participantsMin: value('participantsMin'),
    participantsTarget: value('participantsTarget'),
    joinMs: ms('joinSeconds'),
    trainMs: ms('trainSeconds'),
    voteMs: ms('voteSeconds'),
    mode: draft.mode,
    rule: ruleOf(draft),
    clipNorm: value('clipNorm'),
    privacy:
      draft.privacy === null
        ? null
        : {
            mode: draft.privacy,
            noiseMultiplier: value('noise'),
            epsilonMax: value('epsilonMax'),
            delta: value('delta'),
          },
    ...(draft.proofs && draft.mode !== 'plain' ? { proofs: PROJECTIONS } : {}),
    validation: {
      updateLossFactorMax: value('updateFactor'),
      candidateLossFactorMax: value('candidateFactor'),
      heldOutShare: value('heldOutPercent') / 100,
    },
  }
}

/** Names that the node gives to fields of the manifest, by those of the form. */
const FIELDS: readonly (readonly [RegExp, FieldName])[] = [
  [/^task\.name/, 'name'],
  [/^task\.description/, 'description'],
  [/^task\.architecture/, 'hidden'],
  [/^task\.(classes|table)/, 'data'],
  [/learningRate/, 'learningRate'],
  [/momentum/, 'momentum'],
  [/proximalMu/, 'proximalMu'],
  [/batchSize/, 'batchSize'],
  [/localSteps/, 'localSteps'],
  [/rounds/, 'rounds'],
  [/participantsMin/, 'participantsMin'],
  [/participantsTarget/, 'participantsTarget'],
  [/joinMs/, 'joinSeconds'],
  [/trainMs/, 'trainSeconds'],
  [/voteMs/, 'voteSeconds'],
  [/byzantineMax/, 'byzantineMax'],
  [/radius/, 'radius'],
  [/iterations/, 'iterations'],
  [/rule/, 'rule'],
  [/clipNorm/, 'clipNorm'],
  [/noise/, 'noise'],
  [/epsilon/, 'epsilonMax'],
  [/delta/, 'delta'],
  [/privacy/, 'privacy'],
  [/heldOut/, 'heldOutPercent'],
  [/updateLoss/, 'updateFactor'],
  [/candidateLoss/, 'candidateFactor'],
  [/mode|group|proofs/, 'mode'],
]

/** Which field of the form an error of the node is about; `null` when none is. Errors say the field first, and in their details. */
export function fieldOfRefusal(error: unknown): FieldName | null {
  const { details } = error as { readonly details?: { readonly field?: unknown } }
  const named = typeof details?.field === 'string' ? details.field : (errorText(error).split(' ')[0] ?? '')
  return FIELDS.find(([pattern]) => pattern.test(named))?.[1] ?? null
}

/** The node's words without the name of the manifest. */
export function refusalText(error: unknown): string {
  return errorText(error).replace(/^task\./, '')
}
