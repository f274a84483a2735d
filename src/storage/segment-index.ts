import type { SegmentEntry } from './segment.ts'

/** Where the value of a key is. */
export type Location =
  | { readonly segment: number; readonly offset: number; readonly length: number }
  /** In a record of its own. */
  | 'apart'

interface Segment {
  readonly bytes: number
  /** Of `bytes`, those of values that are still the latest of their keys. */
  live: number
}

/** Below this much garbage nothing is cleaned. */
const GARBAGE_BYTES_MIN = 1024 * 1024
/** Many small segments make opening slow: above this many, whole ones are joined as long as they are small on average. */
const SEGMENTS_MAX = 256
const SEGMENT_BYTES_SMALL = 16 * 1024
/** Segments cleaned by one commit: bounds what a commit costs at worst. */
const CLEANED_PER_COMMIT_MAX = 8

/**
 * Where every value of a log of segments is, and which segments are worth cleaning. Segments are applied in the order of their ids,
 * and cleaned from the oldest on: what a deletion or a mark says then concerns nothing older, and can be dropped.
 */
export class SegmentIndex {
  readonly #buckets = new Map<string, Map<string, Location>>()
  readonly #segments = new Map<number, Segment>()
  #bytes = 0
  #live = 0

  locate(bucket: string, key: string): Location | undefined {
    return this.#buckets.get(bucket)?.get(key)
  }

  /** Keys of a bucket that start with `prefix`, ascending. */
  keys(bucket: string, prefix: string): string[] {
    return [...(this.#buckets.get(bucket)?.keys() ?? [])].filter((key) => key.startsWith(prefix)).sort()
  }

  /** Records that were there before any segment. */
  addApart(bucket: string, key: string): void {
    this.#bucket(bucket).set(key, 'apart')
  }

  apply(id: number, segment: { readonly bytes: number; readonly entries: readonly SegmentEntry[] }): void {
    const added: Segment = { bytes: segment.bytes, live: 0 }
    this.#segments.set(id, added)
    this.#bytes += segment.bytes
    for (const entry of segment.entries) {
      const bucket = this.#bucket(entry.bucket)
      this.#release(bucket.get(entry.key))
      if (entry.type === 'delete') bucket.delete(entry.key)
      else if (entry.type === 'apart') bucket.set(entry.key, 'apart')
      else {
        bucket.set(entry.key, { segment: id, offset: entry.offset, length: entry.length })
        added.live += entry.length
        this.#live += entry.length
      }
    }
  }

  /** Forgets a segment whose live values were written again. */
  drop(id: number): void {
    const segment = this.#segments.get(id)
    if (segment === undefined) return
    this.#segments.delete(id)
    this.#bytes -= segment.bytes
    this.#live -= segment.live
  }

  /** Ids of the oldest segments, whose live values should be written again before the segments are dropped. */
  toClean(): number[] {
    let garbage = this.#bytes - this.#live
    let count = this.#segments.size
    const crowded = count > SEGMENTS_MAX && this.#bytes / count < SEGMENT_BYTES_SMALL
    const found: number[] = []
    for (const [id, { bytes, live }] of this.#segments) {
      const wasteful = garbage > Math.max(GARBAGE_BYTES_MIN, this.#live)
      if (found.length === CLEANED_PER_COMMIT_MAX || !(wasteful || (crowded && count > SEGMENTS_MAX / 2))) break
      found.push(id)
      garbage -= bytes - live
      count--
    }
    return found
  }

  #bucket(name: string): Map<string, Location> {
    const known = this.#buckets.get(name)
    if (known !== undefined) return known
    const made = new Map<string, Location>()
    this.#buckets.set(name, made)
    return made
  }

  #release(location: Location | undefined): void {
    if (location === undefined || location === 'apart') return
    const segment = this.#segments.get(location.segment)
    if (segment === undefined) return
    segment.live -= location.length
    this.#live -= location.length
  }
}
