import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { GroupCommit } from './group-commit.ts'
import type { Store, StoreOp } from './store.ts'

const SCHEMA_VERSION = 1
/** Records read in one transaction while listing: bounds memory, and no transaction stays open across the caller's awaits. */
const LIST_PAGE_RECORDS = 256
/** Below every other character, so that no bucket is a prefix of another. */
const SEPARATOR = '\u0000'
const AFTER_ALL = '\uffff'

interface Schema extends DBSchema {
  records: { key: string; value: Uint8Array }
}

/** {@link Store} on IndexedDB, in a page or a worker. */
export class IdbStore implements Store {
  readonly #db: IDBPDatabase<Schema>
  readonly #commits: GroupCommit

  private constructor(db: IDBPDatabase<Schema>) {
    this.#db = db
    this.#commits = new GroupCommit((ops) => this.#commit(ops))
  }

  /** @param name - Database name; two stores of one name share their records. */
  static async open(name: string): Promise<IdbStore> {
    const db = await openDB<Schema>(name, SCHEMA_VERSION, {
      upgrade(database) {
        database.createObjectStore('records')
      },
    })
    return new IdbStore(db)
  }

  get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    return this.#db.get('records', bucket + SEPARATOR + key)
  }

  getMany(bucket: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const { store } = this.#db.transaction('records')
    return Promise.all(keys.map((key) => store.get(bucket + SEPARATOR + key)))
  }

  write(ops: readonly StoreOp[]): Promise<void> {
    return this.#commits.write(ops)
  }

  async *list(bucket: string, prefix: string): AsyncIterable<readonly [string, Uint8Array]> {
    const start = bucket + SEPARATOR
    const end = start + prefix + AFTER_ALL
    let range = IDBKeyRange.bound(start + prefix, end)
    for (;;) {
      const transaction = this.#db.transaction('records')
      const [keys, values] = await Promise.all([
        transaction.store.getAllKeys(range, LIST_PAGE_RECORDS),
        transaction.store.getAll(range, LIST_PAGE_RECORDS),
      ])
      for (const [index, key] of keys.entries()) {
        const value = values[index]
        if (value !== undefined) yield [key.slice(start.length), value]
      }
      const last = keys.at(-1)
      if (last === undefined || keys.length < LIST_PAGE_RECORDS) return
      range = IDBKeyRange.bound(last, end, true)
    }
  }

  async close(): Promise<void> {
    await this.#commits.settled()
    this.#db.close()
  }

  async #commit(ops: readonly StoreOp[]): Promise<void> {
    // Strict: what was acknowledged to another peer must survive a power failure too, not only a crash of the browser.
    const transaction = this.#db.transaction('records', 'readwrite', { durability: 'strict' })
    for (const { bucket, key, value } of ops) {
      const full = bucket + SEPARATOR + key
      if (value === undefined) void transaction.store.delete(full)
      else void transaction.store.put(value, full)
    }
    await transaction.done
  }
}
