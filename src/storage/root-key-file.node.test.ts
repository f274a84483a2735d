import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { KeyRing } from './key-ring.node.ts'
import { FileRootKeyBox, type RootKeyFileInit } from './root-key-file.node.ts'
import { RootKeyStore } from './root-key-store.ts'

const PASSPHRASE = 'correct horse battery'
const newFile = (): string => join(mkdtempSync(join(tmpdir(), 'starling-root-')), 'nested', 'root.key')

function memoryRing(): KeyRing & { secret: Uint8Array | null } {
  return {
    secret: null,
    async get() {
      return this.secret?.slice() ?? null
    },
    async set(secret) {
      this.secret = secret.slice()
    },
  }
}

const open = async (init: Partial<RootKeyFileInit> & { file: string }): Promise<[FileRootKeyBox, RootKeyStore]> => {
  const box = await FileRootKeyBox.open({ passphrase: null, keyRing: null, ...init })
  return [box, new RootKeyStore(box)]
}

it('keeps keys under a passphrase in a file of 0600, and locks them without it', async () => {
  const file = newFile()
  const [box, keys] = await open({ file, passphrase: PASSPHRASE })
  const key = await keys.make('root', null)
  expect(box.kind).toBe('passphrase')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const [, again] = await open({ file, passphrase: PASSPHRASE })
  expect((await again.signer(key)).author).toBe(key)
  expect(await again.make('root', null)).toBe(key)
  const [locked, lockedKeys] = await open({ file })
  expect((await locked.all())[0]).toMatchObject({ key, privateKey: null, copy: null })
  await expect(lockedKeys.signer(key)).rejects.toMatchObject({ name: 'RootKeyLockedError' })
  await expect(lockedKeys.make('other', null)).rejects.toMatchObject({ name: 'RootKeyLockedError' })
  await expect(open({ file, passphrase: 'another passphrase' })).rejects.toMatchObject({ name: 'WrongPassphraseError' })
  await expect(open({ file: newFile(), passphrase: 'short' })).rejects.toMatchObject({ name: 'WeakPassphraseError' })
})

it('keeps keys under the key ring, and locks them where it is empty or gone', async () => {
  const file = newFile()
  const keyRing = memoryRing()
  const [box, keys] = await open({ file, keyRing, passphrase: PASSPHRASE })
  const key = await keys.make('root', null)
  expect(box.kind).toBe('keyring')
  expect(readFileSync(file).includes(Buffer.from(keyRing.secret as Uint8Array))).toBe(false)
  expect((await (await open({ file, keyRing }))[1].signer(key)).author).toBe(key)
  await expect((await open({ file }))[1].signer(key)).rejects.toMatchObject({ name: 'RootKeyLockedError' })
  await expect((await open({ file, keyRing: memoryRing() }))[1].signer(key)).rejects.toMatchObject({
    name: 'RootKeyLockedError',
  })
})

it('does not trust a key ring that does not give back what it was given', async () => {
  const forgetful: KeyRing = { get: async () => null, set: async () => undefined }
  const refusing: KeyRing = { get: async () => null, set: () => Promise.reject(new Error('locked')) }
  for (const keyRing of [forgetful, refusing]) {
    expect((await open({ file: newFile(), keyRing, passphrase: PASSPHRASE }))[0].kind).toBe('passphrase')
    expect((await open({ file: newFile(), keyRing }))[0].kind).toBe('file')
  }
})

it('seals what file permissions kept under a passphrase, and the same keys open with it', async () => {
  const file = newFile()
  const [box, keys] = await open({ file })
  const key = await keys.make('root', null)
  expect(box.kind).toBe('file')
  await box.keepBy(PASSPHRASE)
  expect(box.kind).toBe('passphrase')
  const [sealed, sealedKeys] = await open({ file, passphrase: PASSPHRASE })
  expect((await sealedKeys.signer(key)).author).toBe(key)
  await expect((await open({ file }))[1].signer(key)).rejects.toMatchObject({ name: 'RootKeyLockedError' })
  await sealedKeys.dropCopy(key)
  expect((await sealed.all())[0]?.copy).toBeNull()
  const [, later] = await open({ file, passphrase: PASSPHRASE })
  expect((await later.signer(key)).author).toBe(key)
  await expect(later.sealFor(key, await box.sealer(), new Uint8Array())).rejects.toMatchObject({
    name: 'RootKeyProtectedError',
  })
})

it('leaves a damaged file as it is and says so', async () => {
  const file = newFile()
  const [, keys] = await open({ file, passphrase: PASSPHRASE })
  await keys.make('root', null)
  const whole = readFileSync(file)
  for (const damaged of [whole.subarray(0, 100), Buffer.from('nothing'), Buffer.alloc(70_000)]) {
    writeFileSync(file, damaged)
    await expect(open({ file, passphrase: PASSPHRASE })).rejects.toThrow(/root key file/)
    expect(readFileSync(file).equals(damaged)).toBe(true)
  }
})
