/**
 * Edge cases of Ed25519 signatures, made from RFC 8032 and ZIP215 alone: `node src/testing/vectors/ed25519-cases.ts` writes
 * `ed25519-cases.json` beside this file. The verdicts are ZIP215's, by `ed25519-reference.ts`. Kinds of cases follow what Wycheproof
 * and "Taming the many EdDSAs" (https://eprint.iacr.org/2020/1244) test for; no vector is copied from either.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  add,
  BASE,
  challenge,
  decodePoint,
  encodePoint,
  encodingsOf,
  L,
  multiply,
  P,
  secretKeyOf,
  sign,
  toBytes,
  toNumber,
  torsionPoints,
  verifyZip215,
  ZERO,
} from './ed25519-reference.ts'

/** One case; bytes as hexadecimal text. */
export interface SignatureCase {
  readonly group: string
  readonly note: string
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  /** What ZIP215 says. */
  readonly valid: boolean
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Keys and messages from a seed of their own: the same file at every run. */
const digest = (name: string): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(`starling/vectors/${name}`).digest())

const MESSAGE = text('A statement that somebody signed')
const KEY = secretKeyOf(digest('key'))

class Cases {
  readonly all: SignatureCase[] = []

  add(
    group: string,
    note: string,
    parts: { publicKey: Uint8Array; message?: Uint8Array; signature: Uint8Array },
  ): void {
    const { publicKey, signature, message = MESSAGE } = parts
    const valid = verifyZip215(publicKey, message, signature)
    this.all.push({ group, note, publicKey: hex(publicKey), message: hex(message), signature: hex(signature), valid })
  }
}

/** RFC 8032, section 7.1: secret key and message of each test vector; keys and signatures follow from them. */
const RFC_8032: readonly (readonly [note: string, seed: string, message: string, signature: string])[] = [
  [
    'TEST 1',
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    'TEST 2',
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'TEST 3',
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
  [
    'TEST SHA(abc)',
    '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ],
]

function addRfcVectors(cases: Cases): void {
  for (const [note, seed, message, expected] of RFC_8032) {
    const { publicKey, signature } = sign(secretKeyOf(unhex(seed)), unhex(message))
    // The document's own bytes prove that the reference computes what it should.
    if (hex(signature) !== expected) throw new Error(`The reference does not reproduce RFC 8032 ${note}`)
    cases.add('rfc8032', note, { publicKey, signature, message: unhex(message) })
  }
  for (const length of [1, 63, 64, 65, 1023, 4096]) {
    const message = Uint8Array.from({ length }, (_, i) => i & 0xff)
    cases.add('good', `a message of ${length} bytes`, { ...sign(KEY, message), message })
  }
}

function addChanged(cases: Cases): void {
  const { publicKey, signature } = sign(KEY, MESSAGE)
  cases.add('changed', 'another message', { publicKey, signature, message: text('Another') })
  cases.add('changed', 'no message', { publicKey, signature, message: new Uint8Array() })
  const prehashed = Uint8Array.from(createHash('sha512').update(MESSAGE).digest())
  cases.add('changed', 'the message hashed first, as Ed25519ph does', { publicKey, signature, message: prehashed })
  const domain = text('SigEd25519 no Ed25519 collisions\u0000\u0000')
  const underDomain = sign(KEY, join(domain, MESSAGE))
  cases.add('changed', 'signed under the domain of Ed25519ctx', { ...underDomain })
  cases.add('changed', 'another key', { publicKey: secretKeyOf(digest('other')).publicKey, signature })
  cases.add('changed', 'R and S in each other’s place', {
    publicKey,
    signature: join(signature.slice(32), signature.slice(0, 32)),
  })
  for (const bit of [0, 7, 8, 128, 254, 255, 256, 263, 384, 507, 508, 509, 510, 511]) {
    const flipped = signature.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    cases.add('changed', `bit ${bit} of the signature flipped`, { publicKey, signature: flipped })
  }
  for (const bit of [0, 100, 254, 255]) {
    const flipped = publicKey.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    cases.add('changed', `bit ${bit} of the public key flipped`, { publicKey: flipped, signature })
  }
}

function addLengths(cases: Cases): void {
  const { publicKey, signature } = sign(KEY, MESSAGE)
  for (const length of [0, 1, 31, 32, 33, 63]) {
    cases.add('length', `a signature cut to ${length} bytes`, { publicKey, signature: signature.slice(0, length) })
  }
  for (const more of [1, 32, 64]) {
    cases.add('length', `a signature with ${more} bytes of zero after it`, {
      publicKey,
      signature: join(signature, new Uint8Array(more)),
    })
  }
  cases.add('length', 'a signature with a zero byte before it', {
    publicKey,
    signature: join(Uint8Array.of(0), signature),
  })
}

/** S + n·L gives the same product with the base point: without the check of the bound anyone makes further signatures. */
function addMalleable(cases: Cases): void {
  const { publicKey, signature } = sign(KEY, MESSAGE)
  const r = signature.slice(0, 32)
  const s = toNumber(signature.slice(32))
  const most = (2n ** 256n - 1n - s) / L
  for (const n of new Set([1n, 2n, 4n, 7n, 8n, most])) {
    cases.add('malleable', `S + ${n}·L`, { publicKey, signature: join(r, toBytes(s + n * L)) })
  }
  cases.add('malleable', 'L − S with the key negated by its sign bit', {
    publicKey: toBytes(toNumber(publicKey) ^ (1n << 255n)),
    signature: join(r, toBytes(L - s)),
  })
  for (const [note, value] of [
    ['S = 0', 0n],
    ['S = 1', 1n],
    ['S = L − 1', L - 1n],
    ['S = L', L],
    ['S = L + 1', L + 1n],
    ['S = 2^252', 2n ** 252n],
    ['S = 2^253 − 1', 2n ** 253n - 1n],
    ['S = 2^253', 2n ** 253n],
    ['S = 2^255', 2n ** 255n],
    ['S all ones', 2n ** 256n - 1n],
  ] as const) {
    cases.add('malleable', `${note}, R as it was`, { publicKey, signature: join(r, toBytes(value)) })
    // With the zero key every S below L has an R that fits: the bound alone decides.
    const zeroKey = encodePoint(ZERO)
    const fitting = encodePoint(multiply(BASE, value))
    cases.add('malleable', `${note}, R = S·B, the key of order 1`, {
      publicKey: zeroKey,
      signature: join(fitting, toBytes(value)),
    })
  }
}

/** All encodings of all points of small order, as R and as A: with S = 0 cofactored verification takes every pair. */
function addSmallOrder(cases: Cases): void {
  const points = torsionPoints().flatMap((point, i) =>
    encodingsOf(point).map((bytes) => ({
      bytes,
      note: `${i}·T8 as ${hex(bytes).slice(0, 8)}…${hex(bytes).slice(-2)}`,
    })),
  )
  for (const a of points) {
    for (const r of points) {
      cases.add('small-order', `A = ${a.note}, R = ${r.note}, S = 0`, {
        publicKey: a.bytes,
        signature: join(r.bytes, toBytes(0n)),
      })
    }
  }
  for (const { bytes, note } of points) {
    cases.add('small-order', `A = ${note}, S = 1, R = 0`, {
      publicKey: bytes,
      signature: join(encodePoint(ZERO), toBytes(1n)),
    })
    cases.add('small-order', `A = ${note}, S = 5, R = 5·B`, {
      publicKey: bytes,
      signature: join(encodePoint(multiply(BASE, 5n)), toBytes(5n)),
    })
    const { publicKey, signature } = sign(KEY, MESSAGE)
    cases.add('small-order', `a good signature whose R is ${note}`, {
      publicKey,
      signature: join(bytes, signature.slice(32)),
    })
    // R of small order and S = k·a: good, since the nonce is then zero.
    const k = challenge(bytes, publicKey, MESSAGE)
    cases.add('small-order', `R = ${note}, S = k·a`, {
      publicKey,
      signature: join(bytes, toBytes((k * KEY.scalar) % L)),
    })
  }
}

/** A and R with a part of small order beside the large one: cofactored verification takes them, cofactorless often does not. */
function addMixedOrder(cases: Cases): void {
  const torsion = torsionPoints()
  for (const [i, a] of torsion.entries()) {
    for (const [j, r] of torsion.entries()) {
      if (i + j === 0) continue
      const message = text(`mixed ${i} ${j}`)
      cases.add('mixed-order', `A + ${i}·T8, R + ${j}·T8`, { ...sign(KEY, message, { a, r }), message })
    }
    const { publicKey, signature } = sign(KEY, MESSAGE, { a })
    cases.add('mixed-order', `A + ${i}·T8, another message`, { publicKey, signature, message: text('Another') })
    // The challenge names the key: a signature for A is none for A + T.
    const plain = sign(KEY, MESSAGE)
    const moved = encodePoint(add(multiply(BASE, KEY.scalar), a))
    cases.add('mixed-order', `a signature by A under A + ${i}·T8`, { publicKey: moved, signature: plain.signature })
  }
}

/** Every y of p and above that 255 bits hold, with both signs: as a key, and as R. */
function addNonCanonical(cases: Cases): void {
  const { publicKey, signature } = sign(KEY, MESSAGE)
  for (let above = 0n; P + above < 2n ** 255n; above++) {
    for (const bit of [0n, 1n]) {
      const bytes = toBytes((P + above) | (bit << 255n))
      const what = `y = p + ${above}, sign ${bit}${decodePoint(bytes) === null ? ', no point' : ''}`
      cases.add('non-canonical', `A: ${what}, S = 0`, {
        publicKey: bytes,
        signature: join(encodePoint(ZERO), toBytes(0n)),
      })
      const k = challenge(bytes, publicKey, MESSAGE)
      const s = toBytes((k * KEY.scalar) % L)
      cases.add('non-canonical', `R: ${what}, S = k·a`, { publicKey, signature: join(bytes, s) })
      cases.add('non-canonical', `R: ${what}, S as it was`, { publicKey, signature: join(bytes, signature.slice(32)) })
    }
  }
}

function addNoPoints(cases: Cases): void {
  const { publicKey, signature } = sign(KEY, MESSAGE)
  let found = 0
  for (let y = 0n; found < 8; y++) {
    const bytes = toBytes(y)
    if (decodePoint(bytes) !== null) continue
    found++
    cases.add('no-point', `A: y = ${y}`, { publicKey: bytes, signature })
    cases.add('no-point', `R: y = ${y}`, { publicKey, signature: join(bytes, signature.slice(32)) })
    cases.add('no-point', `A: y = ${y}, R = 0, S = 0`, {
      publicKey: bytes,
      signature: join(encodePoint(ZERO), toBytes(0n)),
    })
  }
  cases.add('no-point', 'all bytes zero', { publicKey: new Uint8Array(32), signature: new Uint8Array(64) })
  const ones = new Uint8Array(64).fill(0xff)
  cases.add('no-point', 'all bits one', { publicKey: ones.slice(32), signature: ones })
}

/** Every case, in a fixed order. */
export function signatureCases(): readonly SignatureCase[] {
  const cases = new Cases()
  addRfcVectors(cases)
  addChanged(cases)
  addLengths(cases)
  addMalleable(cases)
  addSmallOrder(cases)
  addMixedOrder(cases)
  addNonCanonical(cases)
  addNoPoints(cases)
  return cases.all
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('ed25519-cases.json', import.meta.url), `${JSON.stringify(signatureCases(), null, 2)}\n`)
}
