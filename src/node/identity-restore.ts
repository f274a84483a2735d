import type { PeerId } from '../core/codec/ids.ts'
import { type Backup, decodeBackup, sealContext } from '../core/identity/backup.ts'
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
import type { PasskeyUnlocker } from './identity-contract.ts'
import { SupersededBackupError } from './identity-errors.ts'
import { emptyRecord, type IdentityKeeper } from './identity-keeper.ts'
import {
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

  constructor(keeper: IdentityKeeper, unlockers: IdentityUnlockers) {
    this.#keeper = keeper
    this.#unlockers = unlockers
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
    const settled = await this.#settleConflict(lineage, backup.key)
    const certificates = await this.#keeper.trustedCertificates(backup.certificates, settled)
    await this.#replace(backup, settled, same ? [...this.#keeper.certificates, ...certificates] : certificates)
    const { activeKey } = this.#keeper.resolved()
    if (activeKey === backup.key) {
      await this.#unlockers.noteProved(slot)
      if (this.#keeper.record.revocation === null) await this.#keeper.presign(activeKey)
    }
    ports.onSecurityEvent({ type: 'identity-restored', rootId: backup.root, message: `Restored with a ${kind}` })
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

  async #replace(backup: Backup, lineage: VerifiedLineage, certificates: readonly Certificate[]): Promise<void> {
    const { record } = this.#keeper
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
    })
    await this.#keeper.dropStrayKeys()
  }
}
