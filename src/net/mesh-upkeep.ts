import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { type LinkPath, Mesh, type MeshEffect, type MeshEvent } from '../core/routing/mesh.ts'
import { directAddresses, relayedAddresses } from './addresses.ts'
import { PeerUnreachableError } from './errors.ts'
import { DIAL_TIMEOUT_MS } from './limits.ts'
import type { NetworkLogger } from './network.ts'

export interface MeshUpkeepInit {
  readonly node: Libp2p
  readonly targetDegree: number
  readonly degreeMax: number
  readonly now: () => number
  readonly logger: NetworkLogger
  readonly connectedRelays: () => ReadonlySet<string>
  /** Addresses of connected relays, to reach a peer of which nothing else is known. */
  readonly circuitBases: () => readonly string[]
  readonly announce: (seeking: boolean) => void
  readonly exchange: () => void
  readonly drop: (peer: string) => void
  readonly onDialFailed: (peer: string, error: Error) => void
}

export interface DialCounters {
  started: number
  succeeded: number
  failed: number
  firstTrySucceeded: number
  inFlight: number
}

type WithoutMoment<E> = E extends unknown ? Omit<E, 'now' | 'random'> : never

/** Performs what {@link Mesh} decides. */
export class MeshUpkeep {
  readonly dials: DialCounters = { started: 0, succeeded: 0, failed: 0, firstTrySucceeded: 0, inFlight: 0 }
  readonly mesh: Mesh
  readonly #init: MeshUpkeepInit
  readonly #addresses = new Map<string, readonly string[]>()
  readonly #failedBefore = new Set<string>()
  readonly #reaching = new Map<string, Promise<void>>()
  #stopped = false

  constructor(init: MeshUpkeepInit) {
    this.#init = init
    const { targetDegree, degreeMax } = init
    this.mesh = new Mesh({ self: init.node.peerId.toString(), targetDegree, degreeMax })
  }

  step(event: WithoutMoment<MeshEvent>): void {
    if (this.#stopped) return
    if (event.type === 'heard') this.#remember(event.peer, event.addresses)
    const moment = { now: this.#init.now(), random: Math.random() }
    for (const effect of this.mesh.step({ ...event, ...moment } as MeshEvent)) this.#perform(effect)
  }

  stop(): void {
    this.#stopped = true
  }

  /**
   * Connects to a peer that is not linked, for a message that is for it: directly, or over a relay if that fails.
   *
   * @throws {@link PeerUnreachableError}
   */
  reach(peer: string): Promise<void> {
    const running = this.#reaching.get(peer)
    if (running !== undefined) return running
    const reaching = this.#reach(peer).finally(() => this.#reaching.delete(peer))
    this.#reaching.set(peer, reaching)
    return reaching
  }

  /** Dials addresses of one path now. */
  async dial(peer: string, addresses: readonly string[], path: LinkPath): Promise<void> {
    this.dials.started++
    this.dials.inFlight++
    let stage = 'addresses'
    try {
      const chosen = this.#choose(peer, addresses, path)
      if (chosen.length === 0) throw new PeerUnreachableError(`No ${path} address of the peer is known`)
      const multiaddrs = chosen.slice(0, DIAL_ADDRESSES_MAX).map((address) => multiaddr(address))
      await this.#init.node.dial(multiaddrs, {
        signal: AbortSignal.timeout(DIAL_TIMEOUT_MS),
        onProgress: ({ type }) => {
          stage = type
        },
      })
      this.dials.succeeded++
      if (!this.#failedBefore.has(peer)) this.dials.firstTrySucceeded++
      this.#failedBefore.delete(peer)
    } catch (error) {
      this.dials.failed++
      if (this.#failedBefore.size > ADDRESSES_KEPT_MAX) this.#failedBefore.clear()
      this.#failedBefore.add(peer)
      throw new PeerUnreachableError(`${(error as Error).message}, at ${stage}`, {}, { cause: error })
    } finally {
      this.dials.inFlight--
    }
  }

  #choose(peer: string, addresses: readonly string[], path: LinkPath): string[] {
    const relays = this.#init.connectedRelays()
    const through = this.#init.circuitBases().map((base) => `${base}/p2p-circuit`)
    if (path === 'relayed') {
      const known = relayedAddresses(addresses, relays)
      return known.length > 0 ? known : through.map((base) => `${base}/p2p/${peer}`)
    }
    const known = directAddresses(addresses, relays)
    return known.length > 0 ? known : through.map((base) => `${base}/webrtc/p2p/${peer}`)
  }

  async #reach(peer: string): Promise<void> {
    const addresses = this.#addresses.get(peer) ?? []
    const failures: string[] = []
    // Twice, because most dials that fail do so by bad luck: the peer was just coming back, or the machine was busy.
    for (const path of ['direct', 'direct', 'relayed'] as const) {
      try {
        return await this.dial(peer, addresses, path)
      } catch (error) {
        failures.push(`${path}: ${(error as Error).message}`)
      }
    }
    throw new PeerUnreachableError(`The peer cannot be reached; ${failures.join('; ')}`)
  }

  #perform(effect: MeshEffect): void {
    switch (effect.type) {
      case 'dial':
        this.#dialFor(effect)
        break
      case 'announce':
        this.#init.announce(effect.seeking)
        break
      case 'exchange':
        this.#init.exchange()
        break
      case 'drop':
        this.#init.drop(effect.peer)
        break
    }
  }

  #dialFor({ peer, addresses, path }: Extract<MeshEffect, { type: 'dial' }>): void {
    this.dial(peer, addresses, path).then(
      () => this.step({ type: 'dialled', peer, success: true }),
      (error: Error) => {
        this.#init.logger.log('debug', 'dial failed', { peer, path, message: error.message })
        this.#init.onDialFailed(peer, error)
        this.step({ type: 'dialled', peer, success: false })
      },
    )
  }

  #remember(peer: string, addresses: readonly string[]): void {
    this.#addresses.delete(peer)
    this.#addresses.set(peer, addresses)
    if (this.#addresses.size > ADDRESSES_KEPT_MAX) this.#addresses.delete(this.#addresses.keys().next().value ?? '')
  }
}

/** Tried for one dial; more would only wait for timeouts. */
const DIAL_ADDRESSES_MAX = 3

/** Peers whose addresses are kept for messages to them, above what the mesh itself remembers. */
const ADDRESSES_KEPT_MAX = 1_024
