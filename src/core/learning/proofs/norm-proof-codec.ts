import { concatBytes } from '../../codec/bytes.ts'
import { InvalidProofError } from './errors.ts'
import type { Element, GroupEngine } from './group-engine.ts'
import type { NormProof } from './norm-proof.ts'
import { ELEMENT_BYTES, elementsOf, halvingsOf, normProofBytes } from './proof-size.ts'
import { bytesToScalars, scalarsToBytes } from './scalars.ts'

/**
 * A norm proof as a block: nothing but points and scalars of 32 bytes in a fixed order, so each has one encoding and its size says whether it is
 * whole.
 */

export function encodeNormProof(proof: NormProof): Uint8Array {
  const { ranges } = proof
  const elements = [
    ...proof.projections,
    ...proof.squares,
    proof.upperSlack,
    ...proof.linearPoints,
    ...proof.squarePoints.flat(),
    ...ranges.elements,
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
  return concatBytes(...elements, scalarsToBytes(scalars))
}

/**
 * Reads a proof.
 *
 * @param bytes - Copied.
 * @throws {@link InvalidProofError} When it is cut or too long, or an element or scalar is not in its one encoding.
 */
export function decodeNormProof(
  bytes: Uint8Array,
  of: { readonly length: number; readonly projections: number; readonly engine: GroupEngine },
): NormProof {
  const wanted = normProofBytes(of)
  if (bytes.length !== wanted) {
    throw new InvalidProofError(`A proof has ${bytes.length} bytes, limit ${wanted}`, {
      field: 'proof',
      value: bytes.length,
      limit: wanted,
    })
  }
  const scalarsAt = elementsOf(of.projections) * ELEMENT_BYTES
  const elementBytes = bytes.slice(0, scalarsAt)
  if (!of.engine.areElements(elementBytes))
    throw new InvalidProofError('An element is not in its one encoding', { field: 'element' })
  const all = bytesToScalars(bytes.subarray(scalarsAt))
  let [element, scalar] = [0, 0]
  const take = () => {
    element += ELEMENT_BYTES
    return elementBytes.subarray(element - ELEMENT_BYTES, element)
  }
  const elements = (count: number): Element[] => Array.from({ length: count }, take)
  const scalars = (count: number): bigint[] => {
    scalar += count
    return all.slice(scalar - count, scalar)
  }
  const { projections: count, length } = of
  const halvings = halvingsOf(count + 2)
  const projections = elements(count)
  const squares = elements(count)
  // As many as are asked for, each time.
  const [upperSlack] = elements(1) as [Element]
  const linearPoints = elements(2) as [Element, Element]
  const squarePoints = Array.from({ length: count }, () => elements(2) as [Element, Element])
  const [rangeElements, lefts, rights] = [elements(4), elements(halvings), elements(halvings)]
  const responses = scalars(length)
  const linearBlindings = scalars(2) as [bigint, bigint]
  const squareResponses = Array.from({ length: count }, () => scalars(3) as [bigint, bigint, bigint])
  const rangeScalars = scalars(3)
  const ends = scalars(2) as [bigint, bigint]
  const ranges = { elements: rangeElements, scalars: rangeScalars, lefts, rights, ends }
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
