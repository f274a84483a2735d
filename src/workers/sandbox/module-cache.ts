import type { ModuleReport } from '../../core/sandbox/module.ts'
import { MODULES_CACHED_BYTES_MAX, MODULES_CACHED_MAX } from './limits.ts'

/** A compiled module and what is known of it. */
export interface CachedModule {
  readonly key: string
  readonly cid: string
  readonly module: WebAssembly.Module
  readonly report: ModuleReport
  /** Executions that wait for it or run it; it stays while there are any. */
  users: number
  /** Running mean of its units' durations; `null` before the first ended. */
  unitMs: number | null
}

/** Compiled modules, the least recently used dropped first, never one in use. */
export class ModuleCache {
  // A Map keeps insertion order: re-inserting on use makes its first key the least recently used.
  readonly #modules = new Map<string, CachedModule>()
  readonly #onEvict: (key: string) => void
  #bytes = 0

  constructor(onEvict: (key: string) => void) {
    this.#onEvict = onEvict
  }

  get size(): number {
    return this.#modules.size
  }

  has(key: string): boolean {
    return this.#modules.has(key)
  }

  /** Finds a module and makes it the most recently used. */
  use(key: string): CachedModule | undefined {
    const found = this.#modules.get(key)
    if (found === undefined) return undefined
    this.#modules.delete(key)
    this.#modules.set(key, found)
    return found
  }

  add(entry: CachedModule): void {
    this.#drop(entry.key)
    this.#modules.set(entry.key, entry)
    this.#bytes += entry.report.preparedBytes
    this.#evict(entry)
  }

  #evict(newest: CachedModule): void {
    for (const candidate of this.#modules.values()) {
      if (this.#modules.size <= MODULES_CACHED_MAX && this.#bytes <= MODULES_CACHED_BYTES_MAX) return
      if (candidate.users === 0 && candidate !== newest) this.#drop(candidate.key)
    }
  }

  #drop(key: string): void {
    const dropped = this.#modules.get(key)
    if (dropped === undefined) return
    this.#modules.delete(key)
    this.#bytes -= dropped.report.preparedBytes
    this.#onEvict(key)
  }
}
