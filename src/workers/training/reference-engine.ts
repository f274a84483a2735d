import type { Architecture } from '../../core/learning/model.ts'
import { ReferenceModel, ReferenceTrainer } from '../../core/learning/reference-trainer.ts'
import type { Engine, EngineRun, EngineRunInit } from './engine.ts'
import { EVALUATION_BATCH } from './limits.ts'

/** The plain loops as an engine: works everywhere. */
export class ReferenceEngine implements Engine {
  readonly kind = 'reference'
  /** The model that scored last: a round scores many weights of one architecture. */
  #scoring: { readonly key: string; readonly model: ReferenceModel } | null = null

  start({ architecture, start, batchSize, optimiser }: EngineRunInit): EngineRun {
    const model = new ReferenceModel(architecture, { batchMax: batchSize, precision: 'float32' })
    const trainer = new ReferenceTrainer(model, start, optimiser)
    return {
      step: async (values, labels) => trainer.step({ values, labels, count: batchSize }),
      weights: async () => Float32Array.from(trainer.weights),
      close() {},
    }
  }

  async logits(
    architecture: Architecture,
    weights: Float32Array,
    values: Float32Array,
    count: number,
  ): Promise<Float32Array> {
    const key = JSON.stringify(architecture)
    if (this.#scoring?.key !== key) {
      this.#scoring = {
        key,
        model: new ReferenceModel(architecture, { batchMax: EVALUATION_BATCH, precision: 'float32' }),
      }
    }
    return Float32Array.from(this.#scoring.model.logits(weights, values, count))
  }
}
