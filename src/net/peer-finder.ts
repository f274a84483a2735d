import type { Stream } from '@libp2p/interface'
import type { Verifier } from '../core/identity/ports.ts'
import { refusalReason } from '../core/identity/refusal.ts'
import { ADDRESSES_MAX, KNOWN_PEERS_MAX } from '../core/routing/limits.ts'
import { misconductOf } from '../core/trust/misconduct.ts'
import { transportOf } from './addresses.ts'
import type { DhtDiscovery } from './dht.ts'
import { announcementTopic, Discovery, type Heard, type NetworkTime, PEERS_PROTOCOL } from './discovery.ts'
import type { HostComponents } from './host.ts'
import { DHT_FIND_INTERVAL_MS } from './limits.ts'
import type { NetworkLogger, NetworkProblem, PeerIdentity } from './network.ts'
import type { Topics } from './topics.ts'

export interface PeerFinderInit {
  readonly networkId: string
  readonly identity: PeerIdentity
  readonly now: () => number
  readonly networkTime: () => NetworkTime
  readonly verifier: Verifier
  readonly logger: NetworkLogger
  readonly topics: Topics
  readonly open: (peer: string, protocol: string) => Promise<Stream>
  readonly onHeard: (heard: Heard) => void
  /** Whether something is known of a peer already. */
  readonly isKnown: (peer: string) => boolean
  readonly onProblem: (problem: NetworkProblem) => void
}

/** Finds the peers of a network in three ways: announcements by gossip, asking others whom they know, and the DHT. */
export class PeerFinder {
  readonly #init: PeerFinderInit
  readonly #discovery: Discovery
  readonly #topic: string
  /** Peers of other networks. */
  readonly #strangers = new Set<string>()
  /** Loaded when there is somebody to ask: a quarter of the bundle, for which a joining tab need not wait. */
  #dht: Promise<DhtDiscovery> | undefined
  #components: HostComponents | undefined
  #dhtAskedAt = Number.NEGATIVE_INFINITY

  constructor(init: PeerFinderInit) {
    this.#init = init
    const { networkId: network, identity, now, networkTime, verifier } = init
    this.#topic = announcementTopic(network)
    const onHeard = (heard: Heard) => {
      if (!this.#strangers.has(heard.peer)) init.onHeard(heard)
    }
    // What was passed on is not by whoever passed it on; what was published is, as gossip's signature proves.
    const refused = (error: Error, publisher?: { readonly peer: string; readonly evidence: Uint8Array }): void => {
      const { name, message } = error
      const reason = refusalReason(error)
      const misconduct = publisher === undefined ? null : misconductOf(error)
      init.onProblem({
        ...{ name, message, protocol: this.#topic },
        ...publisher,
        ...(misconduct === null ? {} : { misconduct }),
        ...(reason === null ? {} : { refused: { kind: 'peer-announcement', reason } as const }),
      })
    }
    this.#discovery = new Discovery({
      ...{ network, identity, now, networkTime, verifier, onHeard },
      entriesMax: KNOWN_PEERS_MAX,
      onRefused: (error) => refused(error),
    })
    init.topics.subscribe(this.#topic, (from, data) => {
      this.#discovery.accept(data).catch((error: Error) => refused(error, { peer: from, evidence: data }))
    })
  }

  attach(components: HostComponents): void {
    this.#components = components
  }

  async detach(): Promise<void> {
    const dht = this.#dht
    this.#dht = undefined
    this.#components = undefined
    await dht?.then((running) => running.stop()).catch(() => {})
  }

  isStranger(peer: string): boolean {
    return this.#strangers.has(peer)
  }

  addStranger(peer: string): void {
    if (this.#strangers.size >= KNOWN_PEERS_MAX) this.#strangers.clear()
    this.#strangers.add(peer)
  }

  forget(peer: string): void {
    this.#discovery.forget(peer)
  }

  /** Our addresses are others than before. */
  readdressed(): void {
    void this.#dht?.then((dht) => dht.expire()).catch(() => {})
  }

  /** Answers a peer that asks whom we know. */
  answer(stream: Stream): void {
    this.#quietly(this.#discovery.answer(stream))
  }

  /** Says where we are; addresses that only a relay's bytes go through say nothing that the others do not. */
  announce(addresses: readonly string[], seeking: boolean): void {
    const dialable = addresses.filter((address) => transportOf(address) !== 'circuit').slice(0, ADDRESSES_MAX)
    if (dialable.length === 0) return
    this.#quietly(
      this.#discovery.announce(dialable, seeking).then((signed) => this.#init.topics.publish(this.#topic, signed)),
    )
    this.#quietly(this.#dht?.then((dht) => dht.provide()))
  }

  /** Asks one relay and one other linked peer, each time others, and now and then the DHT. */
  exchange(linked: { readonly relays: readonly string[]; readonly others: readonly string[] }): void {
    for (const peers of [linked.relays, linked.others]) {
      const peer = peers[Math.floor(Math.random() * peers.length)]
      if (peer === undefined) continue
      this.#quietly(this.#init.open(peer, PEERS_PROTOCOL).then((stream) => this.#discovery.ask(stream)))
    }
    if (this.#init.now() - this.#dhtAskedAt < DHT_FIND_INTERVAL_MS) return
    this.#dhtAskedAt = this.#init.now()
    this.#quietly(this.#askDht())
  }

  async #askDht(): Promise<void> {
    const components = this.#components
    if (components === undefined) return
    const { networkId, now } = this.#init
    this.#dht ??= import('./dht.ts').then(({ DhtDiscovery }) => DhtDiscovery.start({ components, networkId, now }))
    // Without a connection the code may not come; the next time asks again.
    this.#dht.catch(() => {
      this.#dht = undefined
    })
    const dht = await this.#dht
    await dht.provide()
    await dht.query(({ peer, addresses }) => {
      // Only news: what a peer signed about itself is better than what the DHT says of it.
      if (!this.#strangers.has(peer) && !this.#init.isKnown(peer)) {
        this.#init.onHeard({ peer, addresses, seeking: true })
      }
    })
  }

  #quietly(promise: Promise<void> | undefined): void {
    promise?.catch(({ message }: Error) => this.#init.logger.log('debug', 'finding peers failed', { message }))
  }
}
