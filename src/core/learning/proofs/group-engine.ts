import { sha512 } from '@noble/hashes/sha2.js'
import { utf8 } from '../../codec/bytes.ts'

/**
 * An element of ristretto255 (RFC 9496) in its one encoding, 32 bytes. All zeros is the neutral element.
 */
export type Element = Uint8Array

/** Elements that stay with an engine, in its own form: generators, and what is folded of them. */
export interface ElementList {
  readonly length: number
}

/** Part of a sum: one element, or consecutive elements of a list, each with its scalar. Scalars of either sign, below the order in size. */
export type Term =
  | { readonly element: Element; readonly scalar: bigint }
  | { readonly list: ElementList; readonly from: number; readonly scalars: readonly bigint[] }

/**
 * What a proof computes with. The reference beside it is slow and simple; src/workers/proofs has a fast one. Same terms, same bytes.
 *
 * Time and memory depend on what is multiplied: a prover's own machine is trusted with its update.
 */
export interface GroupEngine {
  /** Generators of a name, from the first. The same object for the same question. See {@link generatorSeed}. */
  generators(name: string, count: number): ElementList
  /** The list's elements in their encoding, one after the other. */
  encode(list: ElementList): Uint8Array
  /** Whether all are an element's one encoding. @param elements - Encodings, one after the other. */
  areElements(elements: Uint8Array): boolean
  /** `Σ scalar × element`. @throws {@link InvalidProofError} When an element of a term is none. */
  sum(terms: readonly Term[]): Element
  /** Folds a list into as many parts as there are factors: element i is `Σ_j factors[j] × list[i + j·length/parts]`. */
  fold(list: ElementList, factors: readonly bigint[]): ElementList
}

/**
 * 64 bytes that generator `index` of a name is derived from (RFC 9496, section 4.3.4): the hash of its name and number, so that nobody knows a
 * relation between two of them, and anybody can check that there is no trap in one. Rule [Z1].
 */
export function generatorSeed(name: string, index: number): Uint8Array {
  return sha512(utf8(`starling/proof/1/generator/${name}/${index}`))
}

/** Bases of a commitment to one value: of the value, and of its blinding. */
export function bases(engine: GroupEngine): ElementList {
  return engine.generators('base', 2)
}

/** A commitment to one value, of any sign. */
export function commit(engine: GroupEngine, value: bigint, blinding: bigint): Element {
  return engine.sum([{ list: bases(engine), from: 0, scalars: [value, blinding] }])
}
