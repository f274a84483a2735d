import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deviceKey } from './device-key.ts'
import type { DeviceKey } from './device-key-types.ts'

/**
 * The Ed25519 key of a Node peer: PKCS#8 in a file that only its owner may read (0600), imported as non-extractable.
 *
 * @param file - Made when absent, with its folder.
 */
export async function loadDeviceKeyFile(file: string): Promise<DeviceKey> {
  const stored = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const pkcs8 = stored ?? (await makeKeyFile(file))
  const extractable = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign'])
  const jwk = await crypto.subtle.exportKey('jwk', extractable)
  const { x = '' } = jwk
  const publicKey = await crypto.subtle.importKey('raw', Buffer.from(x, 'base64url'), { name: 'Ed25519' }, true, [
    'verify',
  ])
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, false, ['sign'])
  return deviceKey({ publicKey, privateKey })
}

/** A key that lives as long as the process: for peers that keep nothing. */
export async function makeVolatileDeviceKey(): Promise<DeviceKey> {
  const pair = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify'])
  return deviceKey(pair as CryptoKeyPair)
}

async function makeKeyFile(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])) as CryptoKeyPair
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  await mkdir(dirname(file), { recursive: true })
  // Written beside and renamed, so that a crash never leaves half a key.
  const temporary = `${file}.${process.pid}.new`
  await writeFile(temporary, pkcs8, { mode: 0o600 })
  await chmod(temporary, 0o600)
  await rename(temporary, file)
  return pkcs8
}
