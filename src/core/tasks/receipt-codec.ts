import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { InvalidMessageError } from '../codec/errors.ts'
import { faultError } from '../codec/faults.ts'
import { bigInteger, bytes, hash, integer, list } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import { STATEMENT_LIMITS } from '../codec/limits.ts'
import type { Signer, Verifier } from '../identity/ports.ts'
import {
  type DecodedStatement,
  decodeStatement,
  type SigningOptions,
  type StatementInit,
  signBody,
  signStatements,
  verifyStatement,
} from '../identity/statement.ts'
import { COUNTERSIGN_RECEIPTS_MAX, GAS_MAX, MEMORY_BYTES_MAX, REPLICAS_MAX, UNITS_MAX } from './limits.ts'
import type { Manifest } from './manifest.ts'
import { manifestHash } from './manifest-schema.ts'
import { costOf } from './pricing.ts'
import type { Attestation, Receipt, SignedAttestation, SignedReceipt } from './receipt.ts'
import { trap } from './unit-data.ts'

/** An hour: above every wall limit, below where microseconds times prices could surprise. */
export const DURATION_US_MAX = 3_600_000_000

const receiptSchema: v.GenericSchema<unknown, Receipt> = v.strictObject({
  manifest: hash,
  unit: integer(0, UNITS_MAX - 1),
  inputHash: hash,
  outputHash: hash,
  success: v.boolean(),
  exitCode: integer(-1, 2 ** 32 - 1),
  trap,
  gas: bigInteger(0n, GAS_MAX),
  durationUs: integer(0, DURATION_US_MAX),
  memoryBytesPeak: integer(0, MEMORY_BYTES_MAX),
  startedAtMs: integer(0, Number.MAX_SAFE_INTEGER),
  costMicroUnits: bigInteger(0n),
})

const attestationSchema: v.GenericSchema<unknown, Attestation> = v.strictObject({
  manifest: hash,
  receipts: list(hash, 1, COUNTERSIGN_RECEIPTS_MAX),
})

const RECEIPT = { kind: 'receipt', body: receiptSchema } as const
const ATTESTATION = { kind: 'attestation', body: attestationSchema } as const

/** The typed form of a receipt's statement. */
export function asReceipt(decoded: DecodedStatement<Receipt>): SignedReceipt {
  return new ReceiptOfStatement(decoded)
}

/** Few receipts are ever attested: they are hashed when somebody asks. */
class ReceiptOfStatement implements SignedReceipt {
  readonly executor: PeerId
  readonly receipt: Receipt
  readonly origin?: DecodedStatement<Receipt>
  readonly #decoded: DecodedStatement<Receipt>
  #hash: Hash | undefined

  constructor(decoded: DecodedStatement<Receipt>, origin?: DecodedStatement<Receipt>) {
    const { author, body } = decoded.statement
    this.executor = author
    this.receipt = body
    this.#decoded = decoded
    if (origin !== undefined) this.origin = origin
  }

  get bytes(): Uint8Array {
    return this.#decoded.bytes
  }

  get hash(): Hash {
    this.#hash ??= sha256Hex(this.bytes)
    return this.#hash
  }
}

/** The typed form of an attestation's statement. */
export function asAttestation(decoded: DecodedStatement<Attestation>): SignedAttestation {
  return { attester: decoded.statement.author, attestation: decoded.statement.body, bytes: decoded.bytes }
}

/** Signs a receipt as the executor. */
export async function signReceipt(receipt: Receipt, options: SigningOptions): Promise<SignedReceipt> {
  return asReceipt(await signBody(RECEIPT.kind, receipt, options))
}

/** Signs several receipts as the executor, with one signature; each stands alone all the same. */
export async function signReceipts(
  receipts: readonly { readonly receipt: Receipt; readonly init: Omit<StatementInit<never>, 'kind' | 'body'> }[],
  signer: Signer,
): Promise<SignedReceipt[]> {
  const inits = receipts.map(({ receipt, init }) => ({ ...init, kind: RECEIPT.kind, body: receipt }))
  const signed = await signStatements(inits, signer)
  return signed.map((origin) => new ReceiptOfStatement(origin, origin))
}

/** Signs an attestation of other executors' receipts. */
export async function signAttestation(attestation: Attestation, options: SigningOptions): Promise<SignedAttestation> {
  return asAttestation(await signBody(ATTESTATION.kind, attestation, options))
}

/** What a receipt says must hang together, whoever signed it. Rule [R2]. */
export function checkReceipt(receipt: Receipt): void {
  const refuse = (field: string, value: string | number | boolean, limit: string) =>
    faultError('receipt', { field, value, limit })
  const success = receipt.trap === null && receipt.exitCode === 0
  if (receipt.success !== success) throw refuse('success', receipt.success, `${success} by trap and exit code`)
  if ((receipt.trap !== null) !== (receipt.exitCode === -1))
    throw refuse('exitCode', receipt.exitCode, '-1 exactly after a trap')
}

/** A signed thing in its typed form, with the statement whose signature is still to be verified. */
export interface Unverified<Signed> {
  readonly signed: Signed
  readonly decoded: DecodedStatement<unknown>
}

/** Reads a signed receipt. `decodeReceipt(bytes).signed` alone is for bytes this peer verified before it stored them. */
export function decodeReceipt(bytes: Uint8Array): Unverified<SignedReceipt> {
  const decoded = decodeReceiptStatement(bytes)
  return { signed: asReceipt(decoded), decoded }
}

function decodeReceiptStatement(bytes: Uint8Array): DecodedStatement<Receipt> {
  const decoded = decodeStatement(bytes, RECEIPT)
  checkReceipt(decoded.statement.body)
  return decoded
}

/** Reads a signed attestation. */
export function decodeAttestation(bytes: Uint8Array): Unverified<SignedAttestation> {
  const decoded = decodeStatement(bytes, ATTESTATION)
  return { signed: asAttestation(decoded), decoded }
}

/** Refuses a statement of another network. */
export function checkNetwork(decoded: DecodedStatement<unknown>, network: string): void {
  const stated = decoded.statement.network
  if (stated === network) return
  const kind = decoded.statement.kind
  throw new InvalidMessageError(`${kind}.network is "${stated}", limit "${network}"`, {
    field: `${kind}.network`,
    value: stated,
    limit: network,
  })
}

/** A receipt with the attestations of those who ran the same unit: the file that `verifyReceipt` takes. */
export interface ReceiptBundle {
  readonly receipt: Uint8Array
  readonly attestations: readonly Uint8Array[]
}

const bundleSchema: v.GenericSchema<unknown, ReceiptBundle> = v.strictObject({
  receipt: bytes(1, STATEMENT_LIMITS.bytesMax),
  attestations: list(bytes(1, STATEMENT_LIMITS.bytesMax), 0, REPLICAS_MAX),
})

/** The bytes of a bundle. */
export function encodeReceiptBundle(bundle: ReceiptBundle): Uint8Array {
  return encode({ receipt: bundle.receipt, attestations: bundle.attestations })
}

/** What is certain after a receipt was verified. */
export interface VerifiedReceipt {
  readonly network: string
  readonly executor: PeerId
  readonly receipt: Receipt
  readonly hash: Hash
  /** Other executors that got the same outcome, each once. */
  readonly attesters: readonly PeerId[]
}

/**
 * Verifies a receipt, with its attestations if it comes as a bundle, from its bytes alone. Rules [R1] to [R4]. Needs no network
 * and no clock: a receipt stays good for ever.
 *
 * @param options.manifest - When given, the receipt must be for it, within its limits, and priced by it.
 * @throws A named error saying which field is wrong: malformed, a bad signature, or a contradiction.
 */
export async function verifyReceipt(
  file: Uint8Array,
  options: { readonly verifier: Verifier; readonly manifest?: Manifest },
): Promise<VerifiedReceipt> {
  const bundle = readBundle(file)
  const decoded = decodeReceiptStatement(bundle.receipt)
  await verifyStatement(decoded, options.verifier)
  const signed = asReceipt(decoded)
  if (options.manifest !== undefined) {
    checkAgainstManifest(signed.receipt, { manifest: options.manifest, job: jobOf(options.manifest) })
  }
  const attesters = new Set<PeerId>()
  for (const attestation of bundle.attestations) {
    attesters.add(
      await verifyAttestation(attestation, {
        of: signed,
        network: decoded.statement.network,
        verifier: options.verifier,
      }),
    )
  }
  const { network } = decoded.statement
  return { network, executor: signed.executor, receipt: signed.receipt, hash: signed.hash, attesters: [...attesters] }
}

/** Ids of manifests that receipts were compared with: a job has many receipts, and encoding its manifest costs a quarter of verifying one. */
const jobs = new WeakMap<Manifest, JobId>()

function jobOf(manifest: Manifest): JobId {
  const known = jobs.get(manifest)
  if (known !== undefined) return known
  const job = manifestHash(manifest)
  jobs.set(manifest, job)
  return job
}

/** A bundle is a map with other keys than an envelope: the first byte after the map's head tells them apart. */
function readBundle(file: Uint8Array): ReceiptBundle {
  const limits = { ...STATEMENT_LIMITS, bytesMax: STATEMENT_LIMITS.bytesMax * 2 }
  const envelope = v.object({ payload: v.instance(Uint8Array), signature: v.instance(Uint8Array) })
  const schema: v.GenericSchema<unknown, ReceiptBundle | { payload: Uint8Array }> = v.union([bundleSchema, envelope])
  const value = decode(file, { what: 'receipt', limits, schema })
  return 'receipt' in value ? value : { receipt: file, attestations: [] }
}

async function verifyAttestation(
  bytes: Uint8Array,
  options: { readonly of: SignedReceipt; readonly network: string; readonly verifier: Verifier },
): Promise<PeerId> {
  const decoded = decodeStatement(bytes, ATTESTATION)
  checkNetwork(decoded, options.network)
  const { author, body } = decoded.statement
  const refuse = (field: string, value: string) =>
    new InvalidMessageError(`attestation.${field} is not for this receipt`, { field: `attestation.${field}`, value })
  if (body.manifest !== options.of.receipt.manifest) throw refuse('manifest', body.manifest)
  if (!body.receipts.includes(options.of.hash)) throw refuse('receipts', options.of.hash)
  if (author === options.of.executor) throw refuse('author', author)
  await verifyStatement(decoded, options.verifier)
  return author
}

/**
 * Compares a receipt with the terms it was earned under. Rule [R3].
 *
 * @throws {@link InvalidMessageError} Naming the field that contradicts them.
 */
export function checkAgainstManifest(
  receipt: Receipt,
  terms: { readonly manifest: Manifest; readonly job: Hash },
): void {
  const { resources, payment } = terms.manifest
  const refuse = (field: string, value: string | number | bigint, limit: string | number | bigint) =>
    faultError('receipt', { field, value, limit })
  if (receipt.manifest !== terms.job) throw refuse('manifest', receipt.manifest, terms.job)
  if (receipt.gas > resources.gasMax) throw refuse('gas', receipt.gas, resources.gasMax)
  if (receipt.memoryBytesPeak > resources.memoryBytesMax) {
    throw refuse('memoryBytesPeak', receipt.memoryBytesPeak, resources.memoryBytesMax)
  }
  if (receipt.durationUs > resources.wallMsMax * 1_000) {
    throw refuse('durationUs', receipt.durationUs, resources.wallMsMax * 1_000)
  }
  const cost = costOf(payment, receipt)
  if (receipt.costMicroUnits !== cost) throw refuse('costMicroUnits', receipt.costMicroUnits, cost)
}
