import { invariant } from '../../codec/errors.ts'
import type { Element, GroupEngine } from './group-engine.ts'
import { BLINDING_COORDINATES, BLINDING_LIMB_BITS } from './limits.ts'
import { commitUpdate } from './norm-proof.ts'
import { modulo } from './scalars.ts'

/**
 * An update as it is put into a secure sum whose result is to open the commitments: its values, then its blinding in limbs, so that one sum adds up
 * both. Rule [Z6].
 */
export function summable(values: Int32Array, blinding: bigint): Int32Array {
  const vector = new Int32Array(values.length + BLINDING_COORDINATES)
  vector.set(values)
  for (let limb = 0; limb < BLINDING_COORDINATES; limb++)
    vector[values.length + limb] = Number(
      BigInt.asUintN(BLINDING_LIMB_BITS, blinding >> BigInt(limb * BLINDING_LIMB_BITS)),
    )
  return vector
}

/** What a sum of {@link summable} vectors says. Limbs have room to grow: no carries were made between them. */
export function readSum(vector: Int32Array): { readonly values: Int32Array; readonly blinding: bigint } {
  const length = vector.length - BLINDING_COORDINATES
  invariant(length >= 1, 'a sum with blindings has values')
  const blinding = vector
    .subarray(length)
    .reduce((sum, limb, at) => sum + (BigInt(limb) << BigInt(at * BLINDING_LIMB_BITS)), 0n)
  return { values: vector.slice(0, length), blinding: modulo(blinding) }
}

/**
 * Whether commitments, added up, hold a sum. It ties what was masked in a secure sum to what was committed to and proved; where it fails, somebody
 * committed to one update and masked another, and nobody can say who. Rule [Z6].
 *
 * @param sum - Of the committed updates, each as {@link summable} makes it.
 * @throws {@link InvalidProofError} When a commitment is no element.
 */
export function opensSum(commitments: readonly Element[], sum: Int32Array, engine: GroupEngine): boolean {
  const { values, blinding } = readSum(sum)
  const own = commitUpdate(values, { blinding, engine })
  const difference = engine.sum([
    { element: own, scalar: -1n },
    ...commitments.map((element) => ({ element, scalar: 1n })),
  ])
  return difference.every((byte) => byte === 0)
}
