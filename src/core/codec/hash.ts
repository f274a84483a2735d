import { sha256 } from '@noble/hashes/sha2.js'
import { toHex } from './bytes.ts'
import type { Hash } from './ids.ts'

/** SHA-256 of small data, at once. About 150 MB/s: use a {@link Hasher} for more than a few hundred KiB. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}

/** SHA-256 of small data, as text. */
export function sha256Hex(bytes: Uint8Array): Hash {
  // The text of a digest is a Hash by definition.
  return toHex(sha256(bytes)) as Hash
}

/** The platform's own SHA-256, for large data. */
export interface Hasher {
  sha256(bytes: Uint8Array): Promise<Uint8Array>
}
