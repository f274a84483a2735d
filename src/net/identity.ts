import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, Ed25519PublicKey } from '@libp2p/interface'
import type { PeerIdentity } from './network.ts'

/**
 * The private key that libp2p wants, whose signing happens elsewhere.
 *
 * libp2p's noise, identify and gossipsub only ever call `sign` and read `publicKey`; `raw` cannot be had from a
 * non-extractable key, and reading it is a mistake that should be seen.
 */
export function privateKeyOf(identity: PeerIdentity): Ed25519PrivateKey {
  const publicKey = publicKeyFromRaw(identity.publicKey) as Ed25519PublicKey
  return {
    type: 'Ed25519',
    publicKey,
    get raw(): Uint8Array {
      throw new TypeError('The private key of this peer cannot be read')
    },
    equals: (key?: { publicKey?: unknown }) => publicKey.equals(key?.publicKey as Ed25519PublicKey),
    sign: (data: Uint8Array | { subarray(): Uint8Array }) =>
      identity.sign(data instanceof Uint8Array ? data : data.subarray()),
  }
}

/**
 * A fresh Ed25519 identity whose private key cannot be exported, for tests, relays without a key file and tools.
 * A tab's own identity is kept by whoever owns its storage.
 */
export async function createIdentity(): Promise<PeerIdentity & { readonly keys: CryptoKeyPair }> {
  const keys = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair
  return { keys, ...(await identityFromKeys(keys)) }
}

/** The identity of a WebCrypto Ed25519 key pair, extractable or not. */
export async function identityFromKeys(keys: CryptoKeyPair): Promise<PeerIdentity> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey))
  return {
    publicKey,
    sign: async (message) =>
      // WebCrypto's type excludes views of shared memory; nothing here signs those.
      new Uint8Array(await crypto.subtle.sign('Ed25519', keys.privateKey, message as Uint8Array<ArrayBuffer>)),
  }
}
