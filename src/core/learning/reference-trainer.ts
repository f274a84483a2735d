import { invariant } from '../codec/errors.ts'
import { type Architecture, inputsOf, type Layer, layersOf, parameterCount } from './model.ts'
import { convBackward, convForward, denseBackward, denseForward, type Vector } from './reference-layers.ts'

/** A batch: `count` samples and their classes. */
export interface Batch {
  /** Row-major, `count × inputs`. */
  readonly values: Vector
  readonly labels: ArrayLike<number>
  readonly count: number
}

/** How weights follow gradients. */
export interface OptimiserOptions {
  readonly optimiser: 'sgd' | 'adam'
  readonly learningRate: number
  /** Of SGD: 0 is plain. Of Adam: β₁. */
  readonly momentum: number
  /** FedProx μ: the gradient of μ/2 · ‖w − wᵗ‖², which is μ(w − wᵗ), is added. */
  readonly proximal: number
}

/** Adam's β₂ and ε, as its paper proposes them. */
export const ADAM_DECAY = 0.999
export const ADAM_EPSILON = 1e-8

/** What a layer leaves for its backward pass. */
interface LayerRoom {
  readonly layer: Layer
  readonly output: Vector
  readonly delta: Vector
  /** Of a convolution: its maps before pooling, and room for their gradient. */
  readonly maps: Vector
  readonly mapsDelta: Vector
}

/**
 * Loss, gradient and scores of a model by plain loops, in buffers that are made once. Deterministic on one engine; not across engines,
 * whose `Math.exp` differ.
 */
export class ReferenceModel {
  readonly architecture: Architecture
  readonly #rooms: readonly LayerRoom[]
  readonly #inputs: number
  readonly #batchMax: number
  readonly #make: (length: number) => Vector

  /**
   * @param options.batchMax - Most samples of one call.
   * @param options.precision - Of the values between the layers; sums are 64-bit in any case.
   * @throws {@link InvalidModelError} If the architecture cannot be built.
   */
  constructor(
    architecture: Architecture,
    options: { readonly batchMax: number; readonly precision: 'float32' | 'float64' },
  ) {
    const { batchMax, precision } = options
    this.architecture = architecture
    this.#inputs = inputsOf(architecture)
    this.#batchMax = batchMax
    this.#make = (length) => (precision === 'float64' ? new Float64Array(length) : new Float32Array(length))
    this.#rooms = layersOf(architecture).map((layer) => {
      const pixels = layer.kind === 'conv' ? layer.outputs * layer.width * layer.height : 0
      const length = batchMax * (layer.kind === 'conv' ? pixels / 4 : layer.outputs)
      return {
        layer,
        output: this.#make(length),
        delta: this.#make(length),
        maps: this.#make(batchMax * pixels),
        mapsDelta: this.#make(batchMax * pixels),
      }
    })
  }

  /**
   * Outputs before softmax, `count × outputs`. The view is valid until the next call.
   */
  logits(weights: Vector, values: Vector, count: number): Vector {
    invariant(count <= this.#batchMax, `a batch of ${count} fits in ${this.#batchMax}`)
    invariant(values.length >= count * this.#inputs, 'a batch has all its values')
    let input = values
    for (const { layer, output, maps } of this.#rooms) {
      if (layer.kind === 'dense') denseForward(layer, weights, input, output, count)
      else convForward(layer, weights, { input, maps, output }, count)
      input = output
    }
    return input.subarray(0, count * this.architecture.outputs)
  }

  /** Mean cross-entropy of a batch, nats. */
  loss(weights: Vector, batch: Batch): number {
    return crossEntropy(this.logits(weights, batch.values, batch.count), batch, this.architecture.outputs, null)
  }

  /**
   * Mean cross-entropy of a batch, and its gradient by every parameter.
   *
   * @param gradient - Overwritten; as long as the parameters.
   */
  gradient(weights: Vector, batch: Batch, gradient: Vector): number {
    const logits = this.logits(weights, batch.values, batch.count)
    const last = this.#rooms.at(-1)
    invariant(last !== undefined, 'a model has a layer')
    const loss = crossEntropy(logits, batch, this.architecture.outputs, last.delta)
    gradient.fill(0)
    for (let i = this.#rooms.length - 1; i >= 0; i--) {
      const { layer, output, delta, maps, mapsDelta } = this.#rooms[i] as LayerRoom
      const below = this.#rooms[i - 1]
      const input = below?.output ?? batch.values
      const inputDelta = below?.delta ?? null
      if (layer.kind === 'dense') {
        denseBackward(layer, weights, { input, output, delta, inputDelta }, gradient, batch.count)
      } else convBackward(layer, weights, { input, maps, delta, mapsDelta, inputDelta }, gradient, batch.count)
    }
    return loss
  }
}

/**
 * Local steps of one round, from a gradient with FedProx's proximal term `g += μ(w − wᵗ)`:
 * SGD with momentum `v = βv + g; w −= ηv`, or Adam.
 *
 * Source: Li et al. 2020, "Federated Optimization in Heterogeneous Networks", eq. 2; Kingma and Ba 2015, "Adam", algorithm 1.
 */
export class ReferenceTrainer {
  /** Local weights, in units of weights. */
  readonly weights: Vector
  readonly #model: ReferenceModel
  readonly #start: Vector
  readonly #first: Vector
  readonly #second: Vector
  readonly #gradient: Vector
  readonly #options: OptimiserOptions
  #steps = 0

  /** @param start - The round's global weights wᵗ, in units of weights; copied. */
  constructor(model: ReferenceModel, start: Vector, options: OptimiserOptions) {
    invariant(start.length === parameterCount(model.architecture), 'weights fit their architecture')
    this.#model = model
    this.#options = options
    this.#start = start.slice()
    this.weights = start.slice()
    this.#first = start.slice().fill(0)
    this.#second = options.optimiser === 'adam' ? start.slice().fill(0) : start.slice(0, 0)
    this.#gradient = start.slice()
  }

  /** One step; gives the batch's loss before it. */
  step(batch: Batch): number {
    const loss = this.#model.gradient(this.weights, batch, this.#gradient)
    this.#steps++
    if (this.#options.optimiser === 'adam') this.#adam()
    else this.#sgd()
    return loss
  }

  #sgd(): void {
    const { learningRate, momentum, proximal } = this.#options
    const [weights, start, velocity, gradient] = [this.weights, this.#start, this.#first, this.#gradient]
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i] as number
      const slope = (gradient[i] as number) + proximal * (weight - (start[i] as number))
      const speed = momentum * (velocity[i] as number) + slope
      velocity[i] = speed
      weights[i] = weight - learningRate * speed
    }
  }

  #adam(): void {
    const { learningRate, momentum, proximal } = this.#options
    const [weights, start, first, second, gradient] = [
      this.weights,
      this.#start,
      this.#first,
      this.#second,
      this.#gradient,
    ]
    const unbiasFirst = 1 / (1 - momentum ** this.#steps)
    const unbiasSecond = 1 / (1 - ADAM_DECAY ** this.#steps)
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i] as number
      const slope = (gradient[i] as number) + proximal * (weight - (start[i] as number))
      const mean = momentum * (first[i] as number) + (1 - momentum) * slope
      const square = ADAM_DECAY * (second[i] as number) + (1 - ADAM_DECAY) * slope * slope
      first[i] = mean
      second[i] = square
      weights[i] = weight - (learningRate * unbiasFirst * mean) / (Math.sqrt(unbiasSecond * square) + ADAM_EPSILON)
    }
  }
}

/**
 * Mean of `−log softmax(logits)[label]`, nats, by the shifted form that does not overflow.
 *
 * @param delta - Receives the gradient by the logits, `(softmax − one-hot) / count`; or `null`.
 */
function crossEntropy(logits: Vector, batch: Batch, outputs: number, delta: Vector | null): number {
  let total = 0
  for (let b = 0; b < batch.count; b++) {
    const row = b * outputs
    const label = batch.labels[b] as number
    invariant(label < outputs, 'a label is one of the outputs')
    let most = Number.NEGATIVE_INFINITY
    for (let j = 0; j < outputs; j++) most = Math.max(most, logits[row + j] as number)
    let sum = 0
    for (let j = 0; j < outputs; j++) sum += Math.exp((logits[row + j] as number) - most)
    total += Math.log(sum) + most - (logits[row + label] as number)
    if (delta === null) continue
    for (let j = 0; j < outputs; j++) {
      const share = Math.exp((logits[row + j] as number) - most) / sum
      delta[row + j] = (share - (j === label ? 1 : 0)) / batch.count
    }
  }
  return total / batch.count
}
