import * as v from 'valibot'
import { hash, integer, text } from '../../src/core/codec/fields.ts'
import { peerIdOf } from '../../src/core/identity/peer-id.ts'
import type { Signer } from '../../src/core/identity/ports.ts'
import {
  type DecodedStatement,
  decodeStatement,
  type StatementInit,
  signedBytes,
  signStatement,
  signStatements,
} from '../../src/core/identity/statement.ts'
import { verifyStatements } from '../../src/core/identity/verify-batch.ts'
import { platformShuffle } from '../../src/node/shuffle.ts'
import { PlatformVerifier } from '../../src/node/verifier.ts'

const AUTHORS = 16
const STATEMENTS = 1_024
/** Statements that one message brings. */
const MESSAGE_STATEMENTS = 64
const ROUNDS = 9
const NOW_MS = 1_800_000_000_000

/** The size and shape of a receipt's statement. */
const KIND = {
  kind: 'bench',
  body: v.strictObject({
    manifest: hash,
    unit: integer(0, 1_000_000),
    inputHash: hash,
    outputHash: hash,
    note: text(0, 64),
    gas: integer(0, Number.MAX_SAFE_INTEGER),
  }),
}

interface Author {
  readonly signer: Signer
  readonly key: CryptoKey
}

/** One statement as it arrives, and what bare WebCrypto needs of it. */
interface Sample {
  readonly envelope: Uint8Array
  readonly key: CryptoKey
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

/** Verified per second, one figure for each round; the three kinds of a round are measured in turns. */
export interface VerifyRounds {
  /** WebCrypto alone over the same bytes, keys imported. */
  readonly raw: readonly number[]
  /** Statements as they come, each with a signature of its own. */
  readonly statements: readonly number[]
  /** Statements of which 64 share one signature. */
  readonly batched: readonly number[]
}

async function makeAuthor(): Promise<Author> {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair
  const author = peerIdOf(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)))
  const sign = async (bytes: Uint8Array) =>
    new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, bytes as Uint8Array<ArrayBuffer>))
  return { signer: { author, sign }, key: pair.publicKey }
}

function initOf(unit: number): StatementInit<unknown> {
  const digest = unit.toString(16).padStart(64, '0')
  return {
    network: 'bench',
    kind: KIND.kind,
    seq: unit,
    timestampMs: NOW_MS + unit,
    nonce: crypto.getRandomValues(new Uint8Array(16)),
    body: { manifest: digest, unit, inputHash: digest, outputHash: digest, note: 'A unit', gas: 51_204_333 + unit },
  }
}

function sampleOf({ bytes, payload, signature }: DecodedStatement<unknown>, key: CryptoKey): Sample {
  return { envelope: bytes, key, bytes: signedBytes(KIND.kind, payload).slice(), signature: signature.slice() }
}

function messagesOf(samples: readonly Sample[]): Sample[][] {
  const count = samples.length / MESSAGE_STATEMENTS
  return Array.from({ length: count }, (_, i) => samples.slice(i * MESSAGE_STATEMENTS, (i + 1) * MESSAGE_STATEMENTS))
}

/** Signs the statements once, then verifies them over and over: raw, as statements, as statements of batches. */
export async function verifyRounds(): Promise<VerifyRounds> {
  const authors = await Promise.all(Array.from({ length: AUTHORS }, makeAuthor))
  const single: Sample[] = []
  const batched: Sample[] = []
  for (let first = 0; first < STATEMENTS; first += MESSAGE_STATEMENTS) {
    // There are as many authors as the index has values.
    const { signer, key } = authors[(first / MESSAGE_STATEMENTS) % AUTHORS] as Author
    const inits = Array.from({ length: MESSAGE_STATEMENTS }, (_, i) => initOf(first + i))
    for (const init of inits) single.push(sampleOf(await signStatement(init, signer), key))
    for (const statement of await signStatements(inits, signer)) batched.push(sampleOf(statement, key))
  }
  const rounds = { raw: [] as number[], statements: [] as number[], batched: [] as number[] }
  const verifier = new PlatformVerifier()
  for (let round = -1; round < ROUNDS; round++) {
    const raw = await perSecond(messagesOf(single), verifyRaw)
    const statements = await perSecond(messagesOf(single), (message) => verifyMessage(message, verifier))
    // A verifier that has not seen these batches yet.
    const fresh = new PlatformVerifier()
    const together = await perSecond(messagesOf(batched), (message) => verifyMessage(message, fresh))
    if (round < 0) continue
    rounds.raw.push(raw)
    rounds.statements.push(statements)
    rounds.batched.push(together)
  }
  return rounds
}

/** Two messages are always under way: while one is decoded the other's signatures are looked at. The same for all kinds. */
async function perSecond(messages: readonly Sample[][], verify: (message: Sample[]) => Promise<void>): Promise<number> {
  const started = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    for (let message = messages[next++]; message !== undefined; message = messages[next++]) await verify(message)
  }
  await Promise.all([lane(), lane()])
  const count = messages.reduce((sum, { length }) => sum + length, 0)
  return (count * 1_000) / (performance.now() - started)
}

async function verifyRaw(message: readonly Sample[]): Promise<void> {
  const verdicts = await Promise.all(
    message.map(({ key, signature, bytes }) => crypto.subtle.verify('Ed25519', key, signature, bytes)),
  )
  if (verdicts.includes(false)) throw new Error('WebCrypto refused a good signature')
}

const shuffle = platformShuffle()

async function verifyMessage(message: readonly Sample[], verifier: PlatformVerifier): Promise<void> {
  await verifyStatements(
    message.map(({ envelope }) => decodeStatement(envelope, KIND)),
    { verifier, shuffle },
  )
}
