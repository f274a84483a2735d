import { compareBytes, concatBytes, fromHex, utf8 } from '../../codec/bytes.ts'
import { invariant } from '../../codec/errors.ts'
import { sha256Bytes } from '../../codec/hash.ts'
import type { Hash } from '../../codec/ids.ts'
import { shuffled } from '../secure-sum/graph.ts'
import { InvalidProofError } from './errors.ts'
import { CHALLENGE_SAMPLES_MAX, SPOT_CHECKS_MAX } from './limits.ts'

/**
 * A claim that a model predicts so many samples of a public challenge set rightly. The claimant commits to every prediction; a beacon that comes
 * later draws some, and whoever doubts runs the public model on those alone.
 *
 * The commitment is a hash tree whose nodes carry how many predictions below them are right, so the claimed number is the root's: to claim too
 * many, a claimant must commit to false leaves, as many as it adds. Rule [Z5].
 *
 * What it proves, and no more: {@link QUALITY_CLAIM_PROVES}.
 */
export interface QualityClaim {
  readonly task: Hash
  /** The model's bytes. */
  readonly model: Hash
  /** The challenge set's bytes, labels included. */
  readonly challengeSet: Hash
  readonly samples: number
  /** How many predictions equal their labels. */
  readonly correct: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/**
 * What a page says beside a claim that was checked.
 *
 * @public
 */
export const QUALITY_CLAIM_PROVES =
  'Spot-checked: this model gives the claimed predictions on a public set, up to the stated share. It says nothing about private data, nor that the model was not trained on this set.'

/** One prediction, with its way to the root. */
export interface QualityOpening {
  readonly index: number
  readonly prediction: number
  /** From the leaf up: the other node's hash and number. */
  readonly path: readonly QualityNode[]
}

export interface QualityNode {
  readonly hash: Uint8Array
  readonly correct: number
}

/** What the claimant keeps until it is asked. */
export interface QualityTree {
  readonly claim: QualityClaim
  /** Opens the predictions that a beacon draws. */
  open(beacon: Uint8Array, checks: number): QualityOpening[]
}

export interface QualityOf {
  readonly task: Hash
  readonly model: Hash
  readonly challengeSet: Hash
}

/**
 * Commits to predictions.
 *
 * @param predictions - A class for each sample.
 * @param labels - Of the challenge set, as many.
 */
export function claimQuality(of: QualityOf, predictions: Uint8Array, labels: Uint8Array): QualityTree {
  const samples = predictions.length
  invariant(
    samples >= 1 && samples <= CHALLENGE_SAMPLES_MAX,
    `a challenge set has 1 to ${CHALLENGE_SAMPLES_MAX} samples`,
  )
  invariant(labels.length === samples, 'one label for each prediction')
  const domain = domainOf(of, samples)
  const levels: QualityNode[][] = [
    Array.from(predictions, (prediction, index) => leaf(domain, { index, prediction, label: labels[index] as number })),
  ]
  for (let level = levels[0] as QualityNode[]; level.length > 1; level = levels.at(-1) as QualityNode[]) {
    levels.push(
      Array.from({ length: Math.ceil(level.length / 2) }, (_, at) => {
        const left = level[2 * at] as QualityNode
        return parent(domain, left, level[2 * at + 1] ?? EMPTY)
      }),
    )
  }
  const top = (levels.at(-1) as QualityNode[])[0] as QualityNode
  const claim: QualityClaim = { ...of, samples, correct: top.correct, root: top.hash }
  const openAt = (index: number): QualityOpening => ({
    index,
    prediction: predictions[index] as number,
    path: levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1] ?? EMPTY),
  })
  return { claim, open: (beacon, checks) => drawnSamples(claim, beacon, checks).map(openAt) }
}

const EMPTY: QualityNode = { hash: new Uint8Array(32), correct: 0 }

/** The samples that a beacon draws, each once. */
export function drawnSamples(claim: QualityClaim, beacon: Uint8Array, checks: number): number[] {
  invariant(checks >= 1 && checks <= SPOT_CHECKS_MAX, `a spot check opens 1 to ${SPOT_CHECKS_MAX} predictions`)
  const all = Array.from({ length: claim.samples }, (_, index) => index)
  const seed = sha256Bytes(concatBytes(utf8('starling/quality/1/draw\n'), claim.root, beacon))
  return shuffled(all, seed)
    .slice(0, checks)
    .sort((a, b) => a - b)
}

/**
 * Checks the openings of a claim.
 *
 * @param of.labels - Of the challenge set whose hash the claim names; the caller has compared it.
 * @param of.predict - Runs the claim's model on one sample: the largest output, the first of equals.
 * @throws {@link InvalidProofError} Naming what does not hold: number, sample, path, prediction or count.
 */
export function checkQuality(
  claim: QualityClaim,
  openings: readonly QualityOpening[],
  of: {
    readonly beacon: Uint8Array
    readonly checks: number
    readonly labels: Uint8Array
    readonly predict: (index: number) => number
  },
): void {
  const { samples, correct, root } = claim
  if (
    !(Number.isInteger(samples) && samples >= 1 && samples <= CHALLENGE_SAMPLES_MAX && of.labels.length === samples)
  ) {
    throw refusal('samples', samples, of.labels.length)
  }
  if (!(Number.isInteger(correct) && correct >= 0 && correct <= samples)) throw refusal('correct', correct, samples)
  const drawn = drawnSamples(claim, of.beacon, of.checks)
  if (openings.length !== drawn.length) throw refusal('openings', openings.length, drawn.length)
  const domain = domainOf(claim, samples)
  drawn.forEach((index, at) => {
    const opening = openings[at] as QualityOpening
    if (opening.index !== index) throw refusal('index', opening.index, index)
    const top = climb(domain, opening, { samples, label: of.labels[index] as number })
    if (compareBytes(top.hash, root) !== 0 || top.correct !== correct)
      throw refusal('path', index, 'the root of the claim')
    const found = of.predict(index)
    if (found !== opening.prediction) throw refusal('prediction', opening.prediction, found)
  })
}

/** The chance that a claim with this share of false predictions passes, at most. */
export function missedChance(falseShare: number, checks: number): number {
  return (1 - falseShare) ** checks
}

function climb(
  domain: Uint8Array,
  { index, prediction, path }: QualityOpening,
  { samples, label }: { readonly samples: number; readonly label: number },
): QualityNode {
  const depth = Math.ceil(Math.log2(samples))
  if (path.length !== depth) throw refusal('path', path.length, depth)
  let node = leaf(domain, { index, prediction, label })
  let below = 1
  path.forEach((other, level) => {
    // A node cannot have more right ones below it than leaves, or two lies could cancel.
    if (!(Number.isInteger(other.correct) && other.correct >= 0 && other.correct <= below)) {
      throw refusal('correct', other.correct, below)
    }
    node = ((index >> level) & 1) === 0 ? parent(domain, node, other) : parent(domain, other, node)
    below *= 2
  })
  return node
}

function leaf(domain: Uint8Array, of: { index: number; prediction: number; label: number }): QualityNode {
  const hash = sha256Bytes(concatBytes(utf8('starling/quality/1/leaf\n'), domain, numbers(of.index, of.prediction)))
  return { hash, correct: of.prediction === of.label ? 1 : 0 }
}

function parent(domain: Uint8Array, left: QualityNode, right: QualityNode): QualityNode {
  const counts = numbers(left.correct, right.correct)
  const hash = sha256Bytes(concatBytes(utf8('starling/quality/1/node\n'), domain, counts, left.hash, right.hash))
  return { hash, correct: left.correct + right.correct }
}

function domainOf({ task, model, challengeSet }: QualityOf, samples: number): Uint8Array {
  return sha256Bytes(concatBytes(fromHex(task), fromHex(model), fromHex(challengeSet), numbers(samples, 0)))
}

function numbers(a: number, b: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, a)
  view.setUint32(4, b)
  return bytes
}

function refusal(field: string, value: number, limit: number | string): InvalidProofError {
  return new InvalidProofError(`${field} is ${value}, limit ${limit}`, { field, value, limit })
}
