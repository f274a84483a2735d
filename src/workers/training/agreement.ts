import { type Architecture, initialWeights, inputsOf } from '../../core/learning/model.ts'
import { seededRng } from '../../core/tasks/rng.ts'
import type { Engine } from './engine.ts'
import { ReferenceEngine } from './reference-engine.ts'

/** Largest difference of a weight, an output or a loss between an engine and the reference. */
export const AGREEMENT_MAX = 1e-4

const BATCH = 8
const STEPS = 3
const SGD = { optimiser: 'sgd', learningRate: 0.1, momentum: 0.9, proximal: 0.1 } as const

/** One with dense layers only, one with a convolution: each kind of kernel is tried. */
const ARCHITECTURES: readonly Architecture[] = [
  { kind: 'mlp', inputs: 64, hidden: [16], outputs: 4 },
  { kind: 'conv', width: 8, height: 8, filters: [4], hidden: 8, outputs: 4 },
]

/**
 * The largest difference between an engine and the reference, over a few steps of two small models. A driver that computes wrongly, or a
 * policy that keeps kernels from running, shows here and not in somebody's model.
 */
export async function disagreement(engine: Engine, architectures = ARCHITECTURES, optimiser = SGD): Promise<number> {
  let most = 0
  for (const architecture of architectures) {
    const [mine, theirs] = await Promise.all(
      [engine, new ReferenceEngine()].map((each) => results(each, architecture, optimiser)),
    )
    for (let i = 0; i < (theirs?.length ?? 0); i++) {
      const difference = Math.abs((mine?.[i] ?? Number.NaN) - (theirs?.[i] ?? Number.NaN))
      // Written so that NaN is the worst.
      if (!(difference <= most)) most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
    }
  }
  return most
}

/** Losses, weights and outputs after a few steps. */
async function results(engine: Engine, architecture: Architecture, optimiser: typeof SGD): Promise<number[]> {
  const rng = seededRng(7)
  const start = Float32Array.from(initialWeights(architecture, 7), (weight) => weight / 65536)
  const run = engine.start({ architecture, start, batchSize: BATCH, optimiser })
  try {
    const all: number[] = []
    let values = new Float32Array()
    for (let step = 0; step < STEPS; step++) {
      values = Float32Array.from({ length: BATCH * inputsOf(architecture) }, () => rng.below(1001) / 1000)
      const labels = Uint8Array.from({ length: BATCH }, () => rng.below(architecture.outputs))
      all.push(await run.step(values, labels))
    }
    const weights = await run.weights()
    const logits = await engine.logits(architecture, weights, values, BATCH)
    return [...all, ...weights, ...logits]
  } finally {
    run.close()
  }
}
