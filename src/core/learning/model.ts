import { LimitExceededError } from '../codec/errors.ts'
import { seededRng } from '../tasks/rng.ts'
import { InvalidModelError } from './errors.ts'
import { LAYER_WIDTH_MAX, LAYERS_MAX, MODEL_PARAMETERS_MAX, PICTURE_SIDE_MAX } from './limits.ts'

/** Fully connected layers with ReLU between them; `hidden: []` is logistic regression. */
export interface MlpArchitecture {
  readonly kind: 'mlp'
  /** Features of one sample. */
  readonly inputs: number
  /** Width of each hidden layer, first to last. */
  readonly hidden: readonly number[]
  /** Classes. */
  readonly outputs: number
}

/**
 * A small convolutional net on grayscale pictures: for each entry of `filters` a 3×3 convolution (zero padding, stride 1), ReLU and 2×2 mean
 * pooling; then one hidden dense layer with ReLU, then the outputs. Mean pooling has no ties, so its gradient is one thing everywhere.
 */
export interface ConvArchitecture {
  readonly kind: 'conv'
  /** Pixels; both sides divisible by 2 once for each entry of `filters`. */
  readonly width: number
  readonly height: number
  /** Channels that each convolution makes. */
  readonly filters: readonly number[]
  readonly hidden: number
  readonly outputs: number
}

/** What a learning task trains. The loss is always softmax cross-entropy, mean over the batch. */
export type Architecture = MlpArchitecture | ConvArchitecture

/** One tensor in the flat vector of parameters; named and shaped as PyTorch does. */
export interface TensorSpec {
  readonly name: string
  /** Dense weights `[outputs, inputs]`, convolution weights `[outputs, inputs, 3, 3]`, biases `[outputs]`; row-major. */
  readonly shape: readonly number[]
  readonly offset: number
  readonly length: number
}

/** A dense layer; `relu` is false for the last. */
export interface DenseLayer {
  readonly kind: 'dense'
  readonly inputs: number
  readonly outputs: number
  readonly relu: boolean
  readonly weight: TensorSpec
  readonly bias: TensorSpec
}

/** A 3×3 convolution of `width` × `height` pictures, ReLU, and 2×2 mean pooling to half of each side. */
export interface ConvLayer {
  readonly kind: 'conv'
  readonly inputs: number
  readonly outputs: number
  readonly width: number
  readonly height: number
  readonly weight: TensorSpec
  readonly bias: TensorSpec
}

export type Layer = DenseLayer | ConvLayer

/** 3×3. */
export const KERNEL_SIDE = 3

/** Features of one sample. */
export function inputsOf(architecture: Architecture): number {
  return architecture.kind === 'mlp' ? architecture.inputs : architecture.width * architecture.height
}

/**
 * The layers in order, each with the place of its tensors in the flat vector: weights row-major, then bias.
 *
 * @throws {@link InvalidModelError} If a size is no whole number of at least 1, or a picture cannot be halved as often as asked.
 * @throws {@link LimitExceededError} If a layer, the number of layers or of parameters is over its limit.
 */
export function layersOf(architecture: Architecture): Layer[] {
  const layers: Layer[] = []
  let offset = 0
  const tensor = (name: string, shape: readonly number[]): TensorSpec => {
    const length = shape.reduce((product, side) => product * side, 1)
    const spec = { name: `layers.${layers.length}.${name}`, shape, offset, length }
    offset += length
    return spec
  }
  const dense = (inputs: number, outputs: number, relu: boolean) =>
    layers.push({
      kind: 'dense',
      inputs,
      outputs,
      relu,
      weight: tensor('weight', [outputs, inputs]),
      bias: tensor('bias', [outputs]),
    })

  checkSizes(architecture)
  let width = inputsOf(architecture)
  if (architecture.kind === 'conv') {
    let channels = 1
    let side = { width: architecture.width, height: architecture.height }
    for (const filters of architecture.filters) {
      const weight = tensor('weight', [filters, channels, KERNEL_SIDE, KERNEL_SIDE])
      const bias = tensor('bias', [filters])
      layers.push({ kind: 'conv', inputs: channels, outputs: filters, ...side, weight, bias })
      channels = filters
      side = { width: side.width / 2, height: side.height / 2 }
    }
    width = channels * side.width * side.height
  }
  const hidden = architecture.kind === 'mlp' ? architecture.hidden : [architecture.hidden]
  for (const outputs of hidden) {
    dense(width, outputs, true)
    width = outputs
  }
  dense(width, architecture.outputs, false)
  if (offset > MODEL_PARAMETERS_MAX) throw tooMany('parameters', offset, MODEL_PARAMETERS_MAX)
  return layers
}

/** All tensors, in the order of the flat vector. */
export function tensorsOf(architecture: Architecture): TensorSpec[] {
  return layersOf(architecture).flatMap(({ weight, bias }) => [weight, bias])
}

/** Length of the flat vector: `d` in the rules of aggregation. */
export function parameterCount(architecture: Architecture): number {
  const last = tensorsOf(architecture).at(-1)
  return last === undefined ? 0 : last.offset + last.length
}

/**
 * First weights, I16F16: biases zero, weights uniform in ±√(6 / inputs).
 *
 * Source: He et al. 2015, "Delving Deep into Rectifiers", uniform form. Uses only exactly rounded arithmetic: one seed, one vector.
 *
 * @param seed - Any safe integer.
 */
export function initialWeights(architecture: Architecture, seed: number): Int32Array {
  const rng = seededRng(seed)
  const weights = new Int32Array(parameterCount(architecture))
  for (const layer of layersOf(architecture)) {
    const inputs = layer.kind === 'conv' ? layer.inputs * KERNEL_SIDE ** 2 : layer.inputs
    const bound = Math.floor(Math.sqrt(6 / inputs) * 65536)
    const { offset, length } = layer.weight
    for (let i = offset; i < offset + length; i++) weights[i] = rng.below(2 * bound + 1) - bound
  }
  return weights
}

function checkSizes(architecture: Architecture): void {
  const { kind, outputs } = architecture
  if (kind !== 'mlp' && kind !== 'conv')
    throw new InvalidModelError(`Architecture ${String(kind)} is not known`, { kind })
  size('outputs', outputs, 2)
  if (kind === 'mlp') {
    size('inputs', architecture.inputs, 1)
    if (architecture.hidden.length >= LAYERS_MAX) throw tooMany('hidden', architecture.hidden.length, LAYERS_MAX - 1)
    for (const width of architecture.hidden) size('hidden', width, 1)
    return
  }
  const { width, height, filters, hidden } = architecture
  size('hidden', hidden, 1)
  if (filters.length === 0 || filters.length > LAYERS_MAX - 2) throw tooMany('filters', filters.length, LAYERS_MAX - 2)
  for (const channels of filters) size('filters', channels, 1)
  for (const [field, side] of [['width', width] as const, ['height', height] as const]) {
    size(field, side, 1)
    if (side > PICTURE_SIDE_MAX) throw tooMany(field, side, PICTURE_SIDE_MAX)
    if (side % 2 ** filters.length !== 0) {
      throw new InvalidModelError(`Picture ${field} ${side} cannot be halved ${filters.length} times`, {
        field,
        value: side,
        limit: filters.length,
      })
    }
  }
}

function size(field: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InvalidModelError(`Field ${field} of the architecture is ${value}, limit ${least} at least, whole`, {
      field,
      value,
      limit: least,
    })
  }
  if (value > LAYER_WIDTH_MAX) throw tooMany(field, value, LAYER_WIDTH_MAX)
}

function tooMany(field: string, value: number, limit: number): LimitExceededError {
  return new LimitExceededError(`Architecture has ${field} ${value}, limit ${limit}`, { field, value, limit })
}
