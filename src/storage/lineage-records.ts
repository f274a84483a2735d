import type { RootId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import type { Store } from './store.ts'

const BUCKET = 'lineages'

/** Lineages of others that hold rotations or revocations, of every network alike: who showed one once cannot take it back. Rule [A11]. */
export class LineageRecords {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Everything that was kept. What is damaged is found when it is decoded. */
  async all(): Promise<readonly (readonly [RootId, Uint8Array])[]> {
    const found: (readonly [RootId, Uint8Array])[] = []
    for await (const [root, lineage] of this.#store.list(BUCKET, '')) {
      // Written under root ids by this class alone.
      if (isPeerId(root)) found.push([root as string as RootId, lineage])
    }
    return found
  }

  /** @param lineage - Encoded; `null` forgets it. */
  async save(root: RootId, lineage: Uint8Array | null): Promise<void> {
    await this.#store.write([{ bucket: BUCKET, key: root, value: lineage ?? undefined }])
  }
}
