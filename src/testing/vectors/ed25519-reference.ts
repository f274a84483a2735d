/**
 * Ed25519 by the letter of RFC 8032, section 5.1, with the verification of ZIP215 (https://zips.z.cash/zip-0215), in plain bigint
 * arithmetic. Slow and not constant in time: it is what the vectors are made with and what their verdicts are checked against, so it
 * shares no code with the libraries under test.
 */
import { createHash } from 'node:crypto'

/** The field: p = 2^255 − 19. */
export const P = 2n ** 255n - 19n
/** The order of the base point. */
export const L = 2n ** 252n + 27742317777372353535851937790883648493n

const mod = (a: bigint, m = P): bigint => ((a % m) + m) % m

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

const inverse = (a: bigint): bigint => power(a, P - 2n)

/** −121665/121666 */
const D = mod(-121665n * inverse(121666n))
/** A square root of −1. */
const ROOT = power(2n, (P - 1n) / 4n)

/** A point of the curve −x² + y² = 1 + d·x²·y², in affine coordinates. */
export interface Point {
  readonly x: bigint
  readonly y: bigint
}

export const ZERO: Point = { x: 0n, y: 1n }

/** The curve's law of addition; it is complete, so that it holds for every pair of points. */
export function add(a: Point, b: Point): Point {
  const t = mod(D * a.x * b.x * a.y * b.y)
  return {
    x: mod((a.x * b.y + a.y * b.x) * inverse(1n + t)),
    y: mod((a.y * b.y + a.x * b.x) * inverse(1n - t)),
  }
}

export function negate({ x, y }: Point): Point {
  return { x: mod(-x), y }
}

/** The same point as (X : Y : Z : T) with x = X/Z, y = Y/Z, x·y = T/Z. */
type Extended = readonly [x: bigint, y: bigint, z: bigint, t: bigint]

/** Section 5.1.4: without an inversion for each sum. */
function addExtended([x1, y1, z1, t1]: Extended, [x2, y2, z2, t2]: Extended): Extended {
  const a = mod((y1 - x1) * (y2 - x2))
  const b = mod((y1 + x1) * (y2 + x2))
  const c = mod(2n * t1 * D * t2)
  const d = 2n * z1 * z2
  const [e, f, g, h] = [b - a, mod(d - c), mod(d + c), b + a]
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)]
}

export function multiply(point: Point, scalar: bigint): Point {
  let result: Extended = [0n, 1n, 1n, 0n]
  let double: Extended = [point.x, point.y, 1n, mod(point.x * point.y)]
  for (let e = scalar; e > 0n; e >>= 1n) {
    if (e & 1n) result = addExtended(result, double)
    double = addExtended(double, double)
  }
  const [x, y, z] = result
  const scale = inverse(z)
  return { x: mod(x * scale), y: mod(y * scale) }
}

export const equal = (a: Point, b: Point): boolean => a.x === b.x && a.y === b.y

export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`)
}

/** 32 bytes, little end first. */
export function toBytes(value: bigint, length = 32): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex').reverse())
}

/** Section 5.1.2. */
export function encodePoint({ x, y }: Point): Uint8Array {
  return toBytes(y | ((x & 1n) << 255n))
}

/**
 * Section 5.1.3 as ZIP215 has it: y may be p or more, and x = 0 may come with its sign bit set.
 *
 * @returns `null` When no point has that y.
 */
export function decodePoint(bytes: Uint8Array): Point | null {
  if (bytes.length !== 32) return null
  const encoded = toNumber(bytes)
  const sign = encoded >> 255n
  const y = mod(encoded & (2n ** 255n - 1n))
  const u = mod(y * y - 1n)
  const v = mod(D * y * y + 1n)
  // One power for the square root of u/v.
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n))
  const square = mod(v * x * x)
  if (square === mod(-u)) x = mod(x * ROOT)
  else if (square !== u) return null
  if ((x & 1n) !== sign) x = mod(-x)
  return { x, y }
}

/** Section 5.1: y = 4/5, x even. */
export const BASE = decodePoint(toBytes(mod(4n * inverse(5n)))) as Point

function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The challenge of a signature: the hash of R, A and the message, reduced. */
export function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return mod(toNumber(sha512(r, a, message)), L)
}

export interface SecretKey {
  readonly scalar: bigint
  readonly prefix: Uint8Array
  readonly publicKey: Uint8Array
}

/** Section 5.1.5. */
export function secretKeyOf(seed: Uint8Array): SecretKey {
  const hash = sha512(seed)
  const low = hash.slice(0, 32)
  low[0] = (low[0] as number) & 248
  low[31] = ((low[31] as number) & 127) | 64
  const scalar = toNumber(low)
  return { scalar, prefix: hash.slice(32), publicKey: encodePoint(multiply(BASE, scalar)) }
}

/** Section 5.1.6, with points of small order added to R and to A where a vector wants them there. */
export function sign(
  key: SecretKey,
  message: Uint8Array,
  torsion: { readonly r?: Point; readonly a?: Point } = {},
): { readonly publicKey: Uint8Array; readonly signature: Uint8Array } {
  const nonce = mod(toNumber(sha512(key.prefix, message)), L)
  const publicKey = encodePoint(add(multiply(BASE, key.scalar), torsion.a ?? ZERO))
  const r = encodePoint(add(multiply(BASE, nonce), torsion.r ?? ZERO))
  const s = mod(nonce + challenge(r, publicKey, message) * key.scalar, L)
  return { publicKey, signature: Uint8Array.from([...r, ...toBytes(s)]) }
}

/** ZIP215: S below L, R and A any encoding of any point, and 8·S·B = 8·R + 8·k·A. */
export function verifyZip215(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  const encodedR = signature.slice(0, 32)
  const s = toNumber(signature.slice(32))
  const a = decodePoint(publicKey)
  const r = decodePoint(encodedR)
  if (a === null || r === null || s >= L) return false
  const k = challenge(encodedR, publicKey, message)
  const difference = add(multiply(BASE, s), negate(add(r, multiply(a, k))))
  return equal(multiply(difference, 8n), ZERO)
}

/** A point of order 8, from any point of the curve: L times it has no part of large order left. */
export function pointOfOrderEight(): Point {
  for (let y = 2n; ; y++) {
    const point = decodePoint(toBytes(y))
    if (point === null) continue
    const small = multiply(point, L)
    if (!equal(multiply(small, 4n), ZERO)) return small
  }
}

/** The eight points of small order: multiples of one of order 8, from 0. */
export function torsionPoints(): Point[] {
  const generator = pointOfOrderEight()
  return Array.from({ length: 8 }, (_, i) => multiply(generator, BigInt(i)))
}

/** Every encoding that ZIP215 takes for a point: with the other sign where x is 0, with p added to y where 255 bits have room. */
export function encodingsOf({ x, y }: Point): Uint8Array[] {
  const signs = x === 0n ? [0n, 1n] : [x & 1n]
  const ys = y + P < 2n ** 255n ? [y, y + P] : [y]
  return ys.flatMap((each) => signs.map((sign) => toBytes(each | (sign << 255n))))
}
