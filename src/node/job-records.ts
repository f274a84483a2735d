import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { cidOfHash } from '../core/codec/cid.ts'
import { InvalidMessageError } from '../core/codec/errors.ts'
import type { Hash, JobId } from '../core/codec/ids.ts'
import { RECORD_LIMITS } from '../core/codec/limits.ts'
import type { AcceptedUnit } from '../core/tasks/job.ts'
import type { SignedReceipt } from '../core/tasks/receipt.ts'
import { decodeReceipt, encodeReceiptBundle } from '../core/tasks/receipt-codec.ts'
import { BUCKETS } from '../core/tasks/records.ts'
import type { UnitOutcome } from '../core/tasks/unit.ts'
import { decodeOutcome } from '../core/tasks/unit-data.ts'
import type { Store } from '../storage/store.ts'
import type { BlockStore } from './block-store.ts'
import type { ReceiptInfo, ResultView } from './contract.ts'
import { unitKey } from './job-spec.ts'

const META_BUCKET = 'job-meta'

const bytesList = v.array(v.instance(Uint8Array))
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

/** Reads what the schedulers stored of a job: outcomes, receipts, attestations. */
export class JobRecords {
  readonly #store: Store
  readonly #blocks: BlockStore

  constructor(store: Store, blocks: BlockStore) {
    this.#store = store
    this.#blocks = blocks
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

  /** The signed receipts of a unit, those not yet decided on included. */
  async receipts(job: JobId, unit: number): Promise<SignedReceipt[]> {
    const key = unitKey(job, unit)
    const stored = await this.#store.get(BUCKETS.receipts, key)
    const found = stored === undefined ? [] : readList(stored).map((bytes) => decodeReceipt(bytes).signed)
    for await (const [, value] of this.#store.list(BUCKETS.votes, `${key}/`)) {
      const receipt = tryDecodeReceipt(value)
      if (receipt !== undefined && !found.some(({ hash }) => hash === receipt.hash)) found.push(receipt)
    }
    return found
  }

  /** Pairs of signed receipts that contradict each other, of this unit. */
  async conflicts(job: JobId, unit: number): Promise<number> {
    let conflicts = 0
    for await (const _ of this.#store.list(BUCKETS.evidence, `${unitKey(job, unit)}/`)) conflicts++
    return conflicts
  }

  async attestations(job: JobId, receipt: Hash): Promise<readonly Uint8Array[]> {
    const stored = await this.#store.get(BUCKETS.attestations, `${job}/${receipt}`)
    return stored === undefined ? [] : readList(stored)
  }

  /** A receipt with its attestations, in the form that is verified offline. */
  async bundle(job: JobId, receipt: SignedReceipt): Promise<Uint8Array> {
    return encodeReceiptBundle({ receipt: receipt.bytes, attestations: await this.attestations(job, receipt.hash) })
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

function readList(bytes: Uint8Array): readonly Uint8Array[] {
  return decode(bytes, { what: 'record', limits: RECORD_LIMITS, schema: bytesList })
}

function tryDecodeReceipt(bytes: Uint8Array): SignedReceipt | undefined {
  try {
    return decodeReceipt(bytes).signed
  } catch {
    return undefined
  }
}
