import { concatBytes } from '../../codec/bytes.ts'
import { InvalidProofError } from './errors.ts'
import { bytesToPoint, bytesToScalar, POINT_BYTES, type Point, SCALAR_BYTES, scalarToBytes } from './group.ts'
import type { NormProof } from './norm-proof.ts'
import { halvingsOf } from './range-proof.ts'

/**
 * A norm proof as a block: nothing but points and scalars of 32 bytes in a fixed order, so each has one encoding and its size says whether it is
 * whole.
 */

/** Bytes of a proof for an update of some length. */
export function normProofBytes(of: { readonly length: number; readonly projections: number }): number {
  const halvings = halvingsOf(of.projections + 2)
  const points = 2 * of.projections + 1 + 2 + 2 * of.projections + 4 + 2 * halvings
  const scalars = of.length + 2 + 3 * of.projections + 3 + 2
  return points * POINT_BYTES + scalars * SCALAR_BYTES
}

export function encodeNormProof(proof: NormProof): Uint8Array {
  const { ranges } = proof
  const points = [
    ...proof.projections,
    ...proof.squares,
    proof.upperSlack,
    ...proof.linearPoints,
    ...proof.squarePoints.flat(),
    ...ranges.points,
    ...ranges.lefts,
    ...ranges.rights,
  ]
  const scalars = [
    ...proof.responses,
    ...proof.linearBlindings,
    ...proof.squareResponses.flat(),
    ...ranges.scalars,
    ...ranges.ends,
  ]
  return concatBytes(...points.map((point) => point.toBytes()), ...scalars.map(scalarToBytes))
}

/**
 * Reads a proof.
 *
 * @throws {@link InvalidProofError} When it is cut or too long, or a point or scalar is not in its one encoding.
 */
export function decodeNormProof(
  bytes: Uint8Array,
  of: { readonly length: number; readonly projections: number },
): NormProof {
  const wanted = normProofBytes(of)
  if (bytes.length !== wanted) {
    throw new InvalidProofError(`A proof has ${bytes.length} bytes, limit ${wanted}`, {
      field: 'proof',
      value: bytes.length,
      limit: wanted,
    })
  }
  let at = 0
  const take = () => {
    at += POINT_BYTES
    return bytes.subarray(at - POINT_BYTES, at)
  }
  const points = (count: number): Point[] => Array.from({ length: count }, () => bytesToPoint(take()))
  const scalars = (count: number): bigint[] => Array.from({ length: count }, () => bytesToScalar(take()))
  const { projections: count, length } = of
  const halvings = halvingsOf(count + 2)
  const projections = points(count)
  const squares = points(count)
  // As many as are asked for, each time.
  const [upperSlack] = points(1) as [Point]
  const linearPoints = points(2) as [Point, Point]
  const squarePoints = Array.from({ length: count }, () => points(2) as [Point, Point])
  const [rangePoints, lefts, rights] = [points(4), points(halvings), points(halvings)]
  const responses = scalars(length)
  const linearBlindings = scalars(2) as [bigint, bigint]
  const squareResponses = Array.from({ length: count }, () => scalars(3) as [bigint, bigint, bigint])
  const rangeScalars = scalars(3)
  const ends = scalars(2) as [bigint, bigint]
  const ranges = { points: rangePoints, scalars: rangeScalars, lefts, rights, ends }
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
