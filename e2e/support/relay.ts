import { createIdentity } from '../../src/net/identity.ts'
import type { PeerIdentity } from '../../src/net/network.ts'
import { createRelayHost, type RelayHost } from '../../src/net/relay-host.node.ts'
import { type PageServer, servePages } from './server.ts'

export interface TestRelay {
  readonly origin: string
  readonly host: RelayHost
  readonly pages: PageServer
  readonly identity: PeerIdentity
  stop(): Promise<void>
}

export interface TestRelayInit {
  readonly network?: string
  /** 0 takes a spare port. */
  readonly port?: number
  readonly identity?: PeerIdentity
  readonly reservationsMax?: number
  readonly entries?: readonly string[]
}

/** A relay on one loopback port: test pages, its card, and the WebSockets of its libp2p host. */
export async function startRelay(init: TestRelayInit = {}): Promise<TestRelay> {
  const network = init.network ?? 'test'
  const identity = init.identity ?? (await createIdentity())
  const pages = await servePages(init.entries ?? ['mesh', 'mesh-worker'], init.port)
  const port = new URL(pages.origin).port
  const host = await createRelayHost({
    networkId: network,
    identity,
    announce: [`/ip4/127.0.0.1/tcp/${port}/ws`],
    listen: [],
    ...(init.reservationsMax === undefined ? {} : { reservationsMax: init.reservationsMax }),
  })
  pages.http.on('upgrade', host.handleUpgrade)
  const card = JSON.stringify({ networkId: network, multiaddrs: host.multiaddrs(), version: 'test' })
  pages.set('/.well-known/starling.json', card)
  const stop = async () => {
    // First the sockets, as when the process is killed; then what is left.
    await pages.close()
    await host.stop()
  }
  return { origin: pages.origin, host, pages, identity, stop }
}
