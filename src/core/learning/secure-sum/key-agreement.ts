import { x25519 } from '@noble/curves/ed25519.js'
import { fromHex, toHex } from '../../codec/bytes.ts'
import { LowOrderKeyError } from './errors.ts'
import type { AgreeRequest } from './events.ts'
import { KEY_BYTES } from './limits.ts'

/** X25519 (RFC 7748). A node may put WebCrypto behind it, which is asynchronous. */
export interface KeyAgreement {
  /** @returns 32 bytes; `null` when the public key is of low order. */
  agree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | null | Promise<Uint8Array | null>
}

/**
 * The u-coordinates of low order and the encodings that are not below the prime: whoever announces one knows the shared secret without
 * a secret of its own, or has two names for one key. Source: RFC 7748, section 6.1, and the points of order 1, 2, 4 and 8 of
 * Curve25519 and its twist (https://cr.yp.to/ecdh.html, "validate").
 */
const LOW_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/**
 * Refuses a public key of low order, or one that is not in its one encoding (the highest bit set, or a value of the prime and above).
 *
 * @throws {@link LowOrderKeyError}
 */
export function checkPublicKey(publicKey: Uint8Array): void {
  if (publicKey.length !== KEY_BYTES) {
    throw new LowOrderKeyError(`A public key has ${publicKey.length} bytes, limit ${KEY_BYTES}`, {
      field: 'publicKey',
      value: publicKey.length,
      limit: KEY_BYTES,
    })
  }
  const text = toHex(publicKey)
  if (!LOW_ORDER.has(text) && isCanonical(publicKey)) return
  throw new LowOrderKeyError(`Public key ${text} is of low order or not in its one encoding`, {
    field: 'publicKey',
    value: text,
    limit: 'a canonical point of large order',
  })
}

const PRIME = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')

/** Below 2^255 - 19, little-endian. Public values: time may tell them. */
function isCanonical(publicKey: Uint8Array): boolean {
  for (let at = KEY_BYTES - 1; at >= 0; at--) {
    // Both are 32 bytes long.
    const difference = (publicKey[at] as number) - (PRIME[at] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** The public key of 32 secret bytes; clamping is the function's own. */
export function publicKeyOf(secret: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secret)
}

/** X25519 in portable code, the same on every engine. */
export const portableKeyAgreement = {
  agree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
    try {
      checkPublicKey(publicKey)
      return x25519.getSharedSecret(secret, publicKey)
    } catch {
      // Low order, found before the ladder or by its result of zero.
      return null
    }
  },
} satisfies KeyAgreement

/**
 * Answers an `agree` effect at once, in portable code: 2 ms for each key on a slow machine.
 *
 * @returns The secrets of the `agreed` event, in order.
 */
export function agreeNow({ secret, publicKeys }: AgreeRequest): (Uint8Array | null)[] {
  return publicKeys.map((publicKey) => portableKeyAgreement.agree(secret, publicKey))
}

/** Answers an `agree` effect through a port. Keys of low order never reach it. */
export async function agreeThrough(
  port: KeyAgreement,
  { secret, publicKeys }: AgreeRequest,
): Promise<(Uint8Array | null)[]> {
  const secrets: (Uint8Array | null)[] = []
  for (const publicKey of publicKeys) {
    let isGood = true
    try {
      checkPublicKey(publicKey)
    } catch {
      isGood = false
    }
    secrets.push(isGood ? await port.agree(secret, publicKey) : null)
  }
  return secrets
}
