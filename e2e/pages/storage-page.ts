import { IdbStore } from '../../src/storage/idb-store.ts'

/** The real store of a browser, for a test that runs outside of it. */
const stores = new Map<string, IdbStore>()

export interface StorePage {
  open(name: string): Promise<void>
  close(name: string): Promise<void>
  store(name: string): IdbStore
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
}

Object.assign(globalThis, { storePage: page })
