import { base32 } from 'multiformats/bases/base32'
import { concatBytes, fromHex, toHex } from './bytes.ts'
import { InvalidMessageError } from './errors.ts'
import { type Hasher, sha256Bytes } from './hash.ts'
import type { Cid, Hash } from './ids.ts'
import { CID_CHARS } from './limits.ts'

/** Multicodec codes of https://github.com/multiformats/multicodec. */
const CODES = { raw: 0x55, 'dag-cbor': 0x71 } as const
const SHA2_256 = 0x12
const DIGEST_BYTES = 32

export type CidCodec = keyof typeof CODES

/** The id of the block with this digest. */
export function cidOfDigest(digest: Uint8Array, codec: CidCodec): Cid {
  // A CIDv1 in its canonical text form is what the brand means.
  return base32.encode(concatBytes(Uint8Array.of(1, CODES[codec], SHA2_256, DIGEST_BYTES), digest)) as Cid
}

/** The id of the `dag-cbor` block with this hash: how inputs, outcomes and manifests are fetched. */
export function cidOfHash(hash: Hash): Cid {
  return cidOfDigest(fromHex(hash), 'dag-cbor')
}

/** The id of a small block, at once. */
export function cidOf(block: Uint8Array, codec: CidCodec): Cid {
  return cidOfDigest(sha256Bytes(block), codec)
}

/** The id of a block of any size, hashed by the platform. */
export async function cidOfLarge(block: Uint8Array, options: { codec: CidCodec; hasher: Hasher }): Promise<Cid> {
  return cidOfDigest(await options.hasher.sha256(block), options.codec)
}

/**
 * Splits a CID into codec and hash.
 *
 * @throws {@link InvalidMessageError} If it is not a CIDv1 in base32 with codec raw or dag-cbor and SHA-256.
 */
export function parseCid(text: string): { readonly codec: CidCodec; readonly hash: Hash; readonly cid: Cid } {
  const refuse = (why: string) => new InvalidMessageError(`CID ${why}`, { field: 'cid', value: text.slice(0, 80) })
  if (text.length !== CID_CHARS) throw refuse(`has ${text.length} characters, limit ${CID_CHARS} exactly`)
  let bytes: Uint8Array
  try {
    bytes = base32.decode(text)
  } catch {
    throw refuse('is not base32')
  }
  if (bytes.length !== DIGEST_BYTES + 4 || bytes[0] !== 1) throw refuse('is not version 1')
  if (bytes[2] !== SHA2_256 || bytes[3] !== DIGEST_BYTES) throw refuse('is not made with SHA-256')
  if (bytes[1] !== CODES.raw && bytes[1] !== CODES['dag-cbor'])
    throw refuse(`has codec ${bytes[1]}, limit raw or dag-cbor`)
  // Spare bits of the last character would give one block several names.
  if (base32.encode(bytes) !== text) throw refuse('is not in its canonical form')
  const codec: CidCodec = bytes[1] === CODES.raw ? 'raw' : 'dag-cbor'
  return { codec, hash: toHex(bytes.subarray(4)) as Hash, cid: text as Cid }
}

/** Whether a text is a CID that Starling uses. */
export function isCid(text: string): text is Cid {
  try {
    parseCid(text)
    return true
  } catch {
    return false
  }
}
