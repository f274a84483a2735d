import type { PeerId } from '../../core/codec/ids.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

/** Links that lose, delay, duplicate and reorder messages, and are cut by partitions, until the faults end. */
export class SimNetwork {
  readonly #world: World
  readonly #scenario: Scenario
  readonly #deliver: (from: PeerId, to: PeerId, message: unknown) => void

  constructor(world: World, scenario: Scenario, deliver: (from: PeerId, to: PeerId, message: unknown) => void) {
    this.#world = world
    this.#scenario = scenario
    this.#deliver = deliver
  }

  get faulty(): boolean {
    return this.#world.sinceStartMs < this.#scenario.faultsEndMs
  }

  /** Whether two peers can talk right now. */
  connected(a: PeerId, b: PeerId): boolean {
    const now = this.#world.sinceStartMs
    return this.#scenario.partitions.every(
      ({ fromMs, toMs, side }) => now < fromMs || now >= toMs || side.has(a) === side.has(b),
    )
  }

  send(from: PeerId, to: PeerId, message: unknown): void {
    // A peer's own two machines talk inside one process.
    if (from === to) return this.#world.after(0, () => this.#deliver(from, to, message))
    const { links } = this.#scenario
    const world = this.#world
    if (!this.connected(from, to)) return world.trace(() => `cut ${short(from)} to ${short(to)}`)
    if (this.faulty && world.chance(links.lossPpm)) return world.trace(() => `lost ${short(from)} to ${short(to)}`)
    this.#once(from, to, message)
    if (this.faulty && world.chance(links.duplicatePpm)) this.#once(from, to, message)
  }

  #once(from: PeerId, to: PeerId, message: unknown): void {
    const { links } = this.#scenario
    const late = this.faulty && this.#world.chance(links.reorderPpm) ? this.#world.between(0, 2_000) : 0
    const delayMs = this.#world.between(links.delayMsMin, links.delayMsMax) + late
    this.#world.after(delayMs, () => this.#deliver(from, to, message))
  }
}

/** A peer's name in traces. */
export function short(peer: PeerId): string {
  return peer.slice(-4)
}
