import type { RtcProvider } from '../../src/net/network.ts'
import { connectRtc } from '../../src/net/rtc/worker.ts'

/** What the page reports: a failed case has an `error`. */
interface Outcome {
  name: string
  error?: string
  value?: unknown
}

type Pc = RTCPeerConnection

let rtc: RtcProvider

const cases: Record<string, () => Promise<unknown>> = {
  'a pair connects and both see it': async () => {
    const { a, b } = await pair()
    assert(a.connectionState === 'connected' && b.connectionState === 'connected', 'both connected')
    close(a, b)
  },

  'a message sent in the turn of open arrives, in order, before later ones': async () => {
    const a = new rtc.RTCPeerConnection({ iceServers: [] })
    const b = new rtc.RTCPeerConnection({ iceServers: [] })
    const received: number[] = []
    // Listening begins in the turn of the event, as libp2p does: what comes before anybody listens is nobody's.
    const all = new Promise<void>((resolve) => {
      b.addEventListener('datachannel', ({ channel: remote }) => {
        remote.binaryType = 'arraybuffer'
        remote.onmessage = ({ data }) => {
          received.push(new Uint8Array(data as ArrayBuffer)[0] ?? -1)
          if (received.length === 100) resolve()
        }
      })
    })
    const channel = a.createDataChannel('early')
    assert(channel.readyState === 'connecting', 'a channel is connecting at first')
    channel.addEventListener('open', () => {
      for (let i = 0; i < 100; i++) channel.send(new Uint8Array([i]))
    })
    await connect(a, b)
    await all
    assert(
      received.every((value, index) => value === index),
      `in order: ${received.join()}`,
    )
    close(a, b)
  },

  'both directions of one channel carry bytes and text': async () => {
    const { a, b } = await pair()
    const [mine, theirs] = await channelOf(a, b)
    theirs.onmessage = ({ data }) => theirs.send(data)
    const echo = async (data: ArrayBuffer | string) => {
      const answer = event<MessageEvent>(mine, 'message')
      mine.send(data as ArrayBuffer)
      return (await answer).data as unknown
    }
    assert((await echo('grüße')) === 'grüße', 'text')
    const bytes = new Uint8Array(60_000).map((_, index) => index % 251)
    const back = new Uint8Array((await echo(bytes.buffer)) as ArrayBuffer)
    assert(back.length === bytes.length && back.every((value, index) => value === bytes[index]), 'bytes')
    assert(bytes.byteLength === 60_000, 'the sender keeps its buffer')
    close(a, b)
  },

  'a view sends its own bytes alone': async () => {
    const { a, b } = await pair()
    const [mine, theirs] = await channelOf(a, b)
    const message = event<MessageEvent>(theirs, 'message')
    mine.send(new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3))
    assert(new Uint8Array((await message).data as ArrayBuffer).join() === '2,3', 'the view')
    close(a, b)
  },

  'bufferedAmount rises, and bufferedamountlow tells when it is down': async () => {
    const { a, b } = await pair()
    const [mine, theirs] = await channelOf(a, b)
    let received = 0
    theirs.onmessage = ({ data }) => {
      received += (data as ArrayBuffer).byteLength
    }
    mine.bufferedAmountLowThreshold = 0
    const low = event(mine, 'bufferedamountlow')
    for (let i = 0; i < 64; i++) mine.send(new Uint8Array(16_384))
    assert(mine.bufferedAmount > 0, `bufferedAmount is ${mine.bufferedAmount}`)
    await low
    assert(mine.bufferedAmount === 0, `bufferedAmount is ${mine.bufferedAmount} at last`)
    await until(() => received === 64 * 16_384)
    close(a, b)
  },

  'closing a channel is seen on both sides, and sending afterwards throws': async () => {
    const { a, b } = await pair()
    const [mine, theirs] = await channelOf(a, b)
    const closed = Promise.all([event(mine, 'close'), event(theirs, 'close')])
    mine.close()
    await closed
    assert(mine.readyState === 'closed' && theirs.readyState === 'closed', 'both closed')
    assert(thrown(() => mine.send('x')) === 'InvalidStateError', 'send throws')
    close(a, b)
  },

  'a channel closed before the window has made it closes': async () => {
    const { a, b } = await pair()
    // Whether the channel has opened when it is handed over is chance: once would seldom tell.
    for (let i = 0; i < 50; i++) {
      const channel = a.createDataChannel('short')
      channel.close()
      assert(channel.readyState === 'closing', 'closing at once')
      await event(channel, 'close')
    }
    close(a, b)
  },

  'sending on a connecting channel throws InvalidStateError': async () => {
    const { a, b } = await pair()
    assert(thrown(() => a.createDataChannel('x').send('early')) === 'InvalidStateError', 'send throws')
    close(a, b)
  },

  'a hundred channels at once keep their messages apart': async () => {
    const { a, b } = await pair()
    const seen = new Map<string, string>()
    b.addEventListener('datachannel', ({ channel }) => {
      channel.onmessage = ({ data }) => seen.set(channel.label, data as string)
    })
    for (let i = 0; i < 100; i++) {
      const channel = a.createDataChannel(`channel ${i}`)
      channel.addEventListener('open', () => channel.send(`message ${i}`))
    }
    await until(() => seen.size === 100)
    for (let i = 0; i < 100; i++) assert(seen.get(`channel ${i}`) === `message ${i}`, `channel ${i}`)
    close(a, b)
  },

  'a negotiated channel works from both ends': async () => {
    const a = new rtc.RTCPeerConnection({ iceServers: [] })
    const b = new rtc.RTCPeerConnection({ iceServers: [] })
    const mine = a.createDataChannel('', { negotiated: true, id: 0 })
    const theirs = b.createDataChannel('', { negotiated: true, id: 0 })
    const message = event<MessageEvent>(theirs, 'message')
    await connect(a, b)
    await opened(mine)
    mine.send('negotiated')
    assert((await message).data === 'negotiated', 'the message')
    close(a, b)
  },

  'a certificate can be made and used': async () => {
    const certificate = await rtc.RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' } as never)
    const a = new rtc.RTCPeerConnection({ iceServers: [], certificates: [certificate] })
    a.createDataChannel('x')
    const offer = await a.createOffer()
    assert((offer.sdp ?? '').includes('a=fingerprint:'), 'an offer with a fingerprint')
    close(a)
  },

  'a wrong description is refused with the name of the browser error': async () => {
    const a = new rtc.RTCPeerConnection({ iceServers: [] })
    const error = await a.setRemoteDescription({ type: 'answer', sdp: 'nonsense' }).catch((reason: unknown) => reason)
    assert(error instanceof DOMException, `a DOMException, not ${String(error)}`)
    close(a)
    const late = await a.createOffer().catch((reason: unknown) => reason)
    assert(late instanceof DOMException && late.name === 'InvalidStateError', 'closed connections refuse')
  },

  'closing one end is noticed by the other': async () => {
    const { a, b } = await pair()
    const [, theirs] = await channelOf(a, b)
    const closed = event(theirs, 'close')
    a.close()
    await closed
    assert(a.connectionState === 'closed', 'closed at once here')
    close(b)
  },

  'connections are counted': async () => {
    const before = rtc.budget()
    const made = Array.from({ length: 10 }, () => new rtc.RTCPeerConnection({ iceServers: [] }))
    assert(rtc.budget().created === before.created + 10, 'created at once')
    assert(rtc.budget().open === before.open + 10, 'open at once')
    close(...made)
    assert(rtc.budget().open === before.open, 'closed at once')
    await until(() => rtc.budget().created - before.created === 10)
    return rtc.budget()
  },

  'closed connections do not use up the browser limit of 500': async () => {
    for (let round = 0; round < 13; round++) {
      const made = Array.from({ length: 50 }, () => new rtc.RTCPeerConnection({ iceServers: [] }))
      await Promise.all(made.map((pc) => pc.createOffer()))
      close(...made)
      // Rounds come faster than any real churn; the browser needs a moment to collect.
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    assert(rtc.budget().created > 650, `${rtc.budget().created} created`)
    return rtc.budget()
  },

  'throughput of one channel': async () => {
    const { a, b } = await pair()
    const [mine, theirs] = await channelOf(a, b)
    const total = 16 * 1024 * 1024
    let received = 0
    theirs.onmessage = ({ data }) => {
      received += (data as ArrayBuffer).byteLength
    }
    const start = performance.now()
    const chunk = new Uint8Array(65_536)
    for (let sent = 0; sent < total; sent += chunk.byteLength) {
      if (mine.bufferedAmount > 1_000_000) await event(mine, 'bufferedamountlow')
      mine.send(chunk)
    }
    await until(() => received === total)
    close(a, b)
    return `${(total / 1e6 / ((performance.now() - start) / 1000)).toFixed(1)} MB/s`
  },
}

async function pair(): Promise<{ a: Pc; b: Pc }> {
  const a = new rtc.RTCPeerConnection({ iceServers: [] })
  const b = new rtc.RTCPeerConnection({ iceServers: [] })
  a.createDataChannel('first')
  await connect(a, b)
  return { a, b }
}

async function connect(a: Pc, b: Pc): Promise<void> {
  a.onicecandidate = ({ candidate }) => void (candidate && b.addIceCandidate(candidate))
  b.onicecandidate = ({ candidate }) => void (candidate && a.addIceCandidate(candidate))
  const connected = Promise.all([a, b].map((pc) => untilState(pc)))
  const offer = await a.createOffer()
  await a.setLocalDescription(offer)
  await b.setRemoteDescription(offer)
  const answer = await b.createAnswer()
  await b.setLocalDescription(answer)
  await a.setRemoteDescription(answer)
  await connected
}

function untilState(pc: Pc): Promise<void> {
  return new Promise((resolve, reject) => {
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState === 'connected') resolve()
      if (pc.connectionState === 'failed') reject(new Error('connection failed'))
    })
  })
}

async function channelOf(a: Pc, b: Pc): Promise<[RTCDataChannel, RTCDataChannel]> {
  const incoming = new Promise<RTCDataChannel>((resolve) => {
    b.addEventListener('datachannel', ({ channel }) => {
      if (channel.label === 'test') resolve(channel)
    })
  })
  const mine = a.createDataChannel('test')
  const theirs = await incoming
  theirs.binaryType = 'arraybuffer'
  mine.binaryType = 'arraybuffer'
  await Promise.all([opened(mine), opened(theirs)])
  return [mine, theirs]
}

async function opened(channel: RTCDataChannel): Promise<void> {
  if (channel.readyState === 'connecting') await event(channel, 'open')
}

function event<T extends Event>(target: EventTarget, type: string): Promise<T> {
  return new Promise((resolve) => target.addEventListener(type, (fired) => resolve(fired as T), { once: true }))
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

function thrown(action: () => void): string | undefined {
  try {
    action()
  } catch (error) {
    return (error as Error).name
  }
  return undefined
}

function assert(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Not so: ${what}`)
}

function close(...pcs: Pc[]): void {
  for (const pc of pcs) pc.close()
}

async function run(): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [name, body] of Object.entries(cases)) {
    const timeout = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('took over 30 s')), 30_000))
    const outcome: Outcome = { name }
    try {
      outcome.value = await Promise.race([body(), timeout])
    } catch (error) {
      outcome.error = (error as Error).message
    }
    outcomes.push(outcome)
  }
  outcomes.push({ name: 'mode', value: rtc.budget().channels })
  return outcomes
}

self.onmessage = async ({ data }: MessageEvent<{ port: MessagePort }>) => {
  rtc = connectRtc(data.port)
  self.postMessage(await run())
}
