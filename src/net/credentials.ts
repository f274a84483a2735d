import {
  decodeCredentials,
  encodeCredentials,
  type ShownCredentials,
  type Verdict,
} from '../core/admission/credentials.ts'
import { type LevelChange, Levels } from '../core/admission/levels.ts'
import { CREDENTIALS_REPEAT_MS, CREDENTIALS_SHOWN_MAX, LEVEL_KEPT_MS } from '../core/admission/limits.ts'
import type { FoundedNetwork } from '../core/admission/policy.ts'
import { TicketBudget } from '../core/admission/ticket-budget.ts'
import { type Admission, type Argon2id, verifyTicket } from '../core/admission/verify-ticket.ts'
import { compareBytes, concatBytes } from '../core/codec/bytes.ts'
import { StarlingError } from '../core/codec/errors.ts'
import type { PeerId, RootId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import type { Verifier } from '../core/identity/ports.ts'

/** What this peer shows of itself; `answer` is the desk's to set. */
export type OwnCredentials = Omit<ShownCredentials, 'type' | 'answer'>

export interface CredentialsDeskInit {
  readonly network: FoundedNetwork
  readonly verifier: Verifier
  /** Rejects where the kernel cannot run; nobody is let in by work then. */
  readonly argon2id: () => Promise<Argon2id>
  readonly now: () => number
  readonly send: (peer: PeerId, message: Uint8Array) => void
  readonly isConnected: (peer: PeerId) => boolean
  readonly own: () => OwnCredentials
  /** The identity of a device. @throws The named error of what is wrong with what it shows. */
  readonly rootOf: (device: PeerId, shown: ShownCredentials) => Promise<RootId>
  readonly onLevel: (change: LevelChange) => void
  /** What another peer made of what we showed. */
  readonly onVerdict: (peer: PeerId, verdict: Verdict) => void
  /** A ticket was good, also when it was before. */
  readonly onAdmitted?: (peer: PeerId, admission: Admission & { readonly root: RootId }) => void
  readonly onRefused: (peer: PeerId, error: Error, evidence: Uint8Array | null) => void
}

/** How showing our credentials to one peer stands. */
interface Showing {
  shownAt: number
  count: number
}

interface Judged {
  readonly bytes: Uint8Array
  readonly verdict: Verdict
}

/**
 * Shows who we are to everyone we connect to, and judges what they show: rules [A11] and [A12]. The same on peers and relays.
 *
 * A peer's messages are judged one after the other, in their order.
 */
export class CredentialsDesk {
  readonly #init: CredentialsDeskInit
  readonly #levels = new Levels()
  readonly #budget: TicketBudget
  readonly #showings = new Map<PeerId, Showing>()
  readonly #judging = new Map<PeerId, Promise<void>>()
  readonly #judged = new Map<PeerId, Judged>()
  /** Peers without a known connection, and since when. */
  readonly #loose = new Map<PeerId, number>()
  readonly #waiting = new Map<PeerId, (() => void)[]>()

  constructor(init: CredentialsDeskInit) {
    this.#init = init
    this.#budget = new TicketBudget(init.now())
  }

  get levels(): Levels {
    return this.#levels
  }

  admitted(peer: PeerId): RootId | null {
    return this.#levels.admitted(peer)
  }

  connected(peer: PeerId): void {
    this.#loose.delete(peer)
    this.#tell(this.#levels.connected(peer, this.#init.now()))
    this.show(peer, true)
  }

  disconnected(peer: PeerId): void {
    this.#showings.delete(peer)
    this.#judged.delete(peer)
    this.#loose.delete(peer)
    this.#tell(this.#levels.disconnected(peer))
    this.#wake(peer)
  }

  /** Shows our credentials to a peer, and asks for its own. */
  show(peer: PeerId, answer: boolean): void {
    const count = (this.#showings.get(peer)?.count ?? 0) + 1
    this.#showings.set(peer, { shownAt: this.#init.now(), count })
    this.#send(peer, encodeCredentials({ type: 'credentials', answer, ...this.#init.own() }))
  }

  /** Our credentials are new: everyone sees them again. */
  showAll(): void {
    for (const [peer] of this.#levels.entries()) {
      this.#showings.delete(peer)
      this.show(peer, false)
    }
  }

  /** Resolves when it is known whether the peer is admitted, which takes a few seconds at most. */
  settled(peer: PeerId): Promise<void> {
    const level = this.#levels.get(peer)
    if (level !== null && level.level !== 'unknown') return Promise.resolve()
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(peer) ?? []
      waiting.push(resolve)
      this.#waiting.set(peer, waiting)
    })
  }

  receive(from: string, bytes: Uint8Array): void {
    if (!isPeerId(from)) return
    const before = this.#judging.get(from) ?? Promise.resolve()
    const turn = before.then(() => this.#take(from, bytes))
    this.#judging.set(from, turn)
    void turn.finally(() => {
      if (this.#judging.get(from) === turn) this.#judging.delete(from)
    })
  }

  /** To be called every second or so. */
  tick(): void {
    const now = this.#init.now()
    this.#tell(this.#levels.tick(now))
    for (const [peer] of this.#levels.entries()) {
      if (this.#init.isConnected(peer)) {
        this.#loose.delete(peer)
        continue
      }
      const since = this.#loose.get(peer) ?? now
      this.#loose.set(peer, since)
      if (now - since >= LEVEL_KEPT_MS) this.disconnected(peer)
    }
    for (const [peer, { shownAt, count }] of this.#showings) {
      if (now - shownAt < CREDENTIALS_REPEAT_MS) continue
      // After so many it does not know the protocol, or is gone.
      if (count >= CREDENTIALS_SHOWN_MAX || this.#levels.get(peer) === null) this.#showings.delete(peer)
      else this.show(peer, true)
    }
  }

  async #take(from: PeerId, bytes: Uint8Array): Promise<void> {
    try {
      const message = decodeCredentials(bytes)
      if (message.type === 'verdict') {
        this.#showings.delete(from)
        this.#init.onVerdict(from, message)
        return
      }
      if (message.answer) this.show(from, false)
      this.#send(from, encodeCredentials(await this.#judge(from, message)))
    } catch (error) {
      this.#init.onRefused(from, error as Error, bytes)
    }
  }

  /** The same credentials again get the same answer, without being verified again. */
  async #judge(from: PeerId, shown: ShownCredentials): Promise<Verdict> {
    const bytes = concatBytes(
      ...[shown.lineage, shown.certificate, shown.ticket, shown.beacon].map((part) => part ?? new Uint8Array()),
    )
    const before = this.#judged.get(from)
    const expiresAt = before?.verdict.expiresAtMs ?? Number.POSITIVE_INFINITY
    const holds = before?.verdict.level === 'admitted' && this.#init.now() < expiresAt
    if (before !== undefined && holds && compareBytes(before.bytes, bytes) === 0 && this.admitted(from) !== null) {
      return before.verdict
    }
    const verdict = await this.#verify(from, shown)
    this.#judged.set(from, { bytes, verdict })
    return verdict
  }

  async #verify(from: PeerId, shown: ShownCredentials): Promise<Verdict> {
    const { network, verifier, now } = this.#init
    let root: RootId | null = null
    try {
      this.#budget.checkPeer(from, now())
      root = await this.#init.rootOf(from, shown)
      if (shown.ticket === null) return this.#guest(from, root, null)
      // Loaded only where somebody worked: rooms never need it.
      const argon2id = network.policy.kind === 'open' ? await this.#init.argon2id() : noArgon2id
      const admission = await verifyTicket(shown.ticket, {
        network,
        root,
        beacon: shown.beacon,
        nowMs: now(),
        verifier,
        argon2id,
        spend: () => this.#budget.spendProof(now()),
      })
      this.#init.onAdmitted?.(from, { ...admission, root })
      this.#settle(from, { level: 'admitted', root, expiresAtMs: admission.expiresAtMs })
      return { type: 'verdict', level: 'admitted', error: null, reason: null, expiresAtMs: admission.expiresAtMs }
    } catch (error) {
      // Whoever has nothing to show yet is a guest like any other; what is shown and wrong counts.
      if (shown.ticket !== null && !isBusy(error)) this.#budget.failed(from, now())
      if (shown.ticket !== null) this.#init.onRefused(from, error as Error, shown.ticket)
      return this.#guest(from, root, error)
    }
  }

  #guest(peer: PeerId, root: RootId | null, error: unknown): Verdict {
    this.#settle(peer, { level: 'guest', root })
    // Errors of our own making are nobody else's business.
    const known = error instanceof StarlingError ? error : null
    return {
      type: 'verdict',
      level: 'guest',
      error: error === null ? null : (known?.name ?? 'InternalError'),
      reason: known?.message ?? null,
      expiresAtMs: null,
    }
  }

  #settle(peer: PeerId, level: Parameters<Levels['judged']>[1]): void {
    this.#tell(this.#levels.judged(peer, level))
    this.#wake(peer)
  }

  #tell(changes: readonly LevelChange[]): void {
    for (const change of changes) {
      this.#init.onLevel(change)
      if (change.level?.level !== 'unknown') this.#wake(change.peer)
    }
  }

  #wake(peer: PeerId): void {
    const waiting = this.#waiting.get(peer) ?? []
    this.#waiting.delete(peer)
    for (const resolve of waiting) resolve()
  }

  #send(peer: PeerId, message: Uint8Array): void {
    try {
      this.#init.send(peer, message)
    } catch {
      // A peer that just left, or a full queue: shown again at the next tick.
    }
  }
}

const noArgon2id: Argon2id = () => {
  throw new TypeError('A policy without work never hashes')
}

function isBusy(error: unknown): boolean {
  return error instanceof StarlingError && error.name === 'AdmissionBusyError'
}
