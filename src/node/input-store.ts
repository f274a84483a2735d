import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { cidOfHash } from '../core/codec/cid.ts'
import { InvalidMessageError, StarlingError } from '../core/codec/errors.ts'
import type { Hash, JobId } from '../core/codec/ids.ts'
import { RECORD_LIMITS } from '../core/codec/limits.ts'
import { INLINE_INPUT_BYTES_MAX } from '../core/tasks/limits.ts'
import type { LoadedInput } from '../core/tasks/requester-events.ts'
import type { UnitInput } from '../core/tasks/unit.ts'
import { decodeInput, encodeInput } from '../core/tasks/unit-data.ts'
import type { Store, StoreOp } from '../storage/store.ts'
import { BLOCKS_BUCKET, type BlockStore } from './block-store.ts'
import { hashOf } from './unit-runner.ts'

const BUCKET = 'inputs'

/** Inputs written in one batch: bounds the memory of a transaction. */
const BATCH_BYTES = 4 * 1024 * 1024

const recordSchema = v.strictObject({
  hash: v.string(),
  bytes: v.number(),
  inline: v.nullable(v.instance(Uint8Array)),
})

/** A job's inputs: small ones in one record each, large ones as blocks that executors pull by hash. */
export class InputStore {
  readonly #store: Store
  readonly #blocks: BlockStore

  constructor(store: Store, blocks: BlockStore) {
    this.#store = store
    this.#blocks = blocks
  }

  /** Resolves when every input is durable. */
  async save(job: JobId, inputs: readonly UnitInput[]): Promise<void> {
    let batch: StoreOp[] = []
    let bytes = 0
    for (const [unit, input] of inputs.entries()) {
      const encoded = encodeInput(input)
      const hash = await hashOf(encoded)
      const inline = encoded.byteLength <= INLINE_INPUT_BYTES_MAX ? encoded : null
      if (inline === null) batch.push({ bucket: BLOCKS_BUCKET, key: cidOfHash(hash), value: encoded })
      batch.push({ bucket: BUCKET, key: key(job, unit), value: encode({ hash, bytes: encoded.byteLength, inline }) })
      bytes += encoded.byteLength
      if (bytes >= BATCH_BYTES) {
        await this.#store.write(batch)
        batch = []
        bytes = 0
      }
    }
    await this.#store.write(batch)
  }

  /** What is known of each unit's input; an error in its place where the record is missing or damaged. */
  async load(job: JobId, units: readonly number[]): Promise<(LoadedInput | StarlingError)[]> {
    const records = await this.#store.getMany(
      BUCKET,
      units.map((unit) => key(job, unit)),
    )
    return units.map((unit, index) => {
      const record = records[index]
      if (record === undefined) return missing(job, unit)
      try {
        const { hash, bytes, inline } = read(record)
        return { unit, hash, bytes, inline }
      } catch (error) {
        if (error instanceof StarlingError) return error
        throw error
      }
    })
  }

  /** @throws `InvalidMessageError` When the record is missing or damaged. */
  async read(job: JobId, unit: number): Promise<UnitInput> {
    const { hash, inline } = await this.#record(job, unit)
    const encoded = inline ?? (await this.#blocks.get(cidOfHash(hash)))
    if (encoded === undefined) throw missing(job, unit)
    return decodeInput(encoded)
  }

  async delete(job: JobId): Promise<void> {
    const ops: StoreOp[] = []
    for await (const [recordKey, value] of this.#store.list(BUCKET, `${job}/`)) {
      ops.push({ bucket: BUCKET, key: recordKey, value: undefined })
      const { hash, inline } = read(value)
      if (inline === null) ops.push({ bucket: BLOCKS_BUCKET, key: cidOfHash(hash), value: undefined })
    }
    await this.#store.write(ops)
  }

  async #record(job: JobId, unit: number): Promise<ReturnType<typeof read>> {
    const record = await this.#store.get(BUCKET, key(job, unit))
    if (record === undefined) throw missing(job, unit)
    return read(record)
  }
}

function read(record: Uint8Array): { hash: Hash; bytes: number; inline: Uint8Array | null } {
  const { hash, bytes, inline } = decode(record, { what: 'inputRecord', limits: RECORD_LIMITS, schema: recordSchema })
  // Our own record, written from a hash.
  return { hash: hash as Hash, bytes, inline }
}

function key(job: JobId, unit: number): string {
  return `${job}/${String(unit).padStart(8, '0')}`
}

function missing(job: JobId, unit: number): InvalidMessageError {
  return new InvalidMessageError(`Input of unit ${unit} is not stored`, { field: 'input', value: unit, limit: job })
}
