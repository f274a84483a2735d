/**
 * What the training worker does. Plain data only; one interface with two implementations: the service itself (tests, Node in one thread)
 * and {@link import('./spawn.ts').spawnTraining}, which talks to a worker.
 *
 * The data of a peer is loaded into this worker and never leaves it: updates, losses and summaries do.
 */
import type { DatasetSummary, Partition, Samples } from '../../core/learning/dataset.ts'
import type { TableSchema } from '../../core/learning/dataset-table.ts'
import type { Architecture } from '../../core/learning/model.ts'

/** What computes: jax-js on WebGPU, jax-js on WebAssembly, or the plain loops. */
export type EngineKind = 'webgpu' | 'wasm' | 'reference'

export interface EngineInfo {
  readonly kind: EngineKind
  /** Why the faster ones are not used; empty for the first choice. */
  readonly reasons: readonly string[]
}

/** Files come as `Blob` (a page's `File`) or as bytes; bytes are copied unless the caller transfers them. */
export type FileContent = Blob | Uint8Array

export type DatasetSource =
  /** The digits that come with Starling: 14×14 grays, 10 classes. */
  | { readonly kind: 'bundled' }
  /** A table with a header line. With a schema (the task's) the columns must fit it; without, it is inferred and `label` names the column of classes. */
  | {
      readonly kind: 'csv'
      readonly file: FileContent
      readonly schema: TableSchema | null
      readonly label: string | null
      /** Without a schema: the task's classes, in its order; `null` takes those that occur, sorted. */
      readonly classes: readonly string[] | null
      readonly incompleteRows: 'refuse' | 'drop'
    }
  /** The format of MNIST; gzip is undone when the file begins with its magic. */
  | {
      readonly kind: 'idx'
      readonly images: FileContent
      readonly labels: FileContent
      readonly classes: number | null
    }
  /** Pictures, each with the name of its class; decoded to `width` × `height` grays. Browser only. */
  | {
      readonly kind: 'images'
      readonly files: readonly { readonly file: Blob; readonly label: string }[]
      readonly width: number
      readonly height: number
      /** The task's classes, in its order; `null` takes those that occur, sorted. */
      readonly labels: readonly string[] | null
    }
  /** Samples in memory. */
  | { readonly kind: 'samples'; readonly samples: Samples }

export interface DatasetInit {
  readonly source: DatasetSource
  /** Share of the samples kept out of training, for validation: 0 to 0.9, each class alike. */
  readonly heldOutShare: number
  /** Seed of the held-out choice. */
  readonly seed: number
  /** Takes one part of the whole, for tests and the attack lab; `null` takes all. */
  readonly partition: Partition | null
  /** Most samples to take, at random; `null` takes all. */
  readonly samplesMax: number | null
}

/** A dataset in the worker, by the id that {@link TrainingApi.load} gave it. */
export type DatasetId = string

export interface LoadedDataset extends DatasetSummary {
  readonly id: DatasetId
  /** How a table was read: goes into the task, so that every peer reads its own alike. `null` for pictures. */
  readonly schema: TableSchema | null
}

export interface TrainOptions {
  /** Samples a step. When there are fewer, they are repeated: each pass is a new shuffle. */
  readonly batchSize: number
  /** Steps of this round. */
  readonly steps: number
  readonly optimiser: 'sgd' | 'adam'
  readonly learningRate: number
  /** Of SGD: 0 is plain. Of Adam: β₁. The optimiser's memory begins empty each round. */
  readonly momentum: number
  /** FedProx μ ≥ 0: adds μ(w − wᵗ) to the gradient. */
  readonly proximal: number
  /** Decides the batches. Same data, options and seed: same batches on every engine. */
  readonly seed: number
  /** L2 bound of the update, in I16F16 units, whole; the update is scaled down to it. */
  readonly clipNorm: number
}

export interface TrainRequest {
  /** Names the run for {@link TrainingApi.pause}, {@link TrainingApi.cancel} and progress: such as task and round. */
  readonly job: string
  readonly architecture: Architecture
  /** The round's global weights, I16F16. */
  readonly weights: Int32Array
  readonly dataset: DatasetId
  readonly options: TrainOptions
}

export interface TrainProgress {
  readonly job: string
  readonly step: number
  readonly steps: number
  /** Mean loss of the batches since the last report; NaN when paused. */
  readonly loss: number
  readonly state: 'running' | 'paused'
}

export interface TrainResult {
  readonly job: string
  /** What computed: convolutions are left to the plain loops where WebAssembly is the engine, since they are faster at them. */
  readonly engine: EngineKind
  /** Local minus global weights, I16F16, after clipping: its integer L2 norm is at most `clipNorm`. */
  readonly update: Int32Array
  /** L2 norm before clipping, in I16F16 units. */
  readonly norm: number
  readonly clipped: boolean
  /** Mean batch loss over the first and the last tenth of the steps. */
  readonly lossFirst: number
  readonly lossLast: number
  /** Training samples of the dataset. */
  readonly samples: number
  readonly durationMs: number
}

export interface EvaluateRequest {
  readonly architecture: Architecture
  /** I16F16. */
  readonly weights: Int32Array
  readonly dataset: DatasetId
  readonly part: 'training' | 'held-out'
}

export interface Evaluation {
  readonly samples: number
  /** Mean cross-entropy, nats; NaN when there are no samples. */
  readonly loss: number
  /** 0 to 1; NaN when there are no samples. */
  readonly accuracy: number
  /** `confusion[truth * classes + predicted]`, counts. */
  readonly confusion: Uint32Array
  readonly classes: number
}

export interface PredictRequest {
  readonly architecture: Architecture
  /** I16F16. */
  readonly weights: Int32Array
  /** One sample, normalised as the training data were. */
  readonly features: Float32Array
}

export interface Prediction {
  readonly label: number
  /** Sums to 1. */
  readonly probabilities: Float32Array
}

/** Errors keep `name`, `message` and `details` over the worker's boundary: match on `name`. */
export interface TrainingApi {
  /** What computes: the first of its order that gives the reference's results on a small model here. Loads it at the first call. */
  engine(): Promise<EngineInfo>
  /** Reads and checks data. Errors: `InvalidDatasetError`, `LimitExceededError`. */
  load(init: DatasetInit): Promise<LoadedDataset>
  /** Forgets a dataset. A training that uses it ends with `TrainingCancelledError`. */
  unload(dataset: DatasetId): Promise<void>
  /**
   * Trains for one round; calls wait for each other. Progress comes at most every {@link import('./limits.ts').PROGRESS_MS}.
   * Errors: `InvalidModelError`, `TrainingDivergedError`, `TrainingCancelledError`, `UnknownDatasetError`.
   */
  train(request: TrainRequest, onProgress?: (progress: TrainProgress) => void): Promise<TrainResult>
  /** Holds a run (also one that waits) between two steps, until resumed or cancelled. */
  pause(job: string): Promise<void>
  resume(job: string): Promise<void>
  /** Ends a run with `TrainingCancelledError`; a job that is not known is none to end. */
  cancel(job: string): Promise<void>
  /** Scores weights; runs between the steps of a training. */
  evaluate(request: EvaluateRequest): Promise<Evaluation>
  predict(request: PredictRequest): Promise<Prediction>
}
