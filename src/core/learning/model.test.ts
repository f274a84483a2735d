import { describe, expect, it } from 'vitest'
import { type Architecture, initialWeights, layersOf, parameterCount, tensorsOf } from './model.ts'

const MLP: Architecture = { kind: 'mlp', inputs: 784, hidden: [32], outputs: 10 }
const CONV: Architecture = { kind: 'conv', width: 28, height: 28, filters: [8, 16], hidden: 32, outputs: 10 }

describe('layersOf', () => {
  it('lays tensors out by layer, weights before bias', () => {
    expect(tensorsOf(MLP)).toEqual([
      { name: 'layers.0.weight', shape: [32, 784], offset: 0, length: 25_088 },
      { name: 'layers.0.bias', shape: [32], offset: 25_088, length: 32 },
      { name: 'layers.1.weight', shape: [10, 32], offset: 25_120, length: 320 },
      { name: 'layers.1.bias', shape: [10], offset: 25_440, length: 10 },
    ])
    expect(parameterCount(MLP)).toBe(25_450)
  })

  it('halves pictures after each convolution', () => {
    expect(tensorsOf(CONV).map(({ shape }) => shape)).toEqual([
      [8, 1, 3, 3],
      [8],
      [16, 8, 3, 3],
      [16],
      [32, 16 * 7 * 7],
      [32],
      [10, 32],
      [10],
    ])
  })

  it.each([
    ['no inputs', { ...MLP, inputs: 0 }, 'InvalidModelError'],
    ['half an input', { ...MLP, inputs: 0.5 }, 'InvalidModelError'],
    ['one output', { ...MLP, outputs: 1 }, 'InvalidModelError'],
    ['NaN hidden units', { ...MLP, hidden: [Number.NaN] }, 'InvalidModelError'],
    ['too wide a layer', { ...MLP, inputs: 65_537, hidden: [] }, 'LimitExceededError'],
    ['too many layers', { ...MLP, hidden: Array(8).fill(2) }, 'LimitExceededError'],
    ['too many parameters', { ...MLP, hidden: [1300] }, 'LimitExceededError'],
    ['a side that cannot be halved', { ...CONV, width: 30 }, 'InvalidModelError'],
    ['no filters', { ...CONV, filters: [] }, 'LimitExceededError'],
    ['too large a picture', { ...CONV, width: 260 }, 'LimitExceededError'],
    ['an unknown kind', { ...MLP, kind: 'transformer' }, 'InvalidModelError'],
  ])('refuses %s', (_, architecture, name) => {
    expect(() => layersOf(architecture as Architecture)).toThrow(expect.objectContaining({ name }))
  })
})

describe('initialWeights', () => {
  it('are the same for a seed, zero for biases, and within He bounds', () => {
    const weights = initialWeights(MLP, 1)
    expect(initialWeights(MLP, 1)).toEqual(weights)
    expect(initialWeights(MLP, 2)).not.toEqual(weights)
    const bound = Math.sqrt(6 / 784) * 65536
    const first = weights.subarray(0, 25_088)
    expect(Math.max(...first.subarray(0, 10_000))).toBeLessThanOrEqual(bound)
    const variance = first.reduce((sum, weight) => sum + (weight / 65536) ** 2, 0) / first.length
    expect(variance).toBeGreaterThan(0.95 * (2 / 784))
    expect(variance).toBeLessThan(1.05 * (2 / 784))
    expect(weights.subarray(25_088, 25_120).every((bias) => bias === 0)).toBe(true)
  })
})
