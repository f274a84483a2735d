import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { compareBytes, concatBytes, utf8 } from '../../codec/bytes.ts'
import { sha256Bytes } from '../../codec/hash.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import { InvalidShareError } from './errors.ts'
import { KEY_BYTES, SHARE_COMMITMENTS_BYTES } from './limits.ts'

/** What one holder keeps of one dealer: a share of the seed of its own mask, and one of its mask key's secret. Never reveal both. */
export interface SharePair {
  readonly own: Uint8Array
  readonly pair: Uint8Array
}

/** Which of the two a share is of. */
export type ShareSide = keyof SharePair

/** Who deals to whom in which session: bound into boxes and commitments, so that none serves elsewhere. */
export interface Dealing {
  readonly session: Hash
  readonly dealer: PeerId
  readonly holder: PeerId
}

const NONCE = new Uint8Array(12)

/** Seals two shares to their holder. ChaCha20-Poly1305 (RFC 8439); the key serves once, so the nonce is zero. Rule [Q4]. */
export function sealShares(shares: SharePair, key: Uint8Array, dealing: Dealing): Uint8Array {
  return chacha20poly1305(key, NONCE, contextOf(dealing)).encrypt(concatBytes(shares.own, shares.pair))
}

/**
 * Opens a box and compares its shares with the dealer's commitments.
 *
 * @throws {@link InvalidShareError} When it was changed, sealed for somebody else, or holds what was not committed to.
 */
export function openShares(box: Uint8Array, key: Uint8Array, of: Dealing & { commitments: Uint8Array }): SharePair {
  let opened: Uint8Array
  try {
    opened = chacha20poly1305(key, NONCE, contextOf(of)).decrypt(box)
  } catch (cause) {
    throw new InvalidShareError(
      `The shares from ${of.dealer} cannot be opened`,
      { field: 'boxes', value: of.dealer, limit: of.holder },
      { cause },
    )
  }
  const shares = { own: opened.slice(0, KEY_BYTES), pair: opened.slice(KEY_BYTES) }
  for (const side of ['own', 'pair'] as const) checkShare(shares[side], side, of)
  return shares
}

/**
 * Compares a share with its dealer's commitment.
 *
 * @param of.commitments - The two commitments for this holder, 64 bytes.
 * @throws {@link InvalidShareError} When it is another share.
 */
export function checkShare(share: Uint8Array, side: ShareSide, of: Dealing & { commitments: Uint8Array }): void {
  const committed = of.commitments.subarray(side === 'own' ? 0 : KEY_BYTES).subarray(0, KEY_BYTES)
  if (compareBytes(commitShare(share, side, of), committed) === 0) return
  throw new InvalidShareError(`A share of ${of.dealer} at ${of.holder} is not the one committed to`, {
    field: side,
    value: of.dealer,
    limit: 'its commitment',
  })
}

/** Both commitments for one holder, 64 bytes. */
export function commitShares(shares: SharePair, dealing: Dealing): Uint8Array {
  const joined = concatBytes(commitShare(shares.own, 'own', dealing), commitShare(shares.pair, 'pair', dealing))
  return joined.subarray(0, SHARE_COMMITMENTS_BYTES)
}

/** A hash of a share hides it as long as the share is unknown as a whole: it has 256 bits that nobody can guess. */
function commitShare(share: Uint8Array, side: ShareSide, dealing: Dealing): Uint8Array {
  return sha256Bytes(concatBytes(utf8(`starling/secure-sum/1/share/${side}\n`), contextOf(dealing), share))
}

/** Commitment to the seed of a peer's own mask. */
export function commitSeed(seed: Uint8Array, session: Hash, peer: PeerId): Uint8Array {
  return sha256Bytes(concatBytes(utf8(`starling/secure-sum/1/seed/${session}/${peer}\n`), seed))
}

function contextOf({ session, dealer, holder }: Dealing): Uint8Array {
  return utf8(`${session}/${dealer}/${holder}\n`)
}
