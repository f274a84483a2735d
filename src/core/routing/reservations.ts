import { backoffMs } from './backoff.ts'
import {
  RELAY_ATTEMPT_TIMEOUT_MS,
  RELAY_BACKOFF_MAX_MS,
  RELAY_BACKOFF_MS,
  RELAY_BACKOFF_URGENT_MAX_MS,
  RELAY_FULL_RETRY_MS,
  RESERVATION_RENEWAL_MS,
} from './limits.ts'

export type RelayState = 'idle' | 'connecting' | 'reserving' | 'reserved' | 'full' | 'failed'

export type ReservationsEvent = {
  /** Milliseconds since 1970: reservations end at times of the clock. */
  readonly now: number
  /** Uniform in `[0, 1)`, fresh for each event. */
  readonly random: number
} & (
  | { readonly type: 'tick' }
  | { readonly type: 'connected'; readonly relay: string }
  | { readonly type: 'connect-failed'; readonly relay: string; readonly error: string }
  | { readonly type: 'reserved'; readonly relay: string; readonly expiresAt: number }
  | { readonly type: 'refused'; readonly relay: string; readonly full: boolean; readonly error: string }
  /** The connection or the reservation is gone. */
  | { readonly type: 'lost'; readonly relay: string }
  /** The network is gone; nothing is tried until it is back. */
  | { readonly type: 'offline' }
  /** The network is back, or the machine woke: every pause is over. */
  | { readonly type: 'online' }
  /** The list of relays changed; those that stay keep their state. */
  | { readonly type: 'relays'; readonly relays: readonly string[] }
)

export type ReservationsEffect =
  | { readonly type: 'connect'; readonly relay: string }
  | { readonly type: 'reserve'; readonly relay: string }

export interface RelayView {
  readonly relay: string
  readonly state: RelayState
  readonly expiresAt?: number
  readonly retryAt?: number
  readonly lastError?: string
}

interface Relay {
  state: RelayState
  failures: number
  /** While idle, full or failed: not tried before. While connecting or reserving: given up then. */
  at: number
  connected: boolean
  expiresAt?: number
  lastError?: string
}

/**
 * Holds reservations on a few of the listed relays, whatever happens to them. Sans-IO.
 *
 * - [V1] Relays are tried in the order in which they are listed, until enough are reserved.
 * - [V2] A relay that is full is left for a while and the next is tried; so is one that fails.
 * - [V3] A lost reservation is asked for again at once, then with pauses that double: up to 5 s while there is no other
 *   reservation, up to a minute while there is.
 * - [V4] A reservation is renewed before it ends.
 * - [V5] An attempt that is never answered counts as failed.
 */
export class Reservations {
  readonly #wanted: number
  readonly #relays = new Map<string, Relay>()
  #online = true

  constructor(init: { readonly relays: readonly string[]; readonly wanted: number }) {
    this.#wanted = init.wanted
    this.#list(init.relays)
  }

  get reserved(): number {
    return this.#count('reserved')
  }

  /** Relays that are connected, with or without a reservation: enough to dial others through. */
  get connected(): number {
    return [...this.#relays.values()].filter((relay) => relay.connected).length
  }

  view(): RelayView[] {
    return [...this.#relays].map(([relay, { state, at, expiresAt, lastError }]) => ({
      relay,
      state,
      ...(expiresAt !== undefined && state === 'reserved' ? { expiresAt } : {}),
      ...(state === 'full' || state === 'failed' ? { retryAt: at } : {}),
      ...(lastError !== undefined ? { lastError } : {}),
    }))
  }

  step(event: ReservationsEvent): ReservationsEffect[] {
    const effects: ReservationsEffect[] = []
    switch (event.type) {
      case 'connected':
        this.#connected(event, effects)
        break
      case 'connect-failed':
        this.#update(event.relay, (relay) => this.#fail(relay, event))
        break
      case 'reserved':
        this.#update(event.relay, (relay) => {
          Object.assign(relay, { state: 'reserved', failures: 0, connected: true, expiresAt: event.expiresAt })
          delete relay.lastError
        })
        break
      case 'refused':
        this.#update(event.relay, (relay) => this.#refuse(relay, event))
        break
      case 'lost':
        this.#update(event.relay, (relay) => this.#lose(relay, event))
        break
      case 'offline':
        this.#online = false
        break
      case 'online':
        this.#online = true
        for (const relay of this.#relays.values()) {
          if (relay.state === 'failed' || relay.state === 'full') Object.assign(relay, { at: event.now, failures: 0 })
        }
        break
      case 'relays':
        this.#list(event.relays)
        break
      case 'tick':
        break
    }
    if (this.#online) this.#due(event, effects)
    return effects
  }

  #connected(event: Extract<ReservationsEvent, { type: 'connected' }>, effects: ReservationsEffect[]): void {
    this.#update(event.relay, (relay) => {
      relay.connected = true
      if (relay.state !== 'connecting') return
      Object.assign(relay, { state: 'reserving', at: event.now + RELAY_ATTEMPT_TIMEOUT_MS })
      effects.push({ type: 'reserve', relay: event.relay })
    })
  }

  #refuse(relay: Relay, event: Extract<ReservationsEvent, { type: 'refused' }>): void {
    if (!event.full) return this.#fail(relay, event)
    const jitter = 0.75 + event.random / 2
    Object.assign(relay, { state: 'full', at: event.now + Math.round(RELAY_FULL_RETRY_MS * jitter) })
    relay.lastError = event.error
  }

  #lose(relay: Relay, { now, random }: ReservationsEvent): void {
    relay.connected = false
    if (relay.state !== 'reserved') return
    // At once, but not all peers of a relay in the same moment.
    Object.assign(relay, { state: 'failed', failures: 0, at: now + Math.round(RELAY_BACKOFF_MS * random) })
    relay.lastError = 'The connection to the relay was lost'
  }

  #fail(relay: Relay, { now, random, error }: { now: number; random: number; error: string }): void {
    const maxMs = this.reserved > 0 ? RELAY_BACKOFF_MAX_MS : RELAY_BACKOFF_URGENT_MAX_MS
    const pause = backoffMs(relay.failures, { baseMs: RELAY_BACKOFF_MS, maxMs, random })
    Object.assign(relay, { state: 'failed', failures: relay.failures + 1, at: now + pause, lastError: error })
  }

  #due(event: ReservationsEvent, effects: ReservationsEffect[]): void {
    for (const [name, relay] of this.#relays) {
      if ((relay.state === 'connecting' || relay.state === 'reserving') && event.now >= relay.at) {
        relay.connected = relay.state === 'reserving'
        this.#fail(relay, { ...event, error: 'The relay did not answer in time' })
      }
      if (relay.state === 'reserved' && event.now >= (relay.expiresAt ?? 0) - RESERVATION_RENEWAL_MS) {
        Object.assign(relay, { state: 'reserving', at: event.now + RELAY_ATTEMPT_TIMEOUT_MS })
        effects.push({ type: 'reserve', relay: name })
      }
    }
    let busy = this.#count('reserved') + this.#count('connecting') + this.#count('reserving')
    for (const [name, relay] of this.#relays) {
      if (busy >= this.#wanted) return
      const waits = relay.state === 'idle' || relay.state === 'failed' || relay.state === 'full'
      if (!waits || relay.at > event.now) continue
      Object.assign(relay, { state: 'connecting', at: event.now + RELAY_ATTEMPT_TIMEOUT_MS })
      effects.push({ type: 'connect', relay: name })
      busy++
    }
  }

  #update(name: string, change: (relay: Relay) => void): void {
    const relay = this.#relays.get(name)
    if (relay !== undefined) change(relay)
  }

  #list(relays: readonly string[]): void {
    for (const name of this.#relays.keys()) if (!relays.includes(name)) this.#relays.delete(name)
    for (const name of relays) {
      if (!this.#relays.has(name)) this.#relays.set(name, { state: 'idle', failures: 0, at: 0, connected: false })
    }
  }

  #count(state: RelayState): number {
    let count = 0
    for (const relay of this.#relays.values()) if (relay.state === state) count++
    return count
  }
}
