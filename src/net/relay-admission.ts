import { GuestPlaces } from '../core/admission/guest-places.ts'
import type { Level } from '../core/admission/levels.ts'
import { ADMISSION_TICK_MS } from '../core/admission/limits.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import { CredentialsDesk, type CredentialsDeskInit } from './credentials.ts'
import type { MetricSample } from './network.ts'

/** What whoever runs the relay knows of admission. */
export type RelayAdmissionInit = Pick<
  CredentialsDeskInit,
  'network' | 'verifier' | 'argon2id' | 'own' | 'rootOf' | 'onAdmitted' | 'onRefused'
> & {
  readonly guestPlacesMax?: number
  /** A guest found no place, or had to leave one. */
  readonly onGuestRefused?: (peer: PeerId) => void
}

interface RelayLinks {
  readonly send: CredentialsDeskInit['send']
  readonly isConnected: CredentialsDeskInit['isConnected']
  readonly drop: (peer: PeerId) => void
  readonly now: () => number
}

/** Gives those without a good ticket few and short places at a relay. Rule [A16]. */
export class RelayAdmission {
  readonly #init: RelayAdmissionInit
  readonly #links: RelayLinks
  readonly #desk: CredentialsDesk
  readonly #places: GuestPlaces
  readonly #timer: ReturnType<typeof setInterval>
  #refused = 0

  constructor(init: RelayAdmissionInit, links: RelayLinks) {
    this.#init = init
    this.#links = links
    this.#places = new GuestPlaces(init.guestPlacesMax)
    this.#desk = new CredentialsDesk({
      ...init,
      ...links,
      onLevel: ({ peer, level }) => this.#placed(peer, level),
      onVerdict: () => undefined,
    })
    this.#timer = setInterval(() => this.#desk.tick(), ADMISSION_TICK_MS)
  }

  connected(peer: string): void {
    if (isPeerId(peer)) this.#desk.connected(peer)
  }

  disconnected(peer: string): void {
    if (isPeerId(peer)) this.#desk.disconnected(peer)
  }

  receive(peer: string, message: Uint8Array): void {
    this.#desk.receive(peer, message)
  }

  /** Waits until the peer has shown what it has, a few seconds at most. */
  async mayReserve(peer: string): Promise<boolean> {
    if (!isPeerId(peer)) return false
    await this.#desk.settled(peer)
    return this.#desk.admitted(peer) !== null || this.#places.has(peer)
  }

  metrics(): MetricSample[] {
    let admitted = 0
    for (const [, { level }] of this.#desk.levels.entries()) if (level === 'admitted') admitted++
    return [
      { name: 'relay_admitted_peers', kind: 'gauge', help: 'Connected peers with a good ticket', value: admitted },
      { name: 'relay_guests', kind: 'gauge', help: 'Connected peers without one', value: this.#places.size },
      { name: 'relay_guests_refused', kind: 'counter', help: 'Guests that found no place', value: this.#refused },
    ]
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #placed(peer: PeerId, level: Level | null): void {
    if (level?.level !== 'guest') {
      this.#places.free(peer)
      return
    }
    const { taken, leaves } = this.#places.take(peer, this.#links.now())
    if (leaves !== null) this.#refuse(leaves)
    if (!taken) this.#refuse(peer)
  }

  #refuse(peer: PeerId): void {
    this.#refused++
    this.#init.onGuestRefused?.(peer)
    this.#links.drop(peer)
  }
}
