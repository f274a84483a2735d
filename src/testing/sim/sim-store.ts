import type { RecordReader, StoreOp } from '../../core/tasks/store-ops.ts'

/** A durable store that survives its peer's crashes. What was not written in time is gone. */
export class SimStore implements RecordReader {
  readonly #buckets = new Map<string, Map<string, Uint8Array>>()

  write(ops: readonly StoreOp[]): void {
    for (const { bucket, key, value } of ops) {
      const records = this.#buckets.get(bucket) ?? new Map<string, Uint8Array>()
      this.#buckets.set(bucket, records)
      if (value === undefined) records.delete(key)
      else records.set(key, value)
    }
  }

  read(bucket: string, key: string): Uint8Array | undefined {
    return this.#buckets.get(bucket)?.get(key)
  }

  has(bucket: string, key: string): boolean {
    return this.#buckets.get(bucket)?.has(key) ?? false
  }

  keys(bucket: string, prefix: string): string[] {
    return [...(this.#buckets.get(bucket)?.keys() ?? [])].filter((key) => key.startsWith(prefix)).sort()
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    return this.read(bucket, key)
  }

  async list(bucket: string, prefix: string): Promise<{ readonly key: string; readonly value: Uint8Array }[]> {
    // Every listed key has a value.
    return this.keys(bucket, prefix).map((key) => ({ key, value: this.read(bucket, key) as Uint8Array }))
  }
}
