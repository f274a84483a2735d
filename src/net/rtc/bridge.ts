import { RTC_PEER_CONNECTIONS_MAX, RTC_PEER_CONNECTIONS_UNLIMITED_MAX } from '../limits.ts'
import type {
  ChannelMode,
  RtcChannelInfo,
  RtcConfigurationMessage,
  RtcPeerEvent,
  RtcPeerState,
  WindowToWorker,
  WorkerToWindow,
} from './protocol.ts'
import { selectedRemoteAddress } from './selected-address.ts'

export interface RtcBridgeInit {
  /** @default 'auto' */
  readonly channels?: ChannelMode
}

export interface RtcBridge {
  /** Closes every connection that was made through this bridge. */
  stop(): void
}

/** Only Chromium and what is built on it has the limit; Firefox made 700 without one being collected. */
const LIMITED = navigator.userAgent.includes('Chrom')

/** Closed connections that the browser still counts before it is made to collect them; a fifth of what it allows. */
const CLOSED_UNCOLLECTED_MAX = 100

const RELIEF_PAUSE_MS = 2_000
const RELIEF_BYTES = 64 * 1024 * 1024

const PEER_EVENTS: readonly RtcPeerEvent[] = [
  'connectionstatechange',
  'iceconnectionstatechange',
  'icegatheringstatechange',
  'signalingstatechange',
  'negotiationneeded',
]

/**
 * The window's half of the RTC bridge: owns the RTCPeerConnections that the worker asks for.
 *
 * It does as little as can be done here: signalling and state pass through, and each data channel is transferred to
 * the worker in the turn in which it is made or received, so that bytes never touch the main thread.
 *
 * @param port - One end of a MessageChannel; the other goes to `connectRtc` in the worker.
 */
export function serveRtc(port: MessagePort, init: RtcBridgeInit = {}): RtcBridge {
  const bridge = new Bridge(port, init.channels ?? 'auto')
  port.onmessage = (event: MessageEvent<WorkerToWindow>) => bridge.receive(event.data)
  // A page that is closed would close nothing, and its peers would wait for their pings to fail.
  addEventListener('pagehide', ({ persisted }) => {
    if (!persisted) bridge.stop()
  })
  return bridge
}

class Bridge implements RtcBridge {
  readonly #port: MessagePort
  readonly #mode: ChannelMode
  readonly #peers = new Map<number, RTCPeerConnection>()
  readonly #forwarded = new Map<number, ForwardedChannel>()
  readonly #certificates = new Map<number, RTCCertificate>()
  /** Channels that the remote side opened are numbered from here down, those of the worker from 1 up. */
  #channelLast = 0
  #certificateLast = 0
  #created = 0
  #collected = 0
  #relievedAt = Number.NEGATIVE_INFINITY
  readonly #collector: FinalizationRegistry<number>

  constructor(port: MessagePort, mode: ChannelMode) {
    this.#port = port
    this.#mode = mode
    this.#collector = new FinalizationRegistry(() => {
      this.#collected++
      this.#postCounts()
    })
    this.#postCounts()
  }

  stop(): void {
    for (const pc of this.#peers.keys()) this.#closePeer(pc)
    this.#forwarded.clear()
    this.#certificates.clear()
  }

  receive(message: WorkerToWindow): void {
    switch (message.type) {
      case 'create':
        this.#create(message.pc, message.configuration)
        break
      case 'call':
        this.#call(message)
        break
      case 'certificate':
        this.#certificate(message.call, message.algorithm)
        break
      case 'close':
        this.#closePeer(message.pc)
        break
      case 'open-channel':
        this.#openChannel(message)
        break
      case 'send':
        this.#forwarded.get(message.channel)?.send(message.data)
        break
      case 'low-threshold':
        this.#forwarded.get(message.channel)?.setThreshold(message.bytes)
        break
      case 'close-channel':
        this.#forwarded.get(message.channel)?.close()
        break
      case 'stop':
        this.stop()
        break
    }
  }

  #post(message: WindowToWorker, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  #postCounts(): void {
    const limit = LIMITED ? RTC_PEER_CONNECTIONS_MAX : RTC_PEER_CONNECTIONS_UNLIMITED_MAX
    const counts = { created: this.#created, open: this.#peers.size, collected: this.#collected, limit }
    this.#post({ type: 'counts', counts })
  }

  #create(id: number, { certificateIds, ...rest }: RtcConfigurationMessage): void {
    try {
      const certificates = certificateIds?.map((certificate) => this.#certificates.get(certificate))
      for (const certificate of certificateIds ?? []) this.#certificates.delete(certificate)
      const found = certificates?.filter((certificate) => certificate !== undefined)
      const pc = new RTCPeerConnection(found === undefined ? rest : { ...rest, certificates: found })
      this.#created++
      this.#collector.register(pc, id)
      this.#peers.set(id, pc)
      this.#watch(id, pc)
    } catch (error) {
      this.#post({ type: 'create-failed', pc: id, ...describe(error) })
    }
    this.#postCounts()
  }

  #watch(id: number, pc: RTCPeerConnection): void {
    for (const event of PEER_EVENTS) {
      pc.addEventListener(event, () => this.#post({ type: 'event', pc: id, event, state: stateOf(pc) }))
    }
    pc.addEventListener('icecandidate', ({ candidate }) =>
      this.#post({ type: 'candidate', pc: id, candidate: candidate === null ? null : candidate.toJSON() }),
    )
    pc.addEventListener('icecandidateerror', ({ errorCode, errorText }) =>
      this.#post({ type: 'candidate-error', pc: id, code: errorCode, text: errorText }),
    )
    pc.addEventListener('datachannel', ({ channel }) => this.#handOver(id, --this.#channelLast, 'remote', channel))
  }

  #call({ pc: id, call, method, argument }: Extract<WorkerToWindow, { type: 'call' }>): void {
    const pc = this.#peers.get(id)
    if (pc === undefined) {
      const message = 'The RTCPeerConnection is closed'
      this.#post({ type: 'failure', call, name: 'InvalidStateError', message })
      return
    }
    // Each method takes at most one argument of its own type; the worker's stand-in is typed accordingly.
    const invoke =
      method === 'selectedRemoteAddress'
        ? () => selectedRemoteAddress(pc)
        : (pc[method].bind(pc) as (value?: unknown) => Promise<unknown>)
    invoke(argument ?? undefined).then(
      (value) => this.#post({ type: 'result', call, value: plain(value), state: stateOf(pc) }),
      (error: unknown) => this.#post({ type: 'failure', call, ...describe(error) }),
    )
  }

  #certificate(call: number, algorithm: AlgorithmIdentifier): void {
    RTCPeerConnection.generateCertificate(algorithm).then(
      (certificate) => {
        const id = ++this.#certificateLast
        this.#certificates.set(id, certificate)
        this.#post({ type: 'result', call, value: { id, expires: certificate.expires } })
      },
      (error: unknown) => this.#post({ type: 'failure', call, ...describe(error) }),
    )
  }

  #closePeer(id: number): void {
    const pc = this.#peers.get(id)
    if (pc === undefined) return
    // The browser counts a connection until it is collected, so nothing here may go on holding it.
    this.#peers.delete(id)
    pc.close()
    this.#postCounts()
    this.#relieve()
  }

  /**
   * Chromium refuses the 501st connection of a tab and counts closed ones until they are collected, which on a quiet
   * page is never. A large buffer, dropped at once, makes it collect: measured, 16 to 72 MB sufficed for 100 of them,
   * without touching the memory.
   */
  #relieve(): void {
    const closed = this.#created - this.#collected - this.#peers.size
    const now = performance.now()
    if (closed < CLOSED_UNCOLLECTED_MAX || now - this.#relievedAt < RELIEF_PAUSE_MS) return
    this.#relievedAt = now
    const press = () => void new ArrayBuffer(RELIEF_BYTES).byteLength
    if ('requestIdleCallback' in globalThis) requestIdleCallback(press)
    else setTimeout(press)
  }

  #openChannel({ pc, channel: id, label, init }: Extract<WorkerToWindow, { type: 'open-channel' }>): void {
    try {
      const peer = this.#peers.get(pc)
      if (peer === undefined) throw new DOMException('The RTCPeerConnection is closed', 'InvalidStateError')
      this.#handOver(pc, id, 'local', peer.createDataChannel(label, init))
    } catch (error) {
      this.#post({ type: 'channel-failed', channel: id, ...describe(error) })
    }
  }

  /** Must run in the turn in which the channel was made or received: later a transfer is refused. */
  #handOver(pc: number, id: number, origin: 'local' | 'remote', channel: RTCDataChannel): void {
    const info = infoOf(channel)
    if (this.#mode !== 'forward') {
      try {
        const transferred = channel as RTCDataChannel & Transferable
        this.#post({ type: 'channel', pc, channel: id, origin, info, transferred }, [transferred])
        return
      } catch (error) {
        if (this.#mode === 'transfer') throw error
      }
    }
    const close = () => this.#forwarded.delete(id)
    this.#forwarded.set(id, new ForwardedChannel(id, channel, (message, list) => this.#post(message, list), close))
    this.#post({ type: 'channel', pc, channel: id, origin, info })
  }
}

/** A data channel that stays on the window and whose messages are forwarded. */
class ForwardedChannel {
  readonly #channel: RTCDataChannel
  #accepted = 0

  constructor(
    id: number,
    channel: RTCDataChannel,
    post: (message: WindowToWorker, transfer?: Transferable[]) => void,
    onClosed: () => void,
  ) {
    this.#channel = channel
    channel.binaryType = 'arraybuffer'
    channel.onopen = () => post({ type: 'channel-open', channel: id, id: channel.id })
    channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) =>
      post({ type: 'channel-message', channel: id, data }, typeof data === 'string' ? [] : [data])
    channel.onbufferedamountlow = () =>
      post({ type: 'channel-low', channel: id, sent: this.#accepted - channel.bufferedAmount })
    channel.onclosing = () => post({ type: 'channel-state', channel: id, state: 'closing' })
    channel.onclose = () => {
      onClosed()
      post({ type: 'channel-state', channel: id, state: 'closed' })
    }
    channel.onerror = ({ error }) => post({ type: 'channel-error', channel: id, message: error.message })
  }

  send(data: string | ArrayBuffer): void {
    if (this.#channel.readyState !== 'open') return
    this.#accepted += typeof data === 'string' ? new TextEncoder().encode(data).byteLength : data.byteLength
    // The overloads of `send` exclude the union although each member is allowed.
    this.#channel.send(data as ArrayBuffer)
  }

  setThreshold(bytes: number): void {
    this.#channel.bufferedAmountLowThreshold = bytes
  }

  close(): void {
    this.#channel.close()
  }
}

function stateOf(pc: RTCPeerConnection): RtcPeerState {
  return {
    connectionState: pc.connectionState,
    iceConnectionState: pc.iceConnectionState,
    iceGatheringState: pc.iceGatheringState,
    signalingState: pc.signalingState,
    localDescription: pc.localDescription === null ? null : describeSdp(pc.localDescription),
    remoteDescription: pc.remoteDescription === null ? null : describeSdp(pc.remoteDescription),
  }
}

function describeSdp({ type, sdp }: RTCSessionDescriptionInit): RTCSessionDescriptionInit {
  return sdp === undefined ? { type } : { type, sdp }
}

/** Session descriptions are not cloneable as they come; the only other result is an address. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined
  return describeSdp(value as RTCSessionDescriptionInit)
}

function infoOf(channel: RTCDataChannel): RtcChannelInfo {
  const { label, protocol, ordered, negotiated, id, readyState } = channel
  return { label, protocol, ordered, negotiated, id, readyState }
}

function describe(error: unknown): { name: string; message: string } {
  if (error instanceof Error) return { name: error.name, message: error.message }
  return { name: 'Error', message: String(error) }
}
