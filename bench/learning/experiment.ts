import type { PeerId } from '../../src/core/codec/ids.ts'
import { aggregate } from '../../src/core/learning/aggregate.ts'
import type { AggregationKernel } from '../../src/core/learning/aggregate-kernel.ts'
import { type Attack, flippedLabel, hostileUpdate } from '../../src/core/learning/attacks.ts'
import { addFixed, FIXED_ONE, toFixedVector } from '../../src/core/learning/fixed.ts'
import { type AggregationRule, initialState } from '../../src/core/learning/rules.ts'
import { seededRng } from '../../src/core/tasks/rng.ts'
import { CLASSES } from './digits.ts'
import { initialWeights, PARAMETERS, type SparseMlp } from './sparse-mlp.ts'
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
  /** Of the first round; it falls evenly to nothing. */
  readonly learningRate: number
  /** Of each peer's momentum, m ← βm + (1 − β)g: what a peer sends is −rate · m. */
  readonly momentum: number
}

export interface ExperimentData {
  readonly labels: Uint8Array
  readonly mlp: SparseMlp
  readonly kernel: AggregationKernel
}

const UNIFORM_STEPS = 2 ** 32

/** Trains from nothing and returns the test accuracy. The same result for the same terms on the same engine. */
export function runExperiment(experiment: Experiment, terms: ExperimentTerms, data: ExperimentData): number {
  const { rule, attack, alpha, seed } = experiment
  const { labels, mlp, kernel } = data
  const rng = seededRng(seed)
  const parts = splitAmong(labels, terms.peers, alpha, rng)
  let model = toFixedVector(initialWeights(() => rng.below(UNIFORM_STEPS) / UNIFORM_STEPS))
  const momenta = parts.map(() => new Float64Array(PARAMETERS))
  const update = new Float64Array(PARAMETERS)
  const hostile = attack.attack === 'none' ? 0 : terms.hostile
  const honestLabel = (picture: number): number => labels[picture] as number
  const wrongLabel = (picture: number): number => flippedLabel(honestLabel(picture), CLASSES)
  let state = initialState(PARAMETERS)
  for (let round = 0; round < terms.rounds; round++) {
    load(mlp.weights, model)
    const learningRate = terms.learningRate * (1 - round / terms.rounds)
    const own = parts.map((part, peer) => {
      const batch = Array.from({ length: terms.batch }, () => part[rng.below(part.length)] as number)
      mlp.gradient.fill(0)
      mlp.addGradient(batch, attack.attack === 'label-flip' && peer < hostile ? wrongLabel : honestLabel)
      momentumStep(momenta[peer] as Float64Array, mlp.gradient, { ...terms, learningRate }, update)
      return toFixedVector(update)
    })
    const honest = own.slice(hostile)
    // Attackers send one vector, but for noise and for what each learns from its own data.
    const together = hostile > 0 && attack.attack !== 'gaussian' && attack.attack !== 'label-flip'
    const shared = together ? hostileUpdate(attack, honest, { own: honest[0] as Int32Array, rng }) : null
    const updates = own.map((values, peer) => ({
      peer: peerName(peer),
      values: peer < hostile ? (shared ?? hostileUpdate(attack, honest, { own: values, rng })) : values,
    }))
    const result = aggregate(updates, rule, state, kernel)
    state = result.state
    model = addFixed(model, result.values)
  }
  load(mlp.weights, model)
  return mlp.accuracy()
}

function load(weights: Float32Array, model: Int32Array): void {
  for (let i = 0; i < model.length; i++) weights[i] = (model[i] as number) / FIXED_ONE
}

function momentumStep(
  momentum: Float64Array,
  gradient: Float32Array,
  terms: ExperimentTerms,
  update: Float64Array,
): void {
  for (let i = 0; i < momentum.length; i++) {
    const value = terms.momentum * (momentum[i] as number) + (1 - terms.momentum) * (gradient[i] as number)
    momentum[i] = value
    update[i] = -terms.learningRate * value
  }
}

function peerName(index: number): PeerId {
  return `peer-${String(index).padStart(3, '0')}` as PeerId
}
