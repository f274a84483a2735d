import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Policy } from '../core/admission/policy.ts'
import type { NetworkLogger, PeerIdentity } from '../net/network.ts'
import { createRelayHost, type RelayHost } from '../net/relay-host.node.ts'
import { capabilityText } from '../node/capability.ts'
import { loadDeviceKeyFile, makeVolatileDeviceKey } from '../storage/device-key-file.node.ts'
import { type Endpoint, endpointsOf, endpointUrl, isLoopback, parseHost, webSocketMultiaddr } from './addresses.ts'
import { openGate, type RelayGate } from './admission.ts'
import { fingerprintOf, selfSignedTls, type TlsFiles } from './certificate.ts'
import { RelayKeyError } from './errors.ts'
import type { PolicyWish } from './founding.ts'
import { UPGRADE_KEEP_ALIVE_MS, UPGRADES_MAX } from './limits.ts'
import { Listener, type ListenerInit } from './listener.ts'
import { RelayMetrics } from './metrics.ts'
import { readPageFiles } from './page-files.ts'
import { requestHandler, type WellKnown } from './requests.ts'

export interface RelayInit {
  /** Address to listen on; everything but loopback makes the relay speak TLS too. */
  readonly host: string
  /** The wanted port; the next free one is taken. 0: any. */
  readonly port: number
  /** Where the relay's key and certificate are kept; `null` keeps nothing, and the relay has new addresses each time. */
  readonly dataDir: string | null
  /** The built page; `null` serves none. */
  readonly distDir: string | null
  /** Shown to people who join. @default The policy's. */
  readonly name?: string
  /** Asked of the network that is founded at the first start. @default A room */
  readonly policy?: Omit<PolicyWish, 'name'>
  /** Places for those who are not admitted. */
  readonly guestPlacesMax?: number
  /** PEM files of a certificate that browsers trust; without them one is made. */
  readonly tlsFiles?: { readonly cert: string; readonly key: string }
  /** Where the relay is reached when something in front of it ends TLS: `https://relay.example/`. */
  readonly publicUrl?: string
  readonly logger?: NetworkLogger
  readonly timeouts?: ListenerInit['timeouts']
}

export interface Relay {
  /** The one that was free. */
  readonly port: number
  /** Where the page is: this machine's own address first, then those others can use. */
  readonly urls: readonly string[]
  readonly peerId: string
  readonly networkId: string
  readonly policy: Policy
  /** What lets others into the room, for a link; `null` when the network is none. */
  readonly invite: string | null
  multiaddrs(): string[]
  /** `null` when the relay speaks no TLS. */
  readonly tls: { readonly selfSigned: boolean; readonly fingerprint: string } | null
  stop(): Promise<void>
}

const { version: VERSION } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/**
 * Starts a relay: one port that serves the page, says how to join, and takes the WebSockets through which tabs find one another.
 *
 * @throws {@link ListenError} When no port is free, {@link PageFilesError} when the page is not built, {@link RelayKeyError} when a key or
 *   certificate cannot be read.
 */
export async function startRelay(init: RelayInit): Promise<Relay> {
  const files = init.distDir === null ? null : readPageFiles(init.distDir)
  const tls = await tlsOf(init)
  const identity: PeerIdentity =
    init.dataDir === null ? await makeVolatileDeviceKey() : await loadDeviceKeyFile(join(init.dataDir, 'relay-key'))
  const gate = await openGate(identity, {
    dataDir: init.dataDir,
    wish: { ...init.policy, ...(init.name !== undefined && { name: init.name }) },
    ...(init.guestPlacesMax !== undefined && { guestPlacesMax: init.guestPlacesMax }),
    ...(init.logger && { logger: init.logger }),
  })
  const { network, capability } = gate.founding
  let host: RelayHost | null = null
  let pageUrls: readonly string[] = []
  const sockets = new Set<Socket>()
  const metrics = new RelayMetrics({
    connections: () => listener.connections,
    webSockets: () => sockets.size,
    hostSamples: () => host?.metrics() ?? [],
  })
  const listener = new Listener({
    tls,
    onRequest: requestHandler({
      files,
      metrics,
      tls: tls !== null && init.publicUrl === undefined,
      wellKnown: async (endpoint) =>
        host && {
          ...addressesOf(host, publicEndpoint(init.publicUrl) ?? endpoint),
          networkId: network.networkId,
          version: VERSION,
          name: init.name ?? network.policy.name,
          urls: pageUrls,
          policy: base64(network.bytes),
          beacon: base64((await gate.beacons.beacon())?.statement ?? null),
        },
    }),
    onUpgrade: (request, socket, head) => {
      const accepted = host !== null && sockets.size < UPGRADES_MAX && isWebSocketForHost(request)
      metrics.upgraded(accepted ? 'accepted' : 'refused')
      if (!accepted) return refuseUpgrade(socket, host === null || sockets.size >= UPGRADES_MAX)
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      socket.setTimeout(0)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, UPGRADE_KEEP_ALIVE_MS)
      host?.handleUpgrade(request, socket, head)
    },
    ...(init.timeouts && { timeouts: init.timeouts }),
  })
  const port = await listener.listen(init.host, init.port).catch(async (error: unknown) => {
    await gate.close()
    throw error
  })
  const endpoints = [...(publicEndpoints(init.publicUrl) ?? []), ...endpointsOf(init.host, port, tls !== null)]
  pageUrls = endpoints.filter((endpoint) => !isLoopback(endpoint.host)).map(endpointUrl)
  try {
    host = await startHost(init, { port, endpoints, identity, gate })
  } catch (error) {
    await listener.stop()
    await gate.close()
    throw error
  }
  const started = host
  return {
    port,
    urls: endpoints.map(endpointUrl),
    peerId: started.peerId,
    networkId: network.networkId,
    policy: network.policy,
    invite: capability && capabilityText(capability),
    multiaddrs: () => started.multiaddrs(),
    tls: tls && { selfSigned: tls.selfSigned, fingerprint: tls.fingerprint },
    stop: async () => {
      await started.stop()
      for (const socket of sockets) socket.destroy()
      await listener.stop()
      await gate.close()
    },
  }
}

async function tlsOf(init: RelayInit): Promise<TlsFiles | null> {
  if (init.tlsFiles !== undefined) {
    try {
      const key = readFileSync(init.tlsFiles.key, 'utf8')
      const cert = readFileSync(init.tlsFiles.cert, 'utf8')
      return { key, cert, fingerprint: fingerprintOf(cert), selfSigned: false }
    } catch (error) {
      const { cert, key } = init.tlsFiles
      throw new RelayKeyError(`Cannot use the certificate ${cert} with the key ${key}: ${(error as Error).message}`, {
        cert,
        key,
      })
    }
  }
  if (isLoopback(init.host) || init.publicUrl !== undefined) return null
  const names = endpointsOf(init.host, 0, true).map((endpoint) => endpoint.host)
  return await selfSignedTls(init.dataDir, [...new Set(['localhost', '127.0.0.1', ...names])], Date.now())
}

function publicEndpoint(url: string | undefined): Endpoint | null {
  if (url === undefined) return null
  const { protocol, host } = new URL(url)
  return parseHost(host, protocol === 'https:')
}

function publicEndpoints(url: string | undefined): Endpoint[] | null {
  const endpoint = publicEndpoint(url)
  return endpoint && [endpoint]
}

/**
 * The relay's libp2p host. WebRTC-direct takes the UDP port of the same number, so that a firewall has one number to open; when that is
 * taken, any.
 */
async function startHost(
  init: RelayInit,
  parts: {
    readonly port: number
    readonly endpoints: readonly Endpoint[]
    readonly identity: PeerIdentity
    readonly gate: RelayGate
  },
): Promise<RelayHost> {
  const { port, endpoints, identity, gate } = parts
  const start = (udpPort: number): Promise<RelayHost> =>
    createRelayHost({
      networkId: gate.founding.network.networkId,
      identity,
      admission: gate.host,
      announce: [...new Set(endpoints.map(webSocketMultiaddr))],
      listen: [
        `/ip4/${init.host === 'localhost' || init.host.includes(':') ? '127.0.0.1' : init.host}/udp/${udpPort}/webrtc-direct`,
      ],
      agent: `starling-relay/${VERSION}`,
      ...(init.logger && { logger: init.logger }),
    })
  try {
    return await start(port)
  } catch {
    return await start(0)
  }
}

/** A browser that came by one address is told that one, and WebRTC-direct ones it can reach from there. */
function addressesOf(host: RelayHost, endpoint: Endpoint | null): Pick<WellKnown, 'multiaddrs'> {
  const all = host.multiaddrs()
  const local = endpoint === null || isLoopback(endpoint.host)
  const others = all.filter((address) => {
    const [, , name = ''] = address.split('/')
    return address.includes('/webrtc-direct') && (local || !isLoopback(name))
  })
  const own =
    endpoint === null
      ? all.filter((address) => address.includes('/ws/'))
      : [`${webSocketMultiaddr(endpoint)}/p2p/${host.peerId}`]
  return { multiaddrs: [...own, ...others] }
}

function base64<T extends Uint8Array | null>(bytes: T): T extends null ? null : string {
  // The condition is the parameter's own.
  return (bytes === null ? null : Buffer.from(bytes).toString('base64')) as T extends null ? null : string
}

function isWebSocketForHost(request: IncomingMessage): boolean {
  const path = request.url?.replace(/\?.*$/, '')
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket' && path === '/'
}

function refuseUpgrade(socket: Socket, full: boolean): void {
  const status = full ? '503 Service Unavailable' : '404 Not Found'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}
