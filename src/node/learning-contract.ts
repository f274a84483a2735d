/**
 * The part of the node's contract that is about training a model together. Plain data only: decimals here, integers on the wire.
 * Vectors and samples are typed arrays, so that they cross to the node's worker in one copy.
 */
import type { TableSchema } from '../core/learning/dataset-table.ts'
import type { Architecture } from '../core/learning/model.ts'
import type { AggregationRule, RuleName } from '../core/learning/rules.ts'
import type { Reason } from './contract.ts'

// ---------------------------------------------------------------- what is trained

/**
 * `plain`: every member sees every update; robust rules and validation of single updates work.
 * `secure-sum`: nobody sees a single update, only their sum; so no robust rule and no validation of single updates.
 * `grouped`: secure sums inside of groups, and the robust rule over the groups.
 */
export type LearningMode = 'plain' | 'secure-sum' | 'grouped'

export interface LearningPrivacy {
  /** `local`: each update is noised enough by itself. `distributed`: only the sum is (needs a secure mode). */
  readonly mode: 'local' | 'distributed'
  /** Standard deviation of the noise over the clip norm. */
  readonly noiseMultiplier: number
  /** Training ends for a member before it has spent more than this. */
  readonly epsilonMax: number
  readonly delta: number
}

export interface LearningOptions {
  readonly optimiser: 'sgd' | 'adam'
  readonly learningRate: number
  readonly momentum: number
  /** FedProx: pull towards the round's global weights, gradient μ(w − wᵗ). 0: none. */
  readonly proximalMu: number
  readonly batchSize: number
  /** Optimiser steps of one member in one round. */
  readonly localSteps: number
  readonly rounds: number
  /** Merged updates below which a round is skipped. */
  readonly participantsMin: number
  /** Members for which the first round waits until {@link joinMs} is over. */
  readonly participantsTarget: number
  readonly joinMs: number
  /** From the last round's end until members whose update is missing are counted out. */
  readonly trainMs: number
  /** Of one attempt to agree on the round's outcome; later attempts get longer. */
  readonly voteMs: number
  readonly mode: LearningMode
  /** How the round's updates become one; its `clipNorm` is {@link clipNorm}'s and may be left out. */
  readonly rule: AggregationRule
  /** L2 bound of an update, in units of the weights. */
  readonly clipNorm: number
  readonly privacy: LearningPrivacy | null
  /** Members prove the norm of what they put into secure sums, with this many projections: 62 or 126. Absent where they prove nothing. */
  readonly proofs?: number
  readonly validation: {
    /**
     * An update is bad to a member when it multiplies the loss on the member's held-out samples by more than this and leaves it worse than
     * guessing (the logarithm of the number of classes).
     */
    readonly updateLossFactorMax: number
    /** The same for the candidate model; a round whose candidate most members find worse is skipped. */
    readonly candidateLossFactorMax: number
    /** Share of a member's samples that it does not train on, 0.05 to 0.5. */
    readonly heldOutShare: number
  }
}

export interface LearningTaskSpec {
  readonly name: string
  readonly description: string
  readonly architecture: Architecture
  /** Names of the classes, one for each output. */
  readonly classes: readonly string[]
  /** Weights to start from, flattened; drawn from a seed when absent. */
  readonly initialWeights?: Float32Array
  /** How tables are read: of {@link LearningApi.inspectLearningData}. Absent for pictures. */
  readonly table?: TableSchema
  readonly options?: Partial<LearningOptions>
}

// ---------------------------------------------------------------- data

/** What a member trains on. It stays in this peer's own store, in a part that is never served to others. */
export type LearningData =
  /** A small set that ships with Starling. `part` takes one of `of` disjoint shares, so that tabs of a demonstration differ. */
  | {
      readonly kind: 'bundled'
      readonly name: 'digits'
      readonly part?: { readonly index: number; readonly of: number }
    }
  /** A file with a header line; `labelColumn` holds the class, every other column is a number. */
  | { readonly kind: 'csv'; readonly bytes: Uint8Array; readonly labelColumn: string }
  /** The two files of MNIST's format. */
  | { readonly kind: 'idx'; readonly images: Uint8Array; readonly labels: Uint8Array }
  /** Ready samples: `inputs` holds `labels.length` rows; the page makes these from pictures. */
  | { readonly kind: 'samples'; readonly inputs: Float32Array; readonly labels: Uint8Array }

/** What a task for this data needs: its creator looks at its own data first. */
export interface LearningDataSummary {
  readonly samples: number
  /** Values of one sample: the architecture's inputs. */
  readonly inputs: number
  readonly classes: readonly string[]
  readonly perClass: readonly number[]
  readonly picture: { readonly width: number; readonly height: number } | null
  readonly table: TableSchema | null
}

/** What joining with this data would mean, before anything is sent. */
export interface LearningPreview {
  readonly samples: number
  /** Samples of each class, in the order of the task's classes. */
  readonly perClass: readonly number[]
  readonly stays: readonly LearningFact[]
  readonly leaves: readonly LearningFact[]
  /** What the person should know: few samples, few members, no useful privacy, classes missing. */
  readonly warnings: readonly Reason[]
}

/**
 * One thing that stays or leaves. Codes: `samples`, `labels`, `device-key` stay; `update` (bytes each round), `masked-update`, `norm-proof`,
 * `norm`, `votes`, `presence` leave.
 */
export interface LearningFact {
  readonly code: string
  readonly bytes: number | null
  readonly detail?: string
}

// ---------------------------------------------------------------- state

/**
 * `announced`: known, not joined. `joining`: asked, not yet a member. `waiting`: a member, too few others or no quorum.
 * `training`, `agreeing`: inside of a round. `done`: all rounds are over. `stopped`: ended here, see the reason.
 */
export type LearningState =
  | 'announced'
  | 'joining'
  | 'waiting'
  | 'training'
  | 'agreeing'
  | 'paused'
  | 'done'
  | 'left'
  | 'stopped'

export interface LearningTaskSummary {
  readonly taskId: string
  readonly name: string
  readonly creator: string
  /** Created here. */
  readonly own: boolean
  readonly state: LearningState
  /** Codes: `members-missing`, `quorum-missing`, `budget-spent`, `storage-full`, `removed`, `model-unavailable`, `paused-by-owner`, … */
  readonly reason: Reason | null
  readonly rule: RuleName
  readonly mode: LearningMode
  readonly rounds: number
  /** Merged rounds so far. */
  readonly roundsDone: number
  readonly members: number
  readonly createdAt: number
  /** On this peer's held-out samples, after the last merged round. */
  readonly loss: number | null
  readonly accuracy: number | null
}

export interface LearningTaskDetail extends LearningTaskSummary {
  readonly description: string
  readonly architecture: Architecture
  readonly parameters: number
  readonly classes: readonly string[]
  /** How tables are read; `null` for pictures. */
  readonly table: TableSchema | null
  readonly options: LearningOptions
  readonly memberIds: readonly string[]
  readonly samples: number
  readonly heldOut: number
  /** The phase of the running round. */
  readonly current: LearningProgress | null
  /** Oldest first; rounds before this peer joined have no loss and no accuracy. */
  readonly roundPoints: readonly LearningRoundPoint[]
  /** One for each peer that ever took part, best first. */
  readonly contributions: readonly LearningContribution[]
  readonly rejections: readonly LearningRejection[]
  readonly privacy: LearningBudget | null
  /** Hash of the model after the last merged round; equal at every member. */
  readonly modelHash: string
  readonly modelBytes: number
}

export interface LearningProgress {
  readonly round: number
  /** Attempts to agree, from 0. */
  readonly view: number
  readonly phase: 'train' | 'collect' | 'agree'
  readonly step: number
  readonly steps: number
  /** Announced by members, and of those pulled and scored here. */
  readonly announced: number
  readonly scored: number
  readonly votes: number
  readonly quorum: number
  readonly deadlineAt: number
}

export interface LearningRoundPoint {
  readonly round: number
  readonly at: number
  readonly outcome: 'merged' | 'skipped'
  readonly skippedBecause: Reason | null
  readonly members: number
  readonly merged: number
  readonly rejected: number
  /** Attempts it took to agree, from 1. */
  readonly attempts: number
  readonly durationMs: number
  readonly loss: number | null
  readonly accuracy: number | null
  /** Mean training loss of this peer's own steps in the round. */
  readonly trainLoss: number | null
  readonly epsilon: number | null
  readonly modelHash: string
}

export interface LearningContribution {
  readonly peerId: string
  readonly self: boolean
  readonly member: boolean
  /** Rounds into which its update was merged. */
  readonly merged: number
  readonly rejected: number
  readonly missed: number
  readonly lastRound: number | null
  /** L2 norm of its last update, in units of the weights; `null` in a secure mode. */
  readonly lastNorm: number | null
}

/**
 * Codes: `voted-out`, `spoiled-sum`, `norm-over-bound`, `wrong-shape`, `non-finite`, `wrong-round`, `equivocated`, `replayed`, `bad-signature`,
 * `unavailable`, `not-selected`, `malformed`, `bad-proof`.
 */
export interface LearningRejection {
  readonly round: number
  readonly at: number
  readonly peerId: string
  readonly reason: Reason
  /** Members that voted it out, and that scored it. */
  readonly votes: { readonly bad: number; readonly all: number } | null
}

export interface LearningBudget {
  readonly mode: LearningPrivacy['mode']
  readonly epsilonSpent: number
  readonly epsilonMax: number
  readonly delta: number
  /** Rounds of this peer until the budget is spent. */
  readonly roundsLeft: number
  /** `few-members`, `delta-too-large`, `epsilon-useless`. */
  readonly warnings: readonly Reason[]
}

/** Rows: true class; columns: predicted. On this peer's held-out samples. */
export interface ConfusionMatrix {
  readonly classes: readonly string[]
  readonly counts: Uint32Array
  readonly round: number
}

export interface LearningPrediction {
  /** One for each class; they add up to 1. */
  readonly probabilities: Float32Array
  readonly round: number
}

export interface LearningApi {
  /** Announced by others or created here, newest first. */
  learningTasks(): Promise<readonly LearningTaskSummary[]>
  learningTask(taskId: string): Promise<LearningTaskDetail | null>
  /** The options that a spec would get; throws what {@link createLearningTask} would. */
  learningOptions(spec: LearningTaskSpec): Promise<LearningOptions>
  /** Signs and announces a task; resolves with its id. The creator is its first member once it joins. */
  createLearningTask(spec: LearningTaskSpec): Promise<string>
  /** Errors name what is wrong with the data: column, row, value. Not for ready samples, whose shape is the caller's own. */
  inspectLearningData(data: Exclude<LearningData, { kind: 'samples' }>): Promise<LearningDataSummary>
  previewLearning(taskId: string, data: LearningData): Promise<LearningPreview>
  /** Stores the data here and asks to be a member. */
  joinLearning(taskId: string, data: LearningData): Promise<void>
  /** Takes no part any more; the model and what was learned about it stay until removed. */
  leaveLearning(taskId: string): Promise<void>
  pauseLearning(taskId: string): Promise<void>
  resumeLearning(taskId: string): Promise<void>
  /** Forgets a task that was left, is done or was never joined, with its data. */
  removeLearning(taskId: string): Promise<void>
  learningConfusion(taskId: string): Promise<ConfusionMatrix | null>
  /** @param input - One sample in the task's shape, values 0 to 1. */
  learningPredict(taskId: string, input: Float32Array): Promise<LearningPrediction>
  exportLearningModel(taskId: string, format: 'safetensors' | 'onnx'): Promise<Uint8Array>
}

/** Part of {@link NodeEvent}: at most a few per second for each task. */
export interface LearningEvent {
  readonly type: 'learning'
  readonly summary: LearningTaskSummary
  readonly current: LearningProgress | null
}
