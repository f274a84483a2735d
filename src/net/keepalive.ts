import * as v from 'valibot'
import { conform, decode, encode } from '../core/codec/cbor.ts'
import { integer, text } from '../core/codec/fields.ts'
import { NETWORK_CHARS_MAX } from '../core/identity/limits.ts'
import {
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_RELAY_TIMEOUT_MS,
  KEEPALIVE_RELAYED_INTERVAL_MS,
  KEEPALIVE_SUSPECT_TIMEOUT_MS,
  KEEPALIVE_TIMEOUT_MS,
} from './limits.ts'

/** The protocol on which linked peers greet each other and ask whether they live. */
export const LINK_PROTOCOL = '/starling/link/1.0.0'

const CLOCK_MAX = Number.MAX_SAFE_INTEGER

const frameSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('hello'), network: text(1, NETWORK_CHARS_MAX), relay: v.boolean() }),
  v.strictObject({ kind: v.literal('ping'), number: integer(0, CLOCK_MAX) }),
  v.strictObject({ kind: v.literal('pong'), number: integer(0, CLOCK_MAX), clock: integer(0, CLOCK_MAX) }),
])

type Frame = v.InferOutput<typeof frameSchema>

const LIMITS = { bytesMax: 512, depthMax: 1, itemsMax: 8 } as const

/** How the pings to one peer stand. */
interface Pulse {
  number: number
  /** When the unanswered ping left; 0 when none is on its way. */
  sentAt: number
  /** When it was last said again; 0 when it was not. */
  repeatedAt: number
  answeredAt: number
  /** When any byte last came from the peer: a busy one may answer late. */
  heardAt: number
  /** Its streams ended: it has less time to answer. */
  suspect: boolean
  /** Added to the timeout of the ping on its way. */
  graceMs: number
}

export interface KeepaliveInit {
  readonly network: string
  /** Whether we are a relay, for the greeting. */
  readonly relay: boolean
  readonly now: () => number
  readonly send: (peer: string, message: Uint8Array) => void
  readonly onAnswer: (peer: string, answer: { rttMs: number; clockOffsetMs: number }) => void
  /** The peer belongs to another network. */
  readonly onStranger: (peer: string, network: string) => void
  /** The peer has not answered what it was asked at that time, nor sent anything since. */
  readonly onDead: (peer: string, askedAt: number) => void
}

/**
 * Greets linked peers and finds out which of them are dead.
 *
 * A peer whose process is gone closes nothing: ICE takes half a minute to say so. Each direct link is asked every two
 * seconds and has six to answer or to send anything else; one whose streams have ended has less. A question is repeated
 * meanwhile: a message that is on its way while a stream moves to another connection may be lost.
 */
export class Keepalive {
  readonly #init: KeepaliveInit
  readonly #pulses = new Map<string, Pulse>()

  constructor(init: KeepaliveInit) {
    this.#init = init
  }

  linked(peer: string): void {
    if (this.#pulses.has(peer)) return
    this.#pulses.set(peer, {
      number: 0,
      sentAt: 0,
      repeatedAt: 0,
      answeredAt: this.#init.now(),
      heardAt: 0,
      suspect: false,
      graceMs: 0,
    })
    const { network, relay } = this.#init
    this.#send(peer, { kind: 'hello', network, relay })
    this.#ping(peer)
  }

  unlinked(peer: string): void {
    this.#pulses.delete(peer)
  }

  /** Something came from the peer. */
  heard(peer: string): void {
    const pulse = this.#pulses.get(peer)
    if (pulse !== undefined) pulse.heardAt = this.#init.now()
  }

  /** Asks the peer now, with little patience. */
  suspect(peer: string): void {
    const pulse = this.#pulses.get(peer)
    if (pulse === undefined || pulse.suspect) return
    pulse.suspect = true
    this.#ping(peer)
  }

  /** After sleep: what was unanswered before says nothing; everyone is asked now. */
  woke(): void {
    for (const [peer, pulse] of this.#pulses) {
      pulse.sentAt = 0
      pulse.suspect = true
      this.#ping(peer)
    }
  }

  /** @throws {@link InvalidMessageError} For frames that are none of ours. */
  receive(peer: string, message: Uint8Array): void {
    const frame = decode(message, { what: 'link', limits: LIMITS, schema: frameSchema })
    switch (frame.kind) {
      case 'hello':
        if (frame.network !== this.#init.network) this.#init.onStranger(peer, frame.network)
        break
      case 'ping':
        this.#send(peer, { kind: 'pong', number: frame.number, clock: Math.max(0, Math.round(this.#init.now())) })
        break
      case 'pong':
        this.#answered(peer, frame)
        break
    }
  }

  /**
   * @param options.lagMs - How much later than planned this tick comes: while we could not read, nobody could answer.
   * @param options.isRelayed - Such links are asked less often: their bytes are counted by the relay.
   * @param options.isRelay - Relays have more time.
   */
  tick(options: {
    readonly lagMs: number
    readonly isRelayed: (peer: string) => boolean
    readonly isRelay: (peer: string) => boolean
  }): void {
    const now = this.#init.now()
    for (const [peer, pulse] of this.#pulses) {
      if (pulse.sentAt > 0) pulse.graceMs += options.lagMs
      const patienceMs = options.isRelay(peer) ? KEEPALIVE_RELAY_TIMEOUT_MS : KEEPALIVE_TIMEOUT_MS
      const timeoutMs = (pulse.suspect ? KEEPALIVE_SUSPECT_TIMEOUT_MS : patienceMs) + pulse.graceMs
      if (pulse.sentAt > 0 && now - Math.max(pulse.sentAt, pulse.heardAt) > timeoutMs) {
        this.#pulses.delete(peer)
        this.#init.onDead(peer, pulse.sentAt)
        continue
      }
      if (pulse.sentAt > 0 && now - Math.max(pulse.sentAt, pulse.repeatedAt) >= KEEPALIVE_INTERVAL_MS) {
        pulse.repeatedAt = now
        this.#send(peer, { kind: 'ping', number: pulse.number })
      }
      const intervalMs = options.isRelayed(peer) ? KEEPALIVE_RELAYED_INTERVAL_MS : KEEPALIVE_INTERVAL_MS
      if (pulse.sentAt === 0 && now - pulse.answeredAt >= intervalMs) this.#ping(peer)
    }
  }

  #ping(peer: string): void {
    const pulse = this.#pulses.get(peer)
    if (pulse === undefined) return
    pulse.number++
    pulse.repeatedAt = 0
    if (pulse.sentAt === 0 || pulse.suspect) Object.assign(pulse, { sentAt: this.#init.now(), graceMs: 0 })
    this.#send(peer, { kind: 'ping', number: pulse.number })
  }

  #answered(peer: string, { number, clock }: Extract<Frame, { kind: 'pong' }>): void {
    const pulse = this.#pulses.get(peer)
    if (pulse === undefined || number !== pulse.number || pulse.sentAt === 0) return
    const now = this.#init.now()
    const rttMs = Math.max(0, now - pulse.sentAt)
    const isRepeated = pulse.repeatedAt > 0
    Object.assign(pulse, { sentAt: 0, repeatedAt: 0, answeredAt: now, suspect: false })
    // The first round trip opened the streams: it says that the peer lives, not how far it is.
    if (number === 1) {
      this.#ping(peer)
      return
    }
    // Which of several questions it answers is not known, so it says nothing about time (RFC 6298, section 3).
    if (isRepeated) return
    this.#init.onAnswer(peer, { rttMs, clockOffsetMs: Math.round(clock - (now - rttMs / 2)) })
  }

  #send(peer: string, frame: Frame): void {
    this.#init.send(peer, encode(conform(frame, { what: 'link', schema: frameSchema })))
  }
}
