import { compareBytes } from '../../core/codec/bytes.ts'
import { sha256Bytes } from '../../core/codec/hash.ts'
import { CHECKED_WHEN_RESTORED } from './limits.ts'
import type { WasmEngine } from './wasm-engine.ts'

/** Where derived generators are kept between two sessions. What fails is as if there was nothing: they are derived again, in a second. */
export interface GeneratorStore {
  load(name: string): Promise<StoredGenerators | null>
  save(name: string, generators: StoredGenerators): Promise<void>
}

export interface StoredGenerators {
  readonly bytes: Uint8Array
  /** SHA-256 of the bytes: says whether they are whole. That they are the right ones is sampled. */
  readonly digest: Uint8Array
}

/** The lists that are long enough to keep. */
const KEPT = ['update', 'range-g', 'range-h'] as const

/** Gives an engine what was kept for it. A list is taken if it is whole and some of its elements, drawn anew each time, are what is derived. */
export async function restoreGenerators(engine: WasmEngine, store: GeneratorStore): Promise<void> {
  for (const name of KEPT) {
    const stored = await store.load(name).catch(() => null)
    if (stored === null || compareBytes(sha256Bytes(stored.bytes), stored.digest) !== 0) continue
    engine.restore(name, stored.bytes, [...crypto.getRandomValues(new Uint32Array(CHECKED_WHEN_RESTORED))])
  }
}

/** Keeps lists that have grown; `kept` remembers how long they were. */
export async function saveGenerators(
  engine: WasmEngine,
  store: GeneratorStore,
  kept: Map<string, number>,
): Promise<void> {
  for (const name of KEPT) {
    const bytes = engine.saved(name)
    if (bytes === null || bytes.length <= (kept.get(name) ?? 0)) continue
    kept.set(name, bytes.length)
    await store.save(name, { bytes, digest: sha256Bytes(bytes) }).catch(() => undefined)
  }
}
