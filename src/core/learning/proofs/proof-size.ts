import { RANGE_BITS } from './limits.ts'

export const ELEMENT_BYTES = 32
export const SCALAR_BYTES = 32

/** Halvings of a range proof over a number of values. */
export function halvingsOf(values: number): number {
  return Math.log2(values * RANGE_BITS)
}

/** Bytes of a proof for an update of some length. */
export function normProofBytes(of: { readonly length: number; readonly projections: number }): number {
  const scalars = of.length + 2 + 3 * of.projections + 3 + 2
  return elementsOf(of.projections) * ELEMENT_BYTES + scalars * SCALAR_BYTES
}

/** Group elements of a proof. */
export function elementsOf(projections: number): number {
  return 2 * projections + 1 + 2 + 2 * projections + 4 + 2 * halvingsOf(projections + 2)
}
