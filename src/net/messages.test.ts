import { setTimeout as delay } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { afterEach, expect, it } from 'vitest'
import { loopbackHost } from '../testing/loopback-host.ts'
import type { Host } from './host.ts'
import { Messages } from './messages.ts'

const PROTOCOL = '/test/none/1.0.0'
const hosts: Host[] = []

afterEach(() => Promise.all(hosts.splice(0).map(({ node }) => node.stop())))

async function openStream(): Promise<Stream> {
  const [from, to] = [await loopbackHost(), await loopbackHost()]
  hosts.push(from, to)
  await to.node.handle(PROTOCOL, () => {})
  return from.node.dialProtocol(to.node.getMultiaddrs(), PROTOCOL)
}

it('a stream that was being opened to a peer that is gone says nothing about who is there when it opens', async () => {
  const stream = await openStream()
  const lost: string[] = []
  const problems: string[] = []
  let open = (_: Stream): void => {}
  const messages = new Messages({
    open: () => new Promise((resolve) => (open = resolve)),
    onProblem: ({ message }) => problems.push(message),
    onBytes: () => {},
    onStreamLost: (peer) => lost.push(peer),
    now: () => Date.now(),
  })
  messages.send('peer', PROTOCOL, Uint8Array.of(1))
  await delay(10)
  messages.forget('peer')
  open(stream)
  await delay(10)
  expect(stream.status).toBe('aborted')
  expect([lost, problems]).toEqual([[], []])
  expect(messages.counters).toMatchObject({ sent: 0, dropped: 1 })
})
