import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addToScore, emptyScore } from '../../src/core/learning/evaluation.ts'
import { FIXED_ONE, toFixedVector } from '../../src/core/learning/fixed.ts'
import type { LabLearner, LabScore } from '../../src/core/learning/lab.ts'
import type { Rng } from '../../src/core/tasks/rng.ts'
import { CLASSES, type Digits, PIXELS } from './digits.ts'

export const HIDDEN = 32
const BIAS_1 = PIXELS * HIDDEN
const WEIGHTS_2 = BIAS_1 + HIDDEN
const BIAS_2 = WEIGHTS_2 + HIDDEN * CLASSES
/** d of an MLP 784-32-10. */
export const PARAMETERS = BIAS_2 + CLASSES

const FLOAT_BYTES = 4
const PIXEL_BYTES = 2
const PAGE_BYTES = 65_536
const UNIFORM_STEPS = 2 ** 32
const COMPILER = join(import.meta.dirname, '../../node_modules/assemblyscript/bin/asc.js')

interface Layer {
  readonly memory: WebAssembly.Memory
  forward(pixels: number, values: number, first: number, end: number, columns: number, hidden: number): void
  backward(pixels: number, values: number, first: number, end: number, columns: number, delta: number): void
}

/** Compiles the first layer's loops; done once, by whoever starts the experiments. */
export function compileLayer(): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), 'starling-layer-'))
  try {
    const output = join(folder, 'layer.wasm')
    const source = join(import.meta.dirname, 'assembly', 'layer.ts')
    const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--enable', 'simd']
    execFileSync(process.execPath, [COMPILER, source, '-o', output, ...flags], { stdio: 'inherit' })
    return Uint8Array.from(readFileSync(output))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Pictures in the layer's memory. */
interface Shelf {
  readonly digits: Digits
  readonly pixels: number
  readonly values: number
}

/**
 * Softmax cross-entropy of an MLP 784-32-10 with ReLU. Parameters lie in one vector: first weights by pixel (so that a pixel's 32 are
 * together; aggregation does not mind the order), first biases, second weights by class, second biases.
 */
export class SparseMlp implements LabLearner {
  readonly parametersCount = PARAMETERS
  readonly classes = CLASSES
  readonly labels: Uint8Array
  readonly #layer: Layer
  readonly #train: Shelf
  readonly #test: Shelf
  readonly #hiddenAt: number
  readonly #deltaAt: number
  readonly #weightsAt: number
  readonly #gradientAt: number
  readonly #hidden: Float32Array
  readonly #delta: Float32Array
  readonly #scores = new Float64Array(CLASSES)
  readonly #weights: Float32Array
  readonly #gradient: Float32Array

  constructor(layer: Uint8Array<ArrayBuffer>, train: Digits, test: Digits) {
    this.labels = train.labels
    // A module does not tell the types of its exports; those of assembly/layer.ts are these.
    const exports = new WebAssembly.Instance(new WebAssembly.Module(layer)).exports as unknown as Layer
    this.#layer = exports
    let next = PAGE_BYTES
    const room = (bytes: number): number => {
      const at = next
      next += Math.ceil(bytes / 64) * 64
      return at
    }
    this.#hiddenAt = room(HIDDEN * FLOAT_BYTES)
    this.#deltaAt = room(HIDDEN * FLOAT_BYTES)
    this.#weightsAt = room(PARAMETERS * FLOAT_BYTES)
    this.#gradientAt = room(PARAMETERS * FLOAT_BYTES)
    const shelf = (digits: Digits): Shelf => ({
      digits,
      pixels: room(digits.pixels.length * PIXEL_BYTES),
      values: room(digits.values.length * FLOAT_BYTES),
    })
    this.#train = shelf(train)
    this.#test = shelf(test)
    const { memory } = exports
    memory.grow(Math.ceil((next - memory.buffer.byteLength) / PAGE_BYTES))
    for (const { digits, pixels, values } of [this.#train, this.#test]) {
      new Uint16Array(memory.buffer, pixels).set(digits.pixels)
      new Float32Array(memory.buffer, values).set(digits.values)
    }
    this.#hidden = new Float32Array(memory.buffer, this.#hiddenAt, HIDDEN)
    this.#delta = new Float32Array(memory.buffer, this.#deltaAt, HIDDEN)
    this.#weights = new Float32Array(memory.buffer, this.#weightsAt, PARAMETERS)
    this.#gradient = new Float32Array(memory.buffer, this.#gradientAt, PARAMETERS)
  }

  firstModel(rng: Rng): Int32Array {
    return toFixedVector(initialWeights(() => rng.below(UNIFORM_STEPS) / UNIFORM_STEPS))
  }

  load(model: Int32Array): void {
    for (let i = 0; i < model.length; i++) this.#weights[i] = (model[i] as number) / FIXED_ONE
  }

  gradient(batch: readonly number[], labelOf: (picture: number) => number): Float32Array {
    const [weights, gradient] = [this.#weights, this.#gradient]
    gradient.fill(0)
    const [hidden, delta, scores] = [this.#hidden, this.#delta, this.#scores]
    const { digits, pixels, values } = this.#train
    for (const picture of batch) {
      this.#forward(this.#train, picture)
      softmax(scores)
      const label = labelOf(picture)
      delta.fill(0)
      for (let c = 0; c < CLASSES; c++) {
        const error = ((scores[c] as number) - (c === label ? 1 : 0)) / batch.length
        const row = WEIGHTS_2 + c * HIDDEN
        for (let h = 0; h < HIDDEN; h++) {
          delta[h] = (delta[h] as number) + error * (weights[row + h] as number)
          gradient[row + h] = (gradient[row + h] as number) + error * (hidden[h] as number)
        }
        gradient[BIAS_2 + c] = (gradient[BIAS_2 + c] as number) + error
      }
      for (let h = 0; h < HIDDEN; h++) {
        if ((hidden[h] as number) <= 0) delta[h] = 0
        gradient[BIAS_1 + h] = (gradient[BIAS_1 + h] as number) + (delta[h] as number)
      }
      const first = digits.starts[picture] as number
      const end = digits.starts[picture + 1] as number
      this.#layer.backward(pixels, values, first, end, this.#gradientAt, this.#deltaAt)
    }
    return gradient
  }

  /** Share of the test pictures whose highest score is their label's, and the mean loss. */
  score(): LabScore {
    const { digits } = this.#test
    const score = emptyScore(CLASSES)
    const label = new Uint8Array(1)
    for (let picture = 0; picture < digits.count; picture++) {
      this.#forward(this.#test, picture)
      label[0] = digits.labels[picture] as number
      addToScore(score, this.#scores, label, CLASSES)
    }
    return { accuracy: score.correct / score.samples, loss: score.lossSum / score.samples }
  }

  /** Leaves the hidden values and the scores of one picture. */
  #forward({ digits, pixels, values }: Shelf, picture: number): void {
    const weights = this.#weights
    const hidden = this.#hidden
    for (let h = 0; h < HIDDEN; h++) hidden[h] = weights[BIAS_1 + h] as number
    const first = digits.starts[picture] as number
    const end = digits.starts[picture + 1] as number
    this.#layer.forward(pixels, values, first, end, this.#weightsAt, this.#hiddenAt)
    for (let h = 0; h < HIDDEN; h++) if ((hidden[h] as number) < 0) hidden[h] = 0
    for (let c = 0; c < CLASSES; c++) {
      let sum = weights[BIAS_2 + c] as number
      const row = WEIGHTS_2 + c * HIDDEN
      for (let h = 0; h < HIDDEN; h++) sum += (hidden[h] as number) * (weights[row + h] as number)
      this.#scores[c] = sum
    }
  }
}

function softmax(scores: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY
  for (const score of scores) most = Math.max(most, score)
  let sum = 0
  for (let c = 0; c < scores.length; c++) {
    const power = Math.exp((scores[c] as number) - most)
    scores[c] = power
    sum += power
  }
  for (let c = 0; c < scores.length; c++) scores[c] = (scores[c] as number) / sum
}

/** Uniform within ±√(1/inputs), biases included, as PyTorch's linear layer starts. */
function initialWeights(uniform: () => number): Float64Array {
  const weights = new Float64Array(PARAMETERS)
  for (let i = 0; i < PARAMETERS; i++) {
    const inputs = i < WEIGHTS_2 ? PIXELS : HIDDEN
    weights[i] = (2 * uniform() - 1) / Math.sqrt(inputs)
  }
  return weights
}
