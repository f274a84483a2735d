import { toHex } from '../core/codec/bytes.ts'
import { sha256Bytes } from '../core/codec/hash.ts'
import type { PeerId } from '../core/codec/ids.ts'
import {
  type Backup,
  type BackupSlot,
  bookContext,
  bookKeyContext,
  decodeBackup,
  encodeBackup,
  type SlotTerms,
  sealContext,
} from '../core/identity/backup.ts'
import type { UnlockerRecord } from '../core/identity/identity-record.ts'
import { UNLOCKERS_MIN } from '../core/identity/identity-state.ts'
import { BOOK_KEY_BYTES, UNLOCKER_LABEL_CHARS_MAX, UNLOCKERS_MAX } from '../core/identity/limits.ts'
import { checkNewPassphrase, newPassphraseTerms, passphraseKey } from '../storage/passphrase.ts'
import { WrongPasskeyError, WrongPassphraseError } from '../storage/root-key-errors.ts'
import { sealBook, sealBookKey } from '../storage/sealed-book.ts'
import type { PasskeyUnlocker } from './identity-contract.ts'
import { OtherIdentityError, SupersededBackupError, UnlockersMissingError } from './identity-errors.ts'
import type { IdentityKeeper } from './identity-keeper.ts'

/** What backups carry beside the identity: what this peer thinks of others. */
export interface BackupLuggage {
  pack(): Uint8Array
  /** @throws When it is damaged; nothing is taken from it then. */
  unpack(bytes: Uint8Array): void
}

/** A slot together with what opens it. */
export interface OpenedSlot {
  readonly slot: BackupSlot
  readonly opener: CryptoKey
}

/** Making and trying the ways to get the root key back. */
export class IdentityUnlockers {
  readonly #keeper: IdentityKeeper
  readonly #luggage: () => BackupLuggage | null

  /** @param luggage - What backups carry beside the identity. */
  constructor(keeper: IdentityKeeper, luggage: () => BackupLuggage | null) {
    this.#keeper = keeper
    this.#luggage = luggage
  }

  /**
   * Makes a backup file that the passphrase opens, and every passkey of the identity too.
   *
   * @throws `WeakPassphraseError`, `RootKeyProtectedError`, `RootKeyMissingError`
   */
  async createBackup(passphrase: string): Promise<Uint8Array> {
    checkNewPassphrase(passphrase)
    const { activeKey } = this.#keeper.resolved()
    const terms = { kind: 'passphrase', ...newPassphraseTerms() } as const
    const slot = await this.#sealedSlot(activeKey, terms, await passphraseKey(passphrase, terms))
    await this.#add(slot, { kind: 'file', label: 'Backup file', proved: false })
    this.#report('backup-created', 'A backup file was made')
    return await this.#file([slot, ...this.#passkeySlots()])
  }

  /**
   * Tries a backup file as a restore would.
   *
   * @throws `DamagedBackupError`, `WrongPassphraseError`, {@link OtherIdentityError}, {@link SupersededBackupError}
   */
  async proveBackup(file: Uint8Array, passphrase: string): Promise<void> {
    const backup = this.checkOwn(decodeBackup(file))
    const { slot, opener } = await openWithPassphrase(backup, passphrase)
    await this.#prove(slot, opener, 'file')
  }

  /** @throws `RootKeyProtectedError`, `RootKeyMissingError` */
  async addPasskey({ credentialId, label, key }: PasskeyUnlocker): Promise<void> {
    const { activeKey } = this.#keeper.resolved()
    const terms = { kind: 'passkey', credentialId, label: label.slice(0, UNLOCKER_LABEL_CHARS_MAX) } as const
    const slot = await this.#sealedSlot(activeKey, terms, key)
    await this.#add(slot, { kind: 'passkey', label: terms.label, proved: false })
    this.#report('unlocker-added', 'A passkey was added')
  }

  /** @throws `WrongPasskeyError` */
  async provePasskey(passkey: PasskeyUnlocker): Promise<void> {
    await this.#prove(findPasskeySlot(this.#passkeySlots(), passkey), passkey.key, 'passkey')
  }

  /** The public companion of the passkeys: what they open, for another machine. */
  async passkeyFile(): Promise<Uint8Array> {
    const slots = this.#passkeySlots()
    if (slots.length === 0) throw new UnlockersMissingError('There is no passkey yet', { field: 'passkeys', value: 0 })
    return await this.#file(slots)
  }

  /**
   * Gives up the copy from which unlockers are made.
   *
   * @throws {@link UnlockersMissingError} When there are fewer than two, or none was tried.
   */
  async protect(): Promise<void> {
    const { activeKey } = this.#keeper.resolved()
    const unlockers = this.#keeper.record.unlockers.filter(({ key }) => key === activeKey)
    const proved = unlockers.filter(({ provedAtMs }) => provedAtMs !== null).length
    if (unlockers.length < UNLOCKERS_MIN || proved === 0) {
      throw new UnlockersMissingError(
        `The identity has ${unlockers.length} ways to get it back, ${proved} of them tried; limit ${UNLOCKERS_MIN}, 1 of them tried`,
        { field: 'unlockers', value: unlockers.length, limit: UNLOCKERS_MIN },
      )
    }
    await this.#keeper.ports.keys.dropCopy(activeKey)
    await this.#keeper.reloadKeys()
    this.#report('identity-protected', 'The copy of the key that could be read was deleted')
    await this.#keeper.save({})
  }

  /** Notes an unlocker that was seen to work, such as the one of a restore. */
  async noteProved(slot: BackupSlot): Promise<void> {
    const label = slot.kind === 'passkey' ? slot.label : 'Backup file'
    await this.#add(slot, { kind: slot.kind === 'passkey' ? 'passkey' : 'file', label, proved: true })
  }

  /** Notes what keeps the key on this device, where that is a key ring or passphrase. */
  async noteKept(kind: 'keyring' | 'passphrase'): Promise<void> {
    const { record, ports } = this.#keeper
    const { activeKey } = this.#keeper.resolved()
    const id = `${kind} ${activeKey.slice(-8)}`
    if (record.unlockers.some((each) => each.id === id)) return
    const label = kind === 'keyring' ? 'Key ring of this system' : 'Passphrase on this device'
    const kept = { id, kind, label, createdAtMs: ports.now(), provedAtMs: ports.now(), key: activeKey, slot: null }
    await this.#keeper.save({ unlockers: withRoom([...record.unlockers, kept]) })
  }

  /**
   * @returns The backup.
   * @throws {@link OtherIdentityError} or {@link SupersededBackupError} When it is not of this identity and its key in force.
   */
  checkOwn(backup: Backup): Backup {
    const { record } = this.#keeper
    const { activeKey } = this.#keeper.resolved()
    if (backup.root !== record.root) {
      throw new OtherIdentityError(`The backup is of the identity ${backup.root}, not ${record.root}`, {
        field: 'backup.root',
        value: backup.root,
        limit: record.root,
      })
    }
    if (backup.key !== activeKey) {
      throw new SupersededBackupError(`The backup holds the key ${backup.key}, not ${activeKey} which is in force`, {
        field: 'backup.key',
        value: backup.key,
        limit: activeKey,
      })
    }
    return backup
  }

  /** Seals the active key for a passkey that has just been used, as after a rotation. */
  async carryOver(passkey: PasskeyUnlocker): Promise<void> {
    await this.addPasskey(passkey)
    await this.provePasskey(passkey)
  }

  async #sealedSlot(key: PeerId, terms: SlotTerms, sealer: CryptoKey): Promise<BackupSlot> {
    const { root } = this.#keeper.record
    const sealed = await this.#keeper.ports.keys.sealFor(key, sealer, sealContext(root, key, terms))
    const book = await sealBookKey(await this.#bookKey(), sealer, bookKeyContext(root, key, terms))
    return { ...terms, ...sealed, book }
  }

  async #prove(slot: BackupSlot, opener: CryptoKey, kind: 'file' | 'passkey'): Promise<void> {
    const { record, ports } = this.#keeper
    const { activeKey } = this.#keeper.resolved()
    const context = sealContext(record.root, activeKey, slot)
    if (!(await ports.keys.opens(activeKey, slot, opener, context))) {
      ports.onSecurityEvent({
        type: 'unlocker-refused',
        rootId: record.root,
        message: `A ${kind} did not open the key`,
      })
      throw wrong(kind)
    }
    await this.noteProved(slot)
  }

  #passkeySlots(): BackupSlot[] {
    const { activeKey } = this.#keeper.resolved()
    return this.#keeper.record.unlockers.flatMap(({ key, slot }) => (key === activeKey && slot !== null ? [slot] : []))
  }

  /** The key that seals the book of every backup of this identity. */
  async #bookKey(): Promise<Uint8Array> {
    const known = this.#keeper.record.bookKey
    if (known !== undefined) return known
    const bookKey = this.#keeper.ports.random(BOOK_KEY_BYTES)
    await this.#keeper.save({ bookKey })
    return bookKey
  }

  async #file(slots: readonly BackupSlot[]): Promise<Uint8Array> {
    const { record, ports } = this.#keeper
    const { root, lineage, certificates } = record
    const key = this.#keeper.resolved().activeKey
    const packed = this.#luggage()?.pack()
    const book = packed && { book: await sealBook(packed, await this.#bookKey(), bookContext(root)) }
    return encodeBackup({
      ...book,
      root,
      key,
      createdAtMs: ports.now(),
      lineage,
      certificates,
      slots: slots.slice(0, UNLOCKERS_MAX),
    })
  }

  async #add(
    slot: BackupSlot,
    { kind, label, proved }: { readonly kind: 'file' | 'passkey'; readonly label: string; readonly proved: boolean },
  ): Promise<void> {
    const { record, ports } = this.#keeper
    const id = unlockerId(slot)
    const now = ports.now()
    const before = record.unlockers.find((each) => each.id === id)
    const unlocker: UnlockerRecord = {
      id,
      kind,
      label,
      createdAtMs: before?.createdAtMs ?? now,
      provedAtMs: proved ? now : null,
      key: this.#keeper.resolved().activeKey,
      slot: slot.kind === 'passkey' ? slot : null,
    }
    await this.#keeper.save({ unlockers: withRoom([...record.unlockers.filter((each) => each.id !== id), unlocker]) })
  }

  #report(type: 'backup-created' | 'unlocker-added' | 'identity-protected', message: string): void {
    const { record, ports } = this.#keeper
    ports.onSecurityEvent({ type, rootId: record.root, message })
  }
}

/** What names an unlocker: the same for the file or passkey wherever it is seen. */
export function unlockerId(slot: BackupSlot): string {
  return toHex(sha256Bytes(slot.kind === 'passkey' ? slot.credentialId : slot.salt).subarray(0, 16))
}

/**
 * Finds the slot that a passphrase opens, trying each in turn. What opens is known only once a key is taken out of it.
 *
 * @throws `WrongPassphraseError` When the backup has no slot for a passphrase.
 */
export async function openWithPassphrase(backup: Backup, passphrase: string): Promise<OpenedSlot> {
  // This version makes one such slot for each file; trying many would multiply what a wrong passphrase costs.
  const slot = backup.slots.find(({ kind }) => kind === 'passphrase')
  if (slot?.kind !== 'passphrase') {
    throw new WrongPassphraseError('This file is opened by a passkey, not by a passphrase', { field: 'slots' })
  }
  return { slot, opener: await passphraseKey(passphrase, slot) }
}

/** @throws `WrongPasskeyError` When none of the slots is for that passkey. */
export function findPasskeySlot(slots: readonly BackupSlot[], { credentialId }: PasskeyUnlocker): BackupSlot {
  const wanted = toHex(credentialId)
  const slot = slots.find((each) => each.kind === 'passkey' && toHex(each.credentialId) === wanted)
  if (slot === undefined) throw wrong('passkey')
  return slot
}

export function wrong(kind: 'file' | 'passkey'): Error {
  return kind === 'file'
    ? new WrongPassphraseError('The passphrase does not open this backup', { field: 'passphrase' })
    : new WrongPasskeyError('This passkey does not open this identity', { field: 'passkey' })
}

/** Drops the oldest that was never tried, or else the oldest, where there are more than are kept. */
function withRoom(unlockers: readonly UnlockerRecord[]): readonly UnlockerRecord[] {
  if (unlockers.length <= UNLOCKERS_MAX) return unlockers
  const dropped = unlockers.find(({ provedAtMs }) => provedAtMs === null) ?? unlockers[0]
  return unlockers.filter((each) => each !== dropped)
}
