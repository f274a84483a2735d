import type { PeerId } from '../codec/ids.ts'
import { GUEST_PLACE_MS, GUEST_PLACES_MAX } from './limits.ts'

/** The places that a relay has for peers without a good ticket. Rule [A16]. */
export class GuestPlaces {
  readonly #placesMax: number
  /** Since when, oldest first. */
  readonly #guests = new Map<PeerId, number>()

  constructor(placesMax: number = GUEST_PLACES_MAX) {
    this.#placesMax = placesMax
  }

  get size(): number {
    return this.#guests.size
  }

  has(peer: PeerId): boolean {
    return this.#guests.has(peer)
  }

  /**
   * Asks for a place.
   *
   * @returns Whether there is one, and who has to go for it: one that stayed its time.
   */
  take(peer: PeerId, nowMs: number): { readonly taken: boolean; readonly leaves: PeerId | null } {
    if (this.#guests.has(peer)) return { taken: true, leaves: null }
    let leaves: PeerId | null = null
    if (this.#guests.size >= this.#placesMax) {
      const [oldest] = this.#guests
      if (oldest === undefined || nowMs - oldest[1] < GUEST_PLACE_MS) return { taken: false, leaves: null }
      leaves = oldest[0]
      this.#guests.delete(leaves)
    }
    this.#guests.set(peer, nowMs)
    return { taken: true, leaves }
  }

  /** It was admitted, or is gone. */
  free(peer: PeerId): void {
    this.#guests.delete(peer)
  }
}
