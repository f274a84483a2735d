import { ed25519 } from '@noble/curves/ed25519.js'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { encode } from '../core/codec/cbor.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { decodeBackup, encodeBackup } from '../core/identity/backup.ts'
import { decodeCertificate, verifyCertificate } from '../core/identity/certificate.ts'
import { readIdentityExport } from '../core/identity/identity-export.ts'
import { decodeLineage, verifyLineage } from '../core/identity/lineage.ts'
import { peerIdOf } from '../core/identity/peer-id.ts'
import { resolveLineage } from '../core/identity/resolve-lineage.ts'
import type { SecurityReport } from '../core/trust/security-event.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { MemoryRootKeyBox } from '../storage/root-key-box.ts'
import { RootKeyStore } from '../storage/root-key-store.ts'
import type { Store, StoreOp } from '../storage/store.ts'
import { testVerifier } from '../testing/signers.ts'
import { IdentityBook } from './identity-book.ts'
import type { PasskeyUnlocker } from './identity-contract.ts'

/** Argon2id at the least it can cost: every test here opens backups. At its real terms it runs in the tests of the key file and the command line. */
vi.mock('hash-wasm', async (original) => {
  const real = await original<typeof import('hash-wasm')>()
  const argon2id: typeof real.argon2id = (options) => real.argon2id({ ...options, memorySize: 64, iterations: 1 })
  return { ...real, argon2id }
})

/** The pass phrases are long enough to be taken. */
const PASSPHRASE = 'correct horse battery'
const DAY_MS = 86_400_000

/** One device: its disk and keys survive the book that runs on them. */
class Device {
  readonly device: PeerId
  readonly store = new MemoryStore()
  readonly box = new MemoryRootKeyBox()
  readonly events: SecurityReport[] = []
  readonly clock: { ms: number }
  networkId = 'a-room'

  constructor(index: number, clock: { ms: number }) {
    this.device = peerIdOf(ed25519.getPublicKey(new Uint8Array(32).fill(index)))
    this.clock = clock
  }

  start(faults: { store?: Store; box?: MemoryRootKeyBox } = {}): Promise<IdentityBook> {
    return IdentityBook.open({
      store: faults.store ?? this.store,
      keys: new RootKeyStore(faults.box ?? this.box),
      verifier: testVerifier,
      networkId: this.networkId,
      device: this.device,
      deviceName: `Device ${this.device.slice(-4)}`,
      onSecurityEvent: (report) => this.events.push(report),
      now: () => this.clock.ms,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    })
  }

  types(): string[] {
    return this.events.map(({ type }) => type)
  }
}

/** What any other peer makes of what a device shows. */
async function judge(book: IdentityBook, device: Device): Promise<string> {
  const parts = book.credentials()
  if (parts === null) return 'none'
  const lineage = await verifyLineage(decodeLineage(parts.lineage), testVerifier)
  const resolved = resolveLineage(lineage, device.clock.ms)
  const context = { network: device.networkId, device: device.device, lineage: resolved, nowMs: device.clock.ms }
  await verifyCertificate(decodeCertificate(parts.certificate), { ...context, verifier: testVerifier })
  return resolved.root
}

async function passkey(index: number): Promise<PasskeyUnlocker> {
  const raw = new Uint8Array(32).fill(index)
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
  return { credentialId: new Uint8Array(16).fill(index), label: `Passkey ${index}`, key }
}

let clock: { ms: number }
let laptop: Device
beforeEach(() => {
  clock = { ms: Date.UTC(2027, 0, 1) }
  laptop = new Device(1, clock)
})

describe('a first start', () => {
  it('makes a provisional identity, certifies the device, and signs the revocation in advance', async () => {
    const book = await laptop.start()
    const info = await book.identity()
    expect(info).toMatchObject({ state: 'provisional', reason: { code: 'identity-no-unlocker' }, successions: [] })
    expect(info.rootId).toBe(info.activeKey)
    expect(info.devices).toMatchObject([{ peerId: laptop.device, self: true, state: 'valid' }])
    expect(info.revocation).toEqual({ signedAt: clock.ms, publishedAt: null })
    expect(await judge(book, laptop)).toBe(info.rootId)
    expect(laptop.types()).toContain('identity-created')
  })

  it('is the same identity at the next start', async () => {
    const first = await (await laptop.start()).identity()
    expect(await (await laptop.start()).identity()).toEqual(first)
  })

  it('keeps keys that cannot be exported', async () => {
    await laptop.start()
    const [record] = await laptop.box.all()
    await expect(crypto.subtle.exportKey('pkcs8', record?.privateKey as CryptoKey)).rejects.toThrow()
    await expect(crypto.subtle.exportKey('raw', record?.copy?.sealer as CryptoKey)).rejects.toThrow()
  })

  it('certifies the device anew for another network, which takes no certificate of the first', async () => {
    const parts = (await laptop.start()).credentials()
    laptop.networkId = 'another-room'
    const book = await laptop.start()
    await judge(book, laptop)
    const lineage = resolveLineage(
      await verifyLineage(decodeLineage(parts?.lineage as Uint8Array), testVerifier),
      clock.ms,
    )
    const context = { network: 'another-room', device: laptop.device, lineage, nowMs: clock.ms, verifier: testVerifier }
    const certificate = decodeCertificate(parts?.certificate as Uint8Array)
    await expect(verifyCertificate(certificate, context)).rejects.toMatchObject({ name: 'ForeignStatementError' })
  })
})

describe('what a browser may do to the store', () => {
  it('keys gone: lost by name, the peer goes on, and a backup brings the identity back', async () => {
    const book = await laptop.start()
    const file = await book.createBackup(PASSPHRASE)
    const { rootId } = await book.identity()
    for (const { key } of await laptop.box.all()) await laptop.box.delete(key)
    clock.ms += 60 * DAY_MS
    const wiped = await laptop.start()
    expect(await wiped.identity()).toMatchObject({ state: 'lost', reason: { code: 'identity-key-lost' }, rootId })
    expect(wiped.credentials()).toBeNull()
    expect(await wiped.rootSigner()).toBeNull()
    expect(laptop.types()).toContain('identity-lost')
    await expect(wiped.createBackup(PASSPHRASE)).rejects.toMatchObject({ name: 'RootKeyMissingError' })
    await expect(wiped.rotateIdentity({ reason: 'planned', unlock: null })).rejects.toMatchObject({
      name: 'RotationRefusedError',
      details: { state: 'lost' },
    })
    expect(await wiped.restoreFromBackup(file, PASSPHRASE)).toMatchObject({ state: 'provisional', rootId })
    expect(await judge(wiped, laptop)).toBe(rootId)
  })

  it('records gone: the key is enough to be the same identity', async () => {
    const { rootId } = await (await laptop.start()).identity()
    await laptop.store.close()
    expect(await (await laptop.start()).identity()).toMatchObject({ state: 'provisional', rootId })
  })

  it('records gone after a rotation: lost by name, and the key is kept', async () => {
    const book = await laptop.start()
    const { rootId } = await book.rotateIdentity({ reason: 'compromised', unlock: null })
    await laptop.store.close()
    expect(await (await laptop.start()).identity()).toMatchObject({ state: 'lost', rootId })
    expect(await laptop.box.all()).toHaveLength(1)
  })

  it('a damaged record is put aside, and the key is enough', async () => {
    const { rootId } = await (await laptop.start()).identity()
    const value = new Uint8Array([1, 2, 3])
    await laptop.store.write([{ bucket: 'identity', key: 'record', value }])
    expect(await (await laptop.start()).identity()).toMatchObject({ state: 'provisional', rootId })
    expect(laptop.types()).toContain('identity-lost')
    expect(await laptop.store.get('identity', 'record-damaged')).toEqual(value)
  })

  it('everything gone: a new identity, and the backup brings back the old one with its devices', async () => {
    const book = await laptop.start()
    const before = await book.identity()
    const file = await book.createBackup(PASSPHRASE)
    const fresh = new Device(2, clock)
    const other = await fresh.start()
    expect((await other.identity()).rootId).not.toBe(before.rootId)
    const after = await other.restoreFromBackup(file, PASSPHRASE)
    expect(after.rootId).toBe(before.rootId)
    expect(after.devices.map(({ peerId }) => peerId)).toEqual([fresh.device, laptop.device])
    expect(after.unlockers).toMatchObject([{ kind: 'file', provedAt: clock.ms }])
    expect(await judge(other, fresh)).toBe(before.rootId)
    expect(await fresh.box.all()).toHaveLength(1)
    expect(await (await fresh.start()).identity()).toEqual(after)
  })
})

describe('unlockers', () => {
  it('are asked for by name until there are two and one was tried, then the copy goes', async () => {
    const book = await laptop.start()
    const code = async (): Promise<string | undefined> => (await book.identity()).reason?.code
    await expect(book.protectIdentity()).rejects.toMatchObject({ name: 'UnlockersMissingError' })
    const file = await book.createBackup(PASSPHRASE)
    expect(await code()).toBe('identity-one-unlocker')
    await book.addPasskey(await passkey(1))
    expect(await code()).toBe('identity-unproved')
    await expect(book.protectIdentity()).rejects.toMatchObject({ name: 'UnlockersMissingError' })
    await book.proveBackup(file, PASSPHRASE)
    expect(await code()).toBe('identity-unprotected')
    expect(await book.protectIdentity()).toMatchObject({ state: 'protected', reason: null })
    await expect(book.createBackup(PASSPHRASE)).rejects.toMatchObject({ name: 'RootKeyProtectedError' })
    await expect(book.addPasskey(await passkey(2))).rejects.toMatchObject({ name: 'RootKeyProtectedError' })
    expect(await book.provePasskey(await passkey(1))).toMatchObject({ state: 'protected' })
    expect((await laptop.box.all())[0]?.copy).toBeNull()
  })

  it('a passkey restores on another machine from its public file, and refuses to be another', async () => {
    const book = await laptop.start()
    await expect(book.passkeyFile()).rejects.toMatchObject({ name: 'UnlockersMissingError' })
    await book.addPasskey(await passkey(1))
    const file = await book.passkeyFile()
    const { rootId } = await book.identity()
    const other = await new Device(2, clock).start()
    await expect(other.restoreFromPasskey(await passkey(2), file)).rejects.toMatchObject({ name: 'WrongPasskeyError' })
    const impostor = { ...(await passkey(2)), credentialId: (await passkey(1)).credentialId }
    await expect(other.restoreFromPasskey(impostor, file)).rejects.toMatchObject({ name: 'WrongPasskeyError' })
    expect((await other.identity()).rootId).not.toBe(rootId)
    await expect(other.restoreFromBackup(file, PASSPHRASE)).rejects.toMatchObject({ name: 'WrongPassphraseError' })
    expect(await other.restoreFromPasskey(await passkey(1), file)).toMatchObject({
      rootId,
      unlockers: [{ kind: 'passkey' }],
    })
  })

  it('a passkey brings a wiped key back from what the origin still stores', async () => {
    const book = await laptop.start()
    await book.addPasskey(await passkey(1))
    const { rootId } = await book.identity()
    for (const { key } of await laptop.box.all()) await laptop.box.delete(key)
    const wiped = await laptop.start()
    expect(await wiped.restoreFromPasskey(await passkey(1), null)).toMatchObject({ rootId, state: 'provisional' })
  })

  it('a backup file is opened by the passkeys of the identity too', async () => {
    const book = await laptop.start()
    await book.addPasskey(await passkey(1))
    const file = await book.createBackup(PASSPHRASE)
    const { rootId } = await book.identity()
    const other = await new Device(2, clock).start()
    expect(await other.restoreFromPasskey(await passkey(1), file)).toMatchObject({ rootId })
  })

  it('refuses weak passphrases, wrong ones, and backups of others, each by name', async () => {
    const book = await laptop.start()
    await expect(book.createBackup('too short')).rejects.toMatchObject({ name: 'WeakPassphraseError' })
    const file = await book.createBackup(PASSPHRASE)
    await expect(book.proveBackup(file, `${PASSPHRASE}!`)).rejects.toMatchObject({ name: 'WrongPassphraseError' })
    await expect(book.restoreFromBackup(file, `${PASSPHRASE}!`)).rejects.toMatchObject({ name: 'WrongPassphraseError' })
    const stranger = await new Device(2, clock).start()
    await expect(stranger.proveBackup(file, PASSPHRASE)).rejects.toMatchObject({ name: 'OtherIdentityError' })
    expect((await book.identity()).unlockers).toMatchObject([{ provedAt: null }])
    expect(laptop.types()).toContain('backup-refused')
  })

  it('refuses every cut and every changed byte of a backup, and keeps what is here', async () => {
    const book = await laptop.start()
    const file = await book.createBackup(PASSPHRASE)
    const before = await book.identity()
    for (let at = 0; at < file.length; at += 7) {
      const changed = file.slice()
      changed[at] = (changed[at] as number) ^ 1
      await expect(book.restoreFromBackup(changed, PASSPHRASE)).rejects.toMatchObject({ name: 'DamagedBackupError' })
      await expect(book.restoreFromBackup(file.slice(0, at), PASSPHRASE)).rejects.toMatchObject({
        name: 'DamagedBackupError',
      })
    }
    expect(await book.identity()).toEqual(before)
  })

  it('refuses a backup that asks for too much memory before it takes any', async () => {
    const book = await laptop.start()
    const backup = decodeBackup(await book.createBackup(PASSPHRASE))
    for (const change of [{ memoryKibibytes: 256 * 1024 + 1 }, { iterations: 9 }, { parallelism: 9 }]) {
      const slots = backup.slots.map((slot) => ({ ...slot, ...change })) as typeof backup.slots
      const greedy = encodeBackup({ ...backup, slots })
      await expect(book.restoreFromBackup(greedy, PASSPHRASE)).rejects.toMatchObject({ name: 'LimitExceededError' })
    }
  })

  it('refuses a backup whose terms were exchanged although its checksum was made to fit', async () => {
    const book = await laptop.start()
    const file = await book.createBackup(PASSPHRASE)
    const other = decodeBackup(await (await new Device(2, clock).start()).createBackup(PASSPHRASE))
    const mixed = encodeBackup({ ...decodeBackup(file), slots: other.slots })
    await expect(book.restoreFromBackup(mixed, PASSPHRASE)).rejects.toMatchObject({ name: 'WrongPassphraseError' })
    const foreign = encodeBackup({ ...decodeBackup(file), lineage: other.lineage })
    await expect(book.restoreFromBackup(foreign, PASSPHRASE)).rejects.toMatchObject({ name: 'DamagedBackupError' })
  })
})

describe('rotation', () => {
  it('keeps the root id, lets the old key count through its grace, and then deletes it', async () => {
    const book = await laptop.start()
    const before = await book.identity()
    const after = await book.rotateIdentity({ reason: 'planned', unlock: null })
    expect(after).toMatchObject({
      state: 'provisional',
      rootId: before.rootId,
      reason: { code: 'identity-no-unlocker' },
    })
    expect(after.activeKey).not.toBe(before.activeKey)
    expect(after.successions).toMatchObject([{ seq: 1, oldKey: before.activeKey, newKey: after.activeKey }])
    expect(await judge(book, laptop)).toBe(before.rootId)
    expect(await laptop.box.all()).toHaveLength(2)
    clock.ms += 7 * DAY_MS
    const later = await laptop.start()
    expect((await laptop.box.all()).map(({ key }) => key)).toEqual([after.activeKey])
    expect(await judge(later, laptop)).toBe(before.rootId)
  })

  it('of a protected identity asks for an unlocker, and a passkey goes on opening it', async () => {
    const book = await laptop.start()
    const file = await book.createBackup(PASSPHRASE)
    await book.addPasskey(await passkey(1))
    await book.provePasskey(await passkey(1))
    await book.protectIdentity()
    const rotate = (unlock: Parameters<IdentityBook['rotateIdentity']>[0]['unlock']) =>
      book.rotateIdentity({ reason: 'planned', unlock })
    await expect(rotate(null)).rejects.toMatchObject({ name: 'UnlockNeededError' })
    await expect(rotate({ file, passphrase: 'not the passphrase' })).rejects.toMatchObject({
      name: 'WrongPassphraseError',
    })
    await expect(rotate(await passkey(2))).rejects.toMatchObject({ name: 'WrongPasskeyError' })
    expect((await book.identity()).successions).toHaveLength(0)
    const info = await rotate(await passkey(1))
    expect(info).toMatchObject({ state: 'provisional', unlockers: [{ kind: 'passkey', provedAt: clock.ms }] })
    const other = await new Device(2, clock).start()
    expect(await other.restoreFromPasskey(await passkey(1), await book.passkeyFile())).toMatchObject({
      rootId: info.rootId,
      activeKey: info.activeKey,
    })
  })

  it('refuses a backup of the key that was replaced, and keeps the new one', async () => {
    const book = await laptop.start()
    const file = await book.createBackup(PASSPHRASE)
    const { activeKey } = await book.rotateIdentity({ reason: 'planned', unlock: null })
    await expect(book.restoreFromBackup(file, PASSPHRASE)).rejects.toMatchObject({ name: 'SupersededBackupError' })
    await expect(book.proveBackup(file, PASSPHRASE)).rejects.toMatchObject({ name: 'SupersededBackupError' })
    expect((await book.identity()).activeKey).toBe(activeKey)
  })

  it('an old backup on another device is superseded by name, as soon as the new key is heard of', async () => {
    const book = await laptop.start()
    const file = await book.createBackup(PASSPHRASE)
    await book.rotateIdentity({ reason: 'planned', unlock: null })
    const phone = new Device(2, clock)
    const other = await phone.start()
    expect(await other.restoreFromBackup(file, PASSPHRASE)).toMatchObject({ state: 'provisional' })
    await other.observe(book.credentials() as NonNullable<ReturnType<IdentityBook['credentials']>>)
    expect(await other.identity()).toMatchObject({ state: 'superseded', reason: { code: 'identity-superseded' } })
    // Until the grace ends the phone is still one of the identity's devices.
    expect(await judge(other, phone)).toBe((await book.identity()).rootId)
    clock.ms += 7 * DAY_MS
    expect(other.credentials()).toBeNull()
    const newer = await book.createBackup(PASSPHRASE)
    expect(await other.restoreFromBackup(newer, PASSPHRASE)).toMatchObject({ state: 'provisional' })
  })

  it('by two devices at once is a conflict by name, settled by whoever holds both keys', async () => {
    const book = await laptop.start()
    const file = await book.createBackup(PASSPHRASE)
    const phone = new Device(2, clock)
    const other = await phone.start()
    await other.restoreFromBackup(file, PASSPHRASE)
    const { activeKey: mine } = await book.rotateIdentity({ reason: 'planned', unlock: null })
    const backup = await book.createBackup(PASSPHRASE)
    await other.rotateIdentity({ reason: 'planned', unlock: null })
    await other.observe(book.credentials() as NonNullable<ReturnType<IdentityBook['credentials']>>)
    expect(await other.identity()).toMatchObject({ state: 'conflicted' })
    expect(other.credentials()).toBeNull()
    expect(phone.types()).toContain('identity-conflicted')
    await expect(other.rotateIdentity({ reason: 'planned', unlock: null })).rejects.toMatchObject({
      name: 'RotationRefusedError',
      details: { state: 'conflicted' },
    })
    expect(await other.restoreFromBackup(backup, PASSPHRASE)).toMatchObject({ state: 'provisional', activeKey: mine })
    expect(await judge(other, phone)).toBe((await book.identity()).rootId)
    await book.observe(other.credentials() as NonNullable<ReturnType<IdentityBook['credentials']>>)
    expect(await book.identity()).toMatchObject({ state: 'provisional', activeKey: mine })
  })

  it('refuses to begin while its clock is behind the last rotation', async () => {
    const book = await laptop.start()
    await book.rotateIdentity({ reason: 'planned', unlock: null })
    clock.ms -= DAY_MS
    const behind = await laptop.start()
    await expect(behind.rotateIdentity({ reason: 'planned', unlock: null })).rejects.toMatchObject({
      name: 'RotationRefusedError',
      message: expect.stringContaining('clock'),
    })
  })

  it('ends at its limit with a name', async () => {
    const book = await laptop.start()
    for (let i = 0; i < 32; i++) await book.rotateIdentity({ reason: 'compromised', unlock: null })
    expect(await judge(book, laptop)).toBe((await book.identity()).rootId)
    await expect(book.rotateIdentity({ reason: 'planned', unlock: null })).rejects.toMatchObject({
      name: 'LimitExceededError',
    })
    await expect(laptop.start().then((again) => again.identity())).resolves.toMatchObject({ state: 'provisional' })
  })
})

/** A disk that stops after so many writes, as a process does that is killed. */
class Killed extends Error {}
class Fuse {
  left: number
  constructor(left: number) {
    this.left = left
  }
  burn(): void {
    if (this.left-- <= 0) throw new Killed('killed')
  }
}
class FusedStore extends MemoryStore {
  readonly #below: Store
  readonly #fuse: Fuse
  constructor(below: Store, fuse: Fuse) {
    super()
    this.#below = below
    this.#fuse = fuse
  }
  override get(bucket: string, key: string) {
    return this.#below.get(bucket, key)
  }
  override async write(ops: readonly StoreOp[]) {
    this.#fuse.burn()
    await this.#below.write(ops)
  }
}
class FusedBox extends MemoryRootKeyBox {
  readonly #below: MemoryRootKeyBox
  readonly #fuse: Fuse
  constructor(below: MemoryRootKeyBox, fuse: Fuse) {
    super()
    this.#below = below
    this.#fuse = fuse
  }
  override all() {
    return this.#below.all()
  }
  override async put(record: Parameters<MemoryRootKeyBox['put']>[0]) {
    this.#fuse.burn()
    await this.#below.put(record)
  }
  override async delete(key: PeerId) {
    this.#fuse.burn()
    await this.#below.delete(key)
  }
}

/** Runs `work` with a disk that stops after 0, 1, 2, … writes, until it comes through; calls `check` after each restart. */
async function killEverywhere(
  prepare: (device: Device) => Promise<void>,
  work: (book: IdentityBook) => Promise<unknown>,
  check: (book: IdentityBook, device: Device, killedAt: number | null) => Promise<void>,
): Promise<number> {
  for (let writes = 0; ; writes++) {
    const device = new Device(1, { ms: Date.UTC(2027, 0, 1) })
    await prepare(device)
    const fuse = new Fuse(Number.POSITIVE_INFINITY)
    const faults = { store: new FusedStore(device.store, fuse), box: new FusedBox(device.box, fuse) }
    const book = await device.start(faults)
    fuse.left = writes
    const came = await work(book).then(
      () => true,
      (error: unknown) => {
        expect(error).toBeInstanceOf(Killed)
        return false
      },
    )
    await check(await device.start(), device, came ? null : writes)
    if (came) return writes
  }
}

describe('a process killed at each write', () => {
  it('of a rotation ends with one key in force, old or new, and the next start finishes it', async () => {
    let rootId = ''
    let points = 0
    const writes = await killEverywhere(
      async (device) => {
        rootId = (await (await device.start()).identity()).rootId
      },
      (book) => book.rotateIdentity({ reason: 'compromised', unlock: null }),
      async (book, device, killedAt) => {
        points++
        const info = await book.identity()
        expect(info).toMatchObject({ state: 'provisional', rootId })
        expect(await judge(book, device)).toBe(rootId)
        // Before anything was stored there is nothing to go on with; after the first write it always ends in the new key.
        expect(info.successions).toHaveLength(killedAt === 0 ? 0 : 1)
        expect((await device.box.all()).map(({ key }) => key)).toEqual([info.activeKey])
        expect((await book.rotateIdentity({ reason: 'planned', unlock: null })).state).toBe('provisional')
      },
    )
    // Four states, the key, the switch, and the old key's end.
    expect(writes).toBe(7)
    expect(points).toBe(8)
  })

  it('of a restore has one whole identity, the one before or the one of the backup', async () => {
    const other = new Device(9, { ms: Date.UTC(2027, 0, 1) })
    const source = await other.start()
    const file = await source.createBackup(PASSPHRASE)
    const { rootId: restored } = await source.identity()
    let before = ''
    await killEverywhere(
      async (device) => {
        before = (await (await device.start()).identity()).rootId
      },
      (book) => book.restoreFromBackup(file, PASSPHRASE),
      async (book, device, killedAt) => {
        const info = await book.identity()
        expect(info.state).toBe('provisional')
        expect([before, restored]).toContain(info.rootId)
        if (killedAt === null) expect(info.rootId).toBe(restored)
        expect(await judge(book, device)).toBe(info.rootId)
        expect(await device.box.all()).toHaveLength(1)
      },
    )
  })

  it('of a first start leaves an identity or none, and the next start has one', async () => {
    for (let writes = 0; writes < 4; writes++) {
      const device = new Device(1, { ms: Date.UTC(2027, 0, 1) })
      const fuse = new Fuse(writes)
      const faults = { store: new FusedStore(device.store, fuse), box: new FusedBox(device.box, fuse) }
      await device.start(faults).catch((error: unknown) => expect(error).toBeInstanceOf(Killed))
      const book = await device.start()
      expect(await book.identity()).toMatchObject({ state: 'provisional' })
      expect(await device.box.all()).toHaveLength(1)
    }
  })
})

describe('devices', () => {
  async function pair() {
    const book = await laptop.start()
    const phone = new Device(2, clock)
    const other = await phone.start()
    await other.restoreFromBackup(await book.createBackup(PASSPHRASE), PASSPHRASE)
    await book.observe(other.credentials() as NonNullable<ReturnType<IdentityBook['credentials']>>)
    return { book, phone, other }
  }

  it('are renamed, and the name reaches others with the certificate', async () => {
    const { book, phone, other } = await pair()
    await book.renameDevice(laptop.device, '  Kitchen  ')
    expect((await book.identity()).devices[0]).toMatchObject({ name: 'Kitchen', self: true, state: 'valid' })
    await other.observe(book.credentials() as NonNullable<ReturnType<IdentityBook['credentials']>>)
    expect((await other.identity()).devices).toMatchObject([{ peerId: phone.device }, { name: 'Kitchen' }])
    await expect(book.renameDevice(laptop.device, '  ')).rejects.toMatchObject({ name: 'DeviceRefusedError' })
    await expect(book.renameDevice('x', 'y')).rejects.toMatchObject({ name: 'DeviceRefusedError' })
  })

  it('are taken out by another, and not by themselves', async () => {
    const { book, phone, other } = await pair()
    await expect(book.revokeDevice(laptop.device)).rejects.toMatchObject({ name: 'DeviceRefusedError' })
    const info = await book.revokeDevice(phone.device)
    expect(info.devices.find(({ self }) => !self)).toMatchObject({ peerId: phone.device, state: 'revoked' })
    const lineage = await verifyLineage(
      decodeLineage((book.credentials() as NonNullable<ReturnType<IdentityBook['credentials']>>).lineage),
      testVerifier,
    )
    const certificate = decodeCertificate(other.credentials()?.certificate as Uint8Array)
    const context = {
      network: 'a-room',
      device: phone.device,
      lineage: resolveLineage(lineage, clock.ms),
      nowMs: clock.ms,
    }
    await expect(verifyCertificate(certificate, { ...context, verifier: testVerifier })).rejects.toMatchObject({
      name: 'InvalidCertificateError',
    })
  })

  it('renew their certificate ten days before it ends', async () => {
    const book = await laptop.start()
    const first = book.credentials()?.certificate
    clock.ms += 20 * DAY_MS - 1
    expect((await laptop.start()).credentials()?.certificate).toEqual(first)
    clock.ms += 1
    const renewed = await laptop.start()
    expect(renewed.credentials()?.certificate).not.toEqual(first)
    clock.ms += 15 * DAY_MS
    expect(await judge(renewed, laptop)).toBe((await book.identity()).rootId)
  })
})

describe('the end of an identity', () => {
  it('is published with the revocation signed in advance, even when the key is gone', async () => {
    const book = await laptop.start()
    const { rootId } = await book.identity()
    for (const { key } of await laptop.box.all()) await laptop.box.delete(key)
    const wiped = await laptop.start()
    const info = await wiped.revokeIdentity()
    expect(info).toMatchObject({ state: 'revoked', rootId, revocation: { publishedAt: clock.ms } })
    expect(wiped.credentials()).toBeNull()
    // It is told all the same: by the certificate others know whose lineage it is.
    const other = new Device(2, clock)
    const told = wiped.shown()
    expect(decodeCertificate(told.certificate as Uint8Array).statement.body.root).toBe(rootId)
    expect(resolveLineage(await verifyLineage(decodeLineage(told.lineage), testVerifier), clock.ms).state).toBe(
      'revoked',
    )
    const phone = await other.start()
    await phone.observe(told)
    expect(await phone.identity()).toMatchObject({ state: 'provisional' })
    const { lineage } = await readIdentityExport(await wiped.exportIdentity(), testVerifier)
    expect(resolveLineage(lineage, clock.ms)).toMatchObject({ state: 'revoked' })
  })

  it('an export is whole and signed, or refused', async () => {
    const book = await laptop.start()
    await book.rotateIdentity({ reason: 'planned', unlock: null })
    const file = await book.exportIdentity()
    const { lineage, certificates } = await readIdentityExport(file, testVerifier)
    expect(lineage.root).toBe((await book.identity()).rootId)
    expect(certificates).toHaveLength(1)
    await expect(readIdentityExport(file.slice(0, -1), testVerifier)).rejects.toThrow()
    await expect(readIdentityExport(encode({}), testVerifier)).rejects.toMatchObject({ name: 'InvalidMessageError' })
  })
})

describe('what a backup carries beside the identity', () => {
  const book = Uint8Array.from({ length: 5_000 }, (_, index) => index % 251)
  const packing = (bytes: Uint8Array) => ({ pack: () => bytes, unpack: () => expect.unreachable() })

  /** A device that takes what comes, as one does whose site data was wiped. */
  async function fresh(index: number) {
    const device = new Device(index, clock)
    const identity = await device.start()
    const got: Uint8Array[] = []
    identity.carry({ pack: () => new Uint8Array(), unpack: (bytes) => void got.push(bytes) })
    return { device, identity, got }
  }

  it('[T27] comes back by file and by passkey, and is not to be read in the file', async () => {
    const before = await laptop.start()
    // Made before there was anything to carry: a passkey opens what is known when its file is made.
    await before.addPasskey(await passkey(5))
    before.carry(packing(book))
    const [file, passkeyFile] = [await before.createBackup(PASSPHRASE), await before.passkeyFile()]
    for (const each of [file, passkeyFile]) {
      expect(Buffer.from(each).includes(Buffer.from(book.subarray(0, 64)))).toBe(false)
      expect(each.length).toBeGreaterThan(book.length)
    }
    const byFile = await fresh(2)
    await byFile.identity.restoreFromBackup(file, PASSPHRASE)
    expect(byFile.got).toEqual([book])
    expect(byFile.identity.root).toBe(before.root)
    const byPasskey = await fresh(3)
    await byPasskey.identity.restoreFromPasskey(await passkey(5), passkeyFile)
    expect(byPasskey.got).toEqual([book])
    // And on: the passkey's slot came along, so a file made there opens with it too.
    byPasskey.identity.carry(packing(book.subarray(1)))
    const again = await fresh(4)
    await again.identity.restoreFromPasskey(await passkey(5), await byPasskey.identity.passkeyFile())
    expect(again.got).toEqual([book.subarray(1)])
  })

  it('[T27] is left behind when it is damaged or of an older version; the identity is not', async () => {
    const before = await laptop.start()
    before.carry(packing(book))
    const backup = decodeBackup(await before.createBackup(PASSPHRASE))
    const sealed = backup.book?.sealed.slice() ?? expect.unreachable()
    sealed[100] = (sealed[100] ?? 0) ^ 1
    const changed = encodeBackup({ ...backup, book: { iv: backup.book?.iv ?? sealed, sealed } })
    const damaged = await fresh(2)
    await damaged.identity.restoreFromBackup(changed, PASSPHRASE)
    expect(damaged.identity.root).toBe(before.root)
    expect(damaged.got).toEqual([])
    expect(damaged.device.types()).toContain('backup-refused')
    const { book: _, ...older } = backup
    const slots = older.slots.map(({ book: __, ...slot }) => slot)
    const old = await fresh(3)
    await old.identity.restoreFromBackup(encodeBackup({ ...older, slots }), PASSPHRASE)
    expect(old.identity.root).toBe(before.root)
    expect(old.device.types()).not.toContain('backup-refused')
  })
})
