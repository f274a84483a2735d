/**
 * The model in jax-js: arrays are owned, and every use but the last takes a `ref`. Importing this module starts jax-js; see
 * {@link import('./load-jax.ts').loadJax} for what must be done first.
 */
import { lax, nn, numpy as np, type numpy, tree, valueAndGrad } from '@jax-js/jax'
import type { Layer } from '../../core/learning/model.ts'
import { ADAM_DECAY, ADAM_EPSILON } from '../../core/learning/reference-trainer.ts'

type Tensor = numpy.Array

/** What a run keeps on the device between steps. A type, not an interface: jax-js walks it as a tree. */
export type RunState = {
  /** Weight and bias of each layer, in the order of the flat vector. */
  readonly weights: Tensor[]
  /** Momentum; and, of Adam only, the mean squares. */
  readonly first: Tensor[]
  readonly second: Tensor[]
}

/** Numbers that a step takes without being compiled anew; scalars on the device. */
export type StepNumbers = {
  readonly learningRate: Tensor
  readonly momentum: Tensor
  readonly proximal: Tensor
  /** Adam's `1 / (1 − βᵗ)`; 1 for SGD. */
  readonly unbiasFirst: Tensor
  readonly unbiasSecond: Tensor
}

/** Outputs before softmax. Consumes its arrays. */
export function logitsOf(layers: readonly Layer[], weights: readonly Tensor[], values: Tensor, count: number): Tensor {
  let signal = values
  for (const [i, layer] of layers.entries()) {
    const weight = weights[2 * i] as Tensor
    const bias = weights[2 * i + 1] as Tensor
    if (layer.kind === 'dense') {
      signal = np.matmul(signal.reshape([count, layer.inputs]), weight.transpose()).add(bias)
      if (layer.relu) signal = nn.relu(signal)
    } else {
      const { inputs, outputs, width, height } = layer
      const maps = lax.conv(signal.reshape([count, inputs, height, width]), weight, [1, 1], 'SAME')
      const active = nn.relu(maps.add(bias.reshape([outputs, 1, 1])))
      signal = active.reshape([count, outputs, height / 2, 2, width / 2, 2]).mean([3, 5])
    }
  }
  return signal
}

/** Makes the function of one step: new state, and the loss of the batch before it. */
export function stepFunction(layers: readonly Layer[], count: number, optimiser: 'sgd' | 'adam') {
  const loss = (weights: Tensor[], values: Tensor, oneHot: Tensor) =>
    nn
      .logSoftmax(logitsOf(layers, weights, values, count))
      .mul(oneHot)
      .sum()
      .mul(-1 / count)
  const slopes = valueAndGrad(loss)
  return (state: RunState, start: Tensor[], numbers: StepNumbers, values: Tensor, oneHot: Tensor) => {
    const { learningRate, momentum, proximal, unbiasFirst, unbiasSecond } = numbers
    const [value, gradient] = slopes(tree.ref(state.weights), values, oneHot) as [Tensor, Tensor[]]
    const weights: Tensor[] = []
    const first: Tensor[] = []
    const second: Tensor[] = []
    for (const [i, weight] of state.weights.entries()) {
      const pull = weight.ref.sub(start[i] as Tensor).mul(proximal.ref)
      const slope = (gradient[i] as Tensor).add(pull)
      const memory = (state.first[i] as Tensor).mul(momentum.ref)
      if (optimiser === 'sgd') {
        const speed = memory.add(slope)
        first.push(speed.ref)
        weights.push(weight.sub(speed.mul(learningRate.ref)))
        continue
      }
      const mean = memory.add(slope.ref.mul(np.subtract(1, momentum.ref)))
      const square = (state.second[i] as Tensor).mul(ADAM_DECAY).add(np.square(slope).mul(1 - ADAM_DECAY))
      first.push(mean.ref)
      second.push(square.ref)
      const speed = mean.mul(unbiasFirst.ref)
      const spread = np.sqrt(square.mul(unbiasSecond.ref)).add(ADAM_EPSILON)
      weights.push(weight.sub(speed.div(spread).mul(learningRate.ref)))
    }
    tree.dispose(numbers)
    return { state: { weights, first, second }, loss: value }
  }
}
