import { utf8 } from '../../codec/bytes.ts'
import { invariant } from '../../codec/errors.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import type { ByteSource } from '../byte-source.ts'
import { floorSqrt, squaredNorm } from '../privacy/clip.ts'
import { Check, type Equation } from './check.ts'
import { UnprovableNormError } from './errors.ts'
import { bases, commit, type Element, type ElementList, type GroupEngine } from './group-engine.ts'
import { PROJECTION_COUNTS, PROOF_BATCH_MAX, PROOF_LENGTH_MAX, PROOF_NORM_MAX, RANGE_BITS } from './limits.ts'
import { drawSigns, project, squaresMax, weighRows } from './projection.ts'
import { halvingsOf } from './proof-size.ts'
import { checkRanges, proveRanges, type RangeProof } from './range-proof.ts'
import { drawScalars, innerProduct, modulo, powers, scalarsToBytes } from './scalars.ts'
import { Transcript } from './transcript.ts'

/**
 * A proof that a committed update's norm is within a bound, without showing the update.
 *
 * 1. The update u is committed to before the round's beacon: C = Σ u_i G_i + r h (vector Pedersen).
 * 2. The beacon and C draw k rows of signs; v = A u. Each v_j and its square get a commitment, V_j and W_j.
 * 3. Schnorr proofs show that the V_j are the projections of what C holds (all rows at once, weighted by a challenge), and each W_j the square.
 * 4. One aggregated Bulletproof shows that every v_j is within 32 bits, so that no square wraps round the order, and that
 *    T - Σ v_j² is not negative, in two halves of 32 bits.
 *
 * What it shows is probabilistic in step 2 alone: `falseAcceptBound`. Rules [Z1] to [Z4].
 */
export interface NormProof {
  readonly projections: readonly Element[]
  readonly squares: readonly Element[]
  /** Commitment to the upper half of the slack; the lower follows. */
  readonly upperSlack: Element
  /** T1, T2 of the projections' proof, and for each square its pair. */
  readonly linearPoints: readonly [Element, Element]
  readonly squarePoints: readonly (readonly [Element, Element])[]
  /** One response for each value of the update. */
  readonly responses: readonly bigint[]
  readonly linearBlindings: readonly [bigint, bigint]
  /** For each square: of its root, and of two blindings. */
  readonly squareResponses: readonly (readonly [bigint, bigint, bigint])[]
  readonly ranges: RangeProof
}

/** What a proof is about; both sides must mean the same. */
export interface NormStatement {
  readonly task: Hash
  readonly round: number
  readonly author: PeerId
  /** Drawn after the commitment was announced. */
  readonly beacon: Uint8Array
  readonly commitment: Element
  /** Values of the update. */
  readonly length: number
  /** L2 norm, in the update's units. */
  readonly normMax: number
  /** One of `PROJECTION_COUNTS`. */
  readonly projections: number
}

const OFFSET = 1n << BigInt(RANGE_BITS - 1)

/** Generators of updates; the first ones are the same for all lengths. */
function updateGenerators(engine: GroupEngine, length: number): ElementList {
  return engine.generators('update', length)
}

/** `Σ scalars × generators + blinding × h`. */
function commitVector(engine: GroupEngine, scalars: readonly bigint[], blinding: bigint): Element {
  return engine.sum([
    { list: updateGenerators(engine, scalars.length), from: 0, scalars },
    { list: bases(engine), from: 0, scalars: [0n, blinding] },
  ])
}

/** Commits to an update. It hides it perfectly and binds by discrete logarithms. Rule [Z1]. */
export function commitUpdate(
  values: Int32Array,
  options: { readonly blinding: bigint; readonly engine: GroupEngine },
): Element {
  return commitVector(
    options.engine,
    Array.from(values, (value) => BigInt(value)),
    options.blinding,
  )
}

function transcriptOf(statement: NormStatement): Transcript {
  const { task, round, author, beacon, commitment, length, normMax, projections } = statement
  invariant(length >= 1 && length <= PROOF_LENGTH_MAX, `an update of a proof has 1 to ${PROOF_LENGTH_MAX} values`)
  invariant(
    Number.isInteger(normMax) && normMax >= 1 && normMax <= PROOF_NORM_MAX,
    `a norm bound is 1 to ${PROOF_NORM_MAX}`,
  )
  invariant(PROJECTION_COUNTS.includes(projections), `projections are one of ${PROJECTION_COUNTS.join(', ')}`)
  const transcript = new Transcript('starling/proof/1/norm')
  transcript.say('terms', utf8(`${task}/${round}/${author}/${length}/${normMax}/${projections}`))
  transcript.say('beacon', beacon)
  transcript.sayElements('commitment', [commitment])
  return transcript
}

export interface ProvingOptions {
  readonly values: Int32Array
  /** Of the commitment in the statement. */
  readonly blinding: bigint
  readonly random: ByteSource
  readonly engine: GroupEngine
  /** How much is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/**
 * Proves the norm of one's own update.
 *
 * @throws {@link UnprovableNormError} When the norm is above the bound, or, once in 2^30 honest updates, its projections are too large.
 */
export function proveNorm(statement: NormStatement, options: ProvingOptions): NormProof {
  return prove(statement, { ...options, regardless: false })
}

/**
 * What a cheat would send: a proof as good as it can be made, whatever the norm. Where the projections say it is too large, the proof is false.
 *
 * @public
 */
export function proveRegardless(statement: NormStatement, options: ProvingOptions): NormProof {
  return prove(statement, { ...options, regardless: true })
}

/** Commitments, masks and squares, two of the range proof, its halvings. */
function proofSteps(projections: number): number {
  return 5 + halvingsOf(projections + 2)
}

/** The projections, and what their squares leave of what they may add up to. */
function projected(
  statement: NormStatement,
  of: { readonly values: Int32Array; readonly signs: Uint8Array; readonly regardless: boolean },
): { readonly v: readonly bigint[]; readonly slack: bigint } {
  const { projections: count, normMax } = statement
  const v = project(of.values, of.signs, count).map(BigInt)
  const slack = squaresMax(normMax, count) - v.reduce((sum, value) => sum + value * value, 0n)
  if (of.regardless) {
    return {
      v: v.map((value) => BigInt.asIntN(RANGE_BITS, value)),
      slack: BigInt.asUintN(2 * RANGE_BITS, slack),
    }
  }
  const norm = squaredNorm(of.values)
  if (norm > BigInt(normMax) ** 2n || slack < 0n || v.some((value) => value < -OFFSET || value >= OFFSET)) {
    throw new UnprovableNormError(`The update's norm is ${floorSqrt(norm)}, limit ${normMax}`, {
      field: 'norm',
      value: floorSqrt(norm),
      limit: normMax,
    })
  }
  return { v, slack }
}

function prove(statement: NormStatement, options: ProvingOptions & { readonly regardless: boolean }): NormProof {
  const { values, blinding, random, engine } = options
  const { length, projections: count } = statement
  invariant(values.length === length, 'the update has the length of its statement')
  const transcript = transcriptOf(statement)
  const signs = drawSigns(transcript.seed('signs'), { count, length })
  const { v, slack } = projected(statement, { values, signs, regardless: options.regardless })
  let steps = 0
  const onStep = () => {
    steps++
    options.onProgress?.(steps / proofSteps(count))
  }
  const rhos = drawScalars(random, count)
  const omegas = drawScalars(random, count)
  const projections = v.map((value, at) => commit(engine, value, rhos[at] as bigint))
  const squares = v.map((value, at) => commit(engine, value * value, omegas[at] as bigint))
  const [upper, lower] = [slack >> BigInt(RANGE_BITS), slack & ((1n << BigInt(RANGE_BITS)) - 1n)]
  const upperBlinding = drawScalars(random, 1)[0] as bigint
  // The lower half's commitment is what is left of T - Σ W_j: its blinding follows from the others.
  const lowerBlinding = modulo(-omegas.reduce((sum, omega) => sum + omega, 0n) - (upperBlinding << BigInt(RANGE_BITS)))
  const upperSlack = commit(engine, upper, upperBlinding)
  onStep()
  sayCommitments(transcript, { projections, squares, upperSlack })
  const weights = powers(transcript.challenge('rows'), count)
  const row = weighRows(signs, weights, length)

  const masks = drawScalars(random, length)
  const [maskBlinding, rowBlinding] = drawScalars(random, 2) as [bigint, bigint]
  const linearPoints: [Element, Element] = [
    commitVector(engine, masks, maskBlinding),
    commit(engine, innerProduct(row, masks), rowBlinding),
  ]
  onStep()
  const squareMasks = v.map(() => drawScalars(random, 3) as [bigint, bigint, bigint])
  const squarePoints = squareMasks.map(([a, b, c], at): [Element, Element] => [
    commit(engine, a, b),
    engine.sum([
      { element: projections[at] as Element, scalar: a },
      { list: bases(engine), from: 0, scalars: [0n, c] },
    ]),
  ])
  onStep()
  sayElements(transcript, { linearPoints, squarePoints })
  const c = transcript.challenge('responses')
  const responses = masks.map((mask, at) => modulo(mask + c * BigInt(values[at] as number)))
  const rowOfRhos = innerProduct(weights, rhos)
  const linearBlindings: [bigint, bigint] = [modulo(maskBlinding + c * blinding), modulo(rowBlinding + c * rowOfRhos)]
  const squareResponses = squareMasks.map(([mask, first, second], at): [bigint, bigint, bigint] => {
    const [value, rho] = [v[at] as bigint, rhos[at] as bigint]
    return [
      modulo(mask + c * value),
      modulo(first + c * rho),
      modulo(second + c * ((omegas[at] as bigint) - value * rho)),
    ]
  })
  sayResponses(transcript, { responses, linearBlindings, squareResponses })
  const ranges = proveRanges([...v.map((value) => value + OFFSET), lower, upper], {
    blindings: [...rhos, lowerBlinding, upperBlinding],
    transcript,
    random,
    engine,
    onStep,
  })
  return {
    projections,
    squares,
    upperSlack,
    linearPoints,
    squarePoints,
    responses,
    linearBlindings,
    squareResponses,
    ranges,
  }
}

function sayCommitments(
  transcript: Transcript,
  { projections, squares, upperSlack }: Pick<NormProof, 'projections' | 'squares' | 'upperSlack'>,
): void {
  transcript.sayElements('projections', projections)
  transcript.sayElements('squares', squares)
  transcript.sayElements('slack', [upperSlack])
}

function sayElements(transcript: Transcript, of: Pick<NormProof, 'linearPoints' | 'squarePoints'>): void {
  transcript.sayElements('linear', of.linearPoints)
  transcript.sayElements('square', of.squarePoints.flat())
}

function sayResponses(
  transcript: Transcript,
  of: Pick<NormProof, 'responses' | 'linearBlindings' | 'squareResponses'>,
): void {
  const all = [...of.responses, ...of.linearBlindings, ...of.squareResponses.flat()]
  transcript.say('responses', scalarsToBytes(all))
}

/** A statement with its proof. */
export interface ProvedNorm {
  readonly statement: NormStatement
  readonly proof: NormProof
}

export interface VerifyOptions {
  readonly engine: GroupEngine
  readonly random: ByteSource
}

/**
 * Verifies proofs together: one multiplication over the shared generators for all. Rule [Z4].
 *
 * @param proved - At most `PROOF_BATCH_MAX`.
 * @returns Whether all hold. To find a bad one, halve the batch: {@link findFalseProofs}.
 */
export function verifyNorms(proved: readonly ProvedNorm[], options: VerifyOptions): boolean {
  invariant(proved.length <= PROOF_BATCH_MAX, `a batch has at most ${PROOF_BATCH_MAX} proofs`)
  const check = new Check(options.engine, options.random)
  for (const one of proved) addNorm(check, one, options.engine)
  return check.holds()
}

/** The places of the proofs that do not hold; one verification when all do, and few more for each that does not. */
export function findFalseProofs(proved: readonly ProvedNorm[], options: VerifyOptions): number[] {
  const find = (from: number, to: number): number[] => {
    if (from === to || verifyNorms(proved.slice(from, to), options)) return []
    if (to - from === 1) return [from]
    const middle = (from + to) >> 1
    return [...find(from, middle), ...find(middle, to)]
  }
  return find(0, proved.length)
}

function addNorm(check: Check, { statement, proof }: ProvedNorm, engine: GroupEngine): void {
  const { length, projections: count, commitment, normMax } = statement
  const transcript = transcriptOf(statement)
  const signs = drawSigns(transcript.seed('signs'), { count, length })
  sayCommitments(transcript, proof)
  const weights = powers(transcript.challenge('rows'), count)
  const row = weighRows(signs, weights, length)
  sayElements(transcript, proof)
  const c = transcript.challenge('responses')
  sayResponses(transcript, proof)

  // Σ z_i G_i + z_r h = T1 + c C
  const update = check.equation('heavy')
  update.list(updateGenerators(engine, length), proof.responses)
  update.blinding(proof.linearBlindings[0])
  update.element(proof.linearPoints[0], -1n)
  update.element(commitment, -c)
  // ⟨row, z⟩ g + z_ρ h = T2 + c Σ e^j V_j
  const rows = check.equation('light')
  rows.value(innerProduct(row, proof.responses))
  rows.blinding(proof.linearBlindings[1])
  rows.element(proof.linearPoints[1], -1n)
  proof.projections.forEach((point, at) => {
    rows.element(point, modulo(-c * (weights[at] as bigint)))
  })
  addSquares(check, { proof, c })
  const total = squaresMax(normMax, count)
  checkRanges(proof.ranges, {
    engine,
    values: count + 2,
    transcript,
    equation: (kind) => check.equation(kind),
    addCommitment: (equation, at, scalar) => addRanged(equation, { proof, at, scalar, count, total }),
  })
}

/** For each square: `z g + z' h = t + c V` and `z V + z" h = t' + c W`. */
function addSquares(check: Check, { proof, c }: { readonly proof: NormProof; readonly c: bigint }): void {
  proof.squareResponses.forEach(([root, first, second], at) => {
    const [t1, t2] = proof.squarePoints[at] as readonly [Element, Element]
    const committed = check.equation('light')
    committed.value(root)
    committed.blinding(first)
    committed.element(t1, -1n)
    committed.element(proof.projections[at] as Element, -c)
    const squared = check.equation('light')
    squared.element(proof.projections[at] as Element, root)
    squared.blinding(second)
    squared.element(t2, -1n)
    squared.element(proof.squares[at] as Element, -c)
  })
}

/** The commitment of a ranged value: a projection moved above zero, or one half of `T - Σ squares`. */
function addRanged(
  equation: Equation,
  of: {
    readonly proof: NormProof
    readonly at: number
    readonly scalar: bigint
    readonly count: number
    readonly total: bigint
  },
): void {
  const { proof, at, scalar, count, total } = of
  if (at < count) {
    equation.element(proof.projections[at] as Element, scalar)
    equation.value(scalar * OFFSET)
  } else if (at === count) {
    equation.value(scalar * total)
    for (const square of proof.squares) equation.element(square, modulo(-scalar))
    equation.element(proof.upperSlack, modulo(-(scalar << BigInt(RANGE_BITS))))
  } else {
    equation.element(proof.upperSlack, scalar)
  }
}

/** Draws the blinding of a commitment. */
export function drawBlinding(random: ByteSource): bigint {
  return drawScalars(random, 1)[0] as bigint
}
