import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { RELAYS_WANTED } from '../core/routing/limits.ts'
import { Reservations, type ReservationsEffect, type ReservationsEvent } from '../core/routing/reservations.ts'
import { peerOf } from './addresses.ts'
import type { CircuitReservations } from './circuit.ts'
import { DIAL_TIMEOUT_MS, WELL_KNOWN_RETRY_MS } from './limits.ts'
import type { NetworkLogger, RelayStatus } from './network.ts'
import { fetchNetworkCard } from './well-known.ts'

export interface RelayUpkeepInit {
  readonly node: Libp2p
  readonly circuits: CircuitReservations
  /** Multiaddrs with `/p2p/`, or URLs of pages. */
  readonly relays: readonly string[]
  readonly networkId: string
  readonly now: () => number
  readonly logger: NetworkLogger
  readonly onChange: () => void
}

type WithoutMoment<E> = E extends unknown ? Omit<E, 'now' | 'random'> : never

/** Performs what {@link Reservations} decides: finds relays, connects to them and holds reservations. */
export class RelayUpkeep {
  readonly #init: RelayUpkeepInit
  readonly #machine: Reservations
  /** Addresses of each relay, by its peer id. */
  readonly #addresses = new Map<string, string[]>()
  readonly #pages: readonly string[]
  #pageAskedAt = Number.NEGATIVE_INFINITY
  #pageError: string | undefined
  #askingPages = false
  #stopped = false

  constructor(init: RelayUpkeepInit) {
    this.#init = init
    this.#pages = init.relays.filter((relay) => !relay.startsWith('/'))
    for (const address of init.relays.filter((relay) => relay.startsWith('/'))) this.#add(address)
    this.#machine = new Reservations({ relays: [...this.#addresses.keys()], wanted: RELAYS_WANTED })
    init.circuits.onLost((relay) => this.#step({ type: 'lost', relay }))
    init.node.addEventListener('peer:disconnect', ({ detail }) => {
      if (this.isRelay(detail.toString())) this.#step({ type: 'lost', relay: detail.toString() })
    })
  }

  isRelay(peer: string): boolean {
    return this.#addresses.has(peer)
  }

  get configured(): number {
    return this.#addresses.size + this.#pages.length
  }

  get reserved(): number {
    return this.#machine.reserved
  }

  get connected(): number {
    return this.connectedRelays().size
  }

  connectedRelays(): Set<string> {
    const connected = new Set<string>()
    for (const connection of this.#init.node.getConnections()) {
      const peer = connection.remotePeer.toString()
      if (connection.status === 'open' && this.isRelay(peer)) connected.add(peer)
    }
    return connected
  }

  /** Base addresses of relays that are connected, to reach others through. */
  circuitBases(): string[] {
    return [...this.connectedRelays()].flatMap((relay) => this.#addresses.get(relay)?.[0] ?? [])
  }

  view(): RelayStatus[] {
    const relays = this.#machine.view().map(({ relay, ...rest }) => {
      const address = this.#addresses.get(relay)?.[0] ?? relay
      return { address, peer: relay, ...rest }
    })
    if (relays.length > 0 || this.#pages.length === 0) return relays
    return this.#pages.map((address) => ({
      address,
      state: this.#pageError === undefined ? 'connecting' : 'failed',
      ...(this.#pageError === undefined ? {} : { lastError: this.#pageError }),
    }))
  }

  tick(): void {
    const now = this.#init.now()
    const none = this.connected === 0
    if (none && this.#pages.length > 0 && now - this.#pageAskedAt >= WELL_KNOWN_RETRY_MS) void this.#askPages()
    this.#step({ type: 'tick' })
  }

  online(): void {
    this.#pageAskedAt = Number.NEGATIVE_INFINITY
    this.#step({ type: 'online' })
  }

  offline(): void {
    this.#step({ type: 'offline' })
  }

  stop(): void {
    this.#stopped = true
  }

  #step(event: WithoutMoment<ReservationsEvent>): void {
    if (this.#stopped) return
    const moment = { now: this.#init.now(), random: Math.random() }
    for (const effect of this.#machine.step({ ...event, ...moment } as ReservationsEvent)) this.#perform(effect)
    if (event.type !== 'tick') this.#init.onChange()
  }

  #perform(effect: ReservationsEffect): void {
    const { relay } = effect
    const perform = effect.type === 'connect' ? this.#connect(relay) : this.#reserve(relay)
    perform.catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      this.#init.logger.log('debug', `relay ${effect.type} failed`, { relay, message })
      if (effect.type === 'connect') this.#step({ type: 'connect-failed', relay, error: message })
      else this.#step({ type: 'refused', relay, full: isFull(message), error: message })
    })
  }

  async #connect(relay: string): Promise<void> {
    const addresses = (this.#addresses.get(relay) ?? []).map((address) => multiaddr(address))
    await this.#init.node.dial(addresses, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
    this.#step({ type: 'connected', relay })
  }

  async #reserve(relay: string): Promise<void> {
    const expiresAt = await this.#init.circuits.reserve(relay)
    this.#step({ type: 'reserved', relay, expiresAt })
  }

  async #askPages(): Promise<void> {
    if (this.#askingPages) return
    this.#askingPages = true
    this.#pageAskedAt = this.#init.now()
    const cards = await Promise.allSettled(this.#pages.map((page) => fetchNetworkCard(page)))
    this.#askingPages = false
    this.#pageError = undefined
    for (const card of cards) {
      if (card.status === 'rejected') this.#pageError = (card.reason as Error).message
      else if (card.value.networkId !== this.#init.networkId) this.#pageError = 'The page belongs to another network'
      else for (const address of card.value.multiaddrs) this.#add(address)
    }
    this.#step({ type: 'relays', relays: [...this.#addresses.keys()] })
  }

  #add(address: string): void {
    const relay = peerOf(address)
    if (relay === undefined) {
      this.#init.logger.log('warn', 'a relay address without a peer id is left out', { address })
      return
    }
    const addresses = this.#addresses.get(relay) ?? []
    if (!addresses.includes(address)) addresses.push(address)
    this.#addresses.set(relay, addresses)
  }
}

function isFull(message: string): boolean {
  return /RESERVATION_REFUSED|RESOURCE_LIMIT_EXCEEDED/.test(message)
}
