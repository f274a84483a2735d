import {
  type CreateListenerOptions,
  type Libp2pEvents,
  type Listener,
  type ListenerEvents,
  type PeerId,
  type Transport,
  TypedEventEmitter,
  type TypedEventTarget,
} from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { invariant } from '../core/codec/errors.ts'

/** What is used of the reservation store inside @libp2p/circuit-relay-v2. */
interface ReservationStore extends EventTarget {
  addRelay(peer: PeerId, type: 'configured'): Promise<unknown>
  getReservation(peer: PeerId): { readonly expire: bigint; readonly addrs: Uint8Array[] } | undefined
  hasReservation(peer: PeerId): boolean
}

/** Reservations on relays, made when asked and gone when lost; who asks again is the upkeep's business. */
export interface CircuitReservations {
  /**
   * Makes or renews the reservation on a relay that is connected.
   *
   * @returns When it ends, in milliseconds since 1970.
   */
  reserve(relay: string): Promise<number>
  has(relay: string): boolean
  /** Calls back when a reservation is lost, with the relay's peer id. */
  onLost(callback: (relay: string) => void): void
}

interface CircuitComponents {
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
}

/**
 * The circuit relay transport with one listener of our own in place of one for each relay.
 *
 * libp2p's listener makes its reservation inside `listen`, so that a relay that is down or full fails the start of the
 * host, and one that drops is never asked again (js-libp2p#3601). Here listening always succeeds and announces whatever
 * reservations there are; they are made through {@link CircuitReservations}.
 *
 * @param create - The factory from `circuitRelayTransport()`.
 */
export function upkeptCircuits<C>(create: (components: C) => Transport): {
  readonly transport: (components: C) => Transport
  readonly reservations: () => CircuitReservations
} {
  let listener: CircuitListener | undefined
  const transport = (components: C): Transport => {
    const inner = create(components) as Transport & { readonly reservationStore: ReservationStore }
    // A relay that was still starting would otherwise be refused for ever as "previously invalid".
    Reflect.set(inner.reservationStore, 'relayFilter', { has: () => false, add: () => true })
    const own = new CircuitListener(inner.reservationStore, components as C & CircuitComponents)
    listener = own
    inner.createListener = (_options: CreateListenerOptions): Listener => own
    return inner
  }
  const reservations = (): CircuitReservations => {
    invariant(listener !== undefined, 'the transport was made before its reservations are asked for')
    return listener
  }
  return { transport, reservations }
}

class CircuitListener extends TypedEventEmitter<ListenerEvents> implements Listener, CircuitReservations {
  readonly #store: ReservationStore
  readonly #addresses: AddressManager
  readonly #relays = new Map<string, Multiaddr[]>()
  #lost: (relay: string) => void = () => {}

  constructor(store: ReservationStore, components: CircuitComponents) {
    super()
    this.#store = store
    this.#addresses = components.addressManager
    store.addEventListener('relay:created-reservation', (event) => this.#reserved(relayOf(event)))
    store.addEventListener('relay:removed', (event) => this.#removed(relayOf(event)))
  }

  async listen(): Promise<void> {}

  getAddrs(): Multiaddr[] {
    return [...this.#relays.values()].flat()
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#relays.clear()
    queueMicrotask(() => this.safeDispatchEvent('close'))
  }

  async reserve(relay: string): Promise<number> {
    const peer = peerIdFromString(relay)
    await this.#store.addRelay(peer, 'configured')
    return Number(this.#store.getReservation(peer)?.expire ?? 0n) * 1000
  }

  has(relay: string): boolean {
    return this.#relays.has(relay)
  }

  onLost(callback: (relay: string) => void): void {
    this.#lost = callback
  }

  #reserved(relay: PeerId): void {
    const addresses = (this.#store.getReservation(relay)?.addrs ?? []).map((bytes) =>
      multiaddr(bytes).encapsulate('/p2p-circuit'),
    )
    const before = this.#relays.get(relay.toString()) ?? []
    this.#relays.set(relay.toString(), addresses)
    for (const address of addresses) this.#addresses.confirmObservedAddr(address, { type: 'transport' })
    for (const address of before) {
      if (!addresses.some((kept) => kept.equals(address))) this.#addresses.removeObservedAddr(address)
    }
    queueMicrotask(() => this.safeDispatchEvent('listening'))
  }

  #removed(relay: PeerId): void {
    const addresses = this.#relays.get(relay.toString())
    if (addresses === undefined) return
    this.#relays.delete(relay.toString())
    for (const address of addresses) this.#addresses.removeObservedAddr(address)
    queueMicrotask(() => this.safeDispatchEvent('listening'))
    this.#lost(relay.toString())
  }
}

function relayOf(event: Event): PeerId {
  return (event as CustomEvent<{ readonly relay: PeerId }>).detail.relay
}
