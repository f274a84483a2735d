import { ed25519 } from '@noble/curves/ed25519.js'
import { peerIdOf, publicKeyOf } from '../core/identity/peer-id.ts'
import type { Signer, Verifier } from '../core/identity/ports.ts'

/** A signer with a fixed key for tests. @param index - Different for different signers, 0 to 255. */
export function testSigner(index: number): Signer {
  const secret = new Uint8Array(32).fill(index + 1)
  return {
    author: peerIdOf(ed25519.getPublicKey(secret)),
    sign: async (bytes) => ed25519.sign(bytes, secret),
  }
}

/** ZIP215 alone, without the platform. */
export const testVerifier: Verifier = {
  verify: async (author, bytes, signature) => ed25519.verify(signature, bytes, publicKeyOf(author), { zip215: true }),
}
