import { clippingFactor, rootCeiling, squaredNorm, subtractFixed, toFixedVector } from './fixed.ts'

/** What a peer sends of its training. */
export interface LocalUpdate {
  /** Local minus global weights, I16F16; its exact L2 norm is at most the bound. */
  readonly values: Int32Array
  /** L2 norm before clipping, in I16F16 units, rounded up. */
  readonly norm: number
  readonly clipped: boolean
}

/**
 * Turns trained weights into an update: to I16F16, minus the global weights, scaled down to the bound. Scaling cuts toward zero, so that
 * rounding cannot carry the norm over the bound again.
 *
 * @param options.global - The round's weights, I16F16.
 * @param options.clipNorm - L2 bound in I16F16 units, whole.
 * @throws {@link FixedOverflowError} If a weight is not finite or is beyond I16F16.
 * @throws {@link InvalidVectorError} If the lengths differ.
 */
export function localUpdate(
  local: ArrayLike<number>,
  options: { readonly global: Int32Array; readonly clipNorm: number },
): LocalUpdate {
  const difference = subtractFixed(toFixedVector(local), options.global)
  const squared = squaredNorm(difference)
  const norm = Number(rootCeiling(squared))
  const factor = clippingFactor(options.clipNorm, squared)
  if (factor === 1) return { values: difference, norm, clipped: false }
  return { values: difference.map((value) => Math.trunc(value * factor)), norm, clipped: true }
}
