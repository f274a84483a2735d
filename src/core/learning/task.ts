import * as v from 'valibot'
import { conform, encode } from '../codec/cbor.ts'
import { InvalidMessageError, StarlingError } from '../codec/errors.ts'
import { type Fault, faultError, refuseFaults } from '../codec/faults.ts'
import { bytes, cid, integer, list, peerId, text } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Cid, LearningTaskId, PeerId } from '../codec/ids.ts'
import { NONCE_BYTES } from '../identity/limits.ts'
import type { Verifier } from '../identity/ports.ts'
import {
  checkStatementNetwork,
  type DecodedStatement,
  decodeStatement,
  type SigningOptions,
  signBody,
  verifyStatement,
} from '../identity/statement.ts'
import { checkSchema, type TableSchema } from './dataset-table.ts'
import * as limits from './limits.ts'
import { type Architecture, parameterCount } from './model.ts'
import { checkNoisePlan } from './privacy/noise.ts'
import { BLINDING_LIMB_BITS, PROOF_LENGTH_MAX, PROOF_NORM_MAX, TASK_PROJECTIONS } from './proofs/limits.ts'
import { type AggregationRule, checkRule, participantsMin } from './rules.ts'
import { GROUP_CONTRIBUTORS_MIN, SECURE_SUM_PARTICIPANTS_MIN } from './secure-sum/limits.ts'
import { checkSums, noisePlanOf, proofNormMax } from './sum-plan.ts'

/** How a member trains between two rounds. Decimals are whole millionths. */
export interface TrainingTerms {
  readonly optimiser: 'sgd' | 'adam'
  readonly learningRateMillionths: number
  readonly momentumMillionths: number
  /** FedProx's μ: the gradient gains μ(w − wᵗ), wᵗ being the round's global weights. */
  readonly proximalMuMillionths: number
  readonly batchSize: number
  /** Optimiser steps in one round. */
  readonly localSteps: number
}

/**
 * When a member finds an update, or the candidate model, bad: when its loss on its held-out samples grows by more than the factor. An update
 * must also leave it worse than guessing. Rule [G7].
 */
export interface ValidationTerms {
  readonly updateLossFactorMillionths: number
  readonly candidateLossFactorMillionths: number
  /** Share of a member's samples that it does not train on. */
  readonly heldOutMillionths: number
}

export interface PrivacyTerms {
  readonly mode: 'local' | 'distributed'
  /** Standard deviation of the noise over the clip norm. */
  readonly noiseMillionths: number
  readonly epsilonMillionths: number
  /** Billionths, since δ is to be far below one in the number of members. */
  readonly deltaBillionths: number
}

/** Members prove that what they put into a secure sum is within the norm bound. Rule [Z7]. */
export interface ProofTerms {
  /** How surely: see `falseAcceptBound`. */
  readonly projections: number
}

export type AggregationMode = 'plain' | 'secure-sum' | 'grouped'

/** The terms of training a model together. Signed by its creator, who has no other power over it. */
export interface LearningTask {
  readonly version: 1
  readonly creator: PeerId
  readonly nonce: Uint8Array
  readonly name: string
  readonly description: string
  readonly architecture: Architecture
  /** One name for each output. */
  readonly classes: readonly string[]
  /** How a table is read, as JSON of a `TableSchema`, so that all members' columns mean the same; `null` for pictures. Rule [MD5]. */
  readonly table: string | null
  /** Raw block of the first weights: I16F16, little-endian. */
  readonly initialModel: Cid
  readonly training: TrainingTerms
  /** Merged rounds after which the task is done. */
  readonly rounds: number
  readonly participantsMin: number
  readonly participantsTarget: number
  readonly joinMs: number
  readonly trainMs: number
  readonly voteMs: number
  readonly mode: AggregationMode
  /** Its `byzantineMax` is also how many hostile members the agreement on each round is to withstand. */
  readonly rule: AggregationRule
  /** L2 bound of an update, in I16F16 units. */
  readonly clipNorm: number
  readonly privacy: PrivacyTerms | null
  /** Absent where members prove nothing. */
  readonly proofs?: ProofTerms
  readonly validation: ValidationTerms
  readonly createdAtMs: number
}

const width = integer(1, limits.LAYER_WIDTH_MAX)
const millionths = integer(0, limits.RATE_MILLIONTHS_MAX)
const phase = integer(limits.PHASE_MS_MIN, limits.PHASE_MS_MAX)
const factor = integer(limits.MILLIONTHS, limits.LOSS_FACTOR_MILLIONTHS_MAX)
const count = integer(0, limits.PEERS_MAX)
const norm = integer(1, limits.VECTOR_NORM_MAX)

const architectureSchema: v.GenericSchema<unknown, Architecture> = v.variant('kind', [
  v.strictObject({
    kind: v.literal('mlp'),
    inputs: width,
    hidden: list(width, 0, limits.LAYERS_MAX - 1),
    outputs: width,
  }),
  v.strictObject({
    kind: v.literal('conv'),
    width: integer(1, limits.PICTURE_SIDE_MAX),
    height: integer(1, limits.PICTURE_SIDE_MAX),
    filters: list(width, 1, limits.LAYERS_MAX - 2),
    hidden: width,
    outputs: width,
  }),
])

const common = {
  byzantineMax: count,
  nearestNeighbourMixing: v.exactOptional(v.boolean()),
  adaptiveClipping: v.exactOptional(v.boolean()),
  clipNorm: v.exactOptional(v.nullable(norm)),
}

const ruleSchema: v.GenericSchema<unknown, AggregationRule> = v.variant('rule', [
  v.strictObject({
    ...common,
    rule: v.literal('mean'),
    samplesMax: v.exactOptional(integer(1, limits.SAMPLES_CAP_MAX)),
  }),
  v.strictObject({ ...common, rule: v.literal('median') }),
  v.strictObject({ ...common, rule: v.literal('trimmed-mean') }),
  v.strictObject({ ...common, rule: v.literal('krum') }),
  v.strictObject({
    ...common,
    rule: v.literal('multi-krum'),
    selectCount: v.exactOptional(integer(1, limits.PEERS_MAX)),
  }),
  v.strictObject({ ...common, rule: v.literal('bulyan') }),
  v.strictObject({
    ...common,
    rule: v.literal('centered-clipping'),
    radius: norm,
    iterations: integer(1, limits.ITERATIONS_MAX),
  }),
])

const learningTaskSchema: v.GenericSchema<unknown, LearningTask> = v.strictObject({
  version: v.literal(1),
  creator: peerId,
  nonce: bytes(NONCE_BYTES, NONCE_BYTES),
  name: text(1, limits.LEARNING_NAME_CHARS_MAX),
  description: text(0, limits.LEARNING_DESCRIPTION_CHARS_MAX),
  architecture: architectureSchema,
  classes: list(text(1, limits.LEARNING_NAME_CHARS_MAX), 2, limits.DATASET_CLASSES_MAX),
  table: v.nullable(text(2, limits.TABLE_JSON_CHARS_MAX)),
  initialModel: cid,
  training: v.strictObject({
    optimiser: v.picklist(['sgd', 'adam']),
    learningRateMillionths: integer(1, limits.RATE_MILLIONTHS_MAX),
    momentumMillionths: integer(0, limits.MILLIONTHS - 1),
    proximalMuMillionths: millionths,
    batchSize: integer(1, limits.BATCH_SIZE_MAX),
    localSteps: integer(1, limits.LOCAL_STEPS_MAX),
  }),
  rounds: integer(1, limits.ROUNDS_MAX),
  participantsMin: integer(limits.PARTICIPANTS_MIN, limits.MEMBERS_MAX),
  participantsTarget: integer(limits.PARTICIPANTS_MIN, limits.MEMBERS_MAX),
  joinMs: phase,
  trainMs: phase,
  voteMs: phase,
  mode: v.picklist(['plain', 'secure-sum', 'grouped']),
  rule: ruleSchema,
  clipNorm: norm,
  privacy: v.nullable(
    v.strictObject({
      mode: v.picklist(['local', 'distributed']),
      noiseMillionths: integer(1, limits.RATE_MILLIONTHS_MAX),
      epsilonMillionths: integer(1, 1_000 * limits.MILLIONTHS),
      deltaBillionths: integer(1, 999_999_999),
    }),
  ),
  proofs: v.exactOptional(v.strictObject({ projections: v.picklist(TASK_PROJECTIONS) })),
  validation: v.strictObject({
    updateLossFactorMillionths: factor,
    candidateLossFactorMillionths: factor,
    heldOutMillionths: integer(limits.MILLIONTHS / 20, limits.MILLIONTHS / 2),
  }),
  createdAtMs: integer(0, Number.MAX_SAFE_INTEGER),
})

/** What the shape alone cannot say: fields that bound each other. */
function* faultsOf(task: LearningTask): Generator<Fault> {
  const { classes, architecture, rule, mode, privacy } = task
  yield* thrownBy('architecture', () => parameterCount(architecture))
  yield* thrownBy('rule', () => checkRule(rule))
  if (classes.length !== architecture.outputs)
    yield { field: 'classes', value: classes.length, limit: `${architecture.outputs} outputs` }
  if (task.table !== null) yield* thrownBy('table', () => readTableSchema(task.table as string))
  if (new Set(classes).size !== classes.length) yield { field: 'classes', value: 'a name twice', limit: 'once' }
  if (task.participantsTarget < task.participantsMin)
    yield { field: 'participantsTarget', value: task.participantsTarget, limit: `at least ${task.participantsMin}` }
  const least = participantsMin(rule)
  // A round with fewer updates than its rule's bound could never be merged.
  if (mode === 'plain' && task.participantsMin < least)
    yield { field: 'participantsMin', value: task.participantsMin, limit: `${least} for ${rule.rule}` }
  if (mode === 'secure-sum' && rule.rule !== 'mean')
    yield { field: 'rule', value: rule.rule, limit: 'mean: a secure sum hides single updates' }
  if (privacy?.mode === 'distributed' && mode === 'plain')
    yield { field: 'privacy.mode', value: privacy.mode, limit: 'local in plain mode' }
  const plan = noisePlanOf(task)
  if (plan !== null) yield* thrownBy('privacy.noiseMillionths', () => checkNoisePlan(plan))
  if (mode !== 'plain') yield* sumFaultsOf(task)
  if (task.proofs !== undefined) yield* proofFaultsOf(task)
}

/** What keeps a task's secure sums from ever coming about, or from being exact. */
function* sumFaultsOf(task: LearningTask): Generator<Fault> {
  const { mode, rule, privacy } = task
  const groups = mode === 'grouped' ? participantsMin(rule) : 1
  const least = mode === 'grouped' ? GROUP_CONTRIBUTORS_MIN * groups : SECURE_SUM_PARTICIPANTS_MIN
  // With fewer contributors, there could not be as many groups as the rule needs.
  const why = mode === 'grouped' ? `${groups} groups of ${GROUP_CONTRIBUTORS_MIN} for ${rule.rule}` : 'a secure sum'
  if (task.participantsMin < least)
    yield { field: 'participantsMin', value: task.participantsMin, limit: `${least}: ${why}` }
  yield* thrownBy(privacy === null ? 'clipNorm' : 'privacy.noiseMillionths', () => checkSums(task))
}

/** What keeps members from proving. */
function* proofFaultsOf(task: LearningTask): Generator<Fault> {
  if (task.mode === 'plain') yield { field: 'proofs', value: 'plain mode', limit: 'a secure mode: here norms are seen' }
  const length = parameterCount(task.architecture)
  if (length > PROOF_LENGTH_MAX)
    yield { field: 'proofs', value: `${length} parameters`, limit: `${PROOF_LENGTH_MAX} parameters` }
  const norm = proofNormMax(task)
  if (norm > PROOF_NORM_MAX) yield { field: 'proofs', value: `a norm of ${norm}`, limit: `${PROOF_NORM_MAX}` }
  const least = 2 ** BLINDING_LIMB_BITS
  if (task.clipNorm < least) yield { field: 'clipNorm', value: task.clipNorm, limit: `at least ${least} with proofs` }
}

function* thrownBy(field: string, check: () => unknown): Generator<Fault> {
  try {
    check()
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error
    yield { field, value: error.name, limit: error.message }
  }
}

/**
 * How members read their tables, from the task's text.
 *
 * @throws {@link InvalidMessageError} When it is no JSON; {@link InvalidDatasetError} or a limit error when it is no schema.
 */
export function readTableSchema(json: string): TableSchema {
  let schema: TableSchema
  try {
    schema = JSON.parse(json) as TableSchema
    checkSchema(schema)
  } catch (cause) {
    if (cause instanceof StarlingError) throw cause
    throw new InvalidMessageError('task.table is no schema of a table', { field: 'task.table' }, { cause })
  }
  return schema
}

/**
 * Checks every field of a task, from wherever it comes. Rule [G1].
 *
 * @throws {@link InvalidMessageError} Naming the first wrong field, its value and its limit.
 */
export function validateLearningTask(value: unknown): LearningTask {
  const task = conform(value, { what: 'task', schema: learningTaskSchema })
  refuseFaults('task', faultsOf(task))
  return task
}

/** SHA-256 of the task's canonical encoding: its id. Rule [G2]. */
export function learningTaskId(task: LearningTask): LearningTaskId {
  // A task's id is its manifest's hash by definition.
  return sha256Hex(encode(task)) as LearningTaskId
}

const KIND = 'learning-task'

/** The signed form in which a task is stored and announced. */
export async function signLearningTask(
  task: LearningTask,
  options: SigningOptions,
): Promise<DecodedStatement<LearningTask>> {
  return signBody(KIND, validateLearningTask(task), options)
}

/**
 * Reads and verifies a signed task.
 *
 * @throws A named error when it is malformed, invalid, of another network, or not signed by the creator it names.
 */
export async function verifyLearningTask(
  signed: Uint8Array,
  options: { readonly verifier: Verifier; readonly network: string },
): Promise<{ readonly task: LearningTask; readonly id: LearningTaskId }> {
  const decoded = decodeStatement(signed, { kind: KIND, body: learningTaskSchema })
  const task = validateLearningTask(decoded.statement.body)
  const { author } = decoded.statement
  if (author !== task.creator) {
    throw faultError('task', { field: 'creator', value: task.creator, limit: `its author ${author}` })
  }
  checkStatementNetwork(decoded.statement, options.network)
  await verifyStatement(decoded, options.verifier)
  return { task, id: learningTaskId(task) }
}
