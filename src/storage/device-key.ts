import { openDB } from 'idb'
import type { DeviceKey } from './device-key-types.ts'

const KEY_ID = 'device'

/**
 * The Ed25519 key that is this browser profile's peer identity at this origin: made at first use, kept as a non-extractable
 * `CryptoKey`, so that no script, ours included, can ever read it.
 *
 * @param databaseName - IndexedDB database that holds only keys.
 * @throws `NotSupportedError` Where WebCrypto has no Ed25519.
 */
export async function loadDeviceKey(databaseName: string): Promise<DeviceKey> {
  const db = await openDB(databaseName, 1, {
    upgrade(database) {
      database.createObjectStore('keys')
    },
  })
  try {
    const stored: unknown = await db.get('keys', KEY_ID)
    if (isKeyPair(stored)) return await deviceKey(stored)
    const made = (await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify'])) as CryptoKeyPair
    await db.put('keys', made, KEY_ID)
    return await deviceKey(made)
  } finally {
    db.close()
  }
}

/** Wraps a WebCrypto key pair of either environment. */
export async function deviceKey(pair: CryptoKeyPair): Promise<DeviceKey> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return {
    publicKey,
    async sign(message) {
      return new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, message as Uint8Array<ArrayBuffer>))
    },
  }
}

function isKeyPair(value: unknown): value is CryptoKeyPair {
  return typeof value === 'object' && value !== null && 'privateKey' in value && 'publicKey' in value
}
