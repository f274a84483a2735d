import { describe, expect, it } from 'vitest'
import { mnistSamples } from '../../testing/mnist.ts'
import { digitFeatures } from './dataset-digit.ts'
import { addToScore, emptyScore } from './evaluation.ts'
import { type Architecture, initialWeights } from './model.ts'
import { ReferenceModel, ReferenceTrainer } from './reference-trainer.ts'

/** A drawing with a filled box of ink. */
function box(width: number, height: number, [x0, y0, x1, y1]: readonly [number, number, number, number]) {
  const grays = new Uint8Array(width * height)
  for (let y = y0; y < y1; y++) grays.fill(255, y * width + x0, y * width + x1)
  return { grays, width, height }
}

describe('digitFeatures', () => {
  it('is null when nothing is drawn', () => {
    expect(digitFeatures(box(10, 10, [0, 0, 0, 0]), 28)).toBeNull()
  })

  it('scales and centres the ink, wherever and however large it was drawn', () => {
    const small = digitFeatures(box(280, 280, [10, 20, 60, 120]), 28)
    const large = digitFeatures(box(280, 280, [100, 60, 200, 260]), 28)
    expect(small).toEqual(large)
    // 20 tall and 10 wide around 14.5: the pixels at its ends are half covered.
    const covered = (at: number, long: number) =>
      Math.max(0, Math.min(at + 1, 14.5 + long / 2) - Math.max(at, 14.5 - long / 2))
    for (let y = 0; y < 28; y++) {
      for (let x = 0; x < 28; x++) expect(small?.[y * 28 + x]).toBeCloseTo(covered(y, 20) * covered(x, 10), 5)
    }
  })

  it('keeps ink that touches the edge of the drawing', () => {
    const features = digitFeatures(box(20, 20, [0, 0, 20, 20]), 14)
    expect(features?.reduce((sum, value) => sum + value, 0)).toBeCloseTo(100, 3)
  })

  it('makes samples that a model of the bundled digits knows, at 14 of 28 pixels', () => {
    const halved = (digits: Float32Array, row: number) =>
      Float32Array.from({ length: 196 }, (_, i) => {
        const at = row * 784 + Math.floor(i / 14) * 56 + (i % 14) * 2
        return [0, 1, 28, 29].reduce((sum, step) => sum + (digits[at + step] as number), 0) / 4
      })
    const train = mnistSamples('train', 3000)
    const test = mnistSamples('t10k', 500)
    const architecture: Architecture = { kind: 'mlp', inputs: 196, hidden: [32], outputs: 10 }
    const model = new ReferenceModel(architecture, { batchMax: 32, precision: 'float32' })
    const start = Float32Array.from(initialWeights(architecture, 1), (weight) => weight / 65536)
    const options = { optimiser: 'sgd', learningRate: 0.1, momentum: 0.9, proximal: 0 } as const
    const trainer = new ReferenceTrainer(model, start, options)
    for (let first = 0; first + 32 <= 6000; first += 32) {
      const rows = Array.from({ length: 32 }, (_, i) => (first + i) % 3000)
      const values = Float32Array.from(rows.flatMap((row) => [...halved(train.values, row)]))
      trainer.step({ values, labels: rows.map((row) => train.labels[row] as number), count: 32 })
    }
    const accuracy = (featuresOf: (row: number) => Float32Array) => {
      const score = emptyScore(10)
      for (let row = 0; row < 500; row++) {
        const logits = model.logits(trainer.weights, featuresOf(row), 1)
        addToScore(score, logits, test.labels.subarray(row, row + 1), 10)
      }
      return score.correct / 500
    }
    const grays = test.values.map((value) => value * 255)
    const redrawn = (row: number) => {
      const drawing = { grays: grays.subarray(row * 784, (row + 1) * 784), width: 28, height: 28 }
      return digitFeatures(drawing, 14) ?? new Float32Array(196)
    }
    const plain = accuracy((row) => halved(test.values, row))
    expect(plain).toBeGreaterThan(0.8)
    expect(accuracy(redrawn)).toBeGreaterThan(plain - 0.03)
  })

  it('gives digits of MNIST back nearly as they are', () => {
    const { values } = mnistSamples('t10k', 50)
    let error = 0
    for (let row = 0; row < 50; row++) {
      const digit = values.subarray(row * 784, (row + 1) * 784)
      const again = digitFeatures({ grays: digit.map((value) => value * 255), width: 28, height: 28 }, 28)
      for (let i = 0; i < 784; i++) error += Math.abs((again?.[i] as number) - (digit[i] as number)) / (50 * 784)
    }
    // Their mean gray is .13. MNIST's were moved by whole pixels, these are not.
    expect(error).toBeLessThan(0.03)
  })
})
