import type { PeerId } from '../../src/core/codec/ids.ts'
import { aggregate } from '../../src/core/learning/aggregate.ts'
import type { AggregationKernel } from '../../src/core/learning/aggregate-kernel.ts'
import { type Attack, flippedLabel, hostileUpdate } from '../../src/core/learning/attacks.ts'
import { addFixed, fromFixedVector, toFixedVector } from '../../src/core/learning/fixed.ts'
import { type AggregationRule, initialState } from '../../src/core/learning/rules.ts'
import { seededRng } from '../../src/core/tasks/rng.ts'
import { CLASSES, type Digits } from './digits.ts'
import { initialWeights, PARAMETERS, SparseMlp } from './sparse-mlp.ts'
import { splitAmong } from './split.ts'

/** One cell of the table: everything its figure depends on. */
export interface Experiment {
  readonly rule: AggregationRule
  readonly attack: Attack
  /** Dirichlet concentration; null is IID. */
  readonly alpha: number | null
  readonly seed: number
}

/** What all cells share. */
export interface ExperimentTerms {
  readonly peers: number
  /** The first so many by peer id, so that ties are theirs. They are honest under `none`. */
  readonly hostile: number
  readonly rounds: number
  readonly batch: number
  readonly learningRate: number
  /** Of each peer's momentum, m ← βm + (1 − β)g: what a peer sends is −rate · m. */
  readonly momentum: number
}

export interface ExperimentData {
  readonly train: Digits
  readonly test: Digits
  readonly kernel: AggregationKernel
}

const UNIFORM_STEPS = 2 ** 32

/** Trains from nothing and returns the test accuracy. The same result for the same terms on the same engine. */
export function runExperiment(experiment: Experiment, terms: ExperimentTerms, data: ExperimentData): number {
  const { rule, attack, alpha, seed } = experiment
  const { train } = data
  const rng = seededRng(seed)
  const parts = splitAmong(train.labels, terms.peers, alpha, rng)
  let model = toFixedVector(initialWeights(() => rng.below(UNIFORM_STEPS) / UNIFORM_STEPS))
  const mlp = new SparseMlp()
  const momenta = parts.map(() => new Float32Array(PARAMETERS))
  const gradient = new Float32Array(PARAMETERS)
  const hostile = attack.attack === 'none' ? 0 : terms.hostile
  const honestLabel = (picture: number): number => train.labels[picture] as number
  const wrongLabel = (picture: number): number => flippedLabel(honestLabel(picture), CLASSES)
  let state = initialState(PARAMETERS)
  for (let round = 0; round < terms.rounds; round++) {
    const weights = fromFixedVector(model)
    const own = parts.map((part, peer) => {
      const batch = Array.from({ length: terms.batch }, () => part[rng.below(part.length)] as number)
      const labelOf = attack.attack === 'label-flip' && peer < hostile ? wrongLabel : honestLabel
      gradient.fill(0)
      mlp.addGradient(weights, train, { batch, labelOf, gradient })
      return toFixedVector(momentumStep(momenta[peer] as Float32Array, gradient, terms))
    })
    const honest = own.slice(hostile)
    const updates = own.map((values, peer) => ({
      peer: peerName(peer),
      values: peer < hostile ? hostileUpdate(attack, honest, { own: values, rng }) : values,
    }))
    const result = aggregate(updates, rule, state, data.kernel)
    state = result.state
    model = addFixed(model, result.values)
  }
  return mlp.accuracy(fromFixedVector(model), data.test)
}

function momentumStep(momentum: Float32Array, gradient: Float32Array, terms: ExperimentTerms): Float32Array {
  const update = new Float32Array(momentum.length)
  for (let i = 0; i < momentum.length; i++) {
    const value = terms.momentum * (momentum[i] as number) + (1 - terms.momentum) * (gradient[i] as number)
    momentum[i] = value
    update[i] = -terms.learningRate * value
  }
  return update
}

function peerName(index: number): PeerId {
  return `peer-${String(index).padStart(3, '0')}` as PeerId
}
