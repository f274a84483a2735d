import { start, stop } from '@libp2p/interface'
import { type KadDHT, type KadDHTComponents, type KadDHTInit, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { CID } from 'multiformats/cid'
import { utf8 } from '../core/codec/bytes.ts'
import { cidOf, parseCid } from '../core/codec/cid.ts'
import { ADDRESSES_MAX } from '../core/routing/limits.ts'
import { DHT_PROVIDE_INTERVAL_MS, DHT_PROVIDERS_MAX, DHT_QUERY_TIMEOUT_MS, DHT_RECORD_TTL_MS } from './limits.ts'

/** Apart from the public DHT of IPFS: ours is for rooms, and its records are short-lived. */
const DHT_PROTOCOL = '/starling/kad/1.0.0'

/**
 * The DHT of a network's relays: each tab says there that it provides the network's id, and asks who else does.
 *
 * @param role - Relays hold records; tabs come and go, and only ask.
 */
export function networkDht(role: 'server' | 'client') {
  const init: KadDHTInit = {
    protocol: DHT_PROTOCOL,
    clientMode: role === 'client',
    // Loopback and private addresses are what a room has.
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
    // Records of tabs that are closed would be dialled for days.
    providers: { provideValidity: DHT_RECORD_TTL_MS, cleanupInterval: DHT_RECORD_TTL_MS },
    querySelfInterval: 60 * 60 * 1000,
  }
  return kadDHT(init)
}

/** What every peer of a network provides. */
function keyOf(networkId: string): CID {
  return CID.parse(parseCid(cidOf(utf8(`starling/network/1/${networkId}`), 'raw')).cid)
}

export interface FoundPeer {
  readonly peer: string
  readonly addresses: readonly string[]
}

/** Discovery beside gossip: finds peers when nobody gossips, and lets those who come later find us. */
export class DhtDiscovery {
  readonly #dht: KadDHT
  readonly #self: string
  readonly #key: CID
  readonly #now: () => number
  #providedAt = Number.NEGATIVE_INFINITY

  private constructor(dht: KadDHT, init: DhtDiscoveryInit) {
    this.#dht = dht
    this.#self = init.components.peerId.toString()
    this.#key = keyOf(init.networkId)
    this.#now = init.now
  }

  /** Starts a client beside a host that runs. */
  static async start(init: DhtDiscoveryInit): Promise<DhtDiscovery> {
    const dht = networkDht('client')(init.components) as KadDHT
    await start(dht)
    return new DhtDiscovery(dht, init)
  }

  async stop(): Promise<void> {
    await stop(this.#dht)
  }

  /** Says that we are here, when it is time to say so again. */
  async provide(): Promise<void> {
    if (this.#now() - this.#providedAt < DHT_PROVIDE_INTERVAL_MS) return
    this.#providedAt = this.#now()
    const signal = AbortSignal.timeout(DHT_QUERY_TIMEOUT_MS)
    for await (const _ of this.#dht.provide(this.#key, { signal })) {
      // The query runs by being read.
    }
  }

  /** Our addresses are others than before. */
  expire(): void {
    this.#providedAt = Number.NEGATIVE_INFINITY
  }

  /** Who else is there; what is found is not signed, and good for dialling only. */
  async query(onFound: (found: FoundPeer) => void): Promise<void> {
    const signal = AbortSignal.timeout(DHT_QUERY_TIMEOUT_MS)
    let count = 0
    for await (const event of this.#dht.findProviders(this.#key, { signal })) {
      if (event.name !== 'PROVIDER' && event.name !== 'PEER_RESPONSE') continue
      for (const { id, multiaddrs } of event.providers) {
        if (++count > DHT_PROVIDERS_MAX) return
        const peer = id.toString()
        if (peer === this.#self || multiaddrs.length === 0) continue
        const addresses = multiaddrs.slice(0, ADDRESSES_MAX).map((address) => {
          const text = address.toString()
          return text.endsWith(`/p2p/${peer}`) ? text : `${text}/p2p/${peer}`
        })
        onFound({ peer, addresses })
      }
    }
  }
}

export interface DhtDiscoveryInit {
  readonly components: KadDHTComponents
  readonly networkId: string
  readonly now: () => number
}
