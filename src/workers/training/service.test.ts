/**
 * Goal: the worker's contract holds, in this thread and over a real worker. Method: the same cases through both, with the plain loops.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { squaredNorm } from '../../core/learning/fixed.ts'
import { type Architecture, initialWeights } from '../../core/learning/model.ts'
import type { TrainingApi, TrainOptions, TrainProgress } from './contract.ts'
import { nodePlatform } from './platform.node.ts'
import { TrainingService } from './service.ts'
import { spawnTraining } from './spawn.node.ts'

const DIGITS: Architecture = { kind: 'mlp', inputs: 196, hidden: [16], outputs: 10 }
const OPTIONS: TrainOptions = {
  batchSize: 32,
  steps: 100,
  optimiser: 'sgd',
  learningRate: 0.1,
  momentum: 0.9,
  proximal: 0,
  seed: 4,
  clipNorm: 100 * 65536,
}
const BUNDLED = { source: { kind: 'bundled' }, heldOutShare: 0.25, seed: 1, partition: null, samplesMax: null } as const
const weights = initialWeights(DIGITS, 2)

async function nameOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing',
    (error: Error) => error.name,
  )
}

for (const useWorker of [false, true]) {
  describe(`training ${useWorker ? 'in a worker' : 'in this thread'}`, () => {
    let api: TrainingApi
    let digits = ''
    beforeAll(async () => {
      const engines = ['reference'] as const
      api = useWorker ? spawnTraining({ engines }) : new TrainingService({ platform: nodePlatform, engines })
      digits = (await api.load(BUNDLED)).id
    })
    afterAll(() => {
      if ('terminate' in api) (api as { terminate(): void }).terminate()
    })

    const request = (job: string, options: Partial<TrainOptions> = {}) => ({
      job,
      architecture: DIGITS,
      weights,
      dataset: digits,
      options: { ...OPTIONS, ...options },
    })

    it('load tells of the bundled digits', async () => {
      const loaded = await api.load(BUNDLED)
      expect(loaded).toMatchObject({
        training: 3000,
        heldOut: 1000,
        features: 196,
        classes: 10,
        dropped: 0,
        schema: null,
      })
      expect(loaded.perClass.reduce((sum, count) => sum + count, 0)).toBe(3000)
      expect(Math.min(...loaded.perClass)).toBeGreaterThan(200)
      await api.unload(loaded.id)
    })

    it('train lowers the loss, reports progress and is scored by evaluate', async () => {
      const seen: TrainProgress[] = []
      const result = await api.train(request('round-1'), (progress) => seen.push(progress))
      expect(result.lossLast).toBeLessThan(result.lossFirst / 2)
      expect(result).toMatchObject({ job: 'round-1', engine: 'reference', clipped: false, samples: 3000 })
      expect(seen.at(-1)).toMatchObject({ job: 'round-1', step: 100, steps: 100, state: 'running' })
      const trained = weights.map((weight, i) => weight + (result.update[i] as number))
      const before = await api.evaluate({ architecture: DIGITS, weights, dataset: digits, part: 'held-out' })
      const after = await api.evaluate({ architecture: DIGITS, weights: trained, dataset: digits, part: 'held-out' })
      expect(before.accuracy).toBeLessThan(0.3)
      expect(after.accuracy).toBeGreaterThan(0.75)
      expect(after.samples).toBe(1000)
      expect(after.confusion.reduce((sum, count) => sum + count, 0)).toBe(1000)
      const right = Array.from({ length: 10 }, (_, i) => after.confusion[i * 11] as number)
      expect(right.reduce((sum, count) => sum + count, 0) / 1000).toBeCloseTo(after.accuracy, 12)
    })

    it('train gives the same bytes for the same seed, and others for another', async () => {
      const [a, b] = [await api.train(request('a', { steps: 5 })), await api.train(request('b', { steps: 5 }))]
      const c = await api.train(request('c', { steps: 5, seed: 5 }))
      expect(a.update).toEqual(b.update)
      expect(c.update).not.toEqual(a.update)
    })

    it('train clips the update to its exact norm', async () => {
      const result = await api.train(request('clip', { clipNorm: 65536 }))
      expect(result.clipped).toBe(true)
      expect(result.norm).toBeGreaterThan(65536)
      const squared = squaredNorm(result.update)
      expect(squared).toBeLessThanOrEqual(65536n ** 2n)
      expect(squared).toBeGreaterThan(65000n ** 2n)
    })

    it('pause holds a run and resume lets it end', async () => {
      const seen: TrainProgress[] = []
      const paused = Promise.withResolvers<void>()
      const trained = api.train(request('held', { steps: 2000 }), (progress) => {
        seen.push(progress)
        if (progress.state === 'paused') paused.resolve()
      })
      await api.pause('held')
      await paused.promise
      const held = seen.at(-1)
      // Other weights are scored meanwhile.
      await api.evaluate({ architecture: DIGITS, weights, dataset: digits, part: 'held-out' })
      expect(seen.at(-1)).toBe(held)
      await api.resume('held')
      expect((await trained).job).toBe('held')
      expect(held?.step).toBeLessThan(2000)
    })

    it('cancel ends a run that trains and one that waits, by name', async () => {
      const running = api.train(request('running', { steps: 100_000 }))
      const waiting = api.train(request('waiting'))
      const names = Promise.all([nameOf(running), nameOf(waiting)])
      await api.cancel('waiting')
      await api.cancel('running')
      expect(await names).toEqual(['TrainingCancelledError', 'TrainingCancelledError'])
      expect((await api.train(request('next', { steps: 1 }))).job).toBe('next')
    })

    it('unload ends the run that uses the dataset', async () => {
      const { id } = await api.load(BUNDLED)
      const name = nameOf(api.train({ ...request('gone', { steps: 100_000 }), dataset: id }))
      await api.unload(id)
      expect(await name).toBe('TrainingCancelledError')
      expect(await nameOf(api.train({ ...request('again'), dataset: id }))).toBe('UnknownDatasetError')
    })

    it('predict gives shares that sum to one, and refuses another shape', async () => {
      const prediction = await api.predict({ architecture: DIGITS, weights, features: new Float32Array(196).fill(0.5) })
      expect(prediction.probabilities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5)
      expect(prediction.probabilities[prediction.label]).toBe(Math.max(...prediction.probabilities))
      expect(await nameOf(api.predict({ architecture: DIGITS, weights, features: new Float32Array(195) }))).toBe(
        'InvalidModelError',
      )
      const holes = new Float32Array(196).fill(Number.NaN)
      expect(await nameOf(api.predict({ architecture: DIGITS, weights, features: holes }))).toBe('InvalidModelError')
    })

    it('refuses by name what does not fit', async () => {
      const wide: Architecture = { ...DIGITS, inputs: 197 }
      expect(await nameOf(api.train({ ...request('x'), weights: weights.slice(1) }))).toBe('InvalidModelError')
      expect(await nameOf(api.train({ ...request('x'), architecture: wide }))).toBe('InvalidModelError')
      expect(await nameOf(api.train(request('x', { learningRate: Number.NaN })))).toBe('InvalidTrainingError')
      expect(await nameOf(api.train(request('x', { batchSize: 0 })))).toBe('InvalidTrainingError')
      expect(await nameOf(api.train(request('x', { steps: 1.5 })))).toBe('InvalidTrainingError')
      expect(await nameOf(api.train(request('x', { learningRate: 100, steps: 60 })))).toBe('TrainingDivergedError')
      const image = new Blob(['no picture'])
      const images = {
        kind: 'images',
        files: [{ file: image, label: 'a' }],
        width: 8,
        height: 8,
        labels: null,
      } as const
      expect(await nameOf(api.load({ ...BUNDLED, source: images }))).toBe('InvalidDatasetError')
      const cut = {
        kind: 'idx',
        images: Uint8Array.of(0, 0, 8, 3, 0, 0),
        labels: new Uint8Array(8),
        classes: null,
      } as const
      expect(await nameOf(api.load({ ...BUNDLED, source: cut }))).toBe('InvalidDatasetError')
    })
  })
}

it('a worker that is stopped fails its calls', async () => {
  const worker = spawnTraining({ engines: ['reference'] })
  await worker.engine()
  const waiting = nameOf(worker.load(BUNDLED))
  worker.terminate()
  expect(await waiting).toBe('TrainingUnavailableError')
  expect(await nameOf(worker.engine())).toBe('TrainingUnavailableError')
})
