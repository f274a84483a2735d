import { describe, expect, it } from 'vitest'
import type { Architecture } from '../../core/learning/model.ts'
import type { Engine } from './engine.ts'
import { EngineChoice } from './engine-choice.ts'
import { loadJax } from './load-jax.ts'
import { nodePlatform } from './platform.node.ts'
import { ReferenceEngine } from './reference-engine.ts'
import { TrainingService } from './service.ts'

const reference = new ReferenceEngine()
const MLP: Architecture = { kind: 'mlp', inputs: 4, hidden: [], outputs: 2 }
const CONV: Architecture = { kind: 'conv', width: 4, height: 4, filters: [2], hidden: 4, outputs: 2 }

/** An engine like the reference, but for its name and what is changed. */
function engineOf(kind: 'webgpu' | 'wasm', change: Partial<Engine> = {}): Engine {
  return { kind, start: reference.start.bind(reference), logits: reference.logits.bind(reference), ...change }
}

const choiceOf = (engines: Partial<Record<'webgpu' | 'wasm', () => Engine | null>>) =>
  new EngineChoice({ ...nodePlatform, loadEngine: async (kind) => engines[kind]?.() ?? null }, ['webgpu', 'wasm'])

describe('EngineChoice', () => {
  it('takes the first that is there and agrees', async () => {
    expect(await choiceOf({ webgpu: () => engineOf('webgpu') }).info()).toEqual({ kind: 'webgpu', reasons: [] })
  })

  it('passes over an engine that computes wrongly, one that is absent, and ends at the reference', async () => {
    const wrong = engineOf('webgpu', { logits: async (_, __, ___, count) => new Float32Array(count * 4) })
    const { kind, reasons } = await choiceOf({ webgpu: () => wrong }).info()
    expect(kind).toBe('reference')
    expect(reasons[0]).toMatch(/^webgpu differs from the reference by .*, limit 0.0001$/)
    expect(reasons[1]).toBe('wasm is not there')
  })

  it('passes over an engine that cannot be loaded', async () => {
    const choice = choiceOf({
      webgpu: () => {
        throw new Error('no adapter')
      },
      wasm: () => engineOf('wasm'),
    })
    expect(await choice.info()).toEqual({ kind: 'wasm', reasons: ['webgpu failed: no adapter'] })
  })

  it('does the work again with the next when an engine fails in use, but not when the work ended itself', async () => {
    const choice = choiceOf({ webgpu: () => engineOf('webgpu'), wasm: () => engineOf('wasm') })
    const lost = (engine: Engine) =>
      engine.kind === 'webgpu' ? Promise.reject(new Error('device lost')) : Promise.resolve(engine.kind)
    expect(await Promise.all([choice.use(MLP, lost), choice.use(MLP, lost)])).toEqual(['wasm', 'wasm'])
    expect(await choice.info()).toEqual({ kind: 'wasm', reasons: ['webgpu failed in use: device lost'] })
    const ended = choice.use(
      MLP,
      () => Promise.reject(new Error('cancelled')),
      () => true,
    )
    await expect(ended).rejects.toThrow('cancelled')
    expect((await choice.info()).kind).toBe('wasm')
  })

  it('gives convolutions to the plain loops rather than to WebAssembly, where they are faster', async () => {
    const kindFor = (choice: EngineChoice, architecture: Architecture) =>
      choice.use(architecture, async ({ kind }) => kind)
    const wasm = choiceOf({ wasm: () => engineOf('wasm') })
    expect([await kindFor(wasm, MLP), await kindFor(wasm, CONV)]).toEqual(['wasm', 'reference'])
    const webgpu = choiceOf({ webgpu: () => engineOf('webgpu') })
    expect([await kindFor(webgpu, MLP), await kindFor(webgpu, CONV)]).toEqual(['webgpu', 'webgpu'])
  })
})

describe('memory of the fast engine', () => {
  it('does not grow once a round has been run', async () => {
    const grown: number[] = []
    const { grow } = WebAssembly.Memory.prototype
    WebAssembly.Memory.prototype.grow = function (pages) {
      grown.push(pages)
      return grow.call(this, pages)
    }
    try {
      const service = new TrainingService({ platform: { ...nodePlatform, loadEngine: loadJax }, engines: ['wasm'] })
      expect((await service.engine()).kind).toBe('wasm')
      const architecture = { kind: 'mlp', inputs: 196, hidden: [32], outputs: 10 } as const
      const { id: dataset } = await service.load({
        source: { kind: 'bundled' },
        heldOutShare: 0.1,
        seed: 1,
        partition: null,
        samplesMax: null,
      })
      const weights = new Int32Array(6634)
      const round = async (optimiser: 'sgd' | 'adam', seed: number) => {
        const options = {
          batchSize: 32,
          steps: 5,
          learningRate: 0.01,
          momentum: 0.9,
          proximal: 0.1,
          seed,
          clipNorm: 65536,
        }
        await service.train({ job: `${seed}`, architecture, weights, dataset, options: { ...options, optimiser } })
        await service.evaluate({ architecture, weights, dataset, part: 'held-out' })
      }
      for (const [seed, optimiser] of (['sgd', 'adam', 'sgd', 'adam'] as const).entries()) await round(optimiser, seed)
      expect(grown.length).toBeGreaterThan(0)
      const before = grown.length
      // One leaked weight vector a round would be a page after three.
      for (let seed = 10; seed < 210; seed++) await round(seed % 2 === 0 ? 'sgd' : 'adam', seed)
      expect(grown.length).toBe(before)
    } finally {
      WebAssembly.Memory.prototype.grow = grow
    }
  })
})
