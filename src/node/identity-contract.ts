/** The part of the node's contract that is about who this peer is. Plain data only: everything survives structured cloning. */
import type { Reason } from './contract.ts'

/**
 * `provisional`: made by itself at the first start, not yet protected; `protected`: every unlocker was made and the copy that could
 * make more is gone. The others say why the identity cannot be used as it is.
 */
export type IdentityState =
  | 'provisional'
  | 'protected'
  | 'rotating'
  | 'superseded'
  | 'revoked'
  | 'conflicted'
  | 'expired'
  | 'lost'

export type UnlockerKind = 'passkey' | 'file' | 'keyring' | 'passphrase'

export interface UnlockerInfo {
  readonly id: string
  readonly kind: UnlockerKind
  readonly label: string
  readonly createdAt: number
  /** When restoring with it was last seen to work, ms since epoch; `null` until then. */
  readonly provedAt: number | null
}

export interface DeviceInfo {
  readonly peerId: string
  readonly name: string
  readonly self: boolean
  readonly issuedAt: number
  readonly expiresAt: number
  readonly state: 'valid' | 'expired' | 'revoked' | 'superseded'
}

export interface SuccessionInfo {
  readonly seq: number
  readonly oldKey: string
  readonly newKey: string
  readonly reason: 'planned' | 'compromised' | 'lost'
  readonly notBefore: number
  /** From here on the old key is refused. */
  readonly graceEndsAt: number
}

export interface IdentityInfo {
  readonly state: IdentityState
  /** Why it is in that state or what is asked of its owner now; `null` when nothing is. */
  readonly reason: Reason | null
  /** The key the identity began with, as a peer id text. It stays through every rotation. */
  readonly rootId: string
  /** The root key in force. */
  readonly activeKey: string
  readonly createdAt: number
  readonly unlockers: readonly UnlockerInfo[]
  readonly devices: readonly DeviceInfo[]
  readonly successions: readonly SuccessionInfo[]
  /** Was the revocation signed in advance, and where is it kept. */
  readonly revocation: { readonly signedAt: number; readonly publishedAt: number | null } | null
}

/**
 * A passkey as the window hands it over. `key` is a non-extractable AES key derived on the window from the PRF output, so that the
 * secret itself never crosses to the worker.
 */
export interface PasskeyUnlocker {
  readonly credentialId: Uint8Array
  readonly label: string
  readonly key: CryptoKey
}

export interface IdentityApi {
  identity(): Promise<IdentityInfo>
  /** Makes the encrypted backup file; `passphrase` goes through Argon2id. */
  createBackup(passphrase: string): Promise<Uint8Array>
  /** Reads a backup again and says whether it opens and is this identity; a good one counts as proved. */
  proveBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo>
  addPasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo>
  provePasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo>
  /** The public companion of the passkeys: what they open, to restore from on another machine. */
  passkeyFile(): Promise<Uint8Array>
  /** Removes the copy of the root key from which unlockers are made. Asks for two unlockers. */
  protectIdentity(): Promise<IdentityInfo>
  /** Replaces this browser's identity by the backup's; reputation and devices come with it. */
  restoreFromBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo>
  /** `file` is the public, encrypted companion of a passkey; `null` uses what this origin still stores. */
  restoreFromPasskey(passkey: PasskeyUnlocker, file: Uint8Array | null): Promise<IdentityInfo>
  /** Replaces the root key. `unlock` is asked of a protected identity. */
  rotateIdentity(options: {
    readonly reason: SuccessionInfo['reason']
    readonly unlock: { readonly file: Uint8Array; readonly passphrase: string } | PasskeyUnlocker | null
  }): Promise<IdentityInfo>
  revokeDevice(peerId: string): Promise<IdentityInfo>
  renameDevice(peerId: string, name: string): Promise<IdentityInfo>
  /** Publishes the revocation that was signed at creation. It cannot be taken back. */
  revokeIdentity(): Promise<IdentityInfo>
  /** The public part: root id, certificates, successions, as one signed file that anyone can check. */
  exportIdentity(): Promise<Uint8Array>
}
