import type { Shuffle } from '../core/identity/verify-batch.ts'

/** Numbers drawn at once: one call of the platform costs as much as sixty-four numbers. */
const DRAWN = 64

/** Chance for the order of batches, from the platform's generator. */
export function platformShuffle(): Shuffle {
  const drawn = new Uint32Array(DRAWN)
  let left = 0
  return {
    below: (bound) => {
      if (left === 0) {
        crypto.getRandomValues(drawn)
        left = DRAWN
      }
      // The bias of a plain product is below 2^-22 for batches of a thousand; the order guards no secret.
      return Math.floor(((drawn[--left] ?? 0) / 2 ** 32) * bound)
    },
  }
}
