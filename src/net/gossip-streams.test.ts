import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHost, type Host } from './host.ts'
import { createIdentity } from './identity.ts'

/** Longer than identify waits before it pushes a change. */
const IDENTIFY_QUIET_MS = 2_000
const TOPIC = 'news'

/** Two real hosts on loopback, joined by WebSockets. */
describe('gossip between two peers', () => {
  let hosts: [Host, Host]

  let identifiedAtMs = 0

  beforeEach(async () => {
    const make = async (listen: readonly string[]): Promise<Host> =>
      createHost({ identity: await createIdentity(), environment: 'node', listen, iceServers: [], agent: 'test' })
    hosts = [await make([]), await make(['/ip4/127.0.0.1/tcp/0/ws'])]
    for (const { node } of hosts)
      node.addEventListener('peer:identify', () => {
        identifiedAtMs = Date.now()
      })
  })
  afterEach(() => Promise.all(hosts.map(({ node }) => node.stop())))

  /** Publishes until the other one hears. */
  async function hears(from: Host, to: Host, word: number): Promise<void> {
    let heard = false
    to.node.services.pubsub.addEventListener('gossipsub:message', ({ detail: { msg } }) => {
      if (msg.data[0] === word) heard = true
    })
    await expect
      .poll(
        async () => {
          await from.node.services.pubsub.publish(TOPIC, Uint8Array.of(word, Math.random() * 256, Math.random() * 256))
          return heard
        },
        { timeout: 10_000, interval: 100 },
      )
      .toBe(true)
  }

  /** Resolves when nobody tells anybody any more who he is: as long as somebody does, gossip is told of a connection again. */
  const identified = (): Promise<void> =>
    expect.poll(() => Date.now() - identifiedAtMs, { timeout: 15_000 }).toBeGreaterThan(IDENTIFY_QUIET_MS)

  it('goes on over the connection that stays when the one that carried it closes', async () => {
    const [a, b] = hosts
    for (const { node } of hosts) node.services.pubsub.subscribe(TOPIC)
    const address = multiaddr(b.node.getMultiaddrs().find((each) => each.toString().includes('/ws')) ?? '')
    const first = await a.node.dial(address)
    await hears(a, b, 1)
    await hears(b, a, 2)
    await a.node.dial(address, { force: true })
    await identified()
    expect(a.node.getConnections()).toHaveLength(2)
    await first.close()
    await expect.poll(() => b.node.getConnections().length).toBe(1)
    await hears(a, b, 3)
    await hears(b, a, 4)
  })
})
