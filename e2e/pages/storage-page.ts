import { openDB } from 'idb'
import { IdbStore } from '../../src/storage/idb-store.ts'

/** The real store of a browser, for a test that runs outside of it. */
const stores = new Map<string, IdbStore>()

export interface StorePage {
  open(name: string): Promise<void>
  close(name: string): Promise<void>
  store(name: string): IdbStore
  /** Random batches against a map, with the store opened again at times; returns how the database ends, or throws at a difference. */
  churn(name: string, options: ChurnOptions): Promise<ChurnEnd>
}

export interface ChurnOptions {
  readonly seed: number
  readonly commits: number
  readonly keys: number
  readonly valueBytesMax: number
}

export interface ChurnEnd {
  readonly keys: number
  readonly liveBytes: number
  readonly segments: number
  readonly segmentBytes: number
  readonly reopened: number
}

const page: StorePage = {
  async open(name) {
    stores.set(name, await IdbStore.open(name))
  },
  async close(name) {
    await stores.get(name)?.close()
    stores.delete(name)
  },
  store(name) {
    const store = stores.get(name)
    if (store === undefined) throw new Error(`${name} is not open`)
    return store
  },
  churn,
}

/** Source: Steele and Vigna, "Computationally easy, spectrally good multipliers" (2021), for a 32-bit generator. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 0x915f77f5) + 1) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

async function churn(name: string, { seed, commits, keys, valueBytesMax }: ChurnOptions): Promise<ChurnEnd> {
  const below = generator(seed)
  const model = new Map<string, Uint8Array>()
  let store = await IdbStore.open(name)
  let reopened = 0
  for (let commit = 1; commit <= commits; commit++) {
    const batch = Array.from({ length: 1 + below(8) }, () => {
      const key = `k${below(keys)}`
      const value = below(4) === 0 ? undefined : new Uint8Array(below(valueBytesMax)).fill(below(256))
      return { bucket: 'churn', key, value }
    })
    await store.write(batch)
    for (const { key, value } of batch) {
      if (value === undefined) model.delete(key)
      else model.set(key, value)
    }
    if (commit % 50 !== 0) continue
    if (below(2) === 0) {
      await store.close()
      store = await IdbStore.open(name)
      reopened++
    }
    await compare(store, model, commit)
  }
  await store.close()
  const db = await openDB(name)
  const segments = (await db.getAll('segments')) as Uint8Array[]
  db.close()
  return {
    keys: model.size,
    liveBytes: [...model.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    segments: segments.length,
    segmentBytes: segments.reduce((sum, { byteLength }) => sum + byteLength, 0),
    reopened,
  }
}

async function compare(store: IdbStore, model: ReadonlyMap<string, Uint8Array>, commit: number): Promise<void> {
  const found = new Map<string, Uint8Array>()
  for await (const [key, value] of store.list('churn', '')) found.set(key, value)
  if (found.size !== model.size) throw new Error(`${found.size} keys after commit ${commit}, not ${model.size}`)
  for (const [key, value] of model) {
    const other = found.get(key)
    const same = other?.byteLength === value.byteLength && other.every((byte, index) => byte === value[index])
    if (!same) throw new Error(`Another value of ${key} after commit ${commit}`)
  }
}

Object.assign(globalThis, { storePage: page })
