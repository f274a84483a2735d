/**
 * What e2e/training.e2e.ts asks of a real tab: `?case=…` picks it, the result goes back to the server. The bundle of the training worker is
 * served at `/training-worker.js`.
 */
import { type Architecture, initialWeights } from '../../src/core/learning/model.ts'
import type { TrainingClient } from '../../src/workers/training/client.ts'
import type { EngineKind, LoadedDataset, TrainOptions } from '../../src/workers/training/contract.ts'
import { superviseTraining } from '../../src/workers/training/spawn.ts'

const DIGITS: Architecture = { kind: 'mlp', inputs: 196, hidden: [32], outputs: 10 }
const OPTIONS: TrainOptions = {
  batchSize: 32,
  steps: 20,
  optimiser: 'sgd',
  learningRate: 0.05,
  momentum: 0.9,
  proximal: 0.01,
  seed: 1,
  clipNorm: 100 * 65536,
}
const ROUNDS = 200

function start(engines?: readonly EngineKind[]): TrainingClient {
  const worker = new Worker('/training-worker.js', { type: 'module' })
  return superviseTraining(worker, engines === undefined ? {} : { engines })
}

function bundled(training: TrainingClient): Promise<LoadedDataset> {
  return training.load({ source: { kind: 'bundled' }, heldOutShare: 0.25, seed: 1, partition: null, samplesMax: null })
}

/** The engine that is chosen here, and how far its round is from the reference's. */
async function agreement() {
  const [fast, reference] = [start(), start(['reference'])]
  const engine = await fast.engine()
  const weights = initialWeights(DIGITS, 1)
  const [mine, theirs] = await Promise.all(
    [fast, reference].map(async (training) => {
      const { id: dataset } = await bundled(training)
      return training.train({ job: 'one', architecture: DIGITS, weights, dataset, options: { ...OPTIONS, steps: 50 } })
    }),
  )
  let worst = 0
  for (const [i, value] of (theirs?.update ?? []).entries()) {
    worst = Math.max(worst, Math.abs(value - (mine?.update[i] ?? Number.NaN)) / 65536)
  }
  fast.terminate()
  reference.terminate()
  return { engine, kinds: [mine?.engine, theirs?.engine], worst, lossFirst: mine?.lossFirst, lossLast: mine?.lossLast }
}

/** Memory of this page and its workers, once the engine has settled it. */
async function memoryBytes(): Promise<number> {
  const measure = performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> }
  return (await measure.measureUserAgentSpecificMemory()).bytes
}

/** 200 rounds, each from the weights of the last, with a score after each. */
async function rounds() {
  const longTasks: number[] = []
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTasks.push(entry.duration)
  }).observe({ entryTypes: ['longtask'] })
  const training = start()
  const { kind } = await training.engine()
  const { id: dataset } = await bundled(training)
  let weights = initialWeights(DIGITS, 1)
  const bytes: number[] = []
  let accuracy = 0
  const started = performance.now()
  for (let round = 1; round <= ROUNDS; round++) {
    const options = { ...OPTIONS, seed: round }
    const { update } = await training.train(
      { job: `round-${round}`, architecture: DIGITS, weights, dataset, options },
      () => {},
    )
    weights = weights.map((weight, i) => weight + (update[i] as number))
    const score = await training.evaluate({ architecture: DIGITS, weights, dataset, part: 'held-out' })
    accuracy = score.accuracy
    if (round === 20 || round === 110 || round === ROUNDS) bytes.push(await memoryBytes())
  }
  const durationMs = performance.now() - started
  training.terminate()
  return { kind, bytes, accuracy, longTasks, durationMs }
}

async function picture(draw: (context: OffscreenCanvasRenderingContext2D) => void): Promise<Blob> {
  const canvas = new OffscreenCanvas(20, 10)
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('There is no canvas')
  draw(context)
  return canvas.convertToBlob({ type: 'image/png' })
}

/** Pictures of a bright left half and of a bright right half are told apart; a file that is no picture is refused. */
async function pictures() {
  const training = start(['reference'])
  const half = (x: number) =>
    picture((context) => {
      context.fillStyle = 'white'
      context.fillRect(x, 0, 10, 10)
    })
  const [left, right] = [await half(0), await half(10)]
  const files = Array.from({ length: 20 }, (_, i) =>
    i % 2 === 0 ? { file: left, label: 'left' } : { file: right, label: 'right' },
  )
  const init = { heldOutShare: 0.2, seed: 1, partition: null, samplesMax: null }
  const frame = { width: 4, height: 4, labels: null }
  const loaded = await training.load({ ...init, source: { kind: 'images', files, ...frame } })
  const architecture: Architecture = { kind: 'conv', width: 4, height: 4, filters: [2], hidden: 4, outputs: 2 }
  const weights = initialWeights(architecture, 1)
  const options = { ...OPTIONS, steps: 100, batchSize: 8 }
  const { update } = await training.train({ job: 'halves', architecture, weights, dataset: loaded.id, options })
  const trained = weights.map((weight, i) => weight + (update[i] as number))
  const score = await training.evaluate({ architecture, weights: trained, dataset: loaded.id, part: 'held-out' })
  // 20×10 in 4×4: two rows of picture between two of ground.
  const features = Float32Array.from({ length: 16 }, (_, i) => (i >= 4 && i < 12 && i % 4 >= 2 ? 1 : 0))
  const prediction = await training.predict({ architecture, weights: trained, features })
  const broken = [
    { file: left, label: 'left' },
    { file: new Blob(['no picture']), label: 'right' },
  ]
  const refused = await training.load({ ...init, source: { kind: 'images', files: broken, ...frame } }).then(
    () => null,
    (error: Error) => ({ name: error.name, message: error.message }),
  )
  training.terminate()
  return { loaded, accuracy: score.accuracy, label: loaded.labelNames[prediction.label], refused }
}

const CASES: Readonly<Record<string, () => Promise<unknown>>> = { agreement, rounds, pictures }
const wanted = CASES[new URL(location.href).searchParams.get('case') ?? '']
const answer = (result: unknown) => fetch('/result', { method: 'POST', body: JSON.stringify(result) })
if (wanted !== undefined) {
  wanted().then(
    (value) => answer({ value }),
    (error: unknown) => answer({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }),
  )
}
