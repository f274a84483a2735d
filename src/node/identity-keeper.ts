import type { PeerId, RootId } from '../core/codec/ids.ts'
import { type Certificate, checkCertificate, decodeCertificate, signCertificate } from '../core/identity/certificate.ts'
import type { CredentialParts } from '../core/identity/credential-parts.ts'
import { decodeIdentityRecord, encodeIdentityRecord, type IdentityRecord } from '../core/identity/identity-record.ts'
import { type IdentityStanding, identityState } from '../core/identity/identity-state.ts'
import {
  CERTIFICATE_LIFETIME_MS,
  CERTIFICATE_RENEW_MS,
  DEVICE_NAME_CHARS_MAX,
  DEVICES_MAX,
  NONCE_BYTES,
} from '../core/identity/limits.ts'
import {
  decodeLineage,
  encodeLineage,
  newLineage,
  type VerifiedLineage,
  verifyLineage,
} from '../core/identity/lineage.ts'
import type { Verifier } from '../core/identity/ports.ts'
import { type ResolvedLineage, resolveLineage } from '../core/identity/resolve-lineage.ts'
import { signRevocation } from '../core/identity/revocation.ts'
import { EVERY_NETWORK, firstKeyOf, rootIdOf } from '../core/identity/root.ts'
import type { RotationPlan } from '../core/identity/rotation.ts'
import { verifyStatement } from '../core/identity/statement.ts'
import type { OnSecurityEvent } from '../core/trust/security-event.ts'
import type { RootKeyRecord, RootKeyStore } from '../storage/root-key-store.ts'
import type { Store } from '../storage/store.ts'
import { describe } from './task-link.ts'

const BUCKET = 'identity'
const RECORD_KEY = 'record'
/** Where a record that cannot be read is put aside, for whoever may repair it. */
const DAMAGED_KEY = 'record-damaged'
const FIRST_KEY_LABEL = 'root'

export interface IdentityPorts {
  readonly store: Store
  readonly keys: RootKeyStore
  readonly verifier: Verifier
  /** `null` without a network, as on the command line: nothing is certified then that was not before. */
  readonly networkId: string | null
  readonly device: PeerId
  /** What this device is called until its owner calls it something else. */
  readonly deviceName: string
  readonly onSecurityEvent: OnSecurityEvent
  now(): number
  random(bytes: number): Uint8Array
}

/**
 * The state of this peer's identity: its record, its keys, and what follows from both at this moment. Every change is stored
 * before it shows.
 */
export class IdentityKeeper {
  readonly ports: IdentityPorts
  readonly #listeners = new Set<() => void>()
  #record!: IdentityRecord
  #lineage!: VerifiedLineage
  #certificates: readonly Certificate[] = []
  #keys: readonly RootKeyRecord[] = []

  private constructor(ports: IdentityPorts) {
    this.ports = ports
  }

  /** Reads what is stored; makes an identity where there is none; repairs what can be repaired. */
  static async open(ports: IdentityPorts): Promise<IdentityKeeper> {
    const keeper = new IdentityKeeper(ports)
    await keeper.reloadKeys()
    const stored = (await keeper.#stored()) ?? (await keeper.#fromKeys())
    if (stored === undefined) await keeper.#create()
    else await keeper.#adopt(stored)
    return keeper
  }

  get record(): IdentityRecord {
    return this.#record
  }

  get lineage(): VerifiedLineage {
    return this.#lineage
  }

  get certificates(): readonly Certificate[] {
    return this.#certificates
  }

  /** Which keys stand for the identity now. */
  resolved(): ResolvedLineage {
    return resolveLineage(this.#lineage, this.ports.now())
  }

  held(): ReadonlySet<PeerId> {
    return new Set(this.#keys.filter(({ privateKey }) => privateKey !== null).map(({ key }) => key))
  }

  hasCopy(key: PeerId): boolean {
    return this.#keys.some((each) => each.key === key && each.copy !== null)
  }

  /**
   * Lets go of keys that are kept here for no reason: of an identity that was replaced, of a rotation that was given up, and those
   * whose grace ended. Nothing is deleted while the key in force is not here.
   */
  async dropStrayKeys(): Promise<void> {
    const { rotation, root } = this.#record
    const { state, activeKey, keys } = this.resolved()
    if (!this.#keys.some(({ key }) => key === activeKey)) return
    const line = new Set<PeerId>(this.#lineage.successions.map(({ statement }) => statement.body.new))
    line.add(firstKeyOf(root))
    const label = rotation === null ? null : labelOf(rotation)
    const wanted = (key: PeerId): boolean =>
      line.has(key) && (state !== 'valid' || keys.has(key) || this.#isPending(key))
    const stray = this.#keys.filter((each) => !wanted(each.key) && each.label !== label)
    for (const { key } of stray) await this.ports.keys.forget(key)
    if (stray.length > 0) await this.reloadKeys()
  }

  /** Whether a succession brings this key that is not in force yet. */
  #isPending(key: PeerId): boolean {
    return this.resolved().pending.some((terms) => terms.new === key)
  }

  standing(): IdentityStanding {
    const held = this.held()
    const lineage = this.resolved()
    return identityState({
      record: this.#record,
      lineage,
      held,
      locked: new Set(this.#keys.map(({ key }) => key).filter((key) => !held.has(key))),
      copy: this.hasCopy(lineage.activeKey),
      certified: this.ports.networkId === null || this.#certificate(lineage) !== undefined,
    })
  }

  /** What this device shows to others; `null` while it is of no identity that counts. */
  credentials(): CredentialParts | null {
    const certificate = this.#certificate(this.resolved())
    if (certificate === undefined) return null
    const { device } = this.ports
    return { root: this.#record.root, device, lineage: this.#record.lineage, certificate: certificate.bytes }
  }

  /** What others need to hear of this identity, also when it counts no more: a revocation is told by whoever it is about. */
  shown(): { readonly lineage: Uint8Array; readonly certificate: Uint8Array | null } {
    const { device, networkId } = this.ports
    const here = this.#certificates.filter(({ statement }) => statement.network === networkId)
    const certificate = this.#certificate(this.resolved()) ?? newestOf(here, device)
    return { lineage: this.#record.lineage, certificate: certificate?.bytes ?? null }
  }

  /** Stores a change; what is derived follows, and listeners are told. */
  async save(change: Partial<Omit<IdentityRecord, 'lineage' | 'certificates'>> & IdentityParts): Promise<void> {
    const lineage = change.lineage ?? this.#lineage
    const certificates = newestCertificates(change.certificates ?? this.#certificates)
    const record: IdentityRecord = {
      ...this.#record,
      ...change,
      lineage: encodeLineage(lineage),
      certificates: certificates.map(({ bytes }) => bytes),
    }
    await this.ports.store.write([{ bucket: BUCKET, key: RECORD_KEY, value: encodeIdentityRecord(record) }])
    this.#record = record
    this.#lineage = lineage
    this.#certificates = certificates
    this.#tell()
  }

  async reloadKeys(): Promise<void> {
    this.#keys = await this.ports.keys.records()
  }

  /** @returns The unlisten. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  nonce(): Uint8Array {
    return this.ports.random(NONCE_BYTES)
  }

  /**
   * Signs a certificate for a device by a root key held here.
   *
   * @throws `RootKeyMissingError` or `RootKeyLockedError`
   */
  async certificateFor(
    device: PeerId,
    options: { readonly key: PeerId; readonly name: string; readonly network?: string; readonly lifetimeMs?: number },
  ): Promise<Certificate> {
    const { now, networkId, keys } = this.ports
    const before = this.#certificates.filter(({ statement }) => statement.body.device === device)
    // Later than whatever was issued or revoked before, though the clock may stand still.
    const issuedAtMs = Math.max(now(), ...before.map(({ statement }) => statement.body.issuedAtMs + 1))
    const terms = {
      root: this.#record.root,
      device,
      name: options.name.slice(0, DEVICE_NAME_CHARS_MAX),
      issuedAtMs,
      expiresAtMs: issuedAtMs + (options.lifetimeMs ?? CERTIFICATE_LIFETIME_MS),
    }
    const seq = Math.max(0, ...before.map(({ statement }) => statement.seq)) + 1
    const network = options.network ?? networkId ?? newestOf(before, device)?.statement.network ?? EVERY_NETWORK
    const stamp = { network, seq, nonce: this.nonce() }
    return await signCertificate(terms, stamp, await keys.signer(options.key))
  }

  /** The name this device goes by. */
  deviceName(): string {
    const own = newestOf(this.#certificates, this.ports.device)
    return own?.statement.body.name ?? this.ports.deviceName
  }

  /** Renews this device's certificate when it is about to end, or was made by a key that counts no more. */
  async renew(): Promise<void> {
    const lineage = this.resolved()
    if (this.ports.networkId === null || lineage.state !== 'valid' || !this.held().has(lineage.activeKey)) return
    const current = this.#certificate(lineage)
    const endsAtMs = current?.statement.body.expiresAtMs ?? 0
    const byActive = current?.statement.author === lineage.activeKey
    if (byActive && endsAtMs > this.ports.now() + CERTIFICATE_RENEW_MS) return
    const { device } = this.ports
    const certificate = await this.certificateFor(device, { key: lineage.activeKey, name: this.deviceName() })
    await this.save({ certificates: [...this.#certificates, certificate] })
  }

  /** Certificates out of a file or from another device, without those that are not of this identity or not signed. */
  async trustedCertificates(encoded: readonly Uint8Array[], lineage: VerifiedLineage): Promise<readonly Certificate[]> {
    const line = new Set(resolveLineage(lineage, this.ports.now()).line)
    const good: Certificate[] = []
    for (const bytes of encoded) {
      try {
        const certificate = decodeCertificate(bytes)
        const { author, body } = certificate.statement
        if (body.root !== lineage.root || !line.has(author)) continue
        await verifyStatement(certificate, this.ports.verifier)
        good.push(certificate)
      } catch {
        // One bad entry of a list takes nothing from the others.
      }
    }
    return good
  }

  #certificate(lineage: ResolvedLineage): Certificate | undefined {
    const { networkId, device, now } = this.ports
    const nowMs = now()
    return [...this.#certificates]
      .sort((a, b) => b.statement.body.issuedAtMs - a.statement.body.issuedAtMs)
      .find((certificate) => {
        try {
          const network = networkId ?? certificate.statement.network
          checkCertificate(certificate, { network, device, lineage, nowMs })
          return true
        } catch {
          return false
        }
      })
  }

  async #stored(): Promise<IdentityRecord | undefined> {
    const { store, verifier, onSecurityEvent } = this.ports
    const bytes = await store.get(BUCKET, RECORD_KEY)
    if (bytes === undefined) return undefined
    try {
      const record = decodeIdentityRecord(bytes)
      await verifyLineage(decodeLineage(record.lineage), verifier)
      return record
    } catch (error) {
      await store.write([{ bucket: BUCKET, key: DAMAGED_KEY, value: bytes }])
      onSecurityEvent({
        type: 'identity-lost',
        message: `The stored record of the identity is damaged and was put aside: ${describe(error)}`,
      })
      return undefined
    }
  }

  /** What can be known again from the keys alone, when the records were cleared or damaged. */
  async #fromKeys(): Promise<IdentityRecord | undefined> {
    const [first] = [...this.#keys].sort(
      (a, b) => Number(b.label === FIRST_KEY_LABEL) - Number(a.label === FIRST_KEY_LABEL),
    )
    return first === undefined ? undefined : emptyRecord(first.root, this.ports.now())
  }

  async #create(): Promise<void> {
    const { keys, now, onSecurityEvent } = this.ports
    const key = await keys.make(FIRST_KEY_LABEL, null)
    await this.reloadKeys()
    await this.#adopt(emptyRecord(rootIdOf(key), now()))
    onSecurityEvent({ type: 'identity-created', rootId: this.#record.root, message: 'A provisional identity was made' })
  }

  async #adopt(record: IdentityRecord): Promise<void> {
    this.#record = record
    this.#lineage = await verifyLineage(decodeLineage(record.lineage), this.ports.verifier)
    this.#certificates = await this.trustedCertificates(record.certificates, this.#lineage)
    const { activeKey } = this.resolved()
    if (record.revocation === null && this.held().has(activeKey)) await this.presign(activeKey)
  }

  /** Signs the revocation that waits for the day the key is lost or stolen. */
  async presign(key: PeerId): Promise<void> {
    const stamp = { timestampMs: this.ports.now(), nonce: this.nonce() }
    const revocation = await signRevocation(this.#record.root, stamp, await this.ports.keys.signer(key))
    await this.save({ revocation: revocation.bytes })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** The parts of a record that are kept decoded. */
interface IdentityParts {
  readonly lineage?: VerifiedLineage
  readonly certificates?: readonly Certificate[]
}

/** What a rotation's key is labelled, so that making it twice makes one. */
export function labelOf({ old, seq }: Pick<RotationPlan, 'old' | 'seq'>): string {
  return `rotation ${seq} of ${old}`
}

/** The newest certificate of a device. */
export function newestOf(certificates: readonly Certificate[], device: PeerId): Certificate | undefined {
  const issuedAtMs = ({ statement }: Certificate): number => statement.body.issuedAtMs
  return certificates
    .filter(({ statement }) => statement.body.device === device)
    .reduce<Certificate | undefined>((a, b) => (a === undefined || issuedAtMs(b) > issuedAtMs(a) ? b : a), undefined)
}

/** The newest for each device and network, and no more than are kept. */
function newestCertificates(all: readonly Certificate[]): readonly Certificate[] {
  const newest = new Map<string, Certificate>()
  for (const certificate of [...all].sort((a, b) => b.statement.body.issuedAtMs - a.statement.body.issuedAtMs)) {
    const { network, body } = certificate.statement
    const place = `${body.device} ${network}`
    if (!newest.has(place)) newest.set(place, certificate)
  }
  return [...newest.values()].slice(0, DEVICES_MAX)
}

export function emptyRecord(root: RootId, createdAtMs: number): IdentityRecord {
  return {
    root,
    createdAtMs,
    lineage: encodeLineage(newLineage(root)),
    certificates: [],
    unlockers: [],
    rotation: null,
    revocation: null,
    revokedAtMs: null,
  }
}
