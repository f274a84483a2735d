import type { GossipSub } from '@libp2p/gossipsub'
import type { Connection, IdentifyResult, Libp2pEvents, PeerId, Startable, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { byNewest } from './connection-order.ts'
import { GOSSIP_STREAM_RETRY_MS } from './limits.ts'

export interface GossipStreamsComponents {
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  readonly registrar: Pick<Registrar, 'getTopologies'>
  /** The service of this name, made before this one. */
  readonly pubsub: GossipSub
}

/** In gossipsub's class, not in its interface. */
type StreamedGossip = GossipSub & { readonly streamsOutbound: ReadonlyMap<string, unknown> }

interface Listener {
  readonly peer: PeerId
  askedAtMs: number
}

/**
 * Sees to it that gossip reaches every connected peer that speaks it.
 *
 * gossipsub opens its stream to a peer when a connection to it opens, and never again while the peer is connected. When that stream's
 * connection closes and another stays (both had dialled, or a tab was reloaded and dialled before its old connection was found dead),
 * the peer hears nothing more of us: js-libp2p#3531 leaves this open. Here gossipsub is told of the connection that stayed.
 */
export class GossipStreams implements Startable {
  readonly #components: GossipStreamsComponents
  readonly #listeners = new Map<string, Listener>()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(components: GossipStreamsComponents) {
    this.#components = components
  }

  start(): void {
    const { events } = this.#components
    events.addEventListener('peer:identify', this.#identified)
    events.addEventListener('connection:close', this.#closed)
    this.#timer = setInterval(() => this.#tend(), GOSSIP_STREAM_RETRY_MS)
  }

  stop(): void {
    const { events } = this.#components
    events.removeEventListener('peer:identify', this.#identified)
    events.removeEventListener('connection:close', this.#closed)
    clearInterval(this.#timer)
    this.#listeners.clear()
  }

  readonly #identified = ({ detail }: CustomEvent<IdentifyResult>): void => {
    if (!detail.protocols.some((protocol) => this.#pubsub.protocols.includes(protocol))) return
    // gossipsub opens a stream of its own accord now.
    this.#listeners.set(detail.peerId.toString(), { peer: detail.peerId, askedAtMs: performance.now() })
  }

  readonly #closed = ({ detail }: CustomEvent<Connection>): void => {
    const id = detail.remotePeer.toString()
    // The streams of a closed connection are closed right after it.
    setTimeout(() => this.#open(id, this.#listeners.get(id)), 0)
  }

  get #pubsub(): StreamedGossip {
    return this.#components.pubsub as StreamedGossip
  }

  #tend(): void {
    for (const [id, listener] of this.#listeners)
      if (performance.now() - listener.askedAtMs >= GOSSIP_STREAM_RETRY_MS) this.#open(id, listener)
  }

  #open(id: string, listener: Listener | undefined): void {
    if (listener === undefined || this.#pubsub.streamsOutbound.has(id)) return
    const connections = this.#components.connectionManager.getConnections(listener.peer)
    if (connections.length === 0) return void this.#listeners.delete(id)
    const [topology] = this.#components.registrar.getTopologies(this.#pubsub.protocols[0] ?? '')
    const connection = connections
      .filter(({ status, limits }) => status === 'open' && (!limits || topology?.notifyOnLimitedConnection === true))
      .sort(byNewest)[0]
    if (connection === undefined) return
    listener.askedAtMs = performance.now()
    void topology?.onConnect?.(listener.peer, connection)
  }
}
