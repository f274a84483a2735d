import type { RootId } from '../codec/ids.ts'
import { NEWCOMERS_COUNTED_MAX } from './limits.ts'

/** Counts the identities that came by work for the first time; those of the epoch before come back and are not new. Rule [A8]. */
export class Newcomers {
  #before = new Set<RootId>()
  #now = new Set<RootId>()
  #count = 0

  /** Of the epoch that runs. */
  get count(): number {
    return this.#count
  }

  admitted(root: RootId): void {
    if (this.#now.has(root)) return
    if (!this.#before.has(root)) this.#count++
    if (this.#now.size < NEWCOMERS_COUNTED_MAX) this.#now.add(root)
  }

  /** An epoch begins. */
  turn(): void {
    this.#before = this.#now
    this.#now = new Set()
    this.#count = 0
  }
}
