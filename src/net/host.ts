// First, so that @libp2p/webrtc finds the RTC classes when it is imported.
import './rtc/globals.ts'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { GossipSub } from '@libp2p/gossipsub'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { Libp2p, PrivateKey, Transport } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { webTransport } from '@libp2p/webtransport'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { type CircuitReservations, upkeptCircuits } from './circuit.ts'
import { GossipStreams, type GossipStreamsComponents } from './gossip-streams.ts'
import { announcementGossip, gaterOf, rtcConfigurationOf } from './host-options.ts'
import { privateKeyOf } from './identity.ts'
import {
  ADDRESS_DIAL_TIMEOUT_MS,
  CHANNEL_MESSAGE_BYTES,
  CONNECTIONS_MAX,
  DIAL_TIMEOUT_MS,
  INBOUND_PENDING_MAX,
  INBOUND_PER_SECOND_MAX,
} from './limits.ts'
import { componentLogger, silentLogger } from './logging.ts'
import type { NetworkEnvironment, NetworkLogger, PeerIdentity } from './network.ts'

/** What services that are made later, when they are needed, are made of. */
export type HostComponents = KadDHTComponents

export type HostServices = {
  readonly identify: Identify
  readonly identifyPush: IdentifyPush
  readonly ping: Ping
  readonly pubsub: GossipSub
  readonly gossipStreams: GossipStreams
  readonly inner: { readonly components: HostComponents }
}

export interface Host {
  readonly node: Libp2p<HostServices>
  readonly privateKey: PrivateKey
  /** Reservations on relays; absent where nothing is relayed. */
  readonly circuits: CircuitReservations
}

export interface HostInit {
  readonly identity: PeerIdentity
  readonly environment: NetworkEnvironment
  readonly listen: readonly string[]
  readonly iceServers: readonly RTCIceServer[]
  readonly agent: string
  readonly logger?: NetworkLogger
  /** Peers that are neither dialled nor let in. */
  readonly isKeptOut?: (peer: string) => boolean
}

/**
 * Builds and starts the libp2p host of one peer: everything it can dial with, and no policy of its own.
 *
 * Never throws because a relay is down; there is none in its listen addresses.
 */
export async function createHost(init: HostInit): Promise<Host> {
  const privateKey = privateKeyOf(init.identity)
  const rtcConfiguration = () => rtcConfigurationOf(init.iceServers)
  const circuits = upkeptCircuits(circuitRelayTransport({ reservationCompletionTimeout: DIAL_TIMEOUT_MS }))
  const transports: ((components: never) => Transport)[] = [
    webSockets(),
    circuits.transport,
    webRTC({ rtcConfiguration, dataChannel: { maxMessageSize: CHANNEL_MESSAGE_BYTES } }),
    webRTCDirect({ rtcConfiguration }),
  ]
  if ('WebTransport' in globalThis) transports.push(webTransport())
  const node = await createLibp2p<HostServices>({
    privateKey,
    logger: componentLogger(init.logger ?? silentLogger),
    nodeInfo: { userAgent: init.agent },
    addresses: { listen: ['/p2p-circuit', '/webrtc', ...init.listen] },
    transports: transports as never,
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: gaterOf(init.isKeptOut),
    // The upkeep asks each peer itself, over one long-lived stream instead of a new data channel for every ping.
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND_MAX,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS,
      dialTimeout: DIAL_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    services: {
      // A relayed connection mostly lives for one WebRTC dial: who is there is asked on the direct one.
      identify: identify({ runOnLimitedConnection: false }),
      identifyPush: identifyPush({ runOnLimitedConnection: false }),
      ping: ping(),
      pubsub: announcementGossip(),
      gossipStreams: (components: GossipStreamsComponents) => new GossipStreams(components),
      // In an object of its own: a service that is the components would be started by itself, for ever.
      inner: (components: HostComponents) => ({ components }),
    },
  })
  return { node, privateKey, circuits: circuits.reservations() }
}
