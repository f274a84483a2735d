import { type Samples, sampleCount } from '../../core/learning/dataset.ts'
import { BatchRows } from '../../core/learning/dataset-batches.ts'
import { TrainingDivergedError } from '../../core/learning/errors.ts'
import { fromFixedVector } from '../../core/learning/fixed.ts'
import { VECTOR_NORM_MAX } from '../../core/learning/limits.ts'
import { localUpdate } from '../../core/learning/local-update.ts'
import type { DatasetId, TrainOptions, TrainProgress, TrainRequest, TrainResult } from './contract.ts'
import type { Engine, EngineRun } from './engine.ts'
import { InvalidTrainingError, TrainingCancelledError } from './errors.ts'
import { BATCH_MAX, LEARNING_RATE_MAX, PROGRESS_MS, PROXIMAL_MAX, SLICE_MS, STEPS_MAX } from './limits.ts'
import { nextTask } from './next-task.ts'

/**
 * One round's training: steps in slices, between which messages come in, so that a run can be paused and cancelled, and other weights
 * scored meanwhile.
 */
export class TrainingRun {
  readonly #request: TrainRequest
  readonly #samples: Samples
  readonly #report: (progress: TrainProgress) => void
  #cancelled: string | null = null
  #paused = false
  #wake: () => void = () => {}

  constructor(request: TrainRequest, samples: Samples, report: (progress: TrainProgress) => void) {
    this.#request = request
    this.#samples = samples
    this.#report = report
  }

  get dataset(): DatasetId {
    return this.#request.dataset
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#wake()
  }

  cancel(reason: string): void {
    this.#cancelled = reason
    this.#wake()
  }

  /** Whether an error is of the run and not of its engine. */
  readonly ended = (error: unknown): boolean =>
    error instanceof TrainingCancelledError || error instanceof TrainingDivergedError

  /**
   * Trains from the begin.
   *
   * @throws {@link TrainingCancelledError} Soon after {@link cancel}.
   * @throws {@link TrainingDivergedError} If a loss or weight is not finite, or a weight leaves I16F16.
   */
  async execute(engine: Engine): Promise<TrainResult> {
    const { job, architecture, weights, options } = this.#request
    const { batchSize, optimiser, learningRate, momentum, proximal } = options
    const started = performance.now()
    this.#checkCancelled()
    const run = engine.start({
      architecture,
      start: fromFixedVector(weights),
      batchSize,
      optimiser: { optimiser, learningRate, momentum, proximal },
    })
    try {
      const losses = await this.#steps(run)
      const { values, norm, clipped } = updateOf(await run.weights(), this.#request)
      return {
        job,
        engine: engine.kind,
        update: values,
        norm,
        clipped,
        ...losses,
        samples: sampleCount(this.#samples),
        durationMs: performance.now() - started,
      }
    } finally {
      run.close()
    }
  }

  async #steps(run: EngineRun): Promise<{ readonly lossFirst: number; readonly lossLast: number }> {
    const { batchSize, steps, seed } = this.#request.options
    const { features } = this.#samples
    const rows = new BatchRows(sampleCount(this.#samples), seed)
    const batch = { values: new Float32Array(batchSize * features), labels: new Uint8Array(batchSize) }
    const tenth = Math.ceil(steps / 10)
    const [first, last, recent] = [new Mean(), new Mean(), new Mean()]
    let slice = performance.now()
    let reported = slice
    for (let step = 1; step <= steps; step++) {
      this.#fill(batch, rows)
      const loss = await run.step(batch.values, batch.labels)
      if (!Number.isFinite(loss)) throw diverged(`Loss of step ${step} is ${loss}, not finite`, { field: 'loss', step })
      if (step <= tenth) first.add(loss)
      if (step > steps - tenth) last.add(loss)
      recent.add(loss)
      const now = performance.now()
      if (now - reported >= PROGRESS_MS || step === steps) {
        this.#progress(step, recent.take(), 'running')
        reported = now
      }
      if (now - slice < SLICE_MS && !this.#paused) continue
      await nextTask()
      await this.#whilePaused(step)
      slice = performance.now()
    }
    return { lossFirst: first.take(), lossLast: last.take() }
  }

  #fill(batch: { readonly values: Float32Array; readonly labels: Uint8Array }, rows: BatchRows): void {
    const { features, values, labels } = this.#samples
    for (let b = 0; b < batch.labels.length; b++) {
      const row = rows.next()
      batch.values.set(values.subarray(row * features, (row + 1) * features), b * features)
      batch.labels[b] = labels[row] as number
    }
  }

  async #whilePaused(step: number): Promise<void> {
    this.#checkCancelled()
    if (this.#paused) this.#progress(step, Number.NaN, 'paused')
    while (this.#paused && this.#cancelled === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#checkCancelled()
  }

  #checkCancelled(): void {
    if (this.#cancelled === null) return
    throw new TrainingCancelledError(`Run ${this.#request.job} ended: ${this.#cancelled}`, { job: this.#request.job })
  }

  #progress(step: number, loss: number, state: TrainProgress['state']): void {
    this.#report({ job: this.#request.job, step, steps: this.#request.options.steps, loss, state })
  }
}

class Mean {
  #sum = 0
  #count = 0

  add(value: number): void {
    this.#sum += value
    this.#count++
  }

  /** The mean since the last time. */
  take(): number {
    const mean = this.#sum / this.#count
    this.#sum = 0
    this.#count = 0
    return mean
  }
}

/**
 * Refuses options that no run can have.
 *
 * @throws {@link InvalidTrainingError} Naming the option, its value and its limit.
 */
export function checkOptions(options: TrainOptions): void {
  const { batchSize, steps, optimiser, learningRate, momentum, proximal, seed, clipNorm } = options
  whole('batchSize', batchSize, 1, BATCH_MAX)
  whole('steps', steps, 1, STEPS_MAX)
  whole('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  whole('clipNorm', clipNorm, 1, VECTOR_NORM_MAX)
  if (optimiser !== 'sgd' && optimiser !== 'adam') throw invalid('optimiser', String(optimiser), 'sgd or adam')
  if (!(learningRate > 0 && learningRate <= LEARNING_RATE_MAX)) {
    throw invalid('learningRate', learningRate, `above 0, to ${LEARNING_RATE_MAX}`)
  }
  if (!(momentum >= 0 && momentum < 1)) throw invalid('momentum', momentum, '0 to below 1')
  if (!(proximal >= 0 && proximal <= PROXIMAL_MAX)) throw invalid('proximal', proximal, `0 to ${PROXIMAL_MAX}`)
}

function updateOf(local: Float32Array, { weights, options }: TrainRequest): ReturnType<typeof localUpdate> {
  try {
    return localUpdate(local, { global: weights, clipNorm: options.clipNorm })
  } catch (cause) {
    throw diverged('Weights left the numbers, or the range of I16F16', { field: 'weights' }, cause)
  }
}

function diverged(message: string, details: { field: string; step?: number }, cause?: unknown): TrainingDivergedError {
  return new TrainingDivergedError(message, details, { cause })
}

function whole(field: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw invalid(field, value, `${least} to ${most}, whole`)
}

function invalid(field: string, value: number | string, limit: string): InvalidTrainingError {
  return new InvalidTrainingError(`Option ${field} is ${value}, limit ${limit}`, { field, value, limit })
}
