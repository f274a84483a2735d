import type { Cid } from '../core/codec/ids.ts'
import type { Store } from '../storage/store.ts'

export const BLOCKS_BUCKET = 'blocks'

/** Blocks kept in memory, by total size: what is asked for again and again (modules, shared files) is not read from disk. */
const CACHE_BYTES_MAX = 64 * 1024 * 1024

/** Content-addressed blocks on the store, with the recently used ones in memory. Keys are trusted: whoever puts has checked. */
export class BlockStore {
  readonly #store: Store
  readonly #cache = new Map<string, Uint8Array>()
  #cachedBytes = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** Resolves when the block is durable. */
  async put(cid: Cid, bytes: Uint8Array): Promise<void> {
    await this.#store.write([{ bucket: BLOCKS_BUCKET, key: cid, value: bytes }])
    this.#remember(cid, bytes)
  }

  /** Keeps the block in memory only: it can be fetched again and need not outlive this peer. */
  hold(cid: Cid, bytes: Uint8Array): void {
    this.#remember(cid, bytes)
  }

  async get(cid: Cid): Promise<Uint8Array | undefined> {
    const cached = this.#cache.get(cid)
    if (cached !== undefined) {
      this.#cache.delete(cid)
      this.#cache.set(cid, cached)
      return cached
    }
    const stored = await this.#store.get(BLOCKS_BUCKET, cid)
    if (stored !== undefined) this.#remember(cid, stored)
    return stored
  }

  async delete(cids: readonly Cid[]): Promise<void> {
    for (const cid of cids) this.#forget(cid)
    await this.#store.write(cids.map((cid) => ({ bucket: BLOCKS_BUCKET, key: cid, value: undefined })))
  }

  #remember(cid: Cid, bytes: Uint8Array): void {
    if (bytes.byteLength > CACHE_BYTES_MAX / 2) return
    this.#forget(cid)
    this.#cache.set(cid, bytes)
    this.#cachedBytes += bytes.byteLength
    for (const oldest of this.#cache.keys()) {
      if (this.#cachedBytes <= CACHE_BYTES_MAX) break
      this.#forget(oldest as Cid)
    }
  }

  #forget(cid: Cid): void {
    const cached = this.#cache.get(cid)
    if (cached === undefined) return
    this.#cachedBytes -= cached.byteLength
    this.#cache.delete(cid)
  }
}
