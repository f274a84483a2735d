import { CLASSES, type Digits, PIXELS } from './digits.ts'

export const HIDDEN = 32
const BIAS_1 = PIXELS * HIDDEN
const WEIGHTS_2 = BIAS_1 + HIDDEN
const BIAS_2 = WEIGHTS_2 + HIDDEN * CLASSES
/** d of an MLP 784-32-10. */
export const PARAMETERS = BIAS_2 + CLASSES

/**
 * Softmax cross-entropy of an MLP 784-32-10 with ReLU, by plain loops over the lit pixels. Parameters lie in one vector: first weights by
 * pixel (so that a pixel's 32 are together; aggregation does not mind the order), first biases, second weights by class, second biases.
 */
export class SparseMlp {
  readonly #hidden = new Float64Array(HIDDEN)
  readonly #hiddenDelta = new Float64Array(HIDDEN)
  readonly #scores = new Float64Array(CLASSES)

  /** Adds the gradient of the mean loss over `batch` to `gradient`. */
  addGradient(
    weights: Float32Array,
    digits: Digits,
    options: {
      readonly batch: readonly number[]
      readonly labelOf: (picture: number) => number
      readonly gradient: Float32Array
    },
  ): void {
    const { batch, labelOf, gradient } = options
    const delta = this.#hiddenDelta
    for (const picture of batch) {
      this.#forward(weights, digits, picture)
      softmax(this.#scores)
      const label = labelOf(picture)
      delta.fill(0)
      for (let c = 0; c < CLASSES; c++) {
        const error = ((this.#scores[c] as number) - (c === label ? 1 : 0)) / batch.length
        const row = WEIGHTS_2 + c * HIDDEN
        for (let h = 0; h < HIDDEN; h++) {
          delta[h] = (delta[h] as number) + error * (weights[row + h] as number)
          gradient[row + h] = (gradient[row + h] as number) + error * (this.#hidden[h] as number)
        }
        gradient[BIAS_2 + c] = (gradient[BIAS_2 + c] as number) + error
      }
      for (let h = 0; h < HIDDEN; h++) {
        if ((this.#hidden[h] as number) <= 0) delta[h] = 0
        gradient[BIAS_1 + h] = (gradient[BIAS_1 + h] as number) + (delta[h] as number)
      }
      const end = digits.starts[picture + 1] as number
      for (let at = digits.starts[picture] as number; at < end; at++) {
        const column = (digits.pixels[at] as number) * HIDDEN
        const value = digits.values[at] as number
        for (let h = 0; h < HIDDEN; h++)
          gradient[column + h] = (gradient[column + h] as number) + value * (delta[h] as number)
      }
    }
  }

  /** Share of the pictures whose highest score is their label's. */
  accuracy(weights: Float32Array, digits: Digits): number {
    let right = 0
    for (let picture = 0; picture < digits.count; picture++) {
      this.#forward(weights, digits, picture)
      let best = 0
      for (let c = 1; c < CLASSES; c++) if ((this.#scores[c] as number) > (this.#scores[best] as number)) best = c
      if (best === digits.labels[picture]) right++
    }
    return right / digits.count
  }

  #forward(weights: Float32Array, digits: Digits, picture: number): void {
    const hidden = this.#hidden
    for (let h = 0; h < HIDDEN; h++) hidden[h] = weights[BIAS_1 + h] as number
    const end = digits.starts[picture + 1] as number
    for (let at = digits.starts[picture] as number; at < end; at++) {
      const column = (digits.pixels[at] as number) * HIDDEN
      const value = digits.values[at] as number
      for (let h = 0; h < HIDDEN; h++) hidden[h] = (hidden[h] as number) + value * (weights[column + h] as number)
    }
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
export function initialWeights(uniform: () => number): Float32Array {
  const weights = new Float32Array(PARAMETERS)
  for (let i = 0; i < PARAMETERS; i++) {
    const inputs = i < WEIGHTS_2 ? PIXELS : HIDDEN
    weights[i] = (2 * uniform() - 1) / Math.sqrt(inputs)
  }
  return weights
}
