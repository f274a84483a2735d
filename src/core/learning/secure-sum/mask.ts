import { chacha20 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { compareBytes, concatBytes, utf8 } from '../../codec/bytes.ts'
import type { Hash } from '../../codec/ids.ts'
import type { MaskTerm, SumWork } from './events.ts'
import { KEY_BYTES } from './limits.ts'

/**
 * Masks: a keystream read as 32-bit integers and added modulo 2^32. What one peer adds, another subtracts, and nothing is left of it.
 *
 * ChaCha20 (RFC 8439) and not AES-CTR: it runs at the same speed and in constant time on every engine without the platform's help, and at
 * once, where WebCrypto would answer later. The seed of a mask is used for one vector of one session, so the nonce is zero.
 */

const NONCE = new Uint8Array(12)

/** Values that are masked at a time: 64 KiB of keystream stay in the cache of a core. A multiple of ChaCha20's block. */
const CHUNK_VALUES = 16_384
const BLOCKS_PER_CHUNK = (CHUNK_VALUES * 4) / 64

/** What a keystream is the encryption of. */
const ZEROS = new Uint8Array(CHUNK_VALUES * 4)

/** Adds (or subtracts) a mask's keystream to a vector in place, modulo 2^32. Rule [Q5]. */
export function addMask(values: Int32Array, { seed, sign }: MaskTerm): void {
  const stream = new Uint8Array(Math.min(values.length, CHUNK_VALUES) * 4)
  const words = new DataView(stream.buffer)
  const aligned = new Int32Array(stream.buffer)
  for (let start = 0, block = 0; start < values.length; start += CHUNK_VALUES, block += BLOCKS_PER_CHUNK) {
    const count = Math.min(values.length - start, CHUNK_VALUES)
    chacha20(seed, NONCE, ZEROS.subarray(0, count * 4), stream.subarray(0, count * 4), block)
    if (LITTLE_ENDIAN) addWords(values.subarray(start, start + count), aligned, sign)
    else addBytes(values.subarray(start, start + count), words, sign)
  }
}

/** Typed arrays have the machine's byte order, the wire has one. */
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

function addWords(values: Int32Array, stream: Int32Array, sign: 1 | -1): void {
  // Storing into an Int32Array is the reduction; both are at least `values.length` long.
  if (sign === 1)
    for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) + (stream[at] as number)
  else for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) - (stream[at] as number)
}

function addBytes(values: Int32Array, stream: DataView, sign: 1 | -1): void {
  for (let at = 0; at < values.length; at++) {
    values[at] = (values[at] as number) + sign * stream.getInt32(at * 4, true)
  }
}

/** Adds up vectors and masks modulo 2^32, in any order with the same result. The vectors are not modified. */
export function runSumWork({ length, vectors, terms }: SumWork): Int32Array {
  const sum = new Int32Array(length)
  for (const vector of vectors) addVector(sum, vector)
  for (const term of terms) addMask(sum, term)
  return sum
}

function addVector(sum: Int32Array, vector: Int32Array): void {
  // Same length: whoever made the work saw to it.
  for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + (vector[at] as number)
}

/** The seed of the mask between two peers: both derive the same from what X25519 gave them. */
export function pairSeed(secret: Uint8Array, session: Hash, keys: readonly [Uint8Array, Uint8Array]): Uint8Array {
  return derive(secret, 'mask', session, keys)
}

/** The key that seals shares from one peer to another: one for each direction, so that its zero nonce serves once. */
export function sealKey(secret: Uint8Array, session: Hash, from: Uint8Array, to: Uint8Array): Uint8Array {
  return expand(secret, concatBytes(utf8(`starling/secure-sum/1/seal/${session}\n`), from, to))
}

/** HKDF-SHA256 (RFC 5869) over the raw X25519 output, with purpose, session and both public keys in it. */
function derive(
  secret: Uint8Array,
  purpose: string,
  session: Hash,
  [a, b]: readonly [Uint8Array, Uint8Array],
): Uint8Array {
  const ordered = compareBytes(a, b) < 0 ? [a, b] : [b, a]
  return expand(secret, concatBytes(utf8(`starling/secure-sum/1/${purpose}/${session}\n`), ...ordered))
}

/** The stream's key for a peer's own mask. */
export function ownSeed(seed: Uint8Array, session: Hash): Uint8Array {
  return expand(seed, utf8(`starling/secure-sum/1/own/${session}\n`))
}

function expand(secret: Uint8Array, info: Uint8Array): Uint8Array {
  return hkdf(sha256, secret, undefined, info, KEY_BYTES)
}

/** Bytes of a vector as they travel: little-endian. */
export function valuesToBytes(values: Int32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  if (LITTLE_ENDIAN) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    return bytes
  }
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < values.length; at++) view.setInt32(at * 4, values[at] as number, true)
  return bytes
}

/** A vector from bytes, whose number is a multiple of 4. */
export function bytesToValues(bytes: Uint8Array): Int32Array {
  const values = new Int32Array(bytes.length / 4)
  if (LITTLE_ENDIAN) {
    new Uint8Array(values.buffer).set(bytes)
    return values
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < values.length; at++) values[at] = view.getInt32(at * 4, true)
  return values
}
