import type { Cid, PeerId, RootId } from '../core/codec/ids.ts'
import type { Signer, Verifier } from '../core/identity/ports.ts'
import type { Store } from '../storage/store.ts'
import type { SandboxPool } from '../workers/sandbox/contract.ts'
import type { BlockStore } from './block-store.ts'
import type { IdentityBook } from './identity-book.ts'
import type { Log } from './log.ts'
import type { SecurityLog } from './security-log.ts'
import type { StatementGate } from './statement-gate.ts'

/** Where a block is looked for: here first, then at these peers. */
export interface BlockSource {
  /**
   * @throws `BlockUnavailableError` or `LimitExceededError` by name.
   */
  fetch(cid: Cid, from: readonly PeerId[], bytesMax: number): Promise<Uint8Array>
}

/** Decides for each device whether it may take part, and for which identity it speaks. */
export interface AdmissionPort {
  /** `null` for guests and for peers that are not connected. */
  admitted(peer: PeerId): RootId | null
  /** Reaches the peer if need be, and waits until it is known. */
  meet(peer: PeerId): Promise<RootId | null>
  /** Nothing is known of it: it is not connected. */
  isStranger(peer: PeerId): boolean
}

/** What the drivers of the schedulers share. */
export interface NodePorts {
  readonly self: PeerId
  readonly networkId: string
  readonly signer: Signer
  readonly verifier: Verifier
  readonly store: Store
  readonly blocks: BlockStore
  readonly source: BlockSource
  readonly sandbox: SandboxPool
  readonly log: Log
  readonly identity: IdentityBook
  /** Everything refused, punished, rotated or revoked is reported here. */
  readonly security: SecurityLog
  /** Signed statements that others pass on come in here, and get their stamps here. */
  readonly statements: StatementGate
  /** Who may give and take work here. */
  readonly admission: AdmissionPort
  /** Milliseconds since 1970; never runs backwards. */
  now(): number
  random(bytes: number): Uint8Array
}

/** SHA-256 by the platform, for data too large to hash at once. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}
