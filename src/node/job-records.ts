import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { cidOfHash } from '../core/codec/cid.ts'
import { InvalidMessageError } from '../core/codec/errors.ts'
import type { JobId } from '../core/codec/ids.ts'
import { RECORD_LIMITS } from '../core/codec/limits.ts'
import type { AcceptedUnit } from '../core/tasks/job.ts'
import type { SignedReceipt } from '../core/tasks/receipt.ts'
import { decodeReceipt } from '../core/tasks/receipt-codec.ts'
import { forgetJobOps, loadReceipts, unitKey } from '../core/tasks/record-codec.ts'
import { BUCKETS } from '../core/tasks/records.ts'
import type { RecordReader } from '../core/tasks/store-ops.ts'
import type { UnitOutcome } from '../core/tasks/unit.ts'
import { decodeOutcome } from '../core/tasks/unit-data.ts'
import type { Store } from '../storage/store.ts'
import type { BlockStore } from './block-store.ts'
import type { ReceiptInfo, ResultView } from './contract.ts'
import { recordReader } from './machines.ts'

const META_BUCKET = 'job-meta'

const voteSchema = v.object({ receipt: v.instance(Uint8Array) })
const count = v.pipe(v.number(), v.integer(), v.minValue(1))
const viewSchema: v.GenericSchema<unknown, ResultView> = v.variant('kind', [
  v.strictObject({ kind: v.literal('tiles'), columns: count, rows: count, tileWidth: count, tileHeight: count }),
  v.strictObject({ kind: v.literal('image-files') }),
  v.strictObject({ kind: v.literal('table') }),
  v.strictObject({ kind: v.literal('text') }),
  v.strictObject({ kind: v.literal('none') }),
])
const metaSchema = v.strictObject({ view: viewSchema, finishedAtMs: v.nullable(v.number()) })

/** What the page knows of a job beyond what its scheduler keeps. */
export type JobMeta = v.InferOutput<typeof metaSchema>

/** A receipt and the countersignatures that cover it. */
export interface AttestedReceipt {
  readonly receipt: SignedReceipt
  readonly attestations: readonly Uint8Array[]
}

/** Reads what the schedulers stored of a job: outcomes, receipts, attestations. */
export class JobRecords {
  readonly #store: Store
  readonly #blocks: BlockStore
  readonly #reader: RecordReader

  constructor(store: Store, blocks: BlockStore) {
    this.#store = store
    this.#blocks = blocks
    this.#reader = recordReader(store)
  }

  async saveMeta(job: JobId, meta: JobMeta): Promise<void> {
    await this.#store.write([{ bucket: META_BUCKET, key: job, value: encode(meta) }])
  }

  async meta(job: JobId): Promise<JobMeta> {
    const bytes = await this.#store.get(META_BUCKET, job)
    if (bytes === undefined) return { view: { kind: 'none' }, finishedAtMs: null }
    return decode(bytes, { what: 'jobMeta', limits: RECORD_LIMITS, schema: metaSchema })
  }

  async deleteMeta(job: JobId): Promise<void> {
    await this.#store.write([{ bucket: META_BUCKET, key: job, value: undefined }])
  }

  /** @throws `InvalidMessageError` When the stored outcome is missing or damaged. */
  async outcome(job: JobId, { unit, outputHash }: Pick<AcceptedUnit, 'unit' | 'outputHash'>): Promise<UnitOutcome> {
    const inline = await this.#store.get(BUCKETS.outcomes, `${unitKey(job, unit)}/${outputHash}`)
    const encoded = inline ?? (await this.#blocks.get(cidOfHash(outputHash)))
    if (encoded === undefined) {
      throw new InvalidMessageError(`Outcome of unit ${unit} is not stored`, { field: 'outcome', value: unit })
    }
    return decodeOutcome(encoded)
  }

  /** The signed receipts of a unit with their attestations; before it is decided, those that came so far. */
  async receipts(job: JobId, unit: number): Promise<AttestedReceipt[]> {
    const found: AttestedReceipt[] = await loadReceipts(this.#reader, { job, unit })
    for await (const [, value] of this.#store.list(BUCKETS.votes, `${unitKey(job, unit)}/`)) {
      const { receipt: bytes } = decode(value, { what: 'vote', limits: RECORD_LIMITS, schema: voteSchema })
      const receipt = decodeReceipt(bytes).signed
      if (!found.some((each) => each.receipt.hash === receipt.hash)) found.push({ receipt, attestations: [] })
    }
    return found
  }

  /** How many pairs of contradicting signed receipts are kept of this unit. */
  async conflicts(job: JobId, unit: number): Promise<number> {
    const pairs = await this.#reader.list(BUCKETS.evidence, `${unitKey(job, unit)}/`)
    return pairs.length
  }

  /** Deletes every record of a job that the schedulers wrote. */
  async forget(job: JobId): Promise<void> {
    await this.#store.write(await forgetJobOps(this.#reader, job))
  }
}

/** A receipt as pages show it. */
export function receiptInfo(
  signed: SignedReceipt,
  rest: { readonly bytes: Uint8Array; readonly attestations: readonly string[]; readonly agrees: boolean },
): ReceiptInfo {
  const { receipt, executor } = signed
  return {
    bytes: rest.bytes,
    executor,
    manifestHash: receipt.manifest,
    unit: receipt.unit,
    inputHash: receipt.inputHash,
    outputHash: receipt.outputHash,
    success: receipt.success,
    exitCode: receipt.exitCode,
    trap: receipt.trap,
    gas: receipt.gas,
    durationMs: receipt.durationUs / 1000,
    memoryBytesPeak: receipt.memoryBytesPeak,
    startedAt: receipt.startedAtMs,
    costMicro: receipt.costMicroUnits,
    attestations: rest.attestations,
    agrees: rest.agrees,
  }
}
