import type { Rng } from '../tasks/rng.ts'
import { type Samples, sampleCount } from './dataset.ts'
import { addToScore, emptyScore } from './evaluation.ts'
import { FIXED_ONE } from './fixed.ts'
import type { LabLearner, LabScore } from './lab.ts'
import { type Architecture, initialWeights, parameterCount } from './model.ts'
import { ReferenceModel } from './reference-trainer.ts'

const SEEDS = 2 ** 32
/** Test samples that are scored at a time; their outputs are all that it costs. */
const SCORE_BATCH = 256

/** {@link LabLearner} of any architecture and samples, by the plain loops. */
export class SamplesLearner implements LabLearner {
  readonly parametersCount: number
  readonly classes: number
  readonly labels: Uint8Array
  readonly #architecture: Architecture
  readonly #model: ReferenceModel
  readonly #training: Samples
  readonly #test: Samples
  readonly #weights: Float32Array
  readonly #gradient: Float32Array

  /**
   * @param options.batchMax - Most samples of one gradient.
   * @throws {@link InvalidModelError} If the architecture cannot be built.
   */
  constructor(
    architecture: Architecture,
    data: { readonly training: Samples; readonly test: Samples },
    options: { readonly batchMax: number },
  ) {
    this.#architecture = architecture
    this.#training = data.training
    this.#test = data.test
    this.parametersCount = parameterCount(architecture)
    this.classes = data.training.classes
    this.labels = data.training.labels
    const batchMax = Math.max(options.batchMax, SCORE_BATCH)
    this.#model = new ReferenceModel(architecture, { batchMax, precision: 'float32' })
    this.#weights = new Float32Array(this.parametersCount)
    this.#gradient = new Float32Array(this.parametersCount)
  }

  firstModel(rng: Rng): Int32Array {
    return initialWeights(this.#architecture, rng.below(SEEDS))
  }

  load(model: Int32Array): void {
    for (let i = 0; i < model.length; i++) this.#weights[i] = (model[i] as number) / FIXED_ONE
  }

  gradient(batch: readonly number[], labelOf: (sample: number) => number): Float32Array {
    const { features, values: from } = this.#training
    const values = new Float32Array(batch.length * features)
    for (const [at, sample] of batch.entries())
      values.set(from.subarray(sample * features, (sample + 1) * features), at * features)
    const labels = batch.map(labelOf)
    this.#model.gradient(this.#weights, { values, labels, count: batch.length }, this.#gradient)
    return this.#gradient
  }

  score(): LabScore {
    const { values, labels, features } = this.#test
    const total = sampleCount(this.#test)
    const score = emptyScore(this.classes)
    for (let start = 0; start < total; start += SCORE_BATCH) {
      const count = Math.min(SCORE_BATCH, total - start)
      const logits = this.#model.logits(this.#weights, values.subarray(start * features), count)
      addToScore(score, logits, labels.subarray(start, start + count), this.classes)
    }
    return { accuracy: score.correct / score.samples, loss: score.lossSum / score.samples }
  }
}
