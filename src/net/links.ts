import type { Connection, Libp2p } from '@libp2p/interface'
import type { LinkPath } from '../core/routing/mesh.ts'
import { transportOf } from './addresses.ts'
import { DUPLICATE_GRACE_MS, RATE_WINDOW_MS, SIGNALLING_GRACE_MS } from './limits.ts'
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
}

/**
 * Knows every connected peer by its best connection, and keeps no more connections to it than are of use.
 *
 * Of two direct connections, made when both dialled at once, both sides keep the one that the smaller id dialled. A
 * relayed connection is closed some seconds after a direct one is up.
 */
export class Links {
  readonly #init: LinksInit
  readonly #peers = new Map<string, LinkedPeer>()
  readonly #errors = new Map<string, string>()
  /** Peers with a relayed connection that is too young to count as a link. */
  readonly #signalling = new Set<string>()

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
    return this.#open(peer).sort(preferred)[0]
  }

  count(direction: 'in' | 'out', peer: string, bytes: number): void {
    const linked = this.#peers.get(peer)
    if (linked !== undefined) linked.traffic[direction] += bytes
  }

  answered(peer: string, answer: { readonly rttMs: number }): void {
    const linked = this.#peers.get(peer)
    if (linked !== undefined) Object.assign(linked, answer)
  }

  failed(peer: string, error: string): void {
    if (this.#errors.size > ERRORS_KEPT_MAX) this.#errors.delete(this.#errors.keys().next().value ?? '')
    this.#errors.set(peer, error)
  }

  /** Ends all connections to a peer that does not answer, or is one too many. */
  drop(peer: string, error: Error): void {
    this.failed(peer, error.message)
    for (const connection of this.#open(peer)) connection.abort(error)
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

  /** Closes what is of no use any more; called every second or so. */
  tidy(): void {
    for (const peer of [...this.#signalling]) this.#changed(peer)
    for (const peer of this.#peers.keys()) {
      const open = this.#open(peer)
      if (open.length < 2) continue
      const direct = open.filter((connection) => pathOf(connection) === 'direct').sort(byAge)
      this.#closeDuplicates(peer, direct)
      const [oldest] = direct
      if (oldest === undefined || this.#init.now() - oldest.timeline.open < SIGNALLING_GRACE_MS) continue
      for (const connection of open) if (pathOf(connection) === 'relayed') closeQuietly(connection)
    }
  }

  #closeDuplicates(peer: string, direct: readonly Connection[]): void {
    const newest = direct.at(-1)
    if (direct.length < 2 || newest === undefined) return
    if (this.#init.now() - newest.timeline.open < DUPLICATE_GRACE_MS) return
    const smallerDialled = this.#init.node.peerId.toString() < peer ? 'outbound' : 'inbound'
    const kept = direct.find((connection) => connection.direction === smallerDialled) ?? direct[0]
    for (const connection of direct) if (connection !== kept) closeQuietly(connection)
  }

  #changed(peer: string): void {
    const connection = this.best(peer)
    const before = this.#peers.get(peer)
    if (connection === undefined) {
      this.#signalling.delete(peer)
      if (before === undefined) return
      this.#peers.delete(peer)
      this.#init.onChange(peer, { before: before.path, path: undefined })
      return
    }
    const path = pathOf(connection)
    const pathBefore = before?.path
    // Most relayed connections only carry the signalling of a direct one, and are news to nobody.
    const age = this.#init.now() - connection.timeline.open
    if (before === undefined && path === 'relayed' && age < SIGNALLING_GRACE_MS) {
      this.#signalling.add(peer)
      return
    }
    this.#signalling.delete(peer)
    if (before === undefined) {
      this.#peers.set(peer, { path, since: this.#init.now(), traffic: freshTraffic(this.#init.now()) })
    } else if (before.path === path) {
      return
    } else {
      before.path = path
    }
    this.#init.onChange(peer, { before: pathBefore, path })
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

function preferred(a: Connection, b: Connection): number {
  const rank = (connection: Connection) => (pathOf(connection) === 'direct' ? 0 : 1)
  return rank(a) - rank(b) || byAge(a, b)
}

function byAge(a: Connection, b: Connection): number {
  return a.timeline.open - b.timeline.open
}

function freshTraffic(now: number): Traffic {
  return { in: 0, out: 0, markIn: 0, markOut: 0, markAt: now, rateIn: 0, rateOut: 0 }
}

function closeQuietly(connection: Connection): void {
  connection.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) }).catch((error: Error) => connection.abort(error))
}

const CLOSE_TIMEOUT_MS = 2_000
