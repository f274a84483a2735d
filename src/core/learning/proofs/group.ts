import { chacha20 } from '@noble/ciphers/chacha.js'
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { utf8 } from '../../codec/bytes.ts'
import type { ByteSource } from '../byte-source.ts'
import { InvalidProofError } from './errors.ts'

/** ristretto255 (RFC 9496): a group of prime order with one encoding for each element. */
export const Point = ristretto255.Point
export type Point = InstanceType<typeof Point>

/** Order of the group, RFC 9496 section 4. */
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
export const POINT_BYTES = 32
export const SCALAR_BYTES = 32

/** Between 0 and the order. */
export function modulo(value: bigint): bigint {
  const rest = value % ORDER
  return rest < 0n ? rest + ORDER : rest
}

/** The inverse of a scalar that is not 0, by the extended algorithm of Euclid. Challenges are public: time may tell them. */
export function inverse(value: bigint): bigint {
  let [a, b, x, y] = [modulo(value), ORDER, 1n, 0n]
  while (a > 1n) {
    const quotient = b / a
    ;[a, b] = [b - quotient * a, a]
    ;[x, y] = [y - quotient * x, x]
  }
  return modulo(x)
}

/** 32 bytes, little-endian. */
export function scalarToBytes(scalar: bigint): Uint8Array {
  const bytes = new Uint8Array(SCALAR_BYTES)
  const view = new DataView(bytes.buffer)
  for (let word = 0; word < 4; word++)
    view.setBigUint64(8 * word, (scalar >> BigInt(64 * word)) & (2n ** 64n - 1n), true)
  return bytes
}

function bytesToInteger(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let value = 0n
  for (let at = bytes.length - 8; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true)
  return value
}

/** @throws {@link InvalidProofError} When it is not below the order: a scalar has one encoding. */
export function bytesToScalar(bytes: Uint8Array): bigint {
  const value = bytesToInteger(bytes)
  if (value < ORDER) return value
  throw new InvalidProofError('A scalar is not below the order of the group', {
    field: 'scalar',
    limit: 'its one encoding',
  })
}

/** Any 64 bytes as a scalar, without bias that anybody could measure. */
export function wideToScalar(bytes: Uint8Array): bigint {
  return bytesToInteger(bytes) % ORDER
}

/** @throws {@link InvalidProofError} When the bytes are no element's one encoding. */
export function bytesToPoint(bytes: Uint8Array): Point {
  try {
    return Point.fromBytes(bytes)
  } catch (cause) {
    throw new InvalidProofError('A point is not in its one encoding', { field: 'point' }, { cause })
  }
}

/** Uniform scalars from a cryptographic source: one seed, expanded. */
export function drawScalars(random: ByteSource, count: number): bigint[] {
  const stream = chacha20(random.bytes(32), new Uint8Array(12), new Uint8Array(64 * count))
  return Array.from({ length: count }, (_, at) => wideToScalar(stream.subarray(64 * at, 64 * at + 64)))
}

/**
 * Generators that nobody knows a relation between: each is hashed to the group from its name and number. 0.3 to 0.6 ms each, so they are kept.
 *
 * @param name - Different lists for different names.
 */
export function generators(name: string, count: number): readonly Point[] {
  const prefix = prefixes.get(`${name}/${count}`)
  if (prefix !== undefined) return prefix
  const known = lists.get(name) ?? []
  lists.set(name, known)
  for (let at = known.length; at < count; at++) {
    known.push(ristretto255_hasher.hashToCurve(utf8(`starling/proof/1/${name}/${at}`), { DST: HASH_DOMAIN }) as Point)
  }
  // The same array for the same question: checks add up scalars by list.
  const list = known.slice(0, count)
  prefixes.set(`${name}/${count}`, list)
  return list
}

const prefixes = new Map<string, readonly Point[]>()

const lists = new Map<string, Point[]>()
const HASH_DOMAIN = 'starling/proof/1/generators'

/** Base of values, and of blindings. */
export const valueBase = Point.BASE
export function blindingBase(): Point {
  return generators('blinding', 1)[0] as Point
}
