import type { RtcChannelInfo, WindowToWorker, WorkerToWindow } from './protocol.ts'

type ChannelEvent = 'open' | 'message' | 'bufferedamountlow' | 'closing' | 'close' | 'error'

/**
 * libp2p fills a channel up to 2 MiB and refills it when it is empty, while the line stands still. On its channels, once
 * this much is buffered twice over, the buffer is reported as low from here.
 */
const LOW_WATER = 1024 * 1024

/** The channels of libp2p's streams have no label, as its specification says. */
const LIBP2P_LABEL = ''

/** The length before a libp2p frame has up to three bytes. */
const PREFIX_BYTES_MAX = 3

/** Frames are put together here: a backend copies what it is given before it returns. */
let scratch = new Uint8Array(128 * 1024 + PREFIX_BYTES_MAX)

/** Where a channel's bytes go: a transferred RTCDataChannel, or the bridge's port. */
interface ChannelBackend {
  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void
  close(): void
  setThreshold(bytes: number): void
  bufferedAmount(): number
}

/**
 * A data channel as libp2p expects it, in a worker.
 *
 * A channel that this side opens must exist in the turn of `createDataChannel`, before the window has made the real
 * one: this object stands for it, says `connecting` until then, and afterwards passes everything through.
 */
export class StandInDataChannel extends EventTarget {
  readonly label: string
  readonly protocol: string
  readonly ordered: boolean
  readonly negotiated: boolean
  id: number | null

  onopen: ((event: Event) => void) | null = null
  onmessage: ((event: MessageEvent) => void) | null = null
  onbufferedamountlow: ((event: Event) => void) | null = null
  onclosing: ((event: Event) => void) | null = null
  onclose: ((event: Event) => void) | null = null
  onerror: ((event: Event) => void) | null = null

  binaryType: BinaryType = 'arraybuffer'
  #state: RTCDataChannelState = 'connecting'
  #threshold = 0
  #backend: ChannelBackend | undefined
  /** The threshold of the backend is higher than the one set, for once. */
  #refillsEarly = false
  /** The length of a frame that follows in this turn. */
  #held: Uint8Array<ArrayBuffer> | undefined
  /** Most channels have only `onmessage`; a fresh event for listeners is made only when there are some. */
  #listensToMessages = false

  constructor(info: Omit<RtcChannelInfo, 'readyState'>) {
    super()
    this.label = info.label
    this.protocol = info.protocol
    this.ordered = info.ordered
    this.negotiated = info.negotiated
    this.id = info.id
  }

  get readyState(): RTCDataChannelState {
    return this.#state
  }

  get bufferedAmount(): number {
    return this.#backend?.bufferedAmount() ?? 0
  }

  get bufferedAmountLowThreshold(): number {
    return this.#threshold
  }

  set bufferedAmountLowThreshold(bytes: number) {
    this.#threshold = bytes
    this.#refillsEarly = false
    this.#backend?.setThreshold(bytes)
  }

  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
    if (this.#state !== 'open' || this.#backend === undefined) {
      throw new DOMException(`RTCDataChannel.readyState is '${this.#state}', not 'open'`, 'InvalidStateError')
    }
    if (this.label !== LIBP2P_LABEL) {
      this.#backend.send(data)
      return
    }
    if (this.#held !== undefined || isPrefix(data)) this.#sendJoined(data)
    else this.#backend.send(data)
    // Only from well above: the event comes when the level falls past the threshold.
    if (!this.#refillsEarly && this.bufferedAmount >= 1.5 * LOW_WATER) {
      this.#refillsEarly = true
      this.#backend.setThreshold(Math.max(this.#threshold, LOW_WATER))
    }
  }

  /**
   * libp2p sends the length of a frame and the frame as two messages, of which the first has three bytes. On its
   * channels, which have no label and carry a stream of bytes, the two are sent as one.
   */
  #sendJoined(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
    const held = this.#held
    this.#held = undefined
    if (held === undefined) {
      this.#held = data as Uint8Array<ArrayBuffer>
      queueMicrotask(() => this.#sendHeld())
    } else if (data instanceof Uint8Array) {
      const bytes = held.byteLength + data.byteLength
      if (scratch.byteLength < bytes) scratch = new Uint8Array(bytes)
      scratch.set(held)
      scratch.set(data, held.byteLength)
      this.#backend?.send(scratch.subarray(0, bytes))
    } else {
      this.#backend?.send(held)
      this.#backend?.send(data)
    }
  }

  #sendHeld(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined && this.#state === 'open') this.#backend?.send(held)
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#sendHeld()
    // Firefox never fires `close` for a channel that is closed while it connects: such a one opens first and is closed then.
    if (this.#state === 'open') this.#backend?.close()
    this.#state = 'closing'
  }

  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void {
    if (type === 'message') this.#listensToMessages = true
    super.addEventListener(type, listener, options)
  }

  /** Binds the channel that the window transferred. */
  attachTransferred(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer'
    channel.onmessage = (event) => this.#message(event)
    channel.onopen = () => this.opened(channel.id)
    channel.onbufferedamountlow = () => this.low()
    channel.onclosing = () => this.closing()
    channel.onclose = () => this.closed()
    channel.onerror = (event) => this.#emit('error', errorEvent(event.error?.message ?? 'unknown'))
    this.#attach({
      send: (data) => channel.send(data as ArrayBuffer),
      close: () => channel.close(),
      setThreshold: (bytes) => {
        channel.bufferedAmountLowThreshold = bytes
      },
      bufferedAmount: () => channel.bufferedAmount,
    })
    // An event that fired before the handlers above were set never comes again: the state tells.
    if (channel.readyState === 'open') this.opened(channel.id)
    else if (channel.readyState === 'closing') this.closing()
    else if (channel.readyState === 'closed') this.closed()
  }

  /** Binds a channel that stays on the window. */
  attachForwarded(channel: number, post: (message: WorkerToWindow, transfer?: Transferable[]) => void): ForwardedPort {
    const forwarded = new ForwardedPort(this, channel, post)
    this.#attach(forwarded)
    return forwarded
  }

  #attach(backend: ChannelBackend): void {
    this.#backend = backend
    backend.setThreshold(this.#threshold)
  }

  opened(id: number | null): void {
    if (this.#state === 'closing') this.#backend?.close()
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    this.id = id
    this.#emit('open')
  }

  closing(): void {
    if (this.#state === 'closed') return
    this.#state = 'closing'
    this.#emit('closing')
  }

  closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#backend = undefined
    this.#emit('close')
  }

  failed(message: string): void {
    this.#emit('error', errorEvent(message))
  }

  received(data: string | ArrayBuffer): void {
    this.#message(new MessageEvent('message', { data }))
  }

  low(): void {
    if (this.#refillsEarly) this.bufferedAmountLowThreshold = this.#threshold
    this.#emit('bufferedamountlow')
  }

  #message(event: MessageEvent): void {
    this.onmessage?.(event)
    if (this.#listensToMessages) this.dispatchEvent(new MessageEvent('message', { data: event.data }))
  }

  #emit(type: ChannelEvent, event: Event = new Event(type)): void {
    this[`on${type}`]?.(event as MessageEvent)
    this.dispatchEvent(event)
  }
}

/** The worker's end of a forwarded channel. */
export class ForwardedPort implements ChannelBackend {
  readonly #owner: StandInDataChannel
  readonly #channel: number
  readonly #post: (message: WorkerToWindow, transfer?: Transferable[]) => void
  #threshold = 0
  #posted = 0
  #sent = 0

  constructor(
    owner: StandInDataChannel,
    channel: number,
    post: (message: WorkerToWindow, transfer?: Transferable[]) => void,
  ) {
    this.#owner = owner
    this.#channel = channel
    this.#post = post
  }

  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
    if (typeof data === 'string') {
      this.#posted += new TextEncoder().encode(data).byteLength
      this.#post({ type: 'send', channel: this.#channel, data })
      return
    }
    // The caller keeps its buffer, as with a real channel: what is given away is a copy.
    const copy = ArrayBuffer.isView(data)
      ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)
      : data.slice(0)
    this.#posted += copy.byteLength
    this.#post({ type: 'send', channel: this.#channel, data: copy }, [copy])
  }

  close(): void {
    this.#post({ type: 'close-channel', channel: this.#channel })
  }

  setThreshold(bytes: number): void {
    this.#threshold = bytes
    this.#post({ type: 'low-threshold', channel: this.#channel, bytes })
  }

  bufferedAmount(): number {
    return this.#posted - this.#sent
  }

  receive(message: WindowToWorker): void {
    switch (message.type) {
      case 'channel-open':
        this.#owner.opened(message.id)
        break
      case 'channel-message':
        this.#owner.received(message.data)
        break
      case 'channel-low':
        this.#low(message.sent)
        break
      case 'channel-state':
        if (message.state === 'closed') this.#owner.closed()
        else this.#owner.closing()
        break
      case 'channel-error':
        this.#owner.failed(message.message)
        break
    }
  }

  #low(sent: number): void {
    const before = this.bufferedAmount()
    this.#sent = sent
    if (before > this.#threshold && this.bufferedAmount() <= this.#threshold) this.#owner.low()
  }
}

function isPrefix(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): data is Uint8Array<ArrayBuffer> {
  return data instanceof Uint8Array && data.byteLength <= PREFIX_BYTES_MAX
}

/** libp2p reads `error` from the event, as from an RTCErrorEvent. */
function errorEvent(message: string): Event {
  return Object.assign(new Event('error'), { error: new DOMException(message, 'OperationError') })
}
