/** A source of randomness. The node's comes from the platform, the simulator's from its seed. */
export interface Rng {
  /** A whole number from 0 up to, not including, `bound`; `1 <= bound <= 2^32`. */
  below(bound: number): number
}

/**
 * A small seeded generator for tests and simulations; never for secrets.
 *
 * Source: sfc32 of PractRand (Chris Doty-Humphrey), seeded and warmed up with 12 rounds as its author does.
 */
export function seededRng(seed: number): Rng {
  let a = 0x9e3779b9 ^ Math.floor(seed / 2 ** 32)
  let b = seed | 0
  let c = 0x243f6a88
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  // The bias of a plain product is below 2^-20 for the small bounds used here.
  return { below: (bound) => Math.floor((next() / 2 ** 32) * bound) }
}
