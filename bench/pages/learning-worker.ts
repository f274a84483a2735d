/**
 * Steps of the fast trainer and of the reference's loops, in turns in one worker: as a tab trains, jax-js kept to one thread.
 */
import { initialWeights } from '../../src/core/learning/model.ts'
import { seededRng } from '../../src/core/tasks/rng.ts'
import type { EngineRun } from '../../src/workers/training/engine.ts'
import { loadJax } from '../../src/workers/training/load-jax.ts'
import { ReferenceEngine } from '../../src/workers/training/reference-engine.ts'

const ARCHITECTURE = { kind: 'mlp', inputs: 784, hidden: [32], outputs: 10 } as const
const BATCHES = [32, 128]
const ROUNDS = 9
const STEPS = 30

/** Milliseconds a step: one figure a round. */
export interface StepRounds {
  readonly batchSize: number
  readonly fast: readonly number[]
  readonly reference: readonly number[]
}

async function stepMs(run: EngineRun, values: Float32Array, labels: Uint8Array): Promise<number> {
  const started = performance.now()
  for (let step = 0; step < STEPS; step++) await run.step(values, labels)
  return (performance.now() - started) / STEPS
}

async function rounds(): Promise<StepRounds[]> {
  const jax = await loadJax('wasm')
  if (jax === null) throw new Error('jax-js has no WebAssembly here')
  const plain = new ReferenceEngine()
  const start = Float32Array.from(initialWeights(ARCHITECTURE, 1), (weight) => weight / 65536)
  const all: StepRounds[] = []
  for (const batchSize of BATCHES) {
    const rng = seededRng(batchSize)
    const values = Float32Array.from({ length: batchSize * ARCHITECTURE.inputs }, () => rng.below(256) / 255)
    const labels = Uint8Array.from({ length: batchSize }, () => rng.below(ARCHITECTURE.outputs))
    const optimiser = { optimiser: 'sgd', learningRate: 0.01, momentum: 0.9, proximal: 0.01 } as const
    const [fast, reference] = [jax, plain].map((engine) =>
      engine.start({ architecture: ARCHITECTURE, start, batchSize, optimiser }),
    )
    if (fast === undefined || reference === undefined) throw new Error('There are two engines')
    // Compiling is not a step.
    await stepMs(fast, values, labels)
    await stepMs(reference, values, labels)
    const figures: { batchSize: number; fast: number[]; reference: number[] } = { batchSize, fast: [], reference: [] }
    for (let round = 0; round < ROUNDS; round++) {
      figures.fast.push(await stepMs(fast, values, labels))
      figures.reference.push(await stepMs(reference, values, labels))
    }
    all.push(figures)
  }
  return all
}

rounds().then(
  (figures) => postMessage({ figures }),
  (error: unknown) => postMessage({ error: String(error) }),
)
