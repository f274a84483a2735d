import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import type { GossipSub } from '@libp2p/gossipsub'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { Libp2p, Listener, Transport } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Ping, ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { CREDENTIALS_PROTOCOL } from '../core/admission/credentials.ts'
import { byNewest } from './connection-order.ts'
import { networkDht } from './dht.ts'
import { announcementTopic, Discovery, LIBP2P_VERIFIER, PEERS_PROTOCOL } from './discovery.ts'
import { PeerUnreachableError } from './errors.ts'
import { GossipStreams, type GossipStreamsComponents } from './gossip-streams.ts'
import { announcementGossip, OPEN_GATER, rtcConfigurationOf } from './host-options.ts'
import { privateKeyOf } from './identity.ts'
import { Keepalive, LINK_PROTOCOL } from './keepalive.ts'
import {
  ADDRESS_DIAL_TIMEOUT_MS,
  DIAL_TIMEOUT_MS,
  INBOUND_PENDING_MAX,
  INBOUND_PER_SECOND_MAX,
  RELAY_ANNOUNCEMENTS_MAX,
  RELAY_CIRCUIT_BYTES_MAX,
  RELAY_CIRCUIT_DURATION_MS,
  RELAY_CONNECTIONS_MAX,
  RELAY_RESERVATION_TTL_MS,
  RELAY_RESERVATIONS_MAX,
  RELAY_STREAMS_MAX,
  STREAM_OPEN_TIMEOUT_MS,
} from './limits.ts'
import { componentLogger, silentLogger } from './logging.ts'
import { Messages } from './messages.ts'
import type { MetricSample, NetworkLogger, PeerIdentity } from './network.ts'
import { RelayAdmission, type RelayAdmissionInit } from './relay-admission.ts'

export interface RelayHostInit {
  readonly networkId: string
  /** Keep it: the relay's addresses contain it. */
  readonly identity: PeerIdentity
  /**
   * Multiaddrs that browsers can dial, without `/p2p/`, of the HTTP server whose upgrades are handed to
   * `handleUpgrade`: `/ip4/192.0.2.1/tcp/8080/ws`, `/dns4/example.org/tcp/443/tls/ws`.
   */
  readonly announce: readonly string[]
  /** Where WebRTC-direct listens, such as `/ip4/0.0.0.0/udp/0/webrtc-direct`; none if empty. */
  readonly listen: readonly string[]
  readonly agent?: string
  readonly reservationsMax?: number
  readonly logger?: NetworkLogger
  /** Checks who connects; without it everybody is welcome. */
  readonly admission?: RelayAdmissionInit
}

/** The libp2p half of a relay; its HTTP server, page and command line are elsewhere. */
export interface RelayHost {
  readonly peerId: string
  /** Dialable addresses, with `/p2p/`, the announced ones first. */
  multiaddrs(): string[]
  /** Takes a WebSocket upgrade from the relay's own HTTP server: `server.on('upgrade', host.handleUpgrade)`. */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  metrics(): MetricSample[]
  stop(): Promise<void>
}

interface RelayServer {
  readonly reservations: { readonly size: number }
}

type UpgradeListener = Listener & { onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void }

/**
 * Starts the relay's host: circuit relay v2 for hundreds of tabs, gossip, identify and ping.
 *
 * Browsers reach it on the port of the page: libp2p's WebSocket listener listens on a spare loopback port that nobody
 * is told of, and the upgrades of the page's own HTTP server are handed to it.
 */
export async function createRelayHost(init: RelayHostInit): Promise<RelayHost> {
  const logger = init.logger ?? silentLogger
  const upgrades: UpgradeListener[] = []
  let admission: RelayAdmission | null = null
  const node = await createLibp2p({
    privateKey: privateKeyOf(init.identity),
    logger: componentLogger(logger),
    nodeInfo: { userAgent: init.agent ?? 'starling-relay' },
    addresses: {
      listen: ['/ip4/127.0.0.1/tcp/0/ws', ...init.listen],
      appendAnnounce: [...init.announce],
      // The spare port behind `handleUpgrade` is nobody's business.
      announceFilter: (addresses) =>
        addresses.filter((address) => {
          const text = address.toString()
          return !text.includes('/ws') || init.announce.some((announced) => text.startsWith(announced))
        }),
    },
    transports: [
      captureListener(webSockets(), upgrades),
      webRTCDirect({ rtcConfiguration: () => rtcConfigurationOf([]) }),
    ] as never,
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: {
      ...OPEN_GATER,
      denyInboundRelayReservation: async (source) => (await admission?.mayReserve(source.toString())) === false,
    },
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: RELAY_CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND_MAX,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS,
      dialTimeout: DIAL_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      pubsub: announcementGossip(),
      gossipStreams: (components: GossipStreamsComponents) => new GossipStreams(components),
      dht: networkDht('server'),
      relay: circuitRelayServer({
        maxInboundHopStreams: RELAY_STREAMS_MAX,
        maxOutboundHopStreams: RELAY_STREAMS_MAX,
        maxOutboundStopStreams: RELAY_STREAMS_MAX,
        reservations: {
          maxReservations: init.reservationsMax ?? RELAY_RESERVATIONS_MAX,
          reservationTtl: RELAY_RESERVATION_TTL_MS,
          defaultDataLimit: BigInt(RELAY_CIRCUIT_BYTES_MAX),
          defaultDurationLimit: RELAY_CIRCUIT_DURATION_MS,
        },
      }),
    },
  })
  const services = await serve(node, init)
  admission = services.admission
  return {
    peerId: node.peerId.toString(),
    multiaddrs: () => node.getMultiaddrs().map((address) => address.toString()),
    handleUpgrade: (request, socket, head) => upgrades[0]?.onUpgrade(request, socket, head),
    metrics: () => samplesOf(node, node.services.relay as unknown as RelayServer, services),
    stop: async () => {
      services.messages.stop()
      services.admission?.stop()
      await node.stop()
    },
  }
}

function captureListener(create: (components: never) => Transport, captured: UpgradeListener[]) {
  return (components: never): Transport => {
    const transport = create(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const listener = createListener(options)
      captured.push(listener as UpgradeListener)
      return listener
    }
    return transport
  }
}

type RelayNode = Libp2p<{ identify: Identify; identifyPush: IdentifyPush; ping: Ping; pubsub: GossipSub }>

interface RelayServices {
  readonly discovery: Discovery
  readonly messages: Messages
  readonly admission: RelayAdmission | null
}

/** What a relay does beside relaying: hears who is there and tells those who ask, and answers pings. */
async function serve(node: RelayNode, init: RelayHostInit): Promise<RelayServices> {
  const logger = init.logger ?? silentLogger
  const now = () => Date.now()
  const refused = (error: Error) => logger.log('debug', 'refused', { name: error.name, message: error.message })
  const discovery = new Discovery({
    network: init.networkId,
    identity: init.identity,
    now,
    // A relay is a server: its clock is kept by its system, and strangers do not move it.
    networkTime: () => ({ nowMs: now(), isKnown: true }),
    verifier: init.admission?.verifier ?? LIBP2P_VERIFIER,
    entriesMax: RELAY_ANNOUNCEMENTS_MAX,
    onHeard: () => {},
    onRefused: refused,
  })
  const messages = new Messages({
    now,
    open: async (peer, protocol) => {
      const connection = node
        .getConnections(peerIdFromString(peer))
        .filter(({ status }) => status === 'open')
        .sort(byNewest)[0]
      if (connection === undefined) throw new PeerUnreachableError('The peer is not connected')
      return connection.newStream(protocol, { signal: AbortSignal.timeout(STREAM_OPEN_TIMEOUT_MS) })
    },
    onProblem: refused,
    onBytes: () => {},
  })
  const keepalive = new Keepalive({
    network: init.networkId,
    relay: true,
    now,
    send: (peer, message) => messages.send(peer, LINK_PROTOCOL, message),
    onAnswer: () => {},
    onStranger: () => {},
    onDead: () => {},
  })
  const admission =
    init.admission === undefined
      ? null
      : new RelayAdmission(init.admission, {
          send: (peer, message) => messages.send(peer, CREDENTIALS_PROTOCOL, message),
          isConnected: (peer) => node.getConnections(peerIdFromString(peer)).length > 0,
          drop: (peer) => void node.hangUp(peerIdFromString(peer)).catch(refused),
          now,
        })
  node.addEventListener('peer:connect', ({ detail }) => admission?.connected(detail.toString()))
  node.addEventListener('peer:disconnect', ({ detail }) => {
    admission?.disconnected(detail.toString())
    messages.forget(detail.toString())
    // Who has left the relay cannot be dialled through it: newcomers are not told of it.
    discovery.forget(detail.toString())
  })
  node.services.pubsub.addEventListener('gossipsub:message', ({ detail: { msg } }) => {
    if (msg.topic === announcementTopic(init.networkId)) discovery.accept(msg.data).catch(refused)
  })
  node.services.pubsub.subscribe(announcementTopic(init.networkId))
  const limits = { maxInboundStreams: 4, maxOutboundStreams: 4 }
  await node.handle(
    LINK_PROTOCOL,
    (stream, connection) =>
      messages.receive(connection.remotePeer.toString(), stream, (from, message) => keepalive.receive(from, message)),
    limits,
  )
  if (admission !== null) {
    await node.handle(
      CREDENTIALS_PROTOCOL,
      (stream, connection) =>
        messages.receive(connection.remotePeer.toString(), stream, (from, message) => admission.receive(from, message)),
      limits,
    )
  }
  await node.handle(PEERS_PROTOCOL, (stream) => void discovery.answer(stream).catch(refused), limits)
  return { discovery, messages, admission }
}

function samplesOf(
  node: Pick<RelayNode, 'getConnections'>,
  relay: RelayServer,
  { discovery, messages, admission }: RelayServices,
): MetricSample[] {
  const connections = node.getConnections()
  const gauge = (name: string, help: string, value: number): MetricSample => ({ name, kind: 'gauge', help, value })
  return [
    gauge('relay_connections', 'Connections of the relay', connections.length),
    gauge('relay_reservations', 'Circuit relay reservations in force', relay.reservations.size),
    gauge('relay_announced_peers', 'Peers heard of lately', discovery.size),
    gauge('relay_refused_messages', 'Messages refused since the start', messages.counters.refused),
    ...(admission?.metrics() ?? []),
    gauge(
      'relay_streams',
      'Open streams on all connections of the relay',
      connections.reduce((sum, connection) => sum + connection.streams.length, 0),
    ),
  ]
}
