import type { Architecture } from '../../core/learning/model.ts'
import type { OptimiserOptions } from '../../core/learning/reference-trainer.ts'
import type { EngineKind } from './contract.ts'

export interface EngineRunInit {
  readonly architecture: Architecture
  /** The round's global weights wᵗ, in units of weights. */
  readonly start: Float32Array
  readonly batchSize: number
  readonly optimiser: OptimiserOptions
}

/** One round's training under way. */
export interface EngineRun {
  /** One step on a full batch; gives its loss before the step. Both arrays may be written again when it is done. */
  step(values: Float32Array, labels: Uint8Array): Promise<number>
  /** Local weights, a copy. */
  weights(): Promise<Float32Array>
  /** Frees what the run holds. */
  close(): void
}

/** Something that trains and scores. All do the same as the reference, to rounding. */
export interface Engine {
  readonly kind: EngineKind
  start(init: EngineRunInit): EngineRun
  /**
   * Outputs before softmax of at most {@link import('./limits.ts').EVALUATION_BATCH} samples, `count × outputs`.
   */
  logits(architecture: Architecture, weights: Float32Array, values: Float32Array, count: number): Promise<Float32Array>
}
