import type { PeerId, RootId } from '../core/codec/ids.ts'
import type { CredentialParts } from '../core/identity/credential-parts.ts'
import { encodeIdentityExport } from '../core/identity/identity-export.ts'
import { decodeLineage, extendLineage, mergeLineages, sameLineage, verifyLineage } from '../core/identity/lineage.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import type { Signer } from '../core/identity/ports.ts'
import { decodeRevocation, signDeviceRevocation } from '../core/identity/revocation.ts'
import { graceEndMs } from '../core/identity/succession.ts'
import type { DeviceInfo, IdentityApi, IdentityInfo, PasskeyUnlocker } from './identity-contract.ts'
import { DeviceRefusedError } from './identity-errors.ts'
import { IdentityKeeper, type IdentityPorts, newestOf } from './identity-keeper.ts'
import { IdentityRestore } from './identity-restore.ts'
import { IdentityRotation } from './identity-rotation.ts'
import { type BackupLuggage, IdentityUnlockers } from './identity-unlockers.ts'
import { describe } from './task-link.ts'

/** How often certificates are renewed and old keys let go where that is due. */
const UPKEEP_INTERVAL_MS = 10 * 60_000

export interface IdentityBookInit extends IdentityPorts {
  /** What keeps the keys on this device, where it is more than the browser: it counts as an unlocker. */
  readonly keptBy?: 'keyring' | 'passphrase' | null
}

/** This peer's own identity: answers the contract, and gives others what they show or sign with. */
export class IdentityBook implements IdentityApi {
  readonly #keeper: IdentityKeeper
  readonly #unlockers: IdentityUnlockers
  readonly #restore: IdentityRestore
  readonly #rotation: IdentityRotation
  #turn: Promise<unknown> = Promise.resolve()
  #luggage: BackupLuggage | null = null
  #timer: ReturnType<typeof setInterval> | undefined

  private constructor(keeper: IdentityKeeper) {
    this.#keeper = keeper
    const luggage = (): BackupLuggage | null => this.#luggage
    this.#unlockers = new IdentityUnlockers(keeper, luggage)
    this.#restore = new IdentityRestore(keeper, this.#unlockers, luggage)
    this.#rotation = new IdentityRotation(keeper, this.#unlockers)
  }

  /** Opens the identity of this device: makes a provisional one at the first start, and goes on with an interrupted rotation. */
  static async open(init: IdentityBookInit): Promise<IdentityBook> {
    const book = new IdentityBook(await IdentityKeeper.open(init))
    await book.#rotation.resume().catch((error: unknown) => {
      const rootId = book.root
      init.onSecurityEvent({ type: 'rotation-failed', rootId, message: `Not resumed: ${describe(error)}` })
    })
    const { keptBy = null } = init
    if (keptBy !== null && book.#keeper.held().has(book.#keeper.resolved().activeKey)) {
      await book.#unlockers.noteKept(keptBy)
    }
    await book.#upkeep()
    if (book.#keeper.standing().state === 'lost') {
      init.onSecurityEvent({
        type: 'identity-lost',
        rootId: book.root,
        message: 'The root key is not on this device any more; a backup or passkey brings it back',
      })
    }
    // Upkeep is no reason for a process to stay alive.
    book.#timer = setInterval(
      () => void book.#exclusive(() => book.#upkeep()).catch(() => undefined),
      UPKEEP_INTERVAL_MS,
    )
    ;(book.#timer as { unref?(): void }).unref?.()
    return book
  }

  /** Ends upkeep; what is under way ends first. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#turn.catch(() => undefined)
    await this.#keeper.ports.keys.close()
  }

  /** Sets what backups carry from now on beside the identity. */
  carry(luggage: BackupLuggage): void {
    this.#luggage = luggage
  }

  get root(): RootId {
    return this.#keeper.record.root
  }

  /** What this device shows on connecting; `null` while it is of no identity that counts. Changes: {@link onChange}. */
  credentials(): CredentialParts | null {
    return this.#keeper.credentials()
  }

  /** What this device tells everybody, whether it counts or not: that it was revoked is told by itself too. */
  shown(): { readonly lineage: Uint8Array; readonly certificate: Uint8Array | null } {
    return this.#keeper.shown()
  }

  /** Signs in the name of the identity; `null` while its key in force is not at hand. */
  async rootSigner(): Promise<Signer | null> {
    const { state, activeKey } = this.#keeper.resolved()
    if (state !== 'valid' || !this.#keeper.held().has(activeKey)) return null
    return await this.#keeper.ports.keys.signer(activeKey)
  }

  /** @returns The unlisten. */
  onChange(listener: () => void): () => void {
    return this.#keeper.onChange(listener)
  }

  /**
   * Learns from what another device showed. What it says about other identities is ignored here.
   *
   * @throws When the parts are not what they claim; nothing is taken from them then.
   */
  async observe(parts: { readonly lineage: Uint8Array; readonly certificate: Uint8Array | null }): Promise<void> {
    const heard = decodeLineage(parts.lineage)
    if (heard.root !== this.root) return
    await this.#exclusive(async () => {
      const { ports, lineage } = this.#keeper
      const merged = mergeLineages(lineage, await verifyLineage(heard, ports.verifier))
      const certificates = await this.#keeper.trustedCertificates(
        parts.certificate === null ? [] : [parts.certificate],
        merged,
      )
      const known = new Set(this.#keeper.certificates.map(({ bytes }) => bytes.toString()))
      const news = certificates.filter(({ bytes }) => !known.has(bytes.toString()))
      if (sameLineage(lineage, merged) && news.length === 0) return
      const before = this.#keeper.resolved().state
      await this.#keeper.save({ lineage: merged, certificates: [...this.#keeper.certificates, ...news] })
      const { state } = this.#keeper.resolved()
      if (state === 'conflicted' && before !== state) {
        const message = 'Two keys follow the same one: two devices rotated at once, or somebody else has the old key'
        const evidence = merged.successions.map(({ bytes }) => bytes)
        ports.onSecurityEvent({ type: 'identity-conflicted', rootId: this.root, message, evidence })
      }
      await this.#rotation.checkOvertaken()
      await this.#upkeep()
    })
  }

  // ---------------------------------------------------------------- contract

  async identity(): Promise<IdentityInfo> {
    return this.#info()
  }

  createBackup(passphrase: string): Promise<Uint8Array> {
    return this.#exclusive(() => this.#unlockers.createBackup(passphrase))
  }

  proveBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo> {
    return this.#change(() => this.#unlockers.proveBackup(file, passphrase))
  }

  addPasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo> {
    return this.#change(() => this.#unlockers.addPasskey(passkey))
  }

  provePasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo> {
    return this.#change(() => this.#unlockers.provePasskey(passkey))
  }

  async passkeyFile(): Promise<Uint8Array> {
    return await this.#unlockers.passkeyFile()
  }

  protectIdentity(): Promise<IdentityInfo> {
    return this.#change(() => this.#unlockers.protect())
  }

  restoreFromBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo> {
    return this.#change(async () => {
      await this.#restore.fromBackup(file, passphrase)
      await this.#upkeep()
    })
  }

  restoreFromPasskey(passkey: PasskeyUnlocker, file: Uint8Array | null): Promise<IdentityInfo> {
    return this.#change(async () => {
      await this.#restore.fromPasskey(passkey, file)
      await this.#upkeep()
    })
  }

  rotateIdentity({ reason, unlock }: Parameters<IdentityApi['rotateIdentity']>[0]): Promise<IdentityInfo> {
    return this.#change(() => this.#rotation.rotate(reason, unlock))
  }

  revokeDevice(peerId: string): Promise<IdentityInfo> {
    return this.#change(async () => {
      const { ports, certificates, lineage } = this.#keeper
      const device = this.#otherDevice(peerId)
      const { activeKey } = this.#keeper.resolved()
      const issuedAtMs = newestOf(certificates, device)?.statement.body.issuedAtMs ?? 0
      const body = { root: this.root, device, issuedMsMax: Math.max(ports.now(), issuedAtMs) }
      const stamp = { timestampMs: ports.now(), nonce: this.#keeper.nonce() }
      const revocation = await signDeviceRevocation(body, stamp, await ports.keys.signer(activeKey))
      await this.#keeper.save({ lineage: extendLineage(lineage, { deviceRevocations: [revocation] }) })
      const message = 'A device was taken out of the identity'
      const evidence = [revocation.bytes]
      ports.onSecurityEvent({ type: 'device-revoked', rootId: this.root, peerId: device, message, evidence })
    })
  }

  renameDevice(peerId: string, name: string): Promise<IdentityInfo> {
    return this.#change(async () => {
      const trimmed = name.trim()
      const device = this.#knownDevice(peerId)
      if (trimmed === '') throw new DeviceRefusedError('A device has a name of at least 1 character', { field: 'name' })
      const { certificates } = this.#keeper
      const before = newestOf(certificates, device)?.statement
      const certificate = await this.#keeper.certificateFor(device, {
        key: this.#keeper.resolved().activeKey,
        name: trimmed,
        ...(before !== undefined && { network: before.network }),
      })
      await this.#keeper.save({ certificates: [...certificates, certificate] })
    })
  }

  revokeIdentity(): Promise<IdentityInfo> {
    return this.#change(async () => {
      const { ports, lineage } = this.#keeper
      if (this.#keeper.record.revocation === null) await this.#keeper.presign(this.#keeper.resolved().activeKey)
      // Signed just now if it was not before.
      const revocation = decodeRevocation(this.#keeper.record.revocation as Uint8Array)
      const extended = extendLineage(lineage, { revocations: [revocation] })
      await this.#keeper.save({ lineage: extended, revokedAtMs: ports.now(), rotation: null })
      const message = 'The identity was revoked by its owner'
      const evidence = [revocation.bytes]
      ports.onSecurityEvent({ type: 'identity-revoked', rootId: this.root, message, evidence })
    })
  }

  async exportIdentity(): Promise<Uint8Array> {
    return encodeIdentityExport(this.#keeper.record)
  }

  // ---------------------------------------------------------------- inside

  #change(work: () => Promise<void>): Promise<IdentityInfo> {
    return this.#exclusive(async () => {
      await work()
      return this.#info()
    })
  }

  /** One change at a time: two that read the same record would lose one of theirs. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #upkeep(): Promise<void> {
    await this.#keeper.renew()
    await this.#keeper.dropStrayKeys()
  }

  #knownDevice(peerId: string): PeerId {
    if (isPeerId(peerId) && newestOf(this.#keeper.certificates, peerId) !== undefined) return peerId
    throw new DeviceRefusedError('The identity has no such device', { field: 'peerId', value: peerId.slice(0, 80) })
  }

  #otherDevice(peerId: string): PeerId {
    const device = this.#knownDevice(peerId)
    if (device !== this.#keeper.ports.device) return device
    throw new DeviceRefusedError('A device cannot take itself out; do it from another', {
      field: 'peerId',
      value: peerId,
    })
  }

  #info(): IdentityInfo {
    const { record, lineage } = this.#keeper
    const { state, reason } = this.#keeper.standing()
    const { activeKey } = this.#keeper.resolved()
    const signedAt = record.revocation && decodeRevocation(record.revocation).statement.timestampMs
    return {
      state,
      reason: reason === null ? null : { code: reason },
      rootId: record.root,
      activeKey,
      createdAt: record.createdAtMs,
      unlockers: record.unlockers
        .filter(({ key }) => key === activeKey)
        .map(({ id, kind, label, createdAtMs, provedAtMs }) => ({
          id,
          kind,
          label,
          createdAt: createdAtMs,
          provedAt: provedAtMs,
        })),
      devices: this.#devices(),
      successions: lineage.successions.map(({ statement: { body } }) => ({
        seq: body.seq,
        oldKey: body.old,
        newKey: body.new,
        reason: body.reason,
        notBefore: body.notBeforeMs,
        graceEndsAt: graceEndMs(body),
      })),
      revocation: signedAt === null ? null : { signedAt, publishedAt: record.revokedAtMs },
    }
  }

  #devices(): readonly DeviceInfo[] {
    const { certificates, ports } = this.#keeper
    const { keys, revokedDevices } = this.#keeper.resolved()
    const devices = new Set(certificates.map(({ statement }) => statement.body.device))
    const infos = [...devices].flatMap((device) => {
      const statement = newestOf(certificates, device)?.statement
      if (statement === undefined) return []
      const { name, issuedAtMs, expiresAtMs } = statement.body
      const revoked = issuedAtMs <= (revokedDevices.get(device) ?? -1)
      const expired = expiresAtMs <= ports.now()
      const state = revoked ? 'revoked' : !keys.has(statement.author) ? 'superseded' : expired ? 'expired' : 'valid'
      const self = device === ports.device
      return [{ peerId: device, name, self, issuedAt: issuedAtMs, expiresAt: expiresAtMs, state } as const]
    })
    return infos.sort((a, b) => Number(b.self) - Number(a.self) || b.issuedAt - a.issuedAt)
  }
}
