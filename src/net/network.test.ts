import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../core/codec/cbor.ts'
import { cidOfDigest } from '../core/codec/cid.ts'
import { BLOCKS_PROTOCOL } from './blocks.ts'
import { createNetwork } from './create-network.ts'
import { DhtDiscovery } from './dht.ts'
import { createHost, type Host } from './host.ts'
import { createIdentity } from './identity.ts'
import {
  DUPLICATE_GRACE_MS,
  GOSSIP_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  MESSAGES_BURST_MAX,
  QUEUE_BYTES_MAX,
} from './limits.ts'
import type { Network, NetworkInit, NetworkProblem } from './network.ts'
import { createRelayHost, type RelayHost } from './relay-host.node.ts'

const ECHO = '/test/echo/1.0.0'

/** Real peers in this process: libp2p over node-datachannel and WebSockets, on loopback. */
describe('network of Node peers', () => {
  let relay: RelayHost
  let server: Server
  const networks: Network[] = []
  const hosts: Host[] = []

  beforeEach(async () => {
    server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    relay = await createRelayHost({
      networkId: 'test',
      identity: await createIdentity(),
      announce: [`/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}/ws`],
      listen: [],
    })
    server.on('upgrade', relay.handleUpgrade)
  })

  afterEach(async () => {
    await Promise.all(networks.splice(0).map((network) => network.stop()))
    await Promise.all(hosts.splice(0).map(({ node }) => node.stop()))
    await relay.stop()
    server.close()
  })

  async function join(init: Partial<NetworkInit> = {}): Promise<Network> {
    const network = createNetwork({
      networkId: 'test',
      identity: await createIdentity(),
      relays: relay.multiaddrs(),
      environment: 'node',
      ...init,
    })
    networks.push(network)
    await network.start()
    return network
  }

  async function pair(init: Partial<NetworkInit> = {}): Promise<[Network, Network]> {
    const [a, b] = [await join(init), await join(init)]
    await until(() => a.status().direct === 1 && b.status().direct === 1)
    return [a, b]
  }

  /** A libp2p host without our rules, for what a hostile peer does. */
  async function stranger(target: Network): Promise<Host> {
    const host = await createHost({
      identity: await createIdentity(),
      environment: 'node',
      listen: [],
      iceServers: [],
      agent: 'hostile',
    })
    hosts.push(host)
    const { multiaddr } = await import('@multiformats/multiaddr')
    const address = target.multiaddrs().find((candidate) => candidate.includes('/webrtc/'))
    await host.node.dial(multiaddr(address ?? ''))
    return host
  }

  it('carries messages in order, of every allowed size', async () => {
    const [a, b] = await pair()
    const received: Uint8Array[] = []
    b.handle(ECHO, (from, message) => {
      expect(from).toBe(a.peerId)
      received.push(message)
    })
    const sizes = [1, 127, 128, 16_384, 65_536, MESSAGE_BYTES_MAX, 2, 300_000]
    for (const [index, size] of sizes.entries()) a.send(b.peerId, ECHO, new Uint8Array(size).fill(index))
    await until(() => received.length === sizes.length)
    expect(received.map(({ byteLength }) => byteLength)).toEqual(sizes)
    expect(received.every((message, index) => message[0] === index && message.at(-1) === index)).toBe(true)
  })

  it('refuses to send what is over a limit, naming it', async () => {
    const [a, b] = await pair()
    const over = new Uint8Array(MESSAGE_BYTES_MAX + 1)
    expect(() => a.send(b.peerId, ECHO, over)).toThrow(expect.objectContaining({ name: 'LimitExceededError' }))
    expect(() => a.send(b.peerId, ECHO, new Uint8Array())).toThrow(`1 to ${MESSAGE_BYTES_MAX}`)
    const large = new Uint8Array(MESSAGE_BYTES_MAX)
    const fill = () => {
      for (let bytes = 0; bytes <= QUEUE_BYTES_MAX; bytes += MESSAGE_BYTES_MAX) a.send(b.peerId, '/test/none', large)
    }
    expect(fill).toThrow(`${QUEUE_BYTES_MAX}`)
    await expect(a.publish('t', new Uint8Array(GOSSIP_BYTES_MAX + 1))).rejects.toThrow(`${GOSSIP_BYTES_MAX}`)
  })

  it('carries gossip to every subscriber but its author', async () => {
    const [a, b] = await pair()
    const heard: string[] = []
    a.subscribe('topic', () => heard.push('a'))
    b.subscribe('topic', (from, data) => heard.push(`b ${from === a.peerId} ${data.join()}`))
    await until(async () => {
      await a.publish('topic', Uint8Array.of(1, 2))
      return heard.length > 0
    })
    expect(new Set(heard)).toEqual(new Set(['b true 1,2']))
  })

  it('says when messages to a peer cannot be delivered', async () => {
    const a = await join()
    await until(() => a.status().relays[0]?.state === 'reserved')
    const problems: NetworkProblem[] = []
    a.on('error', (problem) => problems.push(problem))
    const nobody = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
    a.send(nobody, ECHO, Uint8Array.of(1))
    await until(() => problems.length > 0)
    expect(problems[0]).toMatchObject({ name: 'PeerUnreachableError', peer: nobody, protocol: ECHO })
  })

  it('reaches a peer that it is not linked with, and a linked one is told of as gone when it stops', async () => {
    const init = { targetDegree: 0 }
    const [a, b] = [await join(init), await join(init)]
    await until(() => b.multiaddrs().some((address) => address.includes('/webrtc/')))
    await until(() => a.status().relays[0]?.state === 'reserved')
    const received: string[] = []
    b.handle(ECHO, (from) => received.push(from))
    const gone: string[] = []
    a.on('peer:disconnect', ({ peer }) => gone.push(peer))
    a.send(b.peerId, ECHO, Uint8Array.of(1))
    await until(() => received.length === 1)
    expect(a.status().direct).toBe(1)
    await b.stop()
    await until(() => gone.includes(b.peerId))
  })

  it('carries blocks and messages while one of two connections, made when both dialled at once, is closed', async () => {
    const init = { targetDegree: 0 }
    const [a, b] = [await join(init), await join(init)]
    const addressOf = (one: Network) => one.multiaddrs().find((address) => address.includes('/webrtc/')) ?? ''
    for (const one of [a, b]) await until(() => addressOf(one) !== '')
    await Promise.all([a.dial(addressOf(b)), b.dial(addressOf(a))])
    const end = Date.now() + DUPLICATE_GRACE_MS + 1_500
    const heard: number[] = []
    b.handle(ECHO, (_, message) => heard.push(new DataView(message.buffer, message.byteOffset).getUint32(0)))
    let sent = 0
    const send = async () => {
      for (; Date.now() < end; await delay(5)) {
        const message = new DataView(new ArrayBuffer(4))
        message.setUint32(0, sent++)
        a.send(b.peerId, ECHO, new Uint8Array(message.buffer))
      }
    }
    const block = new Uint8Array(2_000_000).fill(7)
    for (const one of [a, b]) one.serveBlocks(async () => block)
    const fetch = async (to: Network, from: Network) => {
      while (Date.now() < end) await to.fetchBlock(cidOf(block), [from.peerId], { bytesMax: block.byteLength })
    }
    await Promise.all([send(), fetch(a, b), fetch(b, a)])
    await until(() => heard.length >= sent)
    expect(heard).toEqual(Array.from({ length: sent }, (_, index) => index))
  })

  it('finds a peer through the DHT of the relay alone', async () => {
    const { multiaddr } = await import('@multiformats/multiaddr')
    const clients: DhtDiscovery[] = []
    for (let i = 0; i < 2; i++) {
      const init = { environment: 'node', listen: [], iceServers: [], agent: 'test' } as const
      const host = await createHost({ ...init, identity: await createIdentity() })
      hosts.push(host)
      await host.node.dial(multiaddr(relay.multiaddrs()[0] ?? ''))
      await host.circuits.reserve(relay.peerId)
      const { components } = host.node.services.inner
      clients.push(await DhtDiscovery.start({ components, networkId: 'test', now: () => Date.now() }))
    }
    const [first, second] = clients as [DhtDiscovery, DhtDiscovery]
    const found = new Map<string, readonly string[]>()
    await until(async () => {
      first.expire()
      await first.provide()
      await second.query(({ peer, addresses }) => found.set(peer, addresses))
      return found.size > 0
    })
    const addresses = found.get(hosts[0]?.node.peerId.toString() ?? '')
    expect(addresses?.some((address) => address.includes('/webrtc/p2p/'))).toBe(true)
    await Promise.all(clients.map((client) => client.stop()))
  })

  it('drops a peer of another network', async () => {
    const [a, other] = [await join(), await join({ networkId: 'other' })]
    await until(() => a.multiaddrs().some((address) => address.includes('/webrtc/')))
    const address = a.multiaddrs().find((candidate) => candidate.includes('/webrtc/')) ?? ''
    await other.dial(address)
    await until(() => a.connections().every(({ peer }) => peer !== other.peerId))
    expect(a.status().direct).toBe(0)
  })

  describe('hostile frames', () => {
    const cases: [string, (host: Host, target: Network) => Promise<void>, string][] = [
      [
        'a length over the limit',
        (host, target) => write(host, target, varint(MESSAGE_BYTES_MAX + 1)),
        'BadFrameError',
      ],
      ['an endless length', (host, target) => write(host, target, new Uint8Array(12).fill(0xff)), 'BadFrameError'],
      [
        'more messages than the rate allows',
        (host, target) => write(host, target, new Uint8Array(6 * MESSAGES_BURST_MAX).fill(1)),
        'RateExceededError',
      ],
    ]
    for (const [what, attack, name] of cases) {
      it(`${what}: refused with ${name}, and others are not disturbed`, async () => {
        const [a, b] = await pair()
        const received: string[] = []
        a.handle(ECHO, (from) => received.push(from))
        const problems: NetworkProblem[] = []
        a.on('error', (problem) => problems.push(problem))
        const host = await stranger(a)
        await attack(host, a)
        await until(() => problems.some((problem) => problem.name === name))
        expect(problems.find((problem) => problem.name === name)).toMatchObject({
          peer: host.node.peerId.toString(),
          protocol: ECHO,
        })
        b.send(a.peerId, ECHO, Uint8Array.of(7))
        await until(() => received.includes(b.peerId))
        const refused = a.metrics().find(({ name: metric, labels }) => {
          return metric === 'network_messages_total' && labels?.status === 'refused'
        })
        expect(refused?.value).toBeGreaterThan(0)
      })
    }

    it('nonsense on the link protocol and in gossip is refused by name', async () => {
      const [a] = await pair()
      const problems: NetworkProblem[] = []
      a.on('error', (problem) => problems.push(problem))
      const host = await stranger(a)
      await write(host, a, Uint8Array.of(3, 1, 2, 3), '/starling/link/1.0.0')
      await until(() => problems.some(({ protocol }) => protocol === '/starling/link/1.0.0'))
      expect(problems[0]?.name).toBe('InvalidMessageError')
      const topic = '/starling/test/peers/1'
      host.node.services.pubsub.subscribe(topic)
      await until(async () => {
        await host.node.services.pubsub.publish(topic, Uint8Array.of(9, 9, 9))
        return problems.some(({ protocol }) => protocol === topic)
      })
    })
  })

  describe('blocks', () => {
    const block = new Uint8Array(3_000_000).map((_, index) => (index * 7) % 251)
    const cid = cidOf(block)

    it('fetches a block whole, of any size, and nothing that is not there or too large', async () => {
      const [a, b] = await pair()
      const small = Uint8Array.of(1, 2, 3)
      const stored = new Map([block, small, new Uint8Array()].map((one) => [cidOf(one), one]))
      b.serveBlocks(async (asked) => stored.get(asked))
      const options = { bytesMax: 4_000_000 }
      for (const [name, bytes] of stored) expectSame(await a.fetchBlock(name, [b.peerId], options), bytes)
      const missing = a.fetchBlock(cidOf(Uint8Array.of(9)), [b.peerId], options)
      await expect(missing).rejects.toMatchObject({ name: 'BlockUnavailableError' })
      const large = a.fetchBlock(cid, [b.peerId], { bytesMax: 1_000 })
      await expect(large).rejects.toMatchObject({
        name: 'LimitExceededError',
        message: expect.stringContaining('1000'),
      })
      await expect(a.fetchBlock('nonsense', [b.peerId], options)).rejects.toMatchObject({ name: 'InvalidMessageError' })
    })

    it('resumes from another peer where the first broke off', async () => {
      const [a, b] = await pair()
      const breaker = await stranger(a)
      await breaker.node.handle(BLOCKS_PROTOCOL, async (stream) => {
        stream.send(frame({ status: 'ok', total: block.byteLength }))
        stream.send(block.subarray(0, 1_000_000))
        setTimeout(() => stream.abort(new Error('broken off')), 500)
      })
      b.serveBlocks(async () => block)
      const progress: { peer: string; bytes: number }[] = []
      const from = [breaker.node.peerId.toString(), b.peerId]
      const fetched = await a.fetchBlock(cid, from, { bytesMax: 4_000_000, onProgress: (at) => progress.push(at) })
      expectSame(fetched, block)
      const resumed = progress.find(({ peer }) => peer === b.peerId)
      expect(resumed?.bytes).toBeGreaterThan(100_000)
    })

    it('finds out a liar, and takes the block from an honest peer', async () => {
      const [a, b] = await pair()
      const problems: NetworkProblem[] = []
      a.on('error', (problem) => problems.push(problem))
      const liar = await stranger(a)
      await liar.node.handle(BLOCKS_PROTOCOL, (stream) => {
        stream.send(frame({ status: 'ok', total: 3 }))
        stream.send(Uint8Array.of(6, 6, 6))
      })
      b.serveBlocks(async () => block)
      const from = [liar.node.peerId.toString(), b.peerId]
      expectSame(await a.fetchBlock(cid, from, { bytesMax: 4_000_000 }), block)
      expect(problems).toContainEqual(expect.objectContaining({ name: 'BadBlockError', peer: from[0] }))
    })

    it('refuses a header that is none and bytes beyond the block', async () => {
      const [a] = await pair()
      const hostile = await stranger(a)
      const answers = [Uint8Array.of(2, 0xff, 0xff), varint(100_000), joined(frame({ status: 'ok', total: 1 }), block)]
      await hostile.node.handle(BLOCKS_PROTOCOL, (stream) => {
        stream.send(answers.shift() ?? new Uint8Array(1))
      })
      for (let left = answers.length; left > 0; left--) {
        const fetched = a.fetchBlock(cid, [hostile.node.peerId.toString()], { bytesMax: 4_000_000 })
        await expect(fetched).rejects.toMatchObject({ name: 'BlockUnavailableError' })
      }
    })

    it('stops when told to', async () => {
      const [a, b] = await pair()
      b.serveBlocks(() => new Promise(() => {}))
      const controller = new AbortController()
      const fetched = a.fetchBlock(cid, [b.peerId], { bytesMax: 4_000_000, signal: controller.signal })
      setTimeout(() => controller.abort(), 200)
      await expect(fetched).rejects.toMatchObject({ name: 'AbortError' })
    })
  })
})

/** Comparing element by element, as `toEqual` does, takes seconds. */
function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(actual, expected)).toBe(0)
}

async function write(host: Host, target: Network, bytes: Uint8Array, protocol = ECHO): Promise<void> {
  const { peerIdFromString } = await import('@libp2p/peer-id')
  const [connection] = host.node.getConnections(peerIdFromString(target.peerId))
  const stream = await connection?.newStream(protocol, { runOnLimitedConnection: true })
  stream?.send(bytes)
}

function frame(header: object): Uint8Array {
  const bytes = encode(header)
  return joined(Uint8Array.of(bytes.byteLength), bytes)
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest >= 128 ? (rest % 128) + 128 : rest)
    if (rest < 128) return Uint8Array.from(bytes)
  }
}

function cidOf(bytes: Uint8Array): string {
  return cidOfDigest(createHash('sha256').update(bytes).digest(), 'raw')
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Not within 20 s: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
