import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { GroupCommit } from './group-commit.ts'
import type { Store, StoreOp } from './store.ts'

const LIST_PAGE_RECORDS = 256
/** Sorts after every key this project makes: they are ASCII. */
const AFTER_ALL = '\uffff'

interface Row {
  readonly key: string
  readonly value: Uint8Array
}

/** {@link Store} on SQLite, which Node has built in: one file, durable, no dependency. */
export class SqliteStore implements Store {
  readonly #db: DatabaseSync
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #page: StatementSync
  readonly #commits: GroupCommit

  /** @param file - Path of the database file, made when absent. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file)
    // WAL with FULL: one fsync a transaction, readers never wait for it.
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    this.#db.exec(
      'CREATE TABLE IF NOT EXISTS records (bucket TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (bucket, key))',
    )
    this.#get = this.#db.prepare('SELECT value FROM records WHERE bucket = ? AND key = ?')
    this.#put = this.#db.prepare('INSERT OR REPLACE INTO records (bucket, key, value) VALUES (?, ?, ?)')
    this.#delete = this.#db.prepare('DELETE FROM records WHERE bucket = ? AND key = ?')
    this.#page = this.#db.prepare(
      'SELECT key, value FROM records WHERE bucket = ? AND key >= ? AND key < ? AND key != ? ORDER BY key LIMIT ?',
    )
    this.#commits = new GroupCommit(async (ops) => this.#commit(ops))
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    const row = this.#get.get(bucket, key) as { value: Uint8Array } | undefined
    return row?.value
  }

  getMany(bucket: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(bucket, key)))
  }

  write(ops: readonly StoreOp[]): Promise<void> {
    return this.#commits.write(ops)
  }

  async *list(bucket: string, prefix: string): AsyncIterable<readonly [string, Uint8Array]> {
    let from = prefix
    let skip = ''
    for (;;) {
      const rows = this.#page.all(bucket, from, prefix + AFTER_ALL, skip, LIST_PAGE_RECORDS) as unknown as Row[]
      for (const row of rows) yield [row.key, row.value]
      const last = rows.at(-1)
      if (last === undefined || rows.length < LIST_PAGE_RECORDS) return
      from = last.key
      skip = last.key
    }
  }

  async close(): Promise<void> {
    await this.#commits.settled()
    this.#db.close()
  }

  #commit(ops: readonly StoreOp[]): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const { bucket, key, value } of ops) {
        if (value === undefined) this.#delete.run(bucket, key)
        else this.#put.run(bucket, key, value)
      }
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }
}
