import { RTCPeerConnection } from 'node-datachannel/polyfill'
import { afterEach, describe, expect, it } from 'vitest'
import { guardDialRace, guardInitChannel, INIT_CHANNEL_LABEL } from './init-channel.ts'

/** A channel that has opened and closed before anybody listened, as the dialer finds it when the race is lost. */
class PastChannel extends EventTarget {
  readonly label: string
  readyState: RTCDataChannelState = 'connecting'

  constructor(label: string) {
    super()
    this.label = label
  }

  pass(...states: ('open' | 'closing' | 'close')[]): void {
    for (const state of states) {
      this.readyState = state === 'close' ? 'closed' : state
      this.dispatchEvent(new Event(state))
    }
  }

  close(): void {}
}

class Connection extends EventTarget {
  connectionState: RTCPeerConnectionState = 'connecting'

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.dispatchEvent(new Event('connectionstatechange'))
  }
}

/** Whether a listener that comes now is ever called. */
async function isCalled(channel: EventTarget, type: string): Promise<boolean> {
  let called = 0
  channel.addEventListener(type, () => called++)
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(called).toBeLessThan(2)
  return called === 1
}

describe('guardInitChannel', () => {
  it('calls a listener for open and close that are past', async () => {
    const channel = guardInitChannel(new PastChannel(INIT_CHANNEL_LABEL), new Connection())
    channel.pass('open', 'closing', 'close')
    expect(await isCalled(channel, 'open')).toBe(true)
    expect(await isCalled(channel, 'close')).toBe(true)
  })

  it('without it, such a listener waits for ever', async () => {
    const channel = new PastChannel(INIT_CHANNEL_LABEL)
    channel.pass('open', 'closing', 'close')
    expect(await isCalled(channel, 'open')).toBe(false)
    expect(await isCalled(channel, 'close')).toBe(false)
  })

  it('says open to whoever waits on a channel that is closing, and leaves close to come', async () => {
    const channel = guardInitChannel(new PastChannel(INIT_CHANNEL_LABEL), new Connection())
    channel.readyState = 'closing'
    expect(await isCalled(channel, 'open')).toBe(true)
    const closed = isCalled(channel, 'close')
    channel.pass('close')
    expect(await closed).toBe(true)
  })

  it('invents nothing on a channel that connects', async () => {
    const channel = guardInitChannel(new PastChannel(INIT_CHANNEL_LABEL), new Connection())
    expect(await isCalled(channel, 'open')).toBe(false)
    expect(await isCalled(channel, 'close')).toBe(false)
  })

  it('reports an error, now and later, when the connection ends before the channel has opened', async () => {
    for (const state of ['failed', 'closed'] as const) {
      const connection = new Connection()
      const channel = guardInitChannel(new PastChannel(INIT_CHANNEL_LABEL), connection)
      const waiting = isCalled(channel, 'error')
      connection.become(state)
      expect(await waiting).toBe(true)
      channel.readyState = 'closed'
      expect(await isCalled(channel, 'error')).toBe(true)
      expect(await isCalled(channel, 'open')).toBe(false)
    }
  })

  it('does not when the channel has opened before', async () => {
    const connection = new Connection()
    const channel = guardInitChannel(new PastChannel(INIT_CHANNEL_LABEL), connection)
    channel.pass('open')
    connection.become('closed')
    expect(await isCalled(channel, 'error')).toBe(false)
  })

  it('leaves other channels alone', async () => {
    const channel = guardInitChannel(new PastChannel(''), new Connection())
    channel.pass('open', 'close')
    expect(await isCalled(channel, 'close')).toBe(false)
  })
})

/**
 * The race itself, in libp2p's own dialling code: the connection is made and the `init` channel has come and gone by
 * the time the dialer looks at it. Only the peer connection and the signalling stream are scripted.
 */
describe('dial of @libp2p/webrtc', () => {
  const { prototype } = RTCPeerConnection
  const originals = Object.getOwnPropertyDescriptors(prototype)
  afterEach(() => {
    for (const [name, descriptor] of Object.entries(originals)) Object.defineProperty(prototype, name, descriptor)
  })

  it('fails when the init channel is gone before it looks', async () => {
    script(prototype)
    await expect(dial()).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('succeeds with the guard', async () => {
    script(prototype)
    const unguard = guardDialRace(RTCPeerConnection as unknown as Parameters<typeof guardDialRace>[0])
    await expect(dial()).resolves.toBeDefined()
    unguard()
  })
})

function script(prototype: object): void {
  const define = (name: string, descriptor: PropertyDescriptor) =>
    Object.defineProperty(prototype, name, { configurable: true, ...descriptor })
  define('connectionState', { get: () => 'connected' })
  define('createOffer', { writable: true, value: async () => ({ type: 'offer', sdp: '' }) })
  define('setLocalDescription', { writable: true, value: async () => {} })
  define('setRemoteDescription', { writable: true, value: async () => {} })
  define('createDataChannel', {
    writable: true,
    value: (label: string) => {
      const channel = new PastChannel(label)
      // In the next macrotask, while the dialer still waits for its answer.
      setTimeout(() => channel.pass('open', 'closing', 'close'))
      return channel
    },
  })
}

async function dial(): Promise<unknown> {
  // Not among the package's exports: the file is what the patch is about.
  const path = new URL(
    '../../../node_modules/@libp2p/webrtc/dist/src/private-to-private/initiate-connection.js',
    import.meta.url,
  ).href
  const messages = new URL(
    '../../../node_modules/@libp2p/webrtc/dist/src/private-to-private/pb/message.js',
    import.meta.url,
  ).href
  const [{ initiateConnection }, { Message }, { streamPair, pbStream }, { multiaddr }, { defaultLogger }] =
    await Promise.all([
      import(path),
      import(messages),
      import('@libp2p/utils'),
      import('@multiformats/multiaddr'),
      import('@libp2p/logger'),
    ])
  const [near, far] = await streamPair()
  const remote = pbStream(far).pb(Message)
  const answering = remote.read().then(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    await remote.write({ type: Message.Type.SDP_ANSWER, data: '' })
  })
  const log = Object.assign(() => {}, { error: () => {}, trace: () => {} })
  const [relay, target] = ['12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp', PEER]
  const dialled = initiateConnection({
    multiaddr: multiaddr(`/ip4/127.0.0.1/tcp/1/ws/p2p/${relay}/p2p-circuit/webrtc/p2p/${target}`),
    signal: AbortSignal.timeout(1_000),
    connectionManager: { getConnections: () => [{ newStream: async () => near }] },
    log,
    logger: defaultLogger(),
  })
  await answering
  return dialled
}

const PEER = '12D3KooWHHzSeKaY8xuZVzkLbKFfvNgPPeKhFBGrMbNzbm5akpqu'
