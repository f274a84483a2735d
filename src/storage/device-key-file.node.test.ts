import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadDeviceKeyFile } from './device-key-file.node.ts'

it('loadDeviceKeyFile makes a key only its owner can read, and gives the same one again', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'starling-key-')), 'nested', 'device.key')
  const first = await loadDeviceKeyFile(file)
  const again = await loadDeviceKeyFile(file)
  expect([...again.publicKey]).toEqual([...first.publicKey])
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const message = new TextEncoder().encode('hello')
  const signature = await again.sign(message)
  const key = await crypto.subtle.importKey('raw', first.publicKey as Uint8Array<ArrayBuffer>, 'Ed25519', false, [
    'verify',
  ])
  expect(await crypto.subtle.verify('Ed25519', key, signature as Uint8Array<ArrayBuffer>, message)).toBe(true)
})
