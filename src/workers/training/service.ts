import { LimitExceededError } from '../../core/codec/errors.ts'
import { classCounts, type Samples, sampleCount, takeSamples } from '../../core/learning/dataset.ts'
import { partitionRows, sampleRows, splitHeldOut } from '../../core/learning/dataset-split.ts'
import { InvalidModelError } from '../../core/learning/errors.ts'
import { addToScore, emptyScore, probabilitiesOf } from '../../core/learning/evaluation.ts'
import { fromFixedVector } from '../../core/learning/fixed.ts'
import { type Architecture, inputsOf, parameterCount } from '../../core/learning/model.ts'
import type {
  DatasetId,
  DatasetInit,
  EngineInfo,
  EngineKind,
  EvaluateRequest,
  Evaluation,
  LoadedDataset,
  Prediction,
  PredictRequest,
  TrainingApi,
  TrainProgress,
  TrainRequest,
  TrainResult,
} from './contract.ts'
import type { Engine } from './engine.ts'
import { EngineChoice } from './engine-choice.ts'
import { UnknownDatasetError } from './errors.ts'
import { DATASETS_MAX, EVALUATION_BATCH, RUNS_WAITING_MAX } from './limits.ts'
import type { TrainingPlatform } from './platform.ts'
import { readDataset } from './read-dataset.ts'
import { checkOptions, TrainingRun } from './training-run.ts'

interface Dataset {
  readonly training: Samples
  readonly heldOut: Samples
}

export interface TrainingServiceInit {
  readonly platform: TrainingPlatform
  /** Engines in the order in which they are tried; the reference is always the last. */
  readonly engines?: readonly EngineKind[]
}

/** Training, in this thread. In a page it belongs in a worker: see {@link import('./spawn.ts').spawnTraining}. */
export class TrainingService implements TrainingApi {
  readonly #platform: TrainingPlatform
  readonly #choice: EngineChoice
  readonly #datasets = new Map<DatasetId, Dataset>()
  readonly #runs = new Map<string, TrainingRun>()
  #turn: Promise<unknown> = Promise.resolve()
  #datasetsMade = 0

  constructor({ platform, engines = ['webgpu', 'wasm'] }: TrainingServiceInit) {
    this.#platform = platform
    this.#choice = new EngineChoice(platform, engines)
  }

  engine(): Promise<EngineInfo> {
    return this.#choice.info()
  }

  async load({ source, heldOutShare, seed, partition, samplesMax }: DatasetInit): Promise<LoadedDataset> {
    if (this.#datasets.size >= DATASETS_MAX) throw over('datasets', this.#datasets.size + 1, DATASETS_MAX)
    const read = await readDataset(source, this.#platform)
    let samples = read.samples
    if (partition !== null) samples = takeSamples(samples, partitionRows(samples, partition))
    if (samplesMax !== null) samples = takeSamples(samples, sampleRows(samples, samplesMax, seed))
    const rows = splitHeldOut(samples, heldOutShare, seed)
    const dataset: Dataset = {
      training: takeSamples(samples, rows.training),
      heldOut: takeSamples(samples, rows.heldOut),
    }
    const id = `dataset-${++this.#datasetsMade}`
    this.#datasets.set(id, dataset)
    const { features, classes, labelNames, picture } = samples
    return {
      id,
      training: sampleCount(dataset.training),
      heldOut: sampleCount(dataset.heldOut),
      features,
      classes,
      labelNames,
      perClass: classCounts(dataset.training),
      picture,
      dropped: read.dropped,
      schema: read.schema,
    }
  }

  async unload(id: DatasetId): Promise<void> {
    this.#datasets.delete(id)
    for (const run of this.#runs.values()) if (run.dataset === id) run.cancel('its dataset was unloaded')
  }

  async train(request: TrainRequest, onProgress?: (progress: TrainProgress) => void): Promise<TrainResult> {
    checkOptions(request.options)
    const { training } = this.#fitting(request.dataset, request.architecture)
    checkWeights(request.architecture, request.weights)
    if (this.#runs.has(request.job)) throw over(`jobs called ${request.job.slice(0, 80)}`, 2, 1)
    if (this.#runs.size > RUNS_WAITING_MAX) throw over('runs', this.#runs.size, RUNS_WAITING_MAX)
    const run = new TrainingRun(request, training, onProgress ?? (() => {}))
    this.#runs.set(request.job, run)
    // Each run waits for the one before, however that ended.
    const result = this.#turn.then(() =>
      this.#choice.use(request.architecture, (engine) => run.execute(engine), run.ended),
    )
    this.#turn = result.catch(() => {})
    try {
      return await result
    } finally {
      this.#runs.delete(request.job)
    }
  }

  async pause(job: string): Promise<void> {
    this.#runs.get(job)?.pause()
  }

  async resume(job: string): Promise<void> {
    this.#runs.get(job)?.resume()
  }

  async cancel(job: string): Promise<void> {
    this.#runs.get(job)?.cancel('it was cancelled')
  }

  async evaluate({ architecture, weights, dataset, part }: EvaluateRequest): Promise<Evaluation> {
    checkWeights(architecture, weights)
    const found = this.#fitting(dataset, architecture)
    const samples = part === 'training' ? found.training : found.heldOut
    const floats = fromFixedVector(weights)
    return this.#choice.use(architecture, (engine) => evaluateWith(engine, architecture, floats, samples))
  }

  async predict({ architecture, weights, features }: PredictRequest): Promise<Prediction> {
    checkWeights(architecture, weights)
    const inputs = inputsOf(architecture)
    if (features.length !== inputs || !features.every(Number.isFinite)) {
      throw new InvalidModelError(`Sample has ${features.length} features, limit ${inputs} exactly, finite`, {
        field: 'features',
        value: features.length,
        limit: inputs,
      })
    }
    const floats = fromFixedVector(weights)
    const logits = await this.#choice.use(architecture, (engine) => engine.logits(architecture, floats, features, 1))
    const probabilities = probabilitiesOf(logits)
    return { label: probabilities.indexOf(Math.max(...probabilities)), probabilities }
  }

  /** The dataset, if the model takes its samples. */
  #fitting(id: DatasetId, architecture: Architecture): Dataset {
    const dataset = this.#datasets.get(id)
    if (dataset === undefined)
      throw new UnknownDatasetError(`Dataset ${String(id).slice(0, 80)} is not loaded`, { id: String(id).slice(0, 80) })
    const { features, classes } = dataset.training
    const inputs = inputsOf(architecture)
    if (features !== inputs) throw misfit('features', features, inputs)
    if (classes !== architecture.outputs) throw misfit('classes', classes, architecture.outputs)
    return dataset
  }
}

async function evaluateWith(
  engine: Engine,
  architecture: Architecture,
  weights: Float32Array,
  samples: Samples,
): Promise<Evaluation> {
  const { features, classes, labels, values } = samples
  const score = emptyScore(classes)
  for (let start = 0; start < labels.length; start += EVALUATION_BATCH) {
    const end = Math.min(labels.length, start + EVALUATION_BATCH)
    const batch = values.subarray(start * features, end * features)
    const logits = await engine.logits(architecture, weights, batch, end - start)
    addToScore(score, logits, labels.subarray(start, end), classes)
  }
  const { samples: count, lossSum, correct, confusion } = score
  // No held-out samples: nothing is known, and NaN says so in every comparison.
  return { samples: count, loss: lossSum / count, accuracy: correct / count, confusion, classes }
}

function checkWeights(architecture: Architecture, weights: Int32Array): void {
  const expected = parameterCount(architecture)
  if (weights.length !== expected) throw misfit('weights', weights.length, expected)
}

function misfit(field: string, value: number, limit: number): InvalidModelError {
  return new InvalidModelError(`Model is given ${field} ${value}, limit ${limit} exactly`, { field, value, limit })
}

function over(field: string, value: number, limit: number): LimitExceededError {
  return new LimitExceededError(`Training has ${field} ${value}, limit ${limit}`, { field, value, limit })
}
