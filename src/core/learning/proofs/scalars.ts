import { chacha20 } from '@noble/ciphers/chacha.js'
import type { ByteSource } from '../byte-source.ts'
import { InvalidProofError } from './errors.ts'
import { SCALAR_BYTES } from './proof-size.ts'

/** Order of ristretto255, RFC 9496 section 4. */
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

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

/** Writes scalars below the order, little-endian, 32 bytes each. */
export function writeScalars(view: DataView, at: number, scalars: readonly bigint[]): void {
  let place = at
  for (const scalar of scalars) {
    // Each takes the lowest 64 bits of what it is given.
    view.setBigUint64(place, scalar, true)
    view.setBigUint64(place + 8, scalar >> 64n, true)
    view.setBigUint64(place + 16, scalar >> 128n, true)
    view.setBigUint64(place + 24, scalar >> 192n, true)
    place += SCALAR_BYTES
  }
}

export function scalarsToBytes(scalars: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(scalars.length * SCALAR_BYTES)
  writeScalars(new DataView(bytes.buffer), 0, scalars)
  return bytes
}

function readInteger(bytes: Uint8Array, from: number, to: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let value = 0n
  for (let at = to - 8; at >= from; at -= 8) value = (value << 64n) | view.getBigUint64(at, true)
  return value
}

/** @throws {@link InvalidProofError} When one is not below the order: a scalar has one encoding. */
export function bytesToScalars(bytes: Uint8Array): bigint[] {
  return Array.from({ length: bytes.length / SCALAR_BYTES }, (_, at) => {
    const value = readInteger(bytes, at * SCALAR_BYTES, (at + 1) * SCALAR_BYTES)
    if (value < ORDER) return value
    throw new InvalidProofError('A scalar is not below the order of the group', {
      field: 'scalar',
      limit: 'its one encoding',
    })
  })
}

/** Any 64 bytes as a scalar, without bias that anybody could measure. */
export function wideToScalar(bytes: Uint8Array): bigint {
  return readInteger(bytes, 0, bytes.length) % ORDER
}

/** Uniform scalars from a cryptographic source: one seed, expanded. */
export function drawScalars(random: ByteSource, count: number): bigint[] {
  const stream = chacha20(random.bytes(32), new Uint8Array(12), new Uint8Array(64 * count))
  return Array.from({ length: count }, (_, at) => wideToScalar(stream.subarray(64 * at, 64 * at + 64)))
}

/** Powers `1, base, base², …`. */
export function powers(base: bigint, count: number): bigint[] {
  const list = new Array<bigint>(count)
  let power = 1n
  for (let at = 0; at < count; at++) {
    list[at] = power
    power = (power * base) % ORDER
  }
  return list
}

export function innerProduct(a: readonly bigint[], b: readonly bigint[]): bigint {
  let sum = 0n
  for (let at = 0; at < a.length; at++) sum += (a[at] as bigint) * (b[at] as bigint)
  return modulo(sum)
}
