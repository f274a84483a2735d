import { cidOfDigest } from '../../src/core/codec/cid.ts'
import { createNetwork } from '../../src/net/create-network.ts'
import { createIdentity } from '../../src/net/identity.ts'
import type { Network, NetworkInit } from '../../src/net/network.ts'
import { connectRtc } from '../../src/net/rtc/worker.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
  readonly port?: MessagePort
}

interface PageInit extends Pick<NetworkInit, 'networkId' | 'relays' | 'targetDegree'> {
  readonly dialRaceGuard: boolean
  /** When the page's navigation began, milliseconds since 1970. */
  readonly started: number
}

const ECHO = '/test/echo/1.0.0'

let network: Network
let started = 0
const received: { from: string; text: string; at: number }[] = []
const gossip: { from: string; text: string }[] = []
const problems: unknown[] = []
const events: { event: string; peer: string; at: number }[] = []
/** Milliseconds from navigation until this many direct peers were linked. */
const directAfterMs: number[] = []
const blocks = new Map<string, Uint8Array>()

async function init({ dialRaceGuard, started: startedAt, ...rest }: PageInit, port: MessagePort): Promise<string> {
  started = startedAt
  const rtc = connectRtc(port, { dialRaceGuard })
  network = createNetwork({ ...rest, identity: await createIdentity(), environment: 'browser-worker', rtc })
  network.handle(ECHO, (from, message) => {
    received.push({ from, text: new TextDecoder().decode(message.subarray(0, 200)), at: Date.now() })
  })
  network.subscribe('test', (from, data) => gossip.push({ from, text: new TextDecoder().decode(data) }))
  network.serveBlocks(async (cid) => blocks.get(cid))
  network.on('error', (problem) => problems.push(problem))
  const linked = () => {
    while (directAfterMs.length < network.status().direct) directAfterMs.push(Date.now() - started)
  }
  network.on('peer:path', linked)
  network.on('peer:connect', ({ peer }) => {
    events.push({ event: 'connect', peer, at: Date.now() })
    linked()
  })
  network.on('peer:disconnect', ({ peer }) => events.push({ event: 'disconnect', peer, at: Date.now() }))
  await network.start()
  return network.peerId
}

const methods: Record<string, (...args: never[]) => unknown> = {
  peerId: () => network.peerId,
  status: () => network.status(),
  connections: () => network.connections(),
  multiaddrs: () => network.multiaddrs(),
  metrics: () => network.metrics(),
  received: () => received,
  gossip: () => gossip,
  problems: () => problems,
  events: () => events,
  directAfterMs: () => directAfterMs,
  hint: (event: 'online' | 'offline' | 'visible') => network.hint(event),
  send: (peer: string, text: string) => network.send(peer, ECHO, new TextEncoder().encode(text)),
  sendMany: (peer: string, count: number) => {
    for (let i = 0; i < count; i++) network.send(peer, ECHO, new TextEncoder().encode(String(i)))
  },
  publish: (text: string) => network.publish('test', new TextEncoder().encode(text)),
  /** Dials and says how long it took, or what went wrong. */
  dial: async (address: string) => {
    const start = performance.now()
    try {
      await network.dial(address)
      return { ms: performance.now() - start }
    } catch (error) {
      return { ms: performance.now() - start, error: (error as Error).message }
    }
  },
  /** Makes a block of random bytes that others can fetch. */
  makeBlock: async (bytes: number) => {
    const block = new Uint8Array(bytes)
    // The platform gives 64 KiB of randomness at a time.
    for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536))
    const cid = cidOfDigest(new Uint8Array(await crypto.subtle.digest('SHA-256', block)), 'raw')
    blocks.clear()
    blocks.set(cid, block)
    return cid
  },
  /** Milliseconds to fetch a block and check it. */
  fetchBlock: async (cid: string, from: string[]) => {
    const start = performance.now()
    await network.fetchBlock(cid, from, { bytesMax: 256 * 1024 * 1024 })
    return performance.now() - start
  },
  /** Ends all links but those to relays. */
  disconnectAll: () => {
    for (const { peer, relay } of network.connections()) if (!relay) network.disconnect(peer)
  },
  stop: () => network.stop(),
}

self.onmessage = async ({ data }: MessageEvent<Call>) => {
  const { id, method, args, port } = data
  try {
    const value =
      method === 'init' && port !== undefined
        ? await init(args[0] as PageInit, port)
        : await methods[method]?.(...(args as never[]))
    self.postMessage({ id, value })
  } catch (error) {
    self.postMessage({ id, error: `${(error as Error).name}: ${(error as Error).message}` })
  }
}
