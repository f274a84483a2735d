import { type IDBPDatabase, openDB } from 'idb'
import type { PeerId } from '../core/codec/ids.ts'
import { makeSealer, type RootKeyBox, type RootKeyRecord } from './root-key-store.ts'

/** Root keys in IndexedDB, as `CryptoKey`s that no script can read. */
export class IdbRootKeyBox implements RootKeyBox {
  readonly #db: IDBPDatabase

  private constructor(db: IDBPDatabase) {
    this.#db = db
  }

  /** @param databaseName - Database that holds only root keys. */
  static async open(databaseName: string): Promise<IdbRootKeyBox> {
    const db = await openDB(databaseName, 1, {
      upgrade(database) {
        database.createObjectStore('root-keys', { keyPath: 'key' })
      },
    })
    return new IdbRootKeyBox(db)
  }

  async all(): Promise<readonly RootKeyRecord[]> {
    // Only this class writes them, and a browser keeps a record whole or not at all.
    return (await this.#db.getAll('root-keys')) as RootKeyRecord[]
  }

  async put(record: RootKeyRecord): Promise<void> {
    await this.#write((store) => store.put(record))
  }

  async delete(key: PeerId): Promise<void> {
    await this.#write((store) => store.delete(key))
  }

  sealer(): Promise<CryptoKey> {
    return makeSealer()
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  async #write(change: (store: { put(value: unknown): unknown; delete(key: string): unknown }) => unknown) {
    const transaction = this.#db.transaction('root-keys', 'readwrite', { durability: 'strict' })
    void change(transaction.store)
    await transaction.done
  }
}

/** Root keys that live as long as the process: for tests and peers that keep nothing. */
export class MemoryRootKeyBox implements RootKeyBox {
  readonly #records = new Map<PeerId, RootKeyRecord>()

  async all(): Promise<readonly RootKeyRecord[]> {
    return [...this.#records.values()]
  }

  async put(record: RootKeyRecord): Promise<void> {
    this.#records.set(record.key, record)
  }

  async delete(key: PeerId): Promise<void> {
    this.#records.delete(key)
  }

  sealer(): Promise<CryptoKey> {
    return makeSealer()
  }

  async close(): Promise<void> {}
}
