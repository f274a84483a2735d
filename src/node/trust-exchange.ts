import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { StarlingError } from '../core/codec/errors.ts'
import { bytes, list } from '../core/codec/fields.ts'
import { sha256Hex } from '../core/codec/hash.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import {
  ATTESTATION_BYTES_MAX,
  ATTESTATIONS_PER_MESSAGE_MAX,
  CONFLICT_BYTES_MAX,
  TRUST_STATEMENTS_PER_MINUTE_MAX,
} from '../core/trust/limits.ts'
import { type Misconduct, misconductOf } from '../core/trust/misconduct.ts'
import type { SecurityReport } from '../core/trust/security-event.ts'
import type { Network } from '../net/network.ts'

/** What peers tell each other about others. */
export const ATTESTATIONS_PROTOCOL = '/starling/attestations/1.0.0'

/** Statements seen lately, so that what goes round is looked at once. */
const SEEN_MAX = 4_096
const MINUTE_MS = 60_000

type TrustMessage =
  | { readonly type: 'attestations'; readonly attestations: readonly Uint8Array[] }
  | { readonly type: 'conflict'; readonly conflict: Uint8Array }

const LIMITS = { bytesMax: ATTESTATIONS_PER_MESSAGE_MAX * ATTESTATION_BYTES_MAX, depthMax: 3, itemsMax: 100 }

const messageSchema: v.GenericSchema<unknown, TrustMessage> = v.variant('type', [
  v.strictObject({
    type: v.literal('attestations'),
    attestations: list(bytes(1, ATTESTATION_BYTES_MAX), 1, ATTESTATIONS_PER_MESSAGE_MAX),
  }),
  v.strictObject({ type: v.literal('conflict'), conflict: bytes(1, CONFLICT_BYTES_MAX) }),
])

export interface TrustExchangeInit {
  readonly network: Network
  readonly now: () => number
  /** Whether a peer's word is heard at all: not a guest's, not of one who is barred. */
  readonly mayTell: (peer: PeerId) => boolean
  readonly onAttestation: (from: PeerId, attestation: Uint8Array) => Promise<void>
  readonly onConflict: (from: PeerId, conflict: Uint8Array) => Promise<void>
  readonly onSecurityEvent: (report: SecurityReport) => void
}

/**
 * Tells other peers what this one found, and hears what they found. Each statement is verified one after the other, so that a crowd of
 * them delays only each other; how many a peer may send is bounded. Rule [T14].
 */
export class TrustExchange {
  readonly #init: TrustExchangeInit
  readonly #seen = new Set<string>()
  readonly #told = new Map<PeerId, { minute: number; count: number }>()
  #verifying: Promise<void> = Promise.resolve()

  constructor(init: TrustExchangeInit) {
    this.#init = init
  }

  /** @returns The stop. */
  start(): () => void {
    return this.#init.network.handle(ATTESTATIONS_PROTOCOL, (peer, message) => this.#receive(peer, message))
  }

  tellAttestations(peer: string, attestations: readonly Uint8Array[]): void {
    let batch: Uint8Array[] = []
    for (const attestation of attestations) {
      this.#remember(attestation)
      batch.push(attestation)
      if (batch.length < ATTESTATIONS_PER_MESSAGE_MAX) continue
      this.#send(peer, { type: 'attestations', attestations: batch })
      batch = []
    }
    if (batch.length > 0) this.#send(peer, { type: 'attestations', attestations: batch })
  }

  /** To everyone connected, but for `except`, who told us. */
  tellConflict(conflict: Uint8Array, except?: string): void {
    this.#remember(conflict)
    for (const { peer, relay } of this.#init.network.connections()) {
      if (!relay && peer !== except) this.#send(peer, { type: 'conflict', conflict })
    }
  }

  tellConflictTo(peer: string, conflict: Uint8Array): void {
    this.#remember(conflict)
    this.#send(peer, { type: 'conflict', conflict })
  }

  #send(peer: string, message: TrustMessage): void {
    try {
      this.#init.network.send(peer, ATTESTATIONS_PROTOCOL, encode(message))
    } catch {
      // The peer left or its queue is full: it hears of it when it connects again.
    }
  }

  #receive(from: string, message: Uint8Array): void {
    if (!isPeerId(from) || !this.#init.mayTell(from)) return
    let decoded: TrustMessage
    try {
      decoded = decode(message, { what: 'trust message', limits: LIMITS, schema: messageSchema })
    } catch (error) {
      this.#refuse(from, { type: 'message-malformed', error, misconduct: misconductOf(error) })
      return
    }
    const statements = decoded.type === 'attestations' ? decoded.attestations : [decoded.conflict]
    for (const statement of statements) {
      if (this.#remember(statement)) continue
      if (!this.#mayStillTell(from)) return
      this.#verifying = this.#verifying.then(() => this.#handle(from, decoded.type, statement))
    }
  }

  async #handle(from: PeerId, type: TrustMessage['type'], statement: Uint8Array): Promise<void> {
    try {
      if (type === 'attestations') await this.#init.onAttestation(from, statement)
      else await this.#init.onConflict(from, statement)
    } catch (error) {
      const refused = type === 'attestations' ? 'attestation-refused' : 'evidence-refused'
      // Much of what is refused here only this peer finds wanting; but whoever passes a statement on checks its signature before.
      const misconduct = misconductOf(error) === 'forged' ? 'forged' : null
      this.#refuse(from, { type: refused, error, evidence: [statement], misconduct })
    }
  }

  #refuse(
    from: PeerId,
    why: {
      readonly type: SecurityReport['type']
      readonly error: unknown
      readonly evidence?: readonly Uint8Array[]
      readonly misconduct: Misconduct | null
    },
  ): void {
    const { type, error, evidence = [], misconduct } = why
    // Our own faults have no name of ours; theirs say field, value and limit.
    const known = error instanceof StarlingError
    const message = known ? `Refused what it says of others: ${error.message}` : 'What it says of others cannot be read'
    this.#init.onSecurityEvent({ type, peerId: from, message, evidence, misconduct })
  }

  #mayStillTell(from: PeerId): boolean {
    const minute = Math.floor(this.#init.now() / MINUTE_MS)
    const told = this.#told.get(from)
    if (told === undefined || told.minute !== minute) {
      if (this.#told.size >= SEEN_MAX) this.#told.clear()
      this.#told.set(from, { minute, count: 1 })
      return true
    }
    if (told.count < TRUST_STATEMENTS_PER_MINUTE_MAX) {
      told.count++
      return true
    }
    const limit = TRUST_STATEMENTS_PER_MINUTE_MAX
    const message = `More than ${limit} statements about others in a minute; the rest is dropped`
    this.#init.onSecurityEvent({ type: 'rate-exceeded', peerId: from, message })
    return false
  }

  /** @returns Whether it was seen before. */
  #remember(statement: Uint8Array): boolean {
    const hash = sha256Hex(statement)
    if (this.#seen.has(hash)) return true
    this.#seen.add(hash)
    const [oldest] = this.#seen
    if (this.#seen.size > SEEN_MAX && oldest !== undefined) this.#seen.delete(oldest)
    return false
  }
}
