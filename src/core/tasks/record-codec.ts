import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { StarlingError } from '../codec/errors.ts'
import { faultError } from '../codec/faults.ts'
import { bigInteger, bytes, cid, hash, integer, jobId, list, peerId } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import { RECORD_LIMITS, STATEMENT_LIMITS } from '../codec/limits.ts'
import type { OutboxRecord } from './executor-events.ts'
import type { AcceptedUnit, DecidedUnit, JobSpec } from './job.ts'
import { GAS_MAX, INLINE_OUTCOME_BYTES_MAX, REPLICAS_MAX, UNITS_MAX } from './limits.ts'
import { manifestHash, validateManifest } from './manifest-schema.ts'
import type { UnitResult } from './messages.ts'
import type { SignedAttestation, SignedReceipt } from './receipt.ts'
import { decodeReceipt } from './receipt-codec.ts'
import { BUCKETS, type JobRecord, type RequesterRecords } from './records.ts'
import type { RecordReader, StoreOp } from './store-ops.ts'
import { trap } from './unit-data.ts'

/** How records look in the store. Everything read back is checked like a message: a disk may be damaged or shared. */

const unit = integer(0, UNITS_MAX - 1)

/** Eight digits sort like the numbers they are. */
export function unitKey(job: JobId, unit: number): string {
  return `${job}/${String(unit).padStart(8, '0')}`
}

const put = (bucket: string, key: string, value: Uint8Array): StoreOp => ({ bucket, key, value })
const drop = (bucket: string, key: string): StoreOp => ({ bucket, key, value: undefined })

const stateSchema: v.GenericSchema<unknown, JobRecord['state']> = v.variant('state', [
  v.strictObject({ state: v.literal('running') }),
  v.strictObject({
    state: v.literal('waiting'),
    reason: v.picklist(['no-executors', 'few-executors', 'not-yet-valid']),
    executors: integer(0, 1e9),
    needed: integer(0, 1e9),
  }),
  v.strictObject({ state: v.literal('paused') }),
  v.strictObject({ state: v.literal('done') }),
  v.strictObject({ state: v.literal('cancelled') }),
  v.strictObject({ state: v.literal('failed'), reason: v.picklist(['expired', 'few-executors']) }),
])

const specSchema: v.GenericSchema<unknown, JobSpec> = v.strictObject({
  manifest: v.pipe(v.unknown(), v.transform(validateManifest)),
  manifestCid: cid,
  unitCount: integer(0, UNITS_MAX),
  executeHere: v.boolean(),
  shortage: v.variant('policy', [
    v.strictObject({ policy: v.literal('wait') }),
    v.strictObject({ policy: v.literal('fail'), afterMs: integer(0, Number.MAX_SAFE_INTEGER) }),
  ]),
})

const jobSchema: v.GenericSchema<unknown, JobRecord> = v.strictObject({
  job: jobId,
  spec: specSchema,
  state: stateSchema,
  createdAtMs: integer(0, Number.MAX_SAFE_INTEGER),
  excluded: list(
    v.strictObject({
      peer: peerId,
      reason: v.picklist(['wrong-result', 'equivocation', 'unreliable', 'bad-messages']),
    }),
    0,
    10_000,
  ),
})

const acceptedSchema: v.GenericSchema<unknown, AcceptedUnit> = v.strictObject({
  unit,
  outputHash: hash,
  exitCode: integer(-1, 2 ** 32 - 1),
  trap,
  gas: bigInteger(0n, GAS_MAX),
  durationUs: integer(0, Number.MAX_SAFE_INTEGER),
  costMicroUnits: bigInteger(0n),
  executors: list(peerId, 0, REPLICAS_MAX * 2),
  audited: v.boolean(),
})

const decidedSchema: v.GenericSchema<unknown, DecidedUnit> = v.variant('verdict', [
  v.strictObject({ verdict: v.literal('accepted'), accepted: acceptedSchema }),
  v.strictObject({ verdict: v.literal('failed'), unit, reason: v.picklist(['attempts', 'input']) }),
])

const voteSchema = v.strictObject({ receipt: bytes(1, STATEMENT_LIMITS.bytesMax), outcomeStored: v.boolean() })
const failureSchema = v.strictObject({ unit, peer: peerId })

const outboxSchema = v.strictObject({
  requester: peerId,
  job: jobId,
  receipt: bytes(1, STATEMENT_LIMITS.bytesMax),
  outcome: v.nullable(bytes(0, INLINE_OUTCOME_BYTES_MAX)),
})

const receiptListSchema = list(bytes(1, STATEMENT_LIMITS.bytesMax), 0, REPLICAS_MAX * 2)

/** The changes that record one fact each. */
export const recordOps = {
  job: (record: JobRecord): StoreOp => put(BUCKETS.jobs, record.job, encode(record)),

  decided: (job: JobId, decided: DecidedUnit): StoreOp => {
    const index = decided.verdict === 'accepted' ? decided.accepted.unit : decided.unit
    return put(BUCKETS.units, unitKey(job, index), encode(decided))
  },

  receipts: (job: JobId, unit: number, receipts: readonly SignedReceipt[]): StoreOp =>
    put(BUCKETS.receipts, unitKey(job, unit), encode(receipts.map((receipt) => receipt.bytes))),

  outcome: (job: JobId, unit: number, outcome: { readonly hash: Hash; readonly encoded: Uint8Array }): StoreOp =>
    put(BUCKETS.outcomes, `${unitKey(job, unit)}/${outcome.hash}`, outcome.encoded),

  dropOutcome: (job: JobId, unit: number, outputHash: Hash): StoreOp =>
    drop(BUCKETS.outcomes, `${unitKey(job, unit)}/${outputHash}`),

  vote: (job: JobId, vote: SignedReceipt, outcomeStored: boolean): StoreOp =>
    put(
      BUCKETS.votes,
      `${unitKey(job, vote.receipt.unit)}/${vote.executor}`,
      encode({ receipt: vote.bytes, outcomeStored }),
    ),

  dropVote: (job: JobId, unit: number, peer: PeerId): StoreOp => drop(BUCKETS.votes, `${unitKey(job, unit)}/${peer}`),

  failure: (job: JobId, unit: number, peer: PeerId): StoreOp =>
    put(BUCKETS.failures, `${unitKey(job, unit)}/${peer}`, encode({ unit, peer })),

  dropFailure: (job: JobId, unit: number, peer: PeerId): StoreOp =>
    drop(BUCKETS.failures, `${unitKey(job, unit)}/${peer}`),

  evidence: (job: JobId, against: PeerId, pair: readonly [SignedReceipt, SignedReceipt]): StoreOp =>
    put(
      BUCKETS.evidence,
      `${unitKey(job, pair[0].receipt.unit)}/${against}`,
      encode(pair.map((receipt) => receipt.bytes)),
    ),

  attestation: (job: JobId, signed: SignedAttestation, covers: readonly Hash[]): StoreOp[] => {
    const id = sha256Hex(signed.bytes)
    const index = covers.map((receipt) =>
      put(BUCKETS.attestations, `${job}/r/${receipt}/${signed.attester}`, encode(id)),
    )
    return [put(BUCKETS.attestations, `${job}/s/${id}`, signed.bytes), ...index]
  },

  outbox: (requester: PeerId, job: JobId, result: UnitResult): StoreOp =>
    put(
      BUCKETS.outbox,
      outboxKey(requester, job, result.receipt.receipt.unit),
      encode({ requester, job, receipt: result.receipt.bytes, outcome: result.outcome }),
    ),

  dropOutbox: (requester: PeerId, job: JobId, unit: number): StoreOp =>
    drop(BUCKETS.outbox, outboxKey(requester, job, unit)),
} as const

function outboxKey(requester: PeerId, job: JobId, unit: number): string {
  return `${requester}/${unitKey(job, unit)}`
}

/** A record that could not be read; it is left where it is, and the work it stood for is done again. */
export interface DamagedRecord {
  readonly bucket: string
  readonly key: string
  readonly error: StarlingError
}

async function readAll<T>(
  reader: RecordReader,
  range: { readonly bucket: string; readonly prefix: string; readonly damaged: DamagedRecord[] },
  parse: (value: Uint8Array) => T,
): Promise<T[]> {
  const parsed: T[] = []
  for (const { key, value } of await reader.list(range.bucket, range.prefix)) {
    try {
      parsed.push(parse(value))
    } catch (error) {
      if (!(error instanceof StarlingError)) throw error
      range.damaged.push({ bucket: range.bucket, key, error })
    }
  }
  return parsed
}

const open = (record: JobRecord): boolean => ['running', 'waiting', 'paused'].includes(record.state.state)

/** Reads every job, finished ones too, oldest first. */
export async function loadJobs(reader: RecordReader): Promise<{ jobs: JobRecord[]; damaged: DamagedRecord[] }> {
  const damaged: DamagedRecord[] = []
  const jobs = await readAll(reader, { bucket: BUCKETS.jobs, prefix: '', damaged }, decodeJobRecord)
  jobs.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.job < b.job ? -1 : 1))
  return { jobs, damaged }
}

function decodeJobRecord(value: Uint8Array): JobRecord {
  const record = decode(value, { what: 'job record', limits: RECORD_LIMITS, schema: jobSchema })
  const expected = manifestHash(record.spec.manifest)
  if (expected === record.job) return record
  throw faultError('job record', { field: 'job', value: record.job, limit: expected })
}

/** Reads the decided units of a job, in order. */
export function loadDecided(
  reader: RecordReader,
  options: { readonly job: JobId; readonly damaged: DamagedRecord[] },
): Promise<DecidedUnit[]> {
  const range = { bucket: BUCKETS.units, prefix: `${options.job}/`, damaged: options.damaged }
  return readAll(reader, range, (value) =>
    decode(value, { what: 'unit record', limits: RECORD_LIMITS, schema: decidedSchema }),
  )
}

/** Reads what a requester continues from after a restart. */
export async function loadRequesterRecords(
  reader: RecordReader,
): Promise<{ readonly records: RequesterRecords; readonly damaged: readonly DamagedRecord[] }> {
  const { jobs, damaged } = await loadJobs(reader)
  const records = {
    jobs: jobs.filter(open),
    decided: [] as RequesterRecords['decided'][number][],
    votes: [] as RequesterRecords['votes'][number][],
    failures: [] as RequesterRecords['failures'][number][],
  }
  for (const { job } of records.jobs) {
    const prefix = `${job}/`
    for (const decided of await loadDecided(reader, { job, damaged })) records.decided.push({ job, decided })
    const votes = await readAll(reader, { bucket: BUCKETS.votes, prefix, damaged }, (value) => {
      const record = decode(value, { what: 'vote record', limits: RECORD_LIMITS, schema: voteSchema })
      return { job, vote: decodeReceipt(record.receipt).signed, outcomeStored: record.outcomeStored }
    })
    records.votes.push(...votes)
    const failures = await readAll(reader, { bucket: BUCKETS.failures, prefix, damaged }, (value) => ({
      job,
      ...decode(value, { what: 'failure record', limits: RECORD_LIMITS, schema: failureSchema }),
    }))
    records.failures.push(...failures)
  }
  return { records, damaged }
}

/** Reads the results an executor had not been acknowledged when it stopped. */
export async function loadOutbox(
  reader: RecordReader,
): Promise<{ readonly outbox: readonly OutboxRecord[]; readonly damaged: readonly DamagedRecord[] }> {
  const damaged: DamagedRecord[] = []
  const outbox = await readAll(reader, { bucket: BUCKETS.outbox, prefix: '', damaged }, (value) => {
    const { requester, job, receipt, outcome } = decode(value, {
      what: 'outbox record',
      limits: RECORD_LIMITS,
      schema: outboxSchema,
    })
    return { requester, job, result: { receipt: decodeReceipt(receipt).signed, outcome } }
  })
  return { outbox, damaged }
}

/** The signed receipts of an accepted unit with the attestations that cover each; empty when the unit is not accepted. */
export async function loadReceipts(
  reader: RecordReader,
  of: { readonly job: JobId; readonly unit: number },
): Promise<{ readonly receipt: SignedReceipt; readonly attestations: readonly Uint8Array[] }[]> {
  const value = await reader.get(BUCKETS.receipts, unitKey(of.job, of.unit))
  if (value === undefined) return []
  const receipts = decode(value, { what: 'receipts record', limits: RECORD_LIMITS, schema: receiptListSchema })
  return Promise.all(
    receipts.map(async (bytes) => {
      const receipt = decodeReceipt(bytes).signed
      return { receipt, attestations: await loadAttestations(reader, { job: of.job, receipt: receipt.hash }) }
    }),
  )
}

async function loadAttestations(
  reader: RecordReader,
  of: { readonly job: JobId; readonly receipt: Hash },
): Promise<Uint8Array[]> {
  const attestations: Uint8Array[] = []
  for (const { value } of await reader.list(BUCKETS.attestations, `${of.job}/r/${of.receipt}/`)) {
    const id = decode(value, { what: 'attestation record', limits: RECORD_LIMITS, schema: hash })
    const bytes = await reader.get(BUCKETS.attestations, `${of.job}/s/${id}`)
    if (bytes !== undefined) attestations.push(bytes)
  }
  return attestations
}

/** The changes that delete every record of a job. */
export async function forgetJobOps(reader: RecordReader, job: JobId): Promise<StoreOp[]> {
  const ops: StoreOp[] = [drop(BUCKETS.jobs, job)]
  const perUnit = [BUCKETS.units, BUCKETS.receipts, BUCKETS.outcomes, BUCKETS.votes, BUCKETS.failures, BUCKETS.evidence]
  for (const bucket of [...perUnit, BUCKETS.attestations]) {
    for (const { key } of await reader.list(bucket, `${job}/`)) ops.push(drop(bucket, key))
  }
  return ops
}
