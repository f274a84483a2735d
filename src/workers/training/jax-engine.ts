import { defaultDevice, init, jit, numpy as np, type OwnedFunction, tree } from '@jax-js/jax'
import { type Architecture, inputsOf, type Layer, layersOf } from '../../core/learning/model.ts'
import { ADAM_DECAY } from '../../core/learning/reference-trainer.ts'
import type { Engine, EngineRun, EngineRunInit } from './engine.ts'
import { logitsOf, type RunState, type StepNumbers, stepFunction } from './jax-model.ts'
import { COMPILED_MAX, EVALUATION_BATCH } from './limits.ts'

type Tensor = np.Array
type Step = OwnedFunction<ReturnType<typeof stepFunction>>
type Scorer = OwnedFunction<(weights: Tensor[], values: Tensor) => Tensor>

/** jax-js as an engine, on WebGPU or WebAssembly. Compiled steps are kept, since every round of a task runs the same ones. */
class JaxEngine implements Engine {
  readonly kind: 'webgpu' | 'wasm'
  readonly #steps = new Kept<Step>()
  readonly #scorers = new Kept<Scorer>()

  constructor(kind: 'webgpu' | 'wasm') {
    this.kind = kind
  }

  start({ architecture, start, batchSize, optimiser }: EngineRunInit): EngineRun {
    const layers = layersOf(architecture)
    const step = this.#steps.get(`${JSON.stringify(architecture)} ${batchSize} ${optimiser.optimiser}`, () =>
      jit(stepFunction(layers, batchSize, optimiser.optimiser)),
    )
    const inputs = inputsOf(architecture)
    const origin = tensorsFrom(layers, start)
    const zeros = () => origin.map((tensor) => np.zeros(tensor.shape))
    const adam = optimiser.optimiser === 'adam'
    let state: RunState = { weights: tree.ref(origin), first: zeros(), second: adam ? zeros() : [] }
    let steps = 0
    return {
      step: async (values, labels) => {
        steps++
        const next = step(
          state,
          tree.ref(origin),
          numbersOf(optimiser, steps),
          np.array(values.slice()).reshape([batchSize, inputs]),
          oneHot(labels, architecture.outputs),
        )
        state = next.state
        // Reading the loss runs the step: unread work would pile up as a graph.
        return this.#read(next.loss).then((loss) => loss[0] as number)
      },
      weights: () => this.#flat(tree.ref(state.weights), start.length),
      close: () => tree.dispose([state, origin]),
    }
  }

  async logits(
    architecture: Architecture,
    weights: Float32Array,
    values: Float32Array,
    count: number,
  ): Promise<Float32Array> {
    const layers = layersOf(architecture)
    // One compiled size for all: a short batch is filled up with zeros.
    const score = this.#scorers.get(JSON.stringify(architecture), () =>
      jit((tensors: Tensor[], batch: Tensor) => logitsOf(layers, tensors, batch, EVALUATION_BATCH)),
    )
    const inputs = inputsOf(architecture)
    const batch = new Float32Array(EVALUATION_BATCH * inputs)
    batch.set(values.subarray(0, count * inputs))
    const logits = score(tensorsFrom(layers, weights), np.array(batch).reshape([EVALUATION_BATCH, inputs]))
    return (await this.#read(logits)).slice(0, count * architecture.outputs)
  }

  /** Reads and frees an array. In WebAssembly nothing need be waited for, and asking for it costs a turn of the queue. */
  async #read(tensor: Tensor): Promise<Float32Array> {
    return (this.kind === 'wasm' ? tensor.dataSync() : await tensor.data()) as Float32Array
  }

  async #flat(tensors: readonly Tensor[], length: number): Promise<Float32Array> {
    const flat = new Float32Array(length)
    let offset = 0
    for (const tensor of tensors) {
      const values = await this.#read(tensor)
      flat.set(values, offset)
      offset += values.length
    }
    return flat
  }
}

/**
 * An engine on a device, or `null` when it is not there.
 *
 * @param device - WebGPU asks the browser for an adapter.
 */
export async function jaxEngine(device: 'webgpu' | 'wasm'): Promise<Engine | null> {
  if (!(await init(device)).includes(device)) return null
  defaultDevice(device)
  return new JaxEngine(device)
}

/** Compiled functions by what they were compiled for; the one that was used longest ago goes first. */
class Kept<T extends { dispose(): void }> {
  readonly #kept = new Map<string, T>()

  get(key: string, compile: () => T): T {
    const found = this.#kept.get(key) ?? compile()
    this.#kept.delete(key)
    this.#kept.set(key, found)
    for (const [oldest, value] of this.#kept) {
      if (this.#kept.size <= COMPILED_MAX) break
      this.#kept.delete(oldest)
      value.dispose()
    }
    return found
  }
}

function tensorsFrom(layers: readonly Layer[], flat: Float32Array): Tensor[] {
  return layers
    .flatMap(({ weight, bias }) => [weight, bias])
    .map(({ offset, length, shape }) => np.array(flat.slice(offset, offset + length)).reshape([...shape]))
}

function oneHot(labels: Uint8Array, outputs: number): Tensor {
  const marks = new Float32Array(labels.length * outputs)
  for (let i = 0; i < labels.length; i++) marks[i * outputs + (labels[i] as number)] = 1
  return np.array(marks).reshape([labels.length, outputs])
}

function numbersOf(options: EngineRunInit['optimiser'], step: number): StepNumbers {
  const adam = options.optimiser === 'adam'
  const scalar = (value: number) => np.array(Float32Array.of(value)).reshape([])
  return {
    learningRate: scalar(options.learningRate),
    momentum: scalar(options.momentum),
    proximal: scalar(options.proximal),
    unbiasFirst: scalar(adam ? 1 / (1 - options.momentum ** step) : 1),
    unbiasSecond: scalar(adam ? 1 / (1 - ADAM_DECAY ** step) : 1),
  }
}
