import type { Store, StoreOp } from './store.ts'

/** Keeps records in memory, for tests and for `:memory:` peers. What it stores is a copy, as a disk's would be. */
export class MemoryStore implements Store {
  readonly #buckets = new Map<string, Map<string, Uint8Array>>()

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    return this.#buckets.get(bucket)?.get(key)?.slice()
  }

  getMany(bucket: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(bucket, key)))
  }

  async write(ops: readonly StoreOp[]): Promise<void> {
    for (const { bucket, key, value } of ops) {
      let records = this.#buckets.get(bucket)
      if (records === undefined) {
        records = new Map()
        this.#buckets.set(bucket, records)
      }
      if (value === undefined) records.delete(key)
      else records.set(key, value.slice())
    }
  }

  async *list(bucket: string, prefix: string): AsyncIterable<readonly [string, Uint8Array]> {
    const records = this.#buckets.get(bucket) ?? new Map<string, Uint8Array>()
    const keys = [...records.keys()].filter((key) => key.startsWith(prefix)).sort()
    for (const key of keys) {
      const value = records.get(key)
      if (value !== undefined) yield [key, value.slice()]
    }
  }

  async close(): Promise<void> {
    this.#buckets.clear()
  }
}
