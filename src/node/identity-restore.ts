import type { PeerId, RootId } from '../core/codec/ids.ts'
import { type Backup, bookContext, bookKeyContext, decodeBackup, sealContext } from '../core/identity/backup.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import { DamagedBackupError } from '../core/identity/errors.ts'
import type { IdentityRecord } from '../core/identity/identity-record.ts'
import {
  decodeLineage,
  extendLineage,
  mergeLineages,
  type VerifiedLineage,
  verifyLineage,
} from '../core/identity/lineage.ts'
import { resolveLineage } from '../core/identity/resolve-lineage.ts'
import { linkOf, signSuccession } from '../core/identity/succession.ts'
import { openBook, openBookKey } from '../storage/sealed-book.ts'
import type { PasskeyUnlocker } from './identity-contract.ts'
import { SupersededBackupError } from './identity-errors.ts'
import { emptyRecord, type IdentityKeeper } from './identity-keeper.ts'
import {
  type BackupLuggage,
  findPasskeySlot,
  type IdentityUnlockers,
  type OpenedSlot,
  openWithPassphrase,
  unlockerId,
  wrong,
} from './identity-unlockers.ts'

/** Taking an identity in from a backup, in place of the one that is here. */
export class IdentityRestore {
  readonly #keeper: IdentityKeeper
  readonly #unlockers: IdentityUnlockers
  readonly #luggage: () => BackupLuggage | null

  constructor(keeper: IdentityKeeper, unlockers: IdentityUnlockers, luggage: () => BackupLuggage | null) {
    this.#keeper = keeper
    this.#unlockers = unlockers
    this.#luggage = luggage
  }

  /** @throws `DamagedBackupError`, `LimitExceededError`, `WrongPassphraseError`, {@link SupersededBackupError} */
  async fromBackup(file: Uint8Array, passphrase: string): Promise<void> {
    const backup = decodeBackup(file)
    await this.#restore(backup, await openWithPassphrase(backup, passphrase), 'file')
  }

  /** @throws As {@link fromBackup}, and `WrongPasskeyError`. */
  async fromPasskey(passkey: PasskeyUnlocker, file: Uint8Array | null): Promise<void> {
    const backup = file === null ? this.#storedBackup() : decodeBackup(file)
    const slot = findPasskeySlot(backup.slots, passkey)
    await this.#restore(backup, { slot, opener: passkey.key }, 'passkey')
  }

  /** What this device still stores can stand for the file. */
  #storedBackup(): Backup {
    const { root, lineage, certificates, unlockers, createdAtMs } = this.#keeper.record
    const key = this.#keeper.resolved().activeKey
    const slots = unlockers.flatMap((each) => (each.key === key && each.slot !== null ? [each.slot] : []))
    return { root, key, createdAtMs, lineage, certificates, slots }
  }

  /**
   * The key is taken in first, then the record changes at once, and only then are keys of what was here before let go: wherever this
   * stops, one whole identity is here.
   */
  async #restore(backup: Backup, { slot, opener }: OpenedSlot, kind: 'file' | 'passkey'): Promise<void> {
    const { ports } = this.#keeper
    const heard = await this.#lineageOf(backup)
    const same = backup.root === this.#keeper.record.root
    const lineage = same ? mergeLineages(this.#keeper.lineage, heard) : heard
    this.#checkNewest(backup, lineage)
    const context = sealContext(backup.root, backup.key, slot)
    if (!(await ports.keys.takeIn(backup.key, slot, { root: backup.root, opener, context }))) {
      const message = `A ${kind} did not open the backup`
      ports.onSecurityEvent({ type: 'backup-refused', rootId: backup.root, message })
      throw wrong(kind)
    }
    await this.#keeper.reloadKeys()
    const book = await this.#openBook(backup, { slot, opener })
    const settled = await this.#settleConflict(lineage, backup.key)
    const certificates = await this.#keeper.trustedCertificates(backup.certificates, settled)
    const every = same ? [...this.#keeper.certificates, ...certificates] : certificates
    await this.#replace(backup, { lineage: settled, certificates: every, bookKey: book?.key })
    const { activeKey } = this.#keeper.resolved()
    if (activeKey === backup.key) {
      await this.#unlockers.noteProved(slot)
      if (this.#keeper.record.revocation === null) await this.#keeper.presign(activeKey)
    }
    ports.onSecurityEvent({ type: 'identity-restored', rootId: backup.root, message: `Restored with a ${kind}` })
    if (book !== null) this.#unpack(backup, book.content)
  }

  /** The identity is worth more than the book: when that does not open, it stays behind, and this is said. */
  async #openBook(
    { root, key, book }: Backup,
    { slot, opener }: OpenedSlot,
  ): Promise<{ readonly key: Uint8Array; readonly content: Uint8Array } | null> {
    // Older versions made none.
    if (book === undefined || slot.book === undefined) return null
    try {
      const bookKey = await openBookKey(slot.book, opener, bookKeyContext(root, key, slot))
      return { key: bookKey, content: await openBook(book, bookKey, bookContext(root)) }
    } catch {
      this.#leftBehind(root, 'its seal does not open')
      return null
    }
  }

  #unpack({ root }: Backup, content: Uint8Array): void {
    try {
      this.#luggage()?.unpack(content)
    } catch (error) {
      this.#leftBehind(root, error instanceof Error ? error.message : String(error))
    }
  }

  #leftBehind(rootId: RootId, why: string): void {
    const message = `What the backup holds of other peers was left out: ${why}`
    this.#keeper.ports.onSecurityEvent({ type: 'backup-refused', rootId, message })
  }

  async #lineageOf(backup: Backup): Promise<VerifiedLineage> {
    const decoded = decodeLineage(backup.lineage)
    if (decoded.root !== backup.root) {
      throw new DamagedBackupError(`The lineage of the backup is of ${decoded.root}, limit ${backup.root}`, {
        field: 'backup.lineage',
        value: decoded.root,
        limit: backup.root,
      })
    }
    return await verifyLineage(decoded, this.#keeper.ports.verifier)
  }

  /** An old backup must not push a newer key out that works. */
  #checkNewest({ key }: Backup, lineage: VerifiedLineage): void {
    const { heads } = resolveLineage(lineage, this.#keeper.ports.now())
    const held = this.#keeper.held()
    if (heads.includes(key) || !heads.some((head) => held.has(head))) return
    throw new SupersededBackupError(`The backup holds the key ${key}, which was replaced by one that is here`, {
      field: 'backup.key',
      value: key,
    })
  }

  /**
   * Where two devices rotated at once and both keys are here now, every other line is led into the restored key. Only somebody who
   * holds all of them can do that, so a thief of the old key cannot.
   */
  async #settleConflict(lineage: VerifiedLineage, winner: PeerId): Promise<VerifiedLineage> {
    const { ports } = this.#keeper
    const now = ports.now()
    const { state, heads } = resolveLineage(lineage, now)
    const held = this.#keeper.held()
    if (state !== 'conflicted' || !heads.includes(winner) || !heads.every((head) => held.has(head))) return lineage
    let settled = lineage
    for (const head of heads.filter((key) => key !== winner)) {
      const brought = settled.successions.find(({ statement }) => statement.body.new === head) ?? null
      const terms = {
        root: lineage.root,
        old: head,
        new: winner,
        seq: (brought?.statement.seq ?? 0) + 1,
        notBeforeMs: Math.max(now, brought?.statement.body.notBeforeMs ?? 0),
        reason: 'planned',
        prevHash: linkOf(lineage.root, brought),
      } as const
      const keys = { old: await ports.keys.signer(head), next: await ports.keys.signer(winner) }
      const succession = await signSuccession(terms, { ...keys, timestampMs: now, nonce: this.#keeper.nonce() })
      settled = extendLineage(settled, { successions: [succession] })
    }
    return settled
  }

  async #replace(
    backup: Backup,
    next: {
      readonly lineage: VerifiedLineage
      readonly certificates: readonly Certificate[]
      readonly bookKey: Uint8Array | undefined
    },
  ): Promise<void> {
    const { record } = this.#keeper
    const { lineage, certificates, bookKey } = next
    const same = record.root === backup.root
    const base: IdentityRecord = same ? record : emptyRecord(backup.root, backup.createdAtMs)
    const known = new Set(base.unlockers.map(({ id }) => id))
    const passkeys = backup.slots
      .filter((slot) => slot.kind === 'passkey' && !known.has(unlockerId(slot)))
      .map((slot) => ({
        id: unlockerId(slot),
        kind: 'passkey' as const,
        label: slot.kind === 'passkey' ? slot.label : '',
        createdAtMs: backup.createdAtMs,
        provedAtMs: null,
        key: backup.key,
        slot,
      }))
    const sameKey = same && this.#keeper.resolved().activeKey === backup.key
    await this.#keeper.save({
      ...base,
      lineage,
      certificates,
      unlockers: [...base.unlockers, ...passkeys],
      // A revocation signed by another key, or for another identity, is not this key's.
      revocation: sameKey ? base.revocation : null,
      rotation: null,
      // Passkeys that come along were sealed with it.
      ...(bookKey !== undefined && { bookKey }),
    })
    await this.#keeper.dropStrayKeys()
  }
}
