import type { PeerId } from '../codec/ids.ts'

/** A device's key. The private part never leaves the implementation. */
export interface Signer {
  readonly author: PeerId
  /** @returns A 64-byte Ed25519 signature. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/**
 * Decides whether a signature is good, with the same verdict on every engine: accepted when WebCrypto accepts, otherwise
 * noble's ZIP215 rules decide.
 */
export interface Verifier {
  verify(author: PeerId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}
