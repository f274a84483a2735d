import type { Stream } from '@libp2p/interface'
import { LengthPrefixedDecoder } from '@libp2p/utils'
import * as lengthPrefixed from 'it-length-prefixed'
import { LimitExceededError, StarlingError } from '../core/codec/errors.ts'
import { type Misconduct, misconductOf } from '../core/trust/misconduct.ts'
import { drained } from './drained.ts'
import { BadFrameError, PeerUnreachableError, RateExceededError } from './errors.ts'
import { frameLength } from './frame-length.ts'
import {
  MESSAGE_BATCH_BYTES,
  MESSAGE_BYTES_MAX,
  MESSAGES_BURST_MAX,
  MESSAGES_PER_SECOND_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_MESSAGES_MAX,
  STREAM_LEAVE_TIMEOUT_MS,
  STREAM_OPEN_ATTEMPTS,
  STREAM_OPEN_RETRY_MS,
  STREAM_STALL_TIMEOUT_MS,
} from './limits.ts'
import type { NetworkProblem } from './network.ts'
import { onRemoteEnd } from './remote-end.ts'
import { TokenBucket } from './token-bucket.ts'

export type MessageHandler = (peer: string, message: Uint8Array) => void

export interface MessagesInit {
  /** Opens a stream over the best connection to the peer; rejects when there is none. */
  readonly open: (peer: string, protocol: string) => Promise<Stream>
  readonly onProblem: (problem: NetworkProblem) => void
  /** Counts payload bytes with their framing, for the rates of each peer. */
  readonly onBytes: (peer: string, direction: 'in' | 'out', bytes: number) => void
  /** A stream that we opened has ended, and not by us: a first sign that the peer is gone. */
  readonly onStreamLost?: (peer: string, stream: Stream) => void
  readonly now: () => number
}

export interface MessageCounters {
  sent: number
  received: number
  refused: number
  dropped: number
}

/**
 * Messages between peers, in order, each protocol over its own long-lived stream in each direction.
 *
 * Whoever sends opens the stream and only writes; whoever receives only reads. A stream that breaks is opened again for
 * what is still queued: a message is delivered at most once, and what was in flight when it broke may be lost.
 */
export class Messages {
  readonly counters: MessageCounters = { sent: 0, received: 0, refused: 0, dropped: 0 }
  readonly #init: MessagesInit
  readonly #outboxes = new Map<string, Outbox>()
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(init: MessagesInit) {
    this.#init = init
  }

  /** @throws {@link LimitExceededError} If the message or what is queued for the peer is over its limit. */
  send(peer: string, protocol: string, message: Uint8Array): void {
    if (message.byteLength === 0 || message.byteLength > MESSAGE_BYTES_MAX) {
      const limit = MESSAGE_BYTES_MAX
      const details = { field: 'message', bytes: message.byteLength, limit }
      throw new LimitExceededError(`A message has 1 to ${limit} bytes, this one has ${message.byteLength}`, details)
    }
    const key = `${peer} ${protocol}`
    let outbox = this.#outboxes.get(key)
    if (outbox === undefined) {
      outbox = new Outbox(peer, protocol, { ...this.#init, counters: this.counters })
      this.#outboxes.set(key, outbox)
    }
    outbox.push(message)
  }

  /** Bytes that wait for a peer, over all protocols. */
  queuedBytes(peer: string): number {
    let bytes = 0
    for (const outbox of this.#outboxes.values()) if (outbox.peer === peer) bytes += outbox.bytes
    return bytes
  }

  /** The peer has a better connection now: streams move to it, each when its queue is empty, keeping the order. */
  rebind(peer: string): void {
    for (const outbox of this.#outboxes.values()) if (outbox.peer === peer) outbox.rebind()
  }

  /** The peer is gone: nothing waits for it any more. */
  forget(peer: string): void {
    this.#buckets.delete(peer)
    for (const [key, outbox] of this.#outboxes) {
      if (outbox.peer !== peer) continue
      outbox.stop()
      this.#outboxes.delete(key)
    }
  }

  stop(): void {
    for (const outbox of this.#outboxes.values()) outbox.stop()
    this.#outboxes.clear()
    this.#buckets.clear()
  }

  /** Reads the messages of one inbound stream; a frame or a handler that objects closes it, and nothing else. */
  receive(peer: string, stream: Stream, handler: MessageHandler): void {
    const { protocol } = stream
    // The buffer holds at most one unfinished message and the chunk that follows it.
    const decoder = new LengthPrefixedDecoder({
      maxDataLength: MESSAGE_BYTES_MAX,
      maxBufferSize: 2 * MESSAGE_BYTES_MAX,
      lengthDecoder: frameLength,
    })
    const refuse = (error: Error, misconduct: Misconduct | null, evidence: Uint8Array | undefined) => {
      this.counters.refused++
      this.#init.onProblem({
        ...{ name: error.name, message: error.message, peer, protocol },
        ...(misconduct === null ? {} : { misconduct }),
        ...(evidence === undefined ? {} : { evidence }),
      })
      stream.abort(error)
    }
    stream.addEventListener('message', ({ data }) => {
      this.#init.onBytes(peer, 'in', data.byteLength)
      let message: Uint8Array | undefined
      try {
        for (const frame of decoder.decode(data)) {
          message = frame.subarray()
          this.#takeToken(peer, protocol)
          this.counters.received++
          handler(peer, message)
          message = undefined
        }
      } catch (error) {
        // Without a message it was no frame; with one, only what a handler names may be the sender's fault.
        refuse(frameError(error, protocol), message === undefined ? 'malformed' : faultOf(error), message)
      }
    })
    onRemoteEnd(stream, () => void stream.close().catch(() => stream.abort(CLOSED)))
  }

  #takeToken(peer: string, protocol: string): void {
    let bucket = this.#buckets.get(peer)
    if (bucket === undefined) {
      bucket = new TokenBucket(MESSAGES_PER_SECOND_MAX, MESSAGES_BURST_MAX, this.#init.now())
      this.#buckets.set(peer, bucket)
    }
    if (bucket.take(this.#init.now())) return
    const limit = MESSAGES_PER_SECOND_MAX
    throw new RateExceededError(`A peer may send ${limit} messages a second, more came on ${protocol}`, { limit })
  }
}

const STOPPED = new PeerUnreachableError('The peer is gone')
const CLOSED = new PeerUnreachableError('The stream could not be closed in time')

function faultOf(error: unknown): Misconduct | null {
  return error instanceof RateExceededError ? 'rate' : misconductOf(error)
}

function frameError(error: unknown, protocol: string): Error {
  if (error instanceof StarlingError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const limit = MESSAGE_BYTES_MAX
  return new BadFrameError(`A frame on ${protocol} cannot be read (limit ${limit} bytes): ${reason}`, { limit })
}

/** What waits for one peer on one protocol. */
class Outbox {
  readonly peer: string
  bytes = 0
  readonly #protocol: string
  readonly #init: MessagesInit & { readonly counters: MessageCounters }
  #queue: Uint8Array[] = []
  #stream: Stream | undefined
  #pumping = false
  #rebinding = false
  #stopped = false

  constructor(peer: string, protocol: string, init: MessagesInit & { readonly counters: MessageCounters }) {
    this.peer = peer
    this.#protocol = protocol
    this.#init = init
  }

  push(message: Uint8Array): void {
    if (this.#queue.length >= QUEUE_MESSAGES_MAX || this.bytes + message.byteLength > QUEUE_BYTES_MAX) {
      const details = { field: 'queue', messages: this.#queue.length, bytes: this.bytes, limit: QUEUE_BYTES_MAX }
      throw new LimitExceededError(
        `The queue to a peer holds ${QUEUE_MESSAGES_MAX} messages and ${QUEUE_BYTES_MAX} bytes at most, it is full`,
        details,
      )
    }
    this.#queue.push(message)
    this.bytes += message.byteLength
    this.#start()
  }

  rebind(): void {
    if (this.#stream === undefined) return
    this.#rebinding = true
    this.#start()
  }

  stop(): void {
    this.#stopped = true
    this.#drop()
    this.#stream?.abort(STOPPED)
    this.#stream = undefined
  }

  #start(): void {
    if (this.#pumping || this.#stopped) return
    this.#pumping = true
    // After this turn, so that messages sent together travel together.
    queueMicrotask(() => {
      this.#pump()
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#pumping = false
          if (this.#queue.length > 0) this.#start()
        })
    })
  }

  async #pump(): Promise<void> {
    while (!this.#stopped && (this.#queue.length > 0 || this.#rebinding)) {
      if (this.#rebinding) await this.#leave()
      if (this.#queue.length === 0) return
      const stream = await this.#bound()
      const { frames, count, payload } = this.#batch()
      this.#queue.splice(0, count)
      this.bytes -= payload
      const bytes = frames.byteLength
      const more = stream.send(frames)
      this.#init.counters.sent += count
      this.#init.onBytes(this.peer, 'out', bytes)
      if (!more) await drained(stream, { timeoutMs: STREAM_STALL_TIMEOUT_MS })
    }
  }

  #batch() {
    let payload = 0
    let count = 0
    for (const message of this.#queue) {
      if (count > 0 && payload + message.byteLength > MESSAGE_BATCH_BYTES) break
      payload += message.byteLength
      count++
    }
    const frames = lengthPrefixed.encode.single(this.#queue[0] ?? new Uint8Array())
    for (const message of this.#queue.slice(1, count)) frames.append(lengthPrefixed.encode.single(message))
    return { frames, count, payload }
  }

  async #bound(): Promise<Stream> {
    if (this.#stream?.status === 'open' && this.#stream.writeStatus === 'writable') return this.#stream
    const stream = await this.#open()
    if (this.#stopped) {
      stream.abort(STOPPED)
      throw STOPPED
    }
    stream.addEventListener('close', () => {
      if (this.#stream !== stream) return
      this.#stream = undefined
      this.#init.onStreamLost?.(this.peer, stream)
    })
    this.#stream = stream
    return stream
  }

  async #open(): Promise<Stream> {
    let last: unknown
    for (let attempt = 0; attempt < STREAM_OPEN_ATTEMPTS && !this.#stopped; attempt++) {
      if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, STREAM_OPEN_RETRY_MS))
      try {
        return await this.#init.open(this.peer, this.#protocol)
      } catch (error) {
        if (error instanceof PeerUnreachableError) throw error
        last = error
      }
    }
    const reason = last instanceof Error ? last.message : 'stopped'
    throw new PeerUnreachableError(`No stream for ${this.#protocol} could be opened: ${reason}`, {}, { cause: last })
  }

  /** Closes the old stream and waits until the other side has read it to its end: then order holds on the next. */
  async #leave(): Promise<void> {
    this.#rebinding = false
    const stream = this.#stream
    this.#stream = undefined
    if (stream === undefined || stream.status !== 'open') return
    const closed = new Promise<void>((resolve) => {
      stream.addEventListener('close', () => resolve(), { once: true })
      setTimeout(resolve, STREAM_LEAVE_TIMEOUT_MS)
    })
    await stream.close({ signal: AbortSignal.timeout(STREAM_LEAVE_TIMEOUT_MS) }).catch(() => {})
    await closed
    if (stream.status === 'open') stream.abort(CLOSED)
  }

  #fail(error: unknown): void {
    this.#stream?.abort(error instanceof Error ? error : new PeerUnreachableError(String(error)))
    this.#stream = undefined
    if (this.#stopped) return
    const dropped = this.#queue.length
    if (error instanceof PeerUnreachableError) this.#drop()
    const { name, message } = error instanceof Error ? error : new PeerUnreachableError(String(error))
    this.#init.onProblem({ name, message: `${message} (${dropped} queued)`, peer: this.peer, protocol: this.#protocol })
  }

  #drop(): void {
    this.#init.counters.dropped += this.#queue.length
    this.#queue = []
    this.bytes = 0
  }
}
