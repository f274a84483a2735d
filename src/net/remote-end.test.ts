import type { Stream } from '@libp2p/interface'
import { afterEach, expect, it } from 'vitest'
import { loopbackHost } from '../testing/loopback-host.ts'
import { FrameReader } from './frame-reader.ts'
import type { Host } from './host.ts'
import { Messages } from './messages.ts'

const PROTOCOL = '/test/once/1.0.0'
const hosts: Host[] = []

afterEach(() => Promise.all(hosts.splice(0).map(({ node }) => node.stop())))

/** Writes one frame and ends, before the other side has looked. @returns Both ends of the stream. */
async function writtenAndEnded(): Promise<{ written: Stream; unread: Stream }> {
  const [from, to] = [await loopbackHost(), await loopbackHost()]
  hosts.push(from, to)
  const incoming = new Promise<Stream>((resolve) => void to.node.handle(PROTOCOL, resolve))
  const written = await from.node.dialProtocol(to.node.getMultiaddrs(), PROTOCOL)
  written.send(Uint8Array.of(2, 7, 8))
  void written.close()
  const unread = await incoming
  while (unread.remoteWriteStatus !== 'closed') await new Promise((resolve) => setTimeout(resolve, 10))
  return { written, unread }
}

it('messages of a stream that ended before anybody listened are read, and the stream is closed', async () => {
  const { written, unread } = await writtenAndEnded()
  const messages = new Messages({
    open: () => Promise.reject(new Error('not used')),
    onProblem: () => {},
    onBytes: () => {},
    now: () => Date.now(),
  })
  const received: number[][] = []
  const closed = new Promise((resolve) => written.addEventListener('close', resolve))
  messages.receive('peer', unread, (_, message) => received.push([...message]))
  await closed
  expect(received).toEqual([[7, 8]])
})

it('frames of such a stream are read, and its end is told at once', async () => {
  const { unread } = await writtenAndEnded()
  const reader = new FrameReader(unread, { frameBytesMax: 16 })
  expect([...(await reader.frame({ timeoutMs: 20_000 }))]).toEqual([7, 8])
  await expect(reader.frame({ timeoutMs: 20_000 })).rejects.toThrow('The stream ended')
})
