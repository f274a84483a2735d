import { RtcBridgeError, RtcBudgetError } from '../errors.ts'
import { RTC_PEER_CONNECTIONS_MAX } from '../limits.ts'
import type { RtcBudget } from '../network.ts'
import { type ForwardedPort, StandInDataChannel } from './data-channel.ts'
import type { StandInCertificate, StandInPeerConnection } from './peer-connection.ts'
import type {
  RtcConfigurationMessage,
  RtcCounts,
  RtcMethod,
  RtcPeerState,
  WindowToWorker,
  WorkerToWindow,
} from './protocol.ts'

interface PendingCall {
  readonly pc: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The worker's half of the RTC bridge: numbers connections, channels and calls, and delivers what the window says. */
export class RtcLink {
  readonly #port: MessagePort
  readonly #peers = new Map<number, StandInPeerConnection>()
  readonly #opening = new Map<number, StandInDataChannel>()
  readonly #forwarded = new Map<number, ForwardedPort>()
  readonly #calls = new Map<number, PendingCall>()
  #counts: RtcCounts = { created: 0, open: 0, collected: 0, limit: RTC_PEER_CONNECTIONS_MAX }
  /** Made here and not yet in the counts that the window sent. */
  #created = 0
  #sequence = 0
  #forwards = false
  #stopped = false

  constructor(port: MessagePort) {
    this.#port = port
    port.onmessage = (event: MessageEvent<WindowToWorker>) => this.#receive(event.data)
  }

  budget(): RtcBudget {
    const created = Math.max(this.#created, this.#counts.created)
    return {
      used: created - this.#counts.collected,
      open: this.#peers.size,
      created,
      limit: this.#counts.limit,
      channels: this.#forwards ? 'forwarded' : 'transferred',
    }
  }

  create(peer: StandInPeerConnection, configuration: RtcConfigurationMessage): number {
    if (this.#stopped) throw new RtcBridgeError('The RTC bridge is stopped')
    const { used, limit } = this.budget()
    if (used >= limit) {
      throw new RtcBudgetError(`RTCPeerConnections of this tab are ${used}, the limit is ${limit}`, { used, limit })
    }
    const id = ++this.#sequence
    this.#created++
    this.#peers.set(id, peer)
    this.#post({ type: 'create', pc: id, configuration })
    return id
  }

  call(pc: number, method: RtcMethod, argument?: RTCSessionDescriptionInit | RTCIceCandidateInit | null) {
    const call = ++this.#sequence
    return new Promise<unknown>((resolve, reject) => {
      this.#calls.set(call, { pc, resolve, reject })
      this.#post(
        argument === undefined ? { type: 'call', pc, call, method } : { type: 'call', pc, call, method, argument },
      )
    })
  }

  generateCertificate(algorithm: AlgorithmIdentifier): Promise<StandInCertificate> {
    const call = ++this.#sequence
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { pc: 0, resolve: resolve as (value: unknown) => void, reject })
      this.#post({ type: 'certificate', call, algorithm })
    })
  }

  openChannel(pc: number, channel: StandInDataChannel, open: { label: string; init: RTCDataChannelInit | undefined }) {
    const id = ++this.#sequence
    this.#opening.set(id, channel)
    this.#post({ type: 'open-channel', pc, channel: id, ...open })
  }

  close(pc: number): void {
    if (!this.#peers.delete(pc)) return
    this.#post({ type: 'close', pc })
    for (const [call, pending] of this.#calls) {
      if (pending.pc !== pc) continue
      this.#calls.delete(call)
      pending.reject(new DOMException('The RTCPeerConnection is closed', 'InvalidStateError'))
    }
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    for (const peer of this.#peers.values()) peer.fail()
    for (const id of [...this.#peers.keys()]) this.close(id)
    this.#post({ type: 'stop' })
  }

  #post(message: WorkerToWindow, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  #receive(message: WindowToWorker): void {
    switch (message.type) {
      case 'result':
        this.#settle(message.call, message.value, message.state)
        break
      case 'failure':
        this.#fail(message.call, new DOMException(message.message, message.name))
        break
      case 'create-failed':
        this.#peers.get(message.pc)?.fail()
        break
      case 'event': {
        const peer = this.#peers.get(message.pc)
        peer?.updateState(message.state)
        peer?.emitState(message.event)
        break
      }
      case 'candidate':
        this.#peers.get(message.pc)?.emitCandidate(message.candidate)
        break
      case 'candidate-error':
        this.#peers.get(message.pc)?.emitCandidateError(message.code, message.text)
        break
      case 'channel':
        this.#channel(message)
        break
      case 'channel-failed':
        this.#channelFailed(message.channel, message.message)
        break
      case 'counts':
        this.#counts = message.counts
        break
      default:
        this.#forwarded.get(message.channel)?.receive(message)
        if (message.type === 'channel-state' && message.state === 'closed') this.#forwarded.delete(message.channel)
    }
  }

  #settle(call: number, value: unknown, state: RtcPeerState | undefined): void {
    const pending = this.#calls.get(call)
    if (pending === undefined) return
    this.#calls.delete(call)
    if (state !== undefined) this.#peers.get(pending.pc)?.updateState(state)
    pending.resolve(value)
  }

  #fail(call: number, error: Error): void {
    const pending = this.#calls.get(call)
    this.#calls.delete(call)
    pending?.reject(error)
  }

  #channel(message: Extract<WindowToWorker, { type: 'channel' }>): void {
    const channel =
      message.origin === 'local' ? this.#opening.get(message.channel) : new StandInDataChannel(message.info)
    this.#opening.delete(message.channel)
    if (channel === undefined) return
    // Handlers must be set in this turn: what a transferred channel received meanwhile is delivered in the next.
    if (message.transferred === undefined) {
      this.#forwards = true
      const port = channel.attachForwarded(message.channel, (out, transfer) => this.#post(out, transfer))
      this.#forwarded.set(message.channel, port)
      if (message.info.readyState === 'open') channel.opened(message.info.id)
    } else {
      channel.attachTransferred(message.transferred)
    }
    if (message.origin === 'remote') this.#peers.get(message.pc)?.emitChannel(channel)
  }

  #channelFailed(id: number, message: string): void {
    const channel = this.#opening.get(id)
    this.#opening.delete(id)
    channel?.failed(message)
    channel?.closed()
  }
}
