import { concatBytes, utf8 } from '../../codec/bytes.ts'
import { invariant } from '../../codec/errors.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import type { ByteSource } from '../byte-source.ts'
import { floorSqrt, squaredNorm } from '../privacy/clip.ts'
import { Check, type Equation } from './check.ts'
import { UnprovableNormError } from './errors.ts'
import { blindingBase, drawScalars, generators, modulo, type Point, scalarToBytes } from './group.ts'
import { PROJECTION_COUNTS, PROOF_BATCH_MAX, PROOF_LENGTH_MAX, PROOF_NORM_MAX, RANGE_BITS } from './limits.ts'
import { multiplySum } from './multiply-sum.ts'
import { drawSigns, project, squaresMax } from './projection.ts'
import { checkRanges, commit, powers, proveRanges, type RangeProof } from './range-proof.ts'
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
  readonly projections: readonly Point[]
  readonly squares: readonly Point[]
  /** Commitment to the upper half of the slack; the lower follows. */
  readonly upperSlack: Point
  /** T1, T2 of the projections' proof, and for each square its pair. */
  readonly linearPoints: readonly [Point, Point]
  readonly squarePoints: readonly (readonly [Point, Point])[]
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
  readonly commitment: Point
  /** Values of the update. */
  readonly length: number
  /** L2 norm, in the update's units. */
  readonly normMax: number
  /** One of `PROJECTION_COUNTS`. */
  readonly projections: number
}

const OFFSET = 1n << BigInt(RANGE_BITS - 1)

/** Generators of updates; the same for all lengths. 0.5 ms each, once. */
export function updateGenerators(length: number): readonly Point[] {
  return generators('update', length)
}

/** Commits to an update. It hides it perfectly and binds by discrete logarithms. Rule [Z1]. */
export function commitUpdate(values: Int32Array, blinding: bigint): Point {
  const scalars = Array.from(values, (value) => BigInt(value))
  return multiplySum([...updateGenerators(values.length), blindingBase()], [...scalars, blinding])
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
  transcript.sayPoints('commitment', [commitment])
  return transcript
}

/** `Σ_j e^j A_j`: all rows as one, as scalars. */
function weighRows(signs: Uint8Array, weights: readonly bigint[], length: number): bigint[] {
  const rowBytes = Math.ceil(length / 8)
  return Array.from({ length }, (_, at) => {
    let sum = 0n
    weights.forEach((weight, row) => {
      const bit = ((signs[row * rowBytes + (at >> 3)] as number) >> (at & 7)) & 1
      sum += bit === 1 ? -weight : weight
    })
    return modulo(sum)
  })
}

function dot(a: readonly bigint[], b: readonly bigint[]): bigint {
  let sum = 0n
  a.forEach((scalar, at) => {
    sum += scalar * (b[at] as bigint)
  })
  return modulo(sum)
}

/**
 * Proves the norm of one's own update.
 *
 * @param of.blinding - Of the commitment in the statement.
 * @throws {@link UnprovableNormError} When the norm is above the bound, or, once in 2^30 honest updates, its projections are too large.
 */
export function proveNorm(
  statement: NormStatement,
  of: { readonly values: Int32Array; readonly blinding: bigint; readonly random: ByteSource },
): NormProof {
  const { values, blinding, random } = of
  const { length, projections: count, normMax } = statement
  invariant(values.length === length, 'the update has the length of its statement')
  const transcript = transcriptOf(statement)
  const signs = drawSigns(transcript.seed('signs'), { count, length })
  const v = project(values, signs, count).map(BigInt)
  const slack = squaresMax(normMax, count) - v.reduce((sum, value) => sum + value * value, 0n)
  if (
    squaredNorm(values) > BigInt(normMax) ** 2n ||
    slack < 0n ||
    v.some((value) => value < -OFFSET || value >= OFFSET)
  ) {
    throw new UnprovableNormError(`The update's norm is ${floorSqrt(squaredNorm(values))}, limit ${normMax}`, {
      field: 'norm',
      value: floorSqrt(squaredNorm(values)),
      limit: normMax,
    })
  }
  return prove({ statement, values, blinding, random, transcript, signs, v, slack })
}

interface Proving {
  readonly statement: NormStatement
  readonly values: Int32Array
  readonly blinding: bigint
  readonly random: ByteSource
  readonly transcript: Transcript
  readonly signs: Uint8Array
  readonly v: readonly bigint[]
  readonly slack: bigint
}

function prove({ statement, values, blinding, random, transcript, signs, v, slack }: Proving): NormProof {
  const { length, projections: count } = statement
  const rhos = drawScalars(random, count)
  const omegas = drawScalars(random, count)
  const projections = v.map((value, at) => commit(value, rhos[at] as bigint))
  const squares = v.map((value, at) => commit(value * value, omegas[at] as bigint))
  const [upper, lower] = [slack >> BigInt(RANGE_BITS), slack & ((1n << BigInt(RANGE_BITS)) - 1n)]
  const upperBlinding = drawScalars(random, 1)[0] as bigint
  // The lower half's commitment is what is left of T - Σ W_j: its blinding follows from the others.
  const lowerBlinding = modulo(-omegas.reduce((sum, omega) => sum + omega, 0n) - (upperBlinding << BigInt(RANGE_BITS)))
  const upperSlack = commit(upper, upperBlinding)
  sayCommitments(transcript, { projections, squares, upperSlack })
  const weights = powers(transcript.challenge('rows'), count)
  const row = weighRows(signs, weights, length)

  const masks = drawScalars(random, length)
  const [maskBlinding, rowBlinding] = drawScalars(random, 2) as [bigint, bigint]
  const linearPoints: [Point, Point] = [
    multiplySum([...updateGenerators(length), blindingBase()], [...masks, maskBlinding]),
    commit(dot(row, masks), rowBlinding),
  ]
  const squareMasks = v.map(() => drawScalars(random, 3) as [bigint, bigint, bigint])
  const squarePoints = squareMasks.map(([a, b, c], at): [Point, Point] => [
    commit(a, b),
    multiplySum([projections[at] as Point, blindingBase()], [a, c]),
  ])
  sayPoints(transcript, { linearPoints, squarePoints })
  const c = transcript.challenge('responses')
  const responses = masks.map((mask, at) => modulo(mask + c * BigInt(values[at] as number)))
  const rowOfRhos = dot(weights, rhos)
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
  transcript.sayPoints('projections', projections)
  transcript.sayPoints('squares', squares)
  transcript.sayPoints('slack', [upperSlack])
}

function sayPoints(transcript: Transcript, of: Pick<NormProof, 'linearPoints' | 'squarePoints'>): void {
  transcript.sayPoints('linear', of.linearPoints)
  transcript.sayPoints('square', of.squarePoints.flat())
}

function sayResponses(
  transcript: Transcript,
  of: Pick<NormProof, 'responses' | 'linearBlindings' | 'squareResponses'>,
): void {
  const all = [...of.responses, ...of.linearBlindings, ...of.squareResponses.flat()]
  transcript.say('responses', concatBytes(...all.map(scalarToBytes)))
}

/** A statement with its proof. */
export interface ProvedNorm {
  readonly statement: NormStatement
  readonly proof: NormProof
}

/**
 * Verifies proofs together: one multiplication over the shared generators for all. Rule [Z4].
 *
 * @param proved - At most `PROOF_BATCH_MAX`.
 * @returns Whether all hold. To find a bad one, halve the batch: {@link findFalseProofs}.
 */
export function verifyNorms(proved: readonly ProvedNorm[], random: ByteSource): boolean {
  invariant(proved.length <= PROOF_BATCH_MAX, `a batch has at most ${PROOF_BATCH_MAX} proofs`)
  const check = new Check(random)
  for (const one of proved) addNorm(check, one)
  return check.holds()
}

/** The places of the proofs that do not hold; one verification when all do, and few more for each that does not. */
export function findFalseProofs(proved: readonly ProvedNorm[], random: ByteSource): number[] {
  const find = (from: number, to: number): number[] => {
    if (from === to || verifyNorms(proved.slice(from, to), random)) return []
    if (to - from === 1) return [from]
    const middle = (from + to) >> 1
    return [...find(from, middle), ...find(middle, to)]
  }
  return find(0, proved.length)
}

function addNorm(check: Check, { statement, proof }: ProvedNorm): void {
  const { length, projections: count, commitment, normMax } = statement
  const transcript = transcriptOf(statement)
  const signs = drawSigns(transcript.seed('signs'), { count, length })
  sayCommitments(transcript, proof)
  const weights = powers(transcript.challenge('rows'), count)
  const row = weighRows(signs, weights, length)
  sayPoints(transcript, proof)
  const c = transcript.challenge('responses')
  sayResponses(transcript, proof)

  // Σ z_i G_i + z_r h = T1 + c C
  const update = check.equation('heavy')
  update.list(updateGenerators(length), proof.responses)
  update.blinding(proof.linearBlindings[0])
  update.point(proof.linearPoints[0], -1n)
  update.point(commitment, -c)
  // ⟨row, z⟩ g + z_ρ h = T2 + c Σ e^j V_j
  const rows = check.equation('light')
  rows.value(dot(row, proof.responses))
  rows.blinding(proof.linearBlindings[1])
  rows.point(proof.linearPoints[1], -1n)
  proof.projections.forEach((point, at) => {
    rows.point(point, modulo(-c * (weights[at] as bigint)))
  })
  addSquares(check, { proof, c })
  const total = squaresMax(normMax, count)
  checkRanges(proof.ranges, {
    values: count + 2,
    transcript,
    equation: (kind) => check.equation(kind),
    addCommitment: (equation, at, scalar) => addRanged(equation, { proof, at, scalar, count, total }),
  })
}

/** For each square: `z g + z' h = t + c V` and `z V + z" h = t' + c W`. */
function addSquares(check: Check, { proof, c }: { readonly proof: NormProof; readonly c: bigint }): void {
  proof.squareResponses.forEach(([root, first, second], at) => {
    const [t1, t2] = proof.squarePoints[at] as readonly [Point, Point]
    const committed = check.equation('light')
    committed.value(root)
    committed.blinding(first)
    committed.point(t1, -1n)
    committed.point(proof.projections[at] as Point, -c)
    const squared = check.equation('light')
    squared.point(proof.projections[at] as Point, root)
    squared.blinding(second)
    squared.point(t2, -1n)
    squared.point(proof.squares[at] as Point, -c)
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
    equation.point(proof.projections[at] as Point, scalar)
    equation.value(scalar * OFFSET)
  } else if (at === count) {
    equation.value(scalar * total)
    for (const square of proof.squares) equation.point(square, modulo(-scalar))
    equation.point(proof.upperSlack, modulo(-(scalar << BigInt(RANGE_BITS))))
  } else {
    equation.point(proof.upperSlack, scalar)
  }
}

/** Draws the blinding of a commitment. */
export function drawBlinding(random: ByteSource): bigint {
  return drawScalars(random, 1)[0] as bigint
}
