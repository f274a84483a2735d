import type { Connection, Libp2p } from '@libp2p/interface'
import type { LinkPath } from '../core/routing/mesh.ts'
import { transportOf } from './addresses.ts'
import { byNewest } from './connection-order.ts'
import { PeerUnreachableError } from './errors.ts'
import { DUPLICATE_GRACE_MS, RATE_WINDOW_MS, SIGNALLING_GRACE_MS, SPARE_CONNECTION_MS } from './limits.ts'
import type { PeerConnection } from './network.ts'

interface Traffic {
  in: number
  out: number
  /** What the totals were when the rate window began. */
  markIn: number
  markOut: number
  markAt: number
  rateIn: number
  rateOut: number
}

interface LinkedPeer {
  best: Connection
  /** Aborted when another connection is the best. */
  moved: AbortController
  path: LinkPath
  since: number
  rttMs?: number
  agent?: string
  lastError?: string
  readonly traffic: Traffic
}

export interface LinksInit {
  readonly node: Pick<Libp2p, 'getConnections' | 'addEventListener' | 'peerId'>
  readonly now: () => number
  readonly isRelay: (peer: string) => boolean
  /** The best path to a peer changed; undefined when there was no connection before, or is none any more. */
  readonly onChange: (peer: string, change: { before: LinkPath | undefined; path: LinkPath | undefined }) => void
  /** A linked peer has another best connection now: what is open on the old one is to move. */
  readonly onMove: (peer: string) => void
  /** Whether something is on its way over a connection that its end would cut off. */
  readonly isBusy: (connection: Connection) => boolean
}

/**
 * Knows every connected peer by its best connection, and keeps no more connections to it than are of use.
 *
 * Of two direct connections, made when both dialled at once, both sides keep the one that the smaller id dialled; of two
 * that the same side dialled, the newer, because nobody dials again who still has the older. New streams go over it from
 * the moment it is there. What it replaces, a relayed connection too, is closed when nothing is on its way over it.
 */
export class Links {
  readonly #init: LinksInit
  readonly #peers = new Map<string, LinkedPeer>()
  readonly #errors = new Map<string, string>()
  /** Peers with a relayed connection that is too young to count as a link. */
  readonly #signalling = new Set<string>()
  /** Connections whose streams ended without our doing: their other end may be gone. */
  readonly #doubted = new WeakSet<Connection>()
  /** Connections that we are closing: until that is done they call themselves open. */
  readonly #closing = new WeakSet<Connection>()

  constructor(init: LinksInit) {
    this.#init = init
    init.node.addEventListener('connection:open', ({ detail }) => this.#changed(detail.remotePeer.toString()))
    init.node.addEventListener('connection:close', ({ detail }) => this.#changed(detail.remotePeer.toString()))
    init.node.addEventListener('peer:identify', ({ detail }) => {
      const peer = this.#peers.get(detail.peerId.toString())
      if (peer !== undefined && detail.agentVersion !== undefined) peer.agent = detail.agentVersion.slice(0, 100)
    })
  }

  has(peer: string): boolean {
    return this.#peers.has(peer)
  }

  path(peer: string): LinkPath | undefined {
    return this.#peers.get(peer)?.path
  }

  peers(): string[] {
    return [...this.#peers.keys()]
  }

  /** The connection over which new streams to a peer go. */
  best(peer: string): Connection | undefined {
    return this.#usable(peer)[0]
  }

  /** Aborted when the best connection to a linked peer is another one, or gone. */
  moved(peer: string): AbortSignal | undefined {
    return this.#peers.get(peer)?.moved.signal
  }

  /** A stream over this connection ended, and not by us: another one to the same peer is better now. */
  doubt(connection: Connection): void {
    this.#doubted.add(connection)
    this.#changed(connection.remotePeer.toString())
  }

  count(direction: 'in' | 'out', peer: string, bytes: number): void {
    const linked = this.#peers.get(peer)
    if (linked !== undefined) linked.traffic[direction] += bytes
  }

  answered(peer: string, answer: { readonly rttMs: number }): void {
    const linked = this.#peers.get(peer)
    if (linked === undefined) return
    Object.assign(linked, answer)
    this.#doubted.delete(linked.best)
  }

  failed(peer: string, error: string): void {
    if (this.#errors.size > ERRORS_KEPT_MAX) this.#errors.delete(this.#errors.keys().next().value ?? '')
    this.#errors.set(peer, error)
  }

  /** Ends all connections to a peer that does not answer, or is one too many; those that are newer than `since` stay. */
  drop(peer: string, error: Error, since = Number.POSITIVE_INFINITY): void {
    this.failed(peer, error.message)
    for (const connection of this.#open(peer)) if (connection.timeline.open <= since) connection.abort(error)
  }

  view(): PeerConnection[] {
    return [...this.#peers].flatMap(([peer, linked]) => {
      const connection = this.best(peer)
      if (connection === undefined) return []
      const { path, since, rttMs, agent, traffic } = linked
      const remoteAddress = connection.remoteAddr.toString()
      const lastError = this.#errors.get(peer)
      this.#measure(traffic)
      return {
        peer,
        path,
        transport: transportOf(remoteAddress),
        direction: connection.direction,
        remoteAddress,
        relay: this.#init.isRelay(peer),
        bytesIn: traffic.in,
        bytesOut: traffic.out,
        rateIn: traffic.rateIn,
        rateOut: traffic.rateOut,
        since,
        ...(rttMs === undefined ? {} : { rttMs }),
        ...(agent === undefined ? {} : { agent }),
        ...(lastError === undefined ? {} : { lastError }),
      }
    })
  }

  /** Closes what is of no use any more; called a few times a second. */
  tidy(): void {
    for (const peer of [...this.#signalling]) this.#changed(peer)
    for (const peer of this.#peers.keys()) {
      const [best, ...others] = this.#usable(peer)
      if (best === undefined || pathOf(best) === 'relayed') continue
      for (const spare of others) if (!this.#isNeeded(spare, best)) this.#close(spare)
    }
  }

  /** Whether a connection beside a better one is still of use to either side. */
  #isNeeded(spare: Connection, best: Connection): boolean {
    const besideMs = this.#init.now() - Math.max(spare.timeline.open, best.timeline.open)
    const graceMs = pathOf(spare) === 'relayed' ? SIGNALLING_GRACE_MS : DUPLICATE_GRACE_MS
    return besideMs < graceMs || (besideMs < SPARE_CONNECTION_MS && this.#init.isBusy(spare))
  }

  #close(connection: Connection): void {
    this.#closing.add(connection)
    const signal = AbortSignal.timeout(CLOSE_TIMEOUT_MS)
    connection.close({ signal }).catch((error: Error) => connection.abort(error))
  }

  #changed(peer: string): void {
    const best = this.best(peer)
    const before = this.#peers.get(peer)
    if (before !== undefined && before.best !== best) this.#left(peer, before, best)
    if (best === undefined) {
      this.#signalling.delete(peer)
      return
    }
    const path = pathOf(best)
    const now = this.#init.now()
    const linked = this.#peers.get(peer)
    // Most relayed connections only carry the signalling of a direct one, and are news to nobody.
    if (linked === undefined && path === 'relayed' && now - best.timeline.open < SIGNALLING_GRACE_MS) {
      this.#signalling.add(peer)
      return
    }
    this.#signalling.delete(peer)
    if (linked?.best === best) return
    const moved = new AbortController()
    if (linked === undefined) {
      this.#peers.set(peer, { best, moved, path, since: now, traffic: freshTraffic(now) })
      this.#init.onChange(peer, { before: undefined, path })
      return
    }
    const pathBefore = linked.path
    Object.assign(linked, { best, moved, path })
    this.#init.onMove(peer)
    if (pathBefore !== path) this.#init.onChange(peer, { before: pathBefore, path })
  }

  /**
   * The best connection is another one. Where the one before it is lost, what was on its way is lost too, and who is at the
   * end of the new one may have started anew: for everyone else that is a link that ended, and another that begins.
   */
  #left(peer: string, { best: lost, moved, path }: LinkedPeer, best: Connection | undefined): void {
    if (best === undefined || lost.status !== 'open' || this.#doubted.has(lost)) {
      this.#peers.delete(peer)
      this.#init.onChange(peer, { before: path, path: undefined })
    }
    moved.abort(new PeerUnreachableError('The connection is not the best any more'))
  }

  /** Open connections that are not about to end, the best first. */
  #usable(peer: string): Connection[] {
    const smallerDialled = this.#init.node.peerId.toString() < peer ? 'outbound' : 'inbound'
    const demerits = (connection: Connection) => {
      if (pathOf(connection) === 'relayed') return 3
      if (this.#doubted.has(connection)) return 2
      return connection.direction === smallerDialled ? 0 : 1
    }
    return this.#open(peer)
      .filter((connection) => !this.#closing.has(connection))
      .sort((a, b) => demerits(a) - demerits(b) || byNewest(a, b))
  }

  #open(peer: string): Connection[] {
    return this.#init.node
      .getConnections()
      .filter((connection) => connection.status === 'open' && connection.remotePeer.toString() === peer)
  }

  #measure(traffic: Traffic): void {
    const now = this.#init.now()
    const passedMs = now - traffic.markAt
    if (passedMs < RATE_WINDOW_MS) return
    traffic.rateIn = ((traffic.in - traffic.markIn) * 1000) / passedMs
    traffic.rateOut = ((traffic.out - traffic.markOut) * 1000) / passedMs
    Object.assign(traffic, { markIn: traffic.in, markOut: traffic.out, markAt: now })
  }
}

/** Last errors are kept for peers that are gone too, for the list of peers; the oldest are forgotten. */
const ERRORS_KEPT_MAX = 256

export function pathOf(connection: Connection): LinkPath {
  return transportOf(connection.remoteAddr.toString()) === 'circuit' ? 'relayed' : 'direct'
}

function freshTraffic(now: number): Traffic {
  return { in: 0, out: 0, markIn: 0, markOut: 0, markAt: now, rateIn: 0, rateOut: 0 }
}

const CLOSE_TIMEOUT_MS = 2_000
