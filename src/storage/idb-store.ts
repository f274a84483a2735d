import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { GroupCommit } from './group-commit.ts'
import { decodeSegment, encodeSegment, type SegmentEntry, type SegmentOp } from './segment.ts'
import { type Location, SegmentIndex } from './segment-index.ts'
import type { Store, StoreOp } from './store.ts'

const SCHEMA_VERSION = 2
/** Segments read at once while opening: bounds memory. */
const OPEN_PAGE_SEGMENTS = 64
/** Values read between two turns of a listing. */
const LIST_PAGE_RECORDS = 256
/** Larger values are records of their own: they gain nothing by company, and cleaning would copy them. */
const SEGMENT_VALUE_BYTES_MAX = 16 * 1024
/** A commit of more is spread over several segments. */
const SEGMENT_BYTES_MAX = 512 * 1024
/** Segments kept in memory: results are mostly read soon after they were written. */
const CACHE_BYTES_MAX = 8 * 1024 * 1024
/** A transaction costs about a millisecond of CPU: under load there are at most fifty a second. */
const COMMIT_INTERVAL_MS = 20
/** What waits for one write after the other, such as a job that is handed in, is not slowed down. */
const COMMIT_BURST = 5
/** Below every other character, so that no bucket is a prefix of another. */
const SEPARATOR = '\u0000'

interface Schema extends DBSchema {
  records: { key: string; value: Uint8Array }
  segments: { key: number; value: Uint8Array }
}

/**
 * {@link Store} on IndexedDB, in a page or a worker. Small values are written as a log of segments, one for each commit, with an index
 * in memory: a record of IndexedDB costs some 0.3 ms of CPU over all processes of the browser, whatever its size, and a unit of a job
 * leaves several. A database has one store at a time.
 */
export class IdbStore implements Store {
  readonly #db: IDBPDatabase<Schema>
  readonly #commits: GroupCommit
  readonly #index: SegmentIndex
  /** Least recently used first. */
  readonly #cache = new Map<number, Uint8Array>()
  #cacheBytes = 0
  #nextId: number

  private constructor(db: IDBPDatabase<Schema>, index: SegmentIndex, nextId: number) {
    this.#db = db
    this.#index = index
    this.#nextId = nextId
    this.#commits = new GroupCommit((ops) => this.#commit(ops), { intervalMs: COMMIT_INTERVAL_MS, burst: COMMIT_BURST })
  }

  /** @param name - Database name. */
  static async open(name: string): Promise<IdbStore> {
    const db = await openDB<Schema>(name, SCHEMA_VERSION, {
      upgrade(database, oldVersion) {
        if (oldVersion < 1) database.createObjectStore('records')
        if (oldVersion < 2) database.createObjectStore('segments')
      },
    })
    const index = new SegmentIndex()
    for (const full of await db.getAllKeys('records')) {
      const end = full.indexOf(SEPARATOR)
      index.addApart(full.slice(0, end), full.slice(end + 1))
    }
    let last = 0
    for (;;) {
      const { store } = db.transaction('segments')
      const range = IDBKeyRange.lowerBound(last, true)
      const [ids, segments] = await Promise.all([
        store.getAllKeys(range, OPEN_PAGE_SEGMENTS),
        store.getAll(range, OPEN_PAGE_SEGMENTS),
      ])
      for (const [at, bytes] of segments.entries()) {
        last = ids[at] as number
        index.apply(last, { bytes: bytes.byteLength, entries: decodeSegment(bytes) })
      }
      if (segments.length < OPEN_PAGE_SEGMENTS) return new IdbStore(db, index, last + 1)
    }
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    return (await this.getMany(bucket, [key]))[0]
  }

  getMany(bucket: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.#read(bucket, key, this.#index.locate(bucket, key))))
  }

  write(ops: readonly StoreOp[]): Promise<void> {
    return this.#commits.write(ops)
  }

  async *list(bucket: string, prefix: string): AsyncIterable<readonly [string, Uint8Array]> {
    const keys = this.#index.keys(bucket, prefix)
    for (let at = 0; at < keys.length; at += LIST_PAGE_RECORDS) {
      const page = keys.slice(at, at + LIST_PAGE_RECORDS)
      const values = await this.getMany(bucket, page)
      for (const [index, key] of page.entries()) {
        const value = values[index]
        if (value !== undefined) yield [key, value]
      }
    }
  }

  async close(): Promise<void> {
    await this.#commits.settled()
    this.#db.close()
  }

  async #read(bucket: string, key: string, location: Location | undefined): Promise<Uint8Array | undefined> {
    if (location === undefined) return undefined
    if (location === 'apart') return await this.#db.get('records', bucket + SEPARATOR + key)
    const { segment, offset, length } = location
    const bytes = this.#cached(segment) ?? (await this.#db.get('segments', segment))
    if (bytes !== undefined) {
      this.#keep(segment, bytes)
      return bytes.slice(offset, offset + length)
    }
    // Cleaned between the look and the read: its values moved on.
    const moved = this.#index.locate(bucket, key)
    return moved === location ? undefined : this.#read(bucket, key, moved)
  }

  /** One transaction: the new values, those that cleaning saves, and the segments that it drops. */
  async #commit(ops: readonly StoreOp[]): Promise<void> {
    const cleaned = this.#index.toClean()
    const saved = (await Promise.all(cleaned.map((id) => this.#live(id)))).flat()
    // Strict: what was acknowledged to another peer must survive a power failure too, not only a crash of the browser.
    const transaction = this.#db.transaction(['records', 'segments'], 'readwrite', { durability: 'strict' })
    const records = transaction.objectStore('records')
    const segments = transaction.objectStore('segments')
    const asked: Promise<unknown>[] = [transaction.done]
    const small: SegmentOp[] = [...saved]
    for (const op of ops) {
      const { bucket, key, value } = op
      if (value !== undefined && value.byteLength > SEGMENT_VALUE_BYTES_MAX) {
        asked.push(records.put(value, bucket + SEPARATOR + key))
        small.push({ bucket, key, apart: true })
        continue
      }
      if (this.#index.locate(bucket, key) === 'apart') asked.push(records.delete(bucket + SEPARATOR + key))
      small.push(op)
    }
    const written = [...inSegments(small)].map((part) => ({ id: this.#nextId++, ...encodeSegment(part) }))
    for (const { id, bytes } of written) asked.push(segments.put(bytes, id))
    for (const id of cleaned) asked.push(segments.delete(id))
    await Promise.all(asked)
    for (const { id, bytes, entries } of written) {
      this.#index.apply(id, { bytes: bytes.byteLength, entries })
      this.#keep(id, bytes)
    }
    for (const id of cleaned) this.#forget(id)
  }

  /** What of a segment still counts. */
  async #live(id: number): Promise<StoreOp[]> {
    const bytes = this.#cached(id) ?? (await this.#db.get('segments', id))
    if (bytes === undefined) return []
    const isLive = (entry: SegmentEntry): entry is Extract<SegmentEntry, { type: 'put' }> => {
      const location = this.#index.locate(entry.bucket, entry.key)
      return (
        entry.type === 'put' &&
        typeof location === 'object' &&
        location.segment === id &&
        location.offset === entry.offset
      )
    }
    return decodeSegment(bytes)
      .filter(isLive)
      .map(({ bucket, key, offset, length }) => ({ bucket, key, value: bytes.subarray(offset, offset + length) }))
  }

  #cached(id: number): Uint8Array | undefined {
    return this.#cache.get(id)
  }

  #keep(id: number, bytes: Uint8Array): void {
    if (this.#cache.delete(id)) this.#cacheBytes -= bytes.byteLength
    this.#cache.set(id, bytes)
    this.#cacheBytes += bytes.byteLength
    for (const [oldest, { byteLength }] of this.#cache) {
      if (this.#cacheBytes <= CACHE_BYTES_MAX) return
      this.#cache.delete(oldest)
      this.#cacheBytes -= byteLength
    }
  }

  #forget(id: number): void {
    this.#index.drop(id)
    const bytes = this.#cache.get(id)
    if (bytes === undefined) return
    this.#cache.delete(id)
    this.#cacheBytes -= bytes.byteLength
  }
}

/** Splits changes so that no segment is too large to be read for the sake of one value. */
function* inSegments(ops: readonly SegmentOp[]): Generator<SegmentOp[]> {
  let part: SegmentOp[] = []
  let bytes = 0
  for (const op of ops) {
    if (bytes > SEGMENT_BYTES_MAX) {
      yield part
      part = []
      bytes = 0
    }
    part.push(op)
    bytes += 'apart' in op ? 0 : (op.value?.byteLength ?? 0)
  }
  if (part.length > 0) yield part
}
