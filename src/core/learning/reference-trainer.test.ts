/**
 * Goal: the oracle itself is right. Method: its gradients against central differences in 64 bits, and its steps against their formulas.
 */
import { describe, expect, it } from 'vitest'
import { seededRng } from '../tasks/rng.ts'
import { type Architecture, initialWeights, inputsOf, parameterCount } from './model.ts'
import { ReferenceModel, ReferenceTrainer } from './reference-trainer.ts'

const ARCHITECTURES: readonly Architecture[] = [
  { kind: 'mlp', inputs: 5, hidden: [], outputs: 3 },
  { kind: 'mlp', inputs: 6, hidden: [7, 4], outputs: 3 },
  { kind: 'conv', width: 8, height: 4, filters: [3], hidden: 5, outputs: 3 },
  { kind: 'conv', width: 8, height: 8, filters: [2, 3], hidden: 6, outputs: 4 },
]

function batchOf(architecture: Architecture, count: number, seed: number) {
  const rng = seededRng(seed)
  const values = Float64Array.from({ length: count * inputsOf(architecture) }, () => rng.below(2001) / 1000 - 1)
  const labels = Uint8Array.from({ length: count }, () => rng.below(architecture.outputs))
  return { values, labels, count }
}

/** First weights, and biases that are not zero: at zero ReLU has a kink. */
function weightsOf(architecture: Architecture, seed: number): Float64Array {
  const rng = seededRng(seed)
  return Float64Array.from(
    initialWeights(architecture, seed),
    (value) => value / 65536 + (rng.below(2001) - 1000) / 1e5,
  )
}

describe('ReferenceModel', () => {
  for (const architecture of ARCHITECTURES) {
    it(`gradient of ${JSON.stringify(architecture)} agrees with central differences`, () => {
      const model = new ReferenceModel(architecture, { batchMax: 4, precision: 'float64' })
      const weights = weightsOf(architecture, 11)
      const batch = batchOf(architecture, 4, 12)
      const gradient = new Float64Array(weights.length)
      const loss = model.gradient(weights, batch, gradient)
      expect(loss).toBe(model.loss(weights, batch))
      const step = 1e-6
      let worst = 0
      for (let i = 0; i < weights.length; i++) {
        const kept = weights[i] as number
        weights[i] = kept + step
        const above = model.loss(weights, batch)
        weights[i] = kept - step
        const below = model.loss(weights, batch)
        weights[i] = kept
        worst = Math.max(worst, Math.abs((above - below) / (2 * step) - (gradient[i] as number)))
      }
      expect(worst).toBeLessThan(1e-8)
      expect(Math.max(...gradient)).toBeGreaterThan(1e-3)
    })
  }

  it('loss of equal logits is ln(classes)', () => {
    const architecture: Architecture = { kind: 'mlp', inputs: 3, hidden: [], outputs: 10 }
    const model = new ReferenceModel(architecture, { batchMax: 2, precision: 'float64' })
    const weights = new Float64Array(parameterCount(architecture))
    expect(model.loss(weights, batchOf(architecture, 2, 1))).toBeCloseTo(Math.log(10), 14)
  })

  it('loss of huge logits stays finite', () => {
    const architecture: Architecture = { kind: 'mlp', inputs: 1, hidden: [], outputs: 2 }
    const model = new ReferenceModel(architecture, { batchMax: 1, precision: 'float64' })
    const weights = Float64Array.of(1e6, -1e6, 0, 0)
    expect(model.loss(weights, { values: Float64Array.of(1), labels: [1], count: 1 })).toBe(2e6)
  })
})

describe('ReferenceTrainer', () => {
  const architecture: Architecture = { kind: 'mlp', inputs: 4, hidden: [3], outputs: 2 }
  const model = new ReferenceModel(architecture, { batchMax: 3, precision: 'float64' })
  const start = weightsOf(architecture, 5)
  const batch = batchOf(architecture, 3, 6)

  it('step is plain SGD without momentum and proximal term', () => {
    const trainer = new ReferenceTrainer(model, start, {
      optimiser: 'sgd',
      learningRate: 0.1,
      momentum: 0,
      proximal: 0,
    })
    const gradient = new Float64Array(start.length)
    model.gradient(start, batch, gradient)
    trainer.step(batch)
    for (let i = 0; i < start.length; i++) {
      expect(trainer.weights[i]).toBe((start[i] as number) - 0.1 * (gradient[i] as number))
    }
  })

  it('step adds the proximal gradient μ(w − wᵗ) and keeps momentum', () => {
    const [learningRate, momentum, proximal] = [0.1, 0.9, 0.5]
    const trainer = new ReferenceTrainer(model, start, { optimiser: 'sgd', learningRate, momentum, proximal })
    trainer.step(batch)
    const once = trainer.weights.slice()
    const first = new Float64Array(start.length)
    const second = new Float64Array(start.length)
    model.gradient(start, batch, first)
    model.gradient(once, batch, second)
    trainer.step(batch)
    for (let i = 0; i < start.length; i++) {
      const pull = proximal * ((once[i] as number) - (start[i] as number))
      const speed = momentum * (first[i] as number) + (second[i] as number) + pull
      expect(trainer.weights[i]).toBeCloseTo((once[i] as number) - learningRate * speed, 14)
    }
  })

  it('a strong proximal term keeps the weights near the start', () => {
    const distance = (proximal: number) => {
      const trainer = new ReferenceTrainer(model, start, {
        optimiser: 'sgd',
        learningRate: 0.05,
        momentum: 0,
        proximal,
      })
      for (let i = 0; i < 200; i++) trainer.step(batch)
      return Math.hypot(...trainer.weights.map((weight, i) => weight - (start[i] as number)))
    }
    expect(distance(10)).toBeLessThan(distance(0) / 5)
  })

  it("Adam's first step moves each weight by the learning rate against its gradient, whatever its size", () => {
    const trainer = new ReferenceTrainer(model, start, {
      optimiser: 'adam',
      learningRate: 0.01,
      momentum: 0.9,
      proximal: 0,
    })
    const gradient = new Float64Array(start.length)
    model.gradient(start, batch, gradient)
    trainer.step(batch)
    for (let i = 0; i < start.length; i++) {
      if (Math.abs(gradient[i] as number) < 1e-4) continue
      expect((start[i] as number) - (trainer.weights[i] as number)).toBeCloseTo(
        0.01 * Math.sign(gradient[i] as number),
        5,
      )
    }
  })
})
