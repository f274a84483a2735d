/**
 * Goal: the fast trainer does what the reference does, to 1e-4. Method: the same batches through both, over whole rounds of digits.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { BatchRows } from '../../core/learning/dataset-batches.ts'
import { type Architecture, initialWeights } from '../../core/learning/model.ts'
import { seededRng } from '../../core/tasks/rng.ts'
import { AGREEMENT_MAX, disagreement } from './agreement.ts'
import type { Engine } from './engine.ts'
import { loadJax } from './load-jax.ts'
import { ReferenceEngine } from './reference-engine.ts'

const MODELS: readonly {
  readonly architecture: Architecture
  readonly optimiser: 'sgd' | 'adam'
  readonly learningRate: number
}[] = [
  { architecture: { kind: 'mlp', inputs: 784, hidden: [32], outputs: 10 }, optimiser: 'sgd', learningRate: 0.05 },
  { architecture: { kind: 'mlp', inputs: 20, hidden: [], outputs: 3 }, optimiser: 'sgd', learningRate: 0.1 },
  { architecture: { kind: 'mlp', inputs: 30, hidden: [16, 8], outputs: 4 }, optimiser: 'adam', learningRate: 0.005 },
  {
    architecture: { kind: 'conv', width: 12, height: 8, filters: [4, 6], hidden: 16, outputs: 5 },
    optimiser: 'sgd',
    learningRate: 0.1,
  },
]
const BATCH = 32
const STEPS = 50
const SAMPLES = 200

function samplesOf(inputs: number, outputs: number) {
  const rng = seededRng(3)
  const labels = Uint8Array.from({ length: SAMPLES }, () => rng.below(outputs))
  // Each class is bright in a band of its own: something to learn, for convolutions too.
  const values = Float32Array.from({ length: SAMPLES * inputs }, (_, i) => {
    const band = Math.floor(((i % inputs) * outputs) / inputs) === labels[Math.floor(i / inputs)]
    return rng.below(1000) / (band ? 1000 : 3000)
  })
  return { values, labels }
}

async function train(engine: Engine, { architecture, optimiser, learningRate }: (typeof MODELS)[number]) {
  const inputs = architecture.kind === 'mlp' ? architecture.inputs : architecture.width * architecture.height
  const { values, labels } = samplesOf(inputs, architecture.outputs)
  const start = Float32Array.from(initialWeights(architecture, 1), (weight) => weight / 65536)
  const run = engine.start({
    architecture,
    start,
    batchSize: BATCH,
    optimiser: { optimiser, learningRate, momentum: 0.9, proximal: 0.01 },
  })
  const rows = new BatchRows(SAMPLES, 9)
  const batch = new Float32Array(BATCH * inputs)
  const marks = new Uint8Array(BATCH)
  const losses: number[] = []
  for (let step = 0; step < STEPS; step++) {
    for (let b = 0; b < BATCH; b++) {
      const row = rows.next()
      batch.set(values.subarray(row * inputs, (row + 1) * inputs), b * inputs)
      marks[b] = labels[row] as number
    }
    losses.push(await run.step(batch, marks))
  }
  const weights = await run.weights()
  const logits = await engine.logits(architecture, weights, values.subarray(0, 100 * inputs), 100)
  run.close()
  return { losses, weights, logits }
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] as number) - (b[i] as number)))
  return most
}

describe('jax-js in WebAssembly', () => {
  let engine: Engine
  beforeAll(async () => {
    const loaded = await loadJax('wasm')
    if (loaded === null) throw new Error('jax-js has no WebAssembly here')
    engine = loaded
  })

  for (const model of MODELS) {
    it(`agrees with the reference over ${STEPS} steps: ${model.optimiser}, ${JSON.stringify(model.architecture)}`, async () => {
      const fast = await train(engine, model)
      const reference = await train(new ReferenceEngine(), model)
      expect(largestDifference(fast.weights, reference.weights)).toBeLessThan(AGREEMENT_MAX)
      expect(largestDifference(fast.losses, reference.losses)).toBeLessThan(AGREEMENT_MAX)
      expect(largestDifference(fast.logits, reference.logits)).toBeLessThan(10 * AGREEMENT_MAX)
      expect(reference.losses.at(-1)).toBeLessThan((reference.losses[0] as number) * 0.9)
    })
  }

  it('passes its own check', async () => {
    expect(await disagreement(engine)).toBeLessThan(AGREEMENT_MAX)
  })
})

describe('disagreement', () => {
  it('is zero for the reference itself', async () => {
    expect(await disagreement(new ReferenceEngine())).toBe(0)
  })

  it('finds an engine whose weights never move, and one that gives no numbers', async () => {
    const stuck = new ReferenceEngine()
    const engine = (weightsOf: (start: Float32Array) => Float32Array): Engine => ({
      kind: 'wasm',
      start: (init) => ({ ...stuck.start(init), weights: async () => weightsOf(init.start) }),
      logits: stuck.logits.bind(stuck),
    })
    expect(await disagreement(engine((start) => start))).toBeGreaterThan(AGREEMENT_MAX)
    expect(await disagreement(engine((start) => start.map(() => Number.NaN)))).toBe(Number.POSITIVE_INFINITY)
  })
})
