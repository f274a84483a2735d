/** One change of a batch; `value: undefined` deletes. */
export interface StoreOp {
  readonly bucket: string
  readonly key: string
  readonly value: Uint8Array | undefined
}

/**
 * Durable key-value storage in named buckets. Implementations: IndexedDB (browser), SQLite (Node), memory (tests); all pass
 * `src/testing/store-acceptance.ts`.
 */
export interface Store {
  get(bucket: string, key: string): Promise<Uint8Array | undefined>
  /** The values of `keys`, in their order, read at once: far cheaper than as many {@link get}s. */
  getMany(bucket: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]>
  /** All or nothing; resolves when the batch survives a crash of the process. */
  write(ops: readonly StoreOp[]): Promise<void>
  /** Entries whose key starts with `prefix`, in ascending key order (UTF-16 code units for ASCII keys). */
  list(bucket: string, prefix: string): AsyncIterable<readonly [key: string, value: Uint8Array]>
  close(): Promise<void>
}
