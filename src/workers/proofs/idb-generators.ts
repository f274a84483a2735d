import { openDB } from 'idb'
import type { GeneratorStore, StoredGenerators } from './generator-store.ts'

const DATABASE = 'starling-generators'
/** Changes with the kernel's form of an element and with the derivation: what an older version left is dropped. */
const FORM_VERSION = 1

/** Generators in IndexedDB, in the kernel's own form: four megabytes for an update of 25,450 values. */
export const idbGenerators: GeneratorStore = {
  async load(name) {
    const db = await open()
    try {
      const stored: unknown = await db.get('lists', name)
      return isStored(stored) ? stored : null
    } finally {
      db.close()
    }
  },
  async save(name, generators) {
    const db = await open()
    try {
      await db.put('lists', generators, name)
    } finally {
      db.close()
    }
  },
}

function open() {
  return openDB(DATABASE, FORM_VERSION, {
    upgrade(database) {
      for (const name of database.objectStoreNames) database.deleteObjectStore(name)
      database.createObjectStore('lists')
    },
  })
}

function isStored(stored: unknown): stored is StoredGenerators {
  const { bytes, digest } = (stored ?? {}) as Partial<StoredGenerators>
  return bytes instanceof Uint8Array && digest instanceof Uint8Array
}
