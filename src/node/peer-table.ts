import type { PeerId } from '../core/codec/ids.ts'
import type { RequesterNotice } from '../core/tasks/requester-events.ts'
import type { Network, NetworkStatus } from '../net/network.ts'
import type { NetworkState, NetworkSummary, PeerInfo, Reason, RelayInfo } from './contract.ts'

interface Record {
  done: number
  verified: number
  failed: number
  excludedBecause: string | null
}

/** Peers whose work is remembered; the longest silent are forgotten first. */
const RECORDS_MAX = 4_096

/** What is known of each peer: its connection, and what it did for this one. */
export class PeerTable {
  readonly #network: Network
  readonly #records = new Map<string, Record>()

  constructor(network: Network) {
    this.#network = network
  }

  apply(notice: RequesterNotice): void {
    switch (notice.type) {
      case 'unitAccepted': {
        const { executors, audited } = notice.accepted
        for (const peer of executors) {
          const record = this.#record(peer)
          record.done++
          if (executors.length >= 2 || audited) record.verified++
        }
        return
      }
      case 'leaseEnded':
        if (notice.reason === 'failed') this.#record(notice.peer).failed++
        return
      case 'excluded':
        this.#record(notice.peer).excludedBecause = notice.reason
        return
      default:
        return
    }
  }

  list(): PeerInfo[] {
    return this.#network.connections().map((connection) => {
      const record = this.#records.get(connection.peer)
      return {
        peerId: connection.peer,
        kind: connection.relay ? 'relay' : connection.path,
        transport: connection.transport,
        remoteAddress: connection.remoteAddress,
        rttMs: connection.rttMs ?? null,
        bytesIn: connection.bytesIn,
        bytesOut: connection.bytesOut,
        bytesInPerSecond: connection.rateIn,
        bytesOutPerSecond: connection.rateOut,
        connectedAt: connection.since,
        agent: connection.agent ?? null,
        unitsDone: record?.done ?? 0,
        unitsVerified: record?.verified ?? 0,
        unitsFailed: record?.failed ?? 0,
        excludedBecause: record?.excludedBecause ?? null,
        lastError: connection.lastError ?? null,
      }
    })
  }

  #record(peer: PeerId): Record {
    const known = this.#records.get(peer)
    const record = known ?? { done: 0, verified: 0, failed: 0, excludedBecause: null }
    // Set again so that the order of the map is the order of last news.
    this.#records.delete(peer)
    this.#records.set(peer, record)
    if (this.#records.size > RECORDS_MAX) {
      const [oldest] = this.#records.keys()
      if (oldest !== undefined) this.#records.delete(oldest)
    }
    return record
  }
}

const STATES: Readonly<{ [K in NetworkStatus['state']]: NetworkState }> = {
  stopped: 'stopped',
  offline: 'offline',
  'connecting-relay': 'connecting',
  relayed: 'relayed',
  meshing: 'relayed',
  meshed: 'meshed',
}

/** The network in the contract's words. */
export function networkSummary(network: Network): NetworkSummary {
  const status = network.status()
  const rtts = new Map(network.connections().map(({ peer, rttMs }) => [peer, rttMs ?? null]))
  return {
    state: STATES[status.state],
    reason: status.reason === 'none' ? null : reasonOf(status),
    peers: status.peers,
    direct: status.direct,
    relayed: status.relayed,
    relays: status.relays.map((relay) => relayInfo(relay, rtts)),
    multiaddrs: network.multiaddrs(),
    rtcConnectionsUsed: status.rtc.used,
    rtcConnectionsMax: status.rtc.limit,
  }
}

function reasonOf(status: NetworkStatus): Reason {
  return { code: status.reason, detail: String(status.since) }
}

function relayInfo(relay: NetworkStatus['relays'][number], rtts: ReadonlyMap<string, number | null>): RelayInfo {
  const states = {
    idle: 'connecting',
    connecting: 'connecting',
    reserving: 'connected',
    reserved: 'reserved',
    full: 'full',
    failed: 'unreachable',
  } as const
  return {
    peerId: relay.peer ?? '',
    multiaddr: relay.address,
    state: states[relay.state],
    reservationExpiresAt: relay.expiresAt ?? null,
    rttMs: relay.peer === undefined ? null : (rtts.get(relay.peer) ?? null),
    lastError: relay.lastError ?? null,
  }
}
