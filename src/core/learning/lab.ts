/**
 * Federated training with hostile members, simulated in one place from one seed: what the published table of rules is made with, and what
 * the attack lab shows. The rules and attacks are the product's own; time, messages and validation are left out.
 */
import type { PeerId } from '../codec/ids.ts'
import { type Rng, seededRng } from '../tasks/rng.ts'
import { aggregate } from './aggregate.ts'
import type { AggregationKernel } from './aggregate-kernel.ts'
import { type Attack, flippedLabel, hostileUpdate } from './attacks.ts'
import { addFixed, toFixedVector } from './fixed.ts'
import { splitAmong } from './lab-split.ts'
import { type AggregationRule, initialState } from './rules.ts'

/** One rule under one attack: with {@link LabTerms} everything that a curve depends on. */
export interface LabCase {
  readonly rule: AggregationRule
  readonly attack: Attack
  /** Dirichlet concentration of the split; null is IID. */
  readonly alpha: number | null
  readonly seed: number
}

/** What cases that are compared have in common. */
export interface LabTerms {
  readonly peers: number
  /** The first so many by peer id, so that ties are theirs. They are honest under `none`. */
  readonly hostile: number
  readonly rounds: number
  /** Samples of one gradient. */
  readonly batch: number
  /** Of the first round; it falls evenly to nothing. */
  readonly learningRate: number
  /** Of each peer's momentum, m ← βm + (1 − β)g: what a peer sends is −rate · m. */
  readonly momentum: number
}

/** What is learned: a model and the samples it learns from and is tested on. Cases that run in turn may share one. */
export interface LabLearner {
  /** d. */
  readonly parametersCount: number
  readonly classes: number
  /** Class of each training sample. */
  readonly labels: Uint8Array
  /** The first weights, I16F16. */
  firstModel(rng: Rng): Int32Array
  /** Sets the model that the calls below are about. */
  load(model: Int32Array): void
  /** Gradient of the mean loss over a batch of training samples; valid until the next call. */
  gradient(batch: readonly number[], labelOf: (sample: number) => number): ArrayLike<number>
  /** How the model does on the test samples. */
  score(): LabScore
}

export interface LabScore {
  /** 0 to 1. */
  readonly accuracy: number
  /** Mean cross-entropy, nats. */
  readonly loss: number
}

/** One round of one case. */
export interface LabRound {
  /** Rounds done, from 1. */
  readonly round: number
  /** After the round; null where none was asked for. */
  readonly score: LabScore | null
  /** Updates that went into the aggregate, of hostile and of honest peers. */
  readonly selected: { readonly hostile: number; readonly honest: number }
  /** Cosine between the aggregate and the mean of the honest updates: 1 is the way they want, below 0 is backwards. */
  readonly agreement: number
}

/** How many of the peers attack. */
export function hostileCount(attack: Attack, terms: Pick<LabTerms, 'hostile'>): number {
  return attack.attack === 'none' ? 0 : terms.hostile
}

/**
 * Trains from nothing, one round for each value taken. The same case, terms and learner give the same rounds on the same engine.
 *
 * @param options.scoreEvery - Rounds from one score to the next; the last round always has one.
 * @throws {@link AggregationBoundError} When the rule is not kept with that many peers.
 * @throws {@link FixedOverflowError} When an attack drives the model out of I16F16: nothing is left to learn from then.
 */
export function* labRounds(
  { rule, attack, alpha, seed }: LabCase,
  terms: LabTerms,
  { learner, kernel, scoreEvery }: LabOptions,
): Generator<LabRound, void> {
  const rng = seededRng(seed)
  const parts = splitAmong(learner.labels, { peers: terms.peers, classes: learner.classes, alpha }, rng)
  let model = learner.firstModel(rng)
  let state = initialState(learner.parametersCount)
  const momenta = parts.map(() => new Float64Array(learner.parametersCount))
  const hostile = hostileCount(attack, terms)
  const labels = { right: learner.labels, wrong: learner.labels.map((label) => flippedLabel(label, learner.classes)) }
  for (let round = 0; round < terms.rounds; round++) {
    learner.load(model)
    const learningRate = terms.learningRate * (1 - round / terms.rounds)
    const own = parts.map((part, peer) => {
      const batch = Array.from({ length: terms.batch }, () => part[rng.below(part.length)] as number)
      const from = attack.attack === 'label-flip' && peer < hostile ? labels.wrong : labels.right
      const gradient = learner.gradient(batch, (sample) => from[sample] as number)
      return stepOf(momenta[peer] as Float64Array, gradient, { momentum: terms.momentum, learningRate })
    })
    const honest = own.slice(hostile)
    const result = aggregate(sent(own, { attack, honest, hostile, rng }), rule, state, kernel)
    state = result.state
    model = addFixed(model, result.values)
    const scored = round + 1 === terms.rounds || (round + 1) % scoreEvery === 0
    if (scored) learner.load(model)
    const bad = result.selected.filter((peer) => peer < peerName(hostile)).length
    yield {
      round: round + 1,
      score: scored ? learner.score() : null,
      selected: { hostile: bad, honest: result.selected.length - bad },
      agreement: cosine(result.values, kernel.mean(honest, null)),
    }
  }
}

interface LabOptions {
  readonly learner: LabLearner
  readonly kernel: AggregationKernel
  readonly scoreEvery: number
}

interface Sending {
  readonly attack: Attack
  readonly honest: readonly Int32Array[]
  readonly hostile: number
  readonly rng: Rng
}

/** What every peer sends, by peer id. */
function sent(own: readonly Int32Array[], { attack, honest, hostile, rng }: Sending) {
  // Attackers send one vector, but for noise and for what each learns from its own data.
  const together = hostile > 0 && attack.attack !== 'gaussian' && attack.attack !== 'label-flip'
  const shared = together ? hostileUpdate(attack, honest, { own: honest[0] as Int32Array, rng }) : null
  return own.map((values, peer) => ({
    peer: peerName(peer),
    values: peer < hostile ? (shared ?? hostileUpdate(attack, honest, { own: values, rng })) : values,
  }))
}

/** Takes a gradient into a peer's momentum and gives its update. */
function stepOf(
  momentum: Float64Array,
  gradient: ArrayLike<number>,
  terms: Pick<LabTerms, 'momentum' | 'learningRate'>,
): Int32Array {
  const update = new Float64Array(momentum.length)
  for (let i = 0; i < momentum.length; i++) {
    const value = terms.momentum * (momentum[i] as number) + (1 - terms.momentum) * (gradient[i] as number)
    momentum[i] = value
    update[i] = -terms.learningRate * value
  }
  return toFixedVector(update)
}

/** Zero when either has no direction. */
function cosine(a: Int32Array, b: Int32Array): number {
  let [product, squaresA, squaresB] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    product += x * y
    squaresA += x * x
    squaresB += y * y
  }
  return squaresA === 0 || squaresB === 0 ? 0 : product / Math.sqrt(squaresA * squaresB)
}

function peerName(index: number): PeerId {
  return `peer-${String(index).padStart(3, '0')}` as PeerId
}
