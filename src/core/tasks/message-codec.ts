import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { LimitExceededError } from '../codec/errors.ts'
import { faultError } from '../codec/faults.ts'
import { bytes, cid, hash, integer, jobId, list } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { PeerId } from '../codec/ids.ts'
import { MESSAGE_LIMITS, STATEMENT_LIMITS } from '../codec/limits.ts'
import type { Verifier } from '../identity/ports.ts'
import { type DecodedStatement, distinctlySigned, verifyStatement } from '../identity/statement.ts'
import * as limits from './limits.ts'
import { abiSchema, paymentSchema, resourcesSchema, serviceLevelSchema } from './manifest-schema.ts'
import type { ExecutorMessage, RequesterMessage, TaskMessage, UnitResult } from './messages.ts'
import type { SignedReceipt } from './receipt.ts'
import { packResults, receiptBatchSchema, unpackResults } from './receipt-batch.ts'
import { checkNetwork, decodeAttestation, decodeReceipt } from './receipt-codec.ts'

const unit = integer(0, limits.UNITS_MAX - 1)
const units = list(unit, 0, limits.UNITS_PER_MESSAGE_MAX)
const count = integer(0, Number.MAX_SAFE_INTEGER)
const statement = bytes(1, STATEMENT_LIMITS.bytesMax)

const offer = v.strictObject({
  job: jobId,
  manifestCid: cid,
  moduleCid: cid,
  abi: abiSchema,
  unitsLeft: integer(0, limits.UNITS_MAX),
  payment: paymentSchema,
  resources: resourcesSchema,
  serviceLevel: serviceLevelSchema,
  priority: integer(0, limits.PRIORITY_MAX),
  validUntilMs: count,
})

const lease = v.strictObject({
  unit,
  attempt: integer(1, limits.ATTEMPT_NUMBER_MAX),
  inputHash: hash,
  inputBytes: integer(0, limits.UNIT_BYTES_MAX * 2),
  input: v.nullable(bytes(0, limits.INLINE_INPUT_BYTES_MAX)),
})

const held = v.strictObject({ job: jobId, queued: units, running: units, done: units })

const releaseReason = v.picklist([
  'paused',
  'overloaded',
  'declined',
  'wall-limit',
  'worker-crash',
  'input-unavailable',
  'module-refused',
  'internal',
])

const result = v.strictObject({
  receipt: statement,
  outcome: v.nullable(bytes(0, limits.INLINE_OUTCOME_BYTES_MAX)),
})

const wireSchema = v.variant('type', [
  v.strictObject({ type: v.literal('offer'), offers: list(offer, 0, limits.OFFERS_PER_MESSAGE_MAX) }),
  v.strictObject({
    type: v.literal('lease'),
    job: jobId,
    session: count,
    grant: integer(1, Number.MAX_SAFE_INTEGER),
    deadlineMs: integer(1, limits.WALL_MS_MAX * 10),
    leases: list(lease, 1, limits.LEASES_PER_MESSAGE_MAX),
  }),
  v.strictObject({ type: v.literal('ack'), job: jobId, units }),
  v.strictObject({ type: v.literal('cancel'), job: jobId, units }),
  v.strictObject({
    type: v.literal('countersign'),
    job: jobId,
    receipts: list(statement, 1, limits.COUNTERSIGN_RECEIPTS_MAX),
  }),
  v.strictObject({
    type: v.literal('bid'),
    jobs: list(jobId, 0, limits.OFFERED_JOBS_PER_REQUESTER_MAX),
    slots: integer(0, limits.SLOTS_MAX),
    workers: integer(0, limits.WORKERS_MAX),
    gasPerSecond: count,
    session: count,
    grant: count,
    held: list(held, 0, limits.OFFERED_JOBS_PER_REQUESTER_MAX),
  }),
  v.pipe(
    v.strictObject({
      type: v.literal('results'),
      job: jobId,
      results: list(result, 0, limits.RESULTS_PER_MESSAGE_MAX),
      batches: list(receiptBatchSchema, 0, limits.RESULTS_PER_MESSAGE_MAX),
    }),
    v.check(({ results, batches }) => {
      const count = batches.reduce((sum, { leaves }) => sum + leaves.length, results.length)
      return count >= 1 && count <= limits.RESULTS_PER_MESSAGE_MAX
    }, `1 to ${limits.RESULTS_PER_MESSAGE_MAX} results`),
  ),
  v.strictObject({
    type: v.literal('release'),
    job: jobId,
    releases: list(v.strictObject({ unit, reason: releaseReason }), 1, limits.UNITS_PER_MESSAGE_MAX),
  }),
  v.strictObject({ type: v.literal('attestation'), job: jobId, attestation: statement }),
])

type WireMessage = v.InferOutput<typeof wireSchema>

/** A message in its typed form. Its statements' signatures are still to be verified. */
export interface DecodedMessage {
  readonly message: TaskMessage
  readonly statements: readonly DecodedStatement<unknown>[]
}

/** Bytes of a message, for the tasks protocol and the offers topic alike. */
export function encodeTaskMessage(message: TaskMessage): Uint8Array {
  switch (message.type) {
    case 'results': {
      const { alone, batches } = packResults(message.results)
      const results = alone.map(({ receipt, outcome }) => ({ receipt: receipt.bytes, outcome }))
      return encode({ type: message.type, job: message.job, results, batches })
    }
    case 'countersign':
      return encode({ ...message, receipts: message.receipts.map((receipt) => receipt.bytes) })
    case 'attestation':
      return encode({ ...message, attestation: message.attestation.bytes })
    default:
      return encode(message)
  }
}

/**
 * Reads a message and the statements in it.
 *
 * @throws {@link InvalidMessageError} Or a limit error, naming field, value and limit.
 */
export function decodeTaskMessage(encoded: Uint8Array): DecodedMessage {
  const schema: v.GenericSchema<unknown, WireMessage> = wireSchema
  const wire = decode(encoded, { what: 'message', limits: MESSAGE_LIMITS, schema })
  const statements: DecodedStatement<unknown>[] = []
  return { message: fromWire(wire, statements), statements }
}

function fromWire(wire: WireMessage, statements: DecodedStatement<unknown>[]): TaskMessage {
  const readReceipt = (bytes: Uint8Array): SignedReceipt => {
    const { signed, decoded } = decodeReceipt(bytes)
    statements.push(decoded)
    return signed
  }
  switch (wire.type) {
    case 'results': {
      const { type, job } = wire
      const results: UnitResult[] = wire.results.map(({ receipt, outcome }) => ({
        receipt: readReceipt(receipt),
        outcome,
      }))
      for (const batch of wire.batches) {
        const unpacked = unpackResults(batch, job)
        results.push(...unpacked.results)
        statements.push(...unpacked.statements)
      }
      return { type, job, results }
    }
    case 'countersign':
      return { ...wire, receipts: wire.receipts.map(readReceipt) }
    case 'attestation': {
      const { signed, decoded } = decodeAttestation(wire.attestation)
      statements.push(decoded)
      return { ...wire, attestation: signed }
    }
    default:
      return wire
  }
}

/**
 * Checks that a decoded message belongs to whoever sent it, that its inline outcomes are what its receipts say, and every
 * signature. To be done at the edge, before the schedulers see it.
 *
 * @param options.from - The sender, as the transport proved.
 * @throws A named error; the sender is at fault.
 */
export async function verifyTaskMessage(
  decoded: DecodedMessage,
  options: { readonly from: PeerId; readonly network: string; readonly verifier: Verifier },
): Promise<void> {
  checkBelongs(decoded.message, options.from)
  for (const statement of decoded.statements) checkNetwork(statement, options.network)
  // One after another would leave the verifier idle between two.
  const asked = distinctlySigned(decoded.statements)
  await Promise.all(asked.map((statement) => verifyStatement(statement, options.verifier)))
}

function checkBelongs(message: TaskMessage, from: PeerId): void {
  if (message.type === 'results') {
    for (const result of message.results) checkResult(result, { job: message.job, from })
  } else if (message.type === 'countersign') {
    for (const { receipt } of message.receipts) checkField('receipts.manifest', receipt.manifest, message.job)
  } else if (message.type === 'attestation') {
    checkField('attestation.author', message.attestation.attester, from)
    checkField('attestation.manifest', message.attestation.attestation.manifest, message.job)
  }
}

function checkResult(result: UnitResult, expected: { job: string; from: PeerId }): void {
  const { receipt, executor } = result.receipt
  checkField('results.receipt.author', executor, expected.from)
  checkField('results.receipt.manifest', receipt.manifest, expected.job)
  if (result.outcome !== null) checkField('results.outcome', sha256Hex(result.outcome), receipt.outputHash)
}

function checkField(field: string, value: string, limit: string): void {
  if (value === limit) return
  throw faultError('message', { field, value, limit })
}

const REQUESTER_TYPES: ReadonlySet<TaskMessage['type']> = new Set(['offer', 'lease', 'ack', 'cancel', 'countersign'])

/** Which of the two machines a message is for: requesters' messages go to the executor and the other way round. */
export function isFromRequester(message: TaskMessage): message is RequesterMessage {
  return REQUESTER_TYPES.has(message.type)
}

/** The opposite of {@link isFromRequester}. */
export function isFromExecutor(message: TaskMessage): message is ExecutorMessage {
  return !REQUESTER_TYPES.has(message.type)
}

/** Bytes of the largest gossip message. */
export const OFFER_MESSAGE_BYTES_MAX = 64 * 1024

/** Reads an offer that came by gossip. @throws Like {@link decodeTaskMessage}, and when it is anything but an offer. */
export function decodeGossipedOffer(encoded: Uint8Array): RequesterMessage {
  if (encoded.length > OFFER_MESSAGE_BYTES_MAX) {
    throw new LimitExceededError(`offer has bytes ${encoded.length}, limit ${OFFER_MESSAGE_BYTES_MAX}`, {
      field: 'offer.bytes',
      value: encoded.length,
      limit: OFFER_MESSAGE_BYTES_MAX,
    })
  }
  const { message } = decodeTaskMessage(encoded)
  checkField('type', message.type, 'offer')
  // `checkField` has just made sure.
  return message as RequesterMessage
}
