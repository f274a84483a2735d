import { invariant } from '../../codec/errors.ts'
import type { ByteSource } from '../byte-source.ts'
import { TooFewSharesError } from './errors.ts'
import { invert, multiply } from './gf256.ts'
import { SHARE_HOLDERS_MAX } from './limits.ts'

/**
 * Shamir's secret sharing, byte by byte over GF(2^8).
 *
 * Why this field: every 32-byte secret is 32 elements of it without rejection or bias, a share is as long as the secret, arithmetic needs
 * no big integers (whose time depends on their values in every engine), and its 255 points are more than the neighbours that anyone
 * has here. Each byte has a polynomial of its own, so fewer shares than the threshold say nothing at all about any byte. What the field
 * cannot do, finding out who lied, commitments do: see sealed-shares.ts.
 *
 * Source: A. Shamir, "How to share a secret", Communications of the ACM 22 (1979).
 */

/** A point of the polynomials of a secret. */
export interface Share {
  /** 1 to 255: the abscissa. */
  readonly index: number
  /** As long as the secret. */
  readonly bytes: Uint8Array
}

/**
 * Splits a secret into shares, any `threshold` of which give it back.
 *
 * @param options.threshold - `1 <= threshold <= holders`.
 * @param options.holders - Shares to make, at most 255; share `i` of the list has index `i + 1`.
 */
export function splitSecret(
  secret: Uint8Array,
  options: { readonly threshold: number; readonly holders: number; readonly random: ByteSource },
): Share[] {
  const { threshold, holders, random } = options
  invariant(holders >= 1 && holders <= SHARE_HOLDERS_MAX, `a secret has 1 to ${SHARE_HOLDERS_MAX} holders`)
  invariant(threshold >= 1 && threshold <= holders, 'the threshold is 1 to the number of holders')
  const width = secret.length
  const coefficients = random.bytes((threshold - 1) * width)
  return Array.from({ length: holders }, (_, holder) => {
    const index = holder + 1
    const bytes = new Uint8Array(width)
    // Horner, from the highest coefficient; both indices stay inside.
    for (let degree = threshold - 2; degree >= 0; degree--) {
      for (let at = 0; at < width; at++) {
        bytes[at] = multiply((bytes[at] as number) ^ (coefficients[degree * width + at] as number), index)
      }
    }
    for (let at = 0; at < width; at++) bytes[at] = (bytes[at] as number) ^ (secret[at] as number)
    return { index, bytes }
  })
}

/**
 * Gives a secret back from shares with different indices; those beyond the threshold are not used.
 *
 * @throws {@link TooFewSharesError} When there are fewer than the threshold.
 */
export function joinShares(shares: readonly Share[], threshold: number): Uint8Array {
  if (shares.length < threshold) {
    throw new TooFewSharesError(`A secret has ${shares.length} shares, limit ${threshold}`, {
      field: 'shares',
      value: shares.length,
      limit: threshold,
    })
  }
  const used = shares.slice(0, threshold)
  invariant(new Set(used.map(({ index }) => index)).size === used.length, 'shares have different indices')
  // There is at least one, as a threshold is positive.
  const secret = new Uint8Array((used[0] as Share).bytes.length)
  for (const { index, bytes } of used) {
    // Lagrange's coefficient at 0; subtraction is addition here.
    let weight = 1
    for (const other of used) {
      if (other.index !== index) weight = multiply(weight, multiply(other.index, invert(other.index ^ index)))
    }
    for (let at = 0; at < secret.length; at++) {
      secret[at] = (secret[at] as number) ^ multiply(bytes[at] as number, weight)
    }
  }
  return secret
}
