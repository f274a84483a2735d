import type { Stream } from '@libp2p/interface'
import { LengthPrefixedDecoder } from '@libp2p/utils'
import * as lengthPrefixed from 'it-length-prefixed'
import * as v from 'valibot'
import { toHex } from '../core/codec/bytes.ts'
import { decode, encode } from '../core/codec/cbor.ts'
import { parseCid } from '../core/codec/cid.ts'
import { InvalidMessageError, LimitExceededError, StarlingError } from '../core/codec/errors.ts'
import { cid as cidField, integer } from '../core/codec/fields.ts'
import { BadFrameError, BlockMissingError, BlockUnavailableError } from './errors.ts'
import { frameLength } from './frame-length.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_REQUESTS_PER_PEER_MAX,
  BLOCK_STALL_TIMEOUT_MS,
  BLOCK_WRITE_BYTES,
  STREAM_CLOSE_TIMEOUT_MS,
  STREAM_STALL_TIMEOUT_MS,
} from './limits.ts'
import type { FetchOptions, NetworkProblem } from './network.ts'

/**
 * Content-addressed blocks over a direct stream.
 *
 * The asker writes one length-prefixed CBOR request and the answerer one length-prefixed CBOR header, then the bytes
 * from the asked offset to the end, bare. A block that breaks off is resumed from another peer at the byte where it did.
 */
export const BLOCKS_PROTOCOL = '/starling/blocks/1.0.0'

const requestSchema = v.strictObject({ cid: cidField, offset: integer(0, BLOCK_BYTES_MAX) })
const headerSchema = v.variant('status', [
  v.strictObject({ status: v.literal('ok'), total: integer(0, BLOCK_BYTES_MAX) }),
  v.strictObject({ status: v.literal('missing') }),
  v.strictObject({ status: v.literal('busy') }),
])
const FRAME_BYTES_MAX = 256
const FRAME_LIMITS = { bytesMax: FRAME_BYTES_MAX, depthMax: 1, itemsMax: 8 } as const

export type BlockSource = (cid: string) => Promise<Uint8Array | undefined>

export interface BlocksInit {
  readonly open: (peer: string, protocol: string) => Promise<Stream>
  readonly onProblem: (problem: NetworkProblem) => void
  readonly onBytes: (peer: string, direction: 'in' | 'out', bytes: number) => void
}

/** Fetches blocks from peers, and serves those that we have. */
export class Blocks {
  readonly counters = { fetched: 0, failed: 0, served: 0, missing: 0, refused: 0 }
  readonly #init: BlocksInit
  readonly #serving = new Map<string, number>()
  #source: BlockSource | undefined

  constructor(init: BlocksInit) {
    this.#init = init
  }

  serve(source: BlockSource): () => void {
    this.#source = source
    return () => {
      if (this.#source === source) this.#source = undefined
    }
  }

  /**
   * @throws {@link BlockUnavailableError} When no peer has it whole, {@link LimitExceededError} when it is too large,
   *   {@link InvalidMessageError} when `cid` is none.
   */
  async fetch(cid: string, from: readonly string[], options: FetchOptions): Promise<Uint8Array> {
    const { hash } = parseCid(cid)
    const bytesMax = Math.min(options.bytesMax, BLOCK_BYTES_MAX)
    const errors: string[] = []
    /** Peers that need not be asked again. */
    const given = new Set<string>()
    let suspicious = false
    let download = new Download()
    // A stream that broke may have done so by bad luck: each peer is asked twice, unless it said that it has nothing.
    const rounds = [...from, ...from]
    for (const [index, peer] of rounds.entries()) {
      options.signal?.throwIfAborted()
      if (given.has(peer)) continue
      // Bytes of several peers in one block do not say who lied: then each is asked for the whole.
      if (suspicious) download = new Download()
      try {
        await this.#fetchFrom(peer, cid, download, { ...options, bytesMax })
      } catch (error) {
        options.signal?.throwIfAborted()
        if (error instanceof LimitExceededError) throw error
        if (error instanceof BlockMissingError || index >= from.length) given.add(peer)
        errors.push(`${peer.slice(-8)}: ${(error as Error).message}`)
        continue
      }
      const block = download.bytes ?? new Uint8Array()
      if ((await sha256Hex(block)) === hash) {
        this.counters.fetched++
        return block
      }
      errors.push(`${peer.slice(-8)}: the bytes are not those of the CID`)
      if (download.peers.size === 1) {
        given.add(peer)
        this.#liar(peer, cid)
      } else {
        suspicious = true
      }
      download = new Download()
    }
    this.counters.failed++
    throw new BlockUnavailableError(`No peer of ${from.length} sent the block ${cid}: ${errors.slice(-4).join('; ')}`, {
      cid,
      peers: from.length,
    })
  }

  /** Answers one inbound stream. */
  async receive(peer: string, stream: Stream): Promise<void> {
    const serving = this.#serving.get(peer) ?? 0
    this.#serving.set(peer, serving + 1)
    try {
      const reader = new FrameReader(stream)
      const frame = await reader.frame()
      reader.stop()
      const request = decode(frame, { what: 'block request', limits: FRAME_LIMITS, schema: requestSchema })
      if (serving >= BLOCK_REQUESTS_PER_PEER_MAX) await this.#send(peer, stream, { status: 'busy' })
      else await this.#answer(peer, stream, request)
      // Closing waits until the last bytes have left, which takes as long as the link is slow.
      await stream.close({ signal: AbortSignal.timeout(STREAM_STALL_TIMEOUT_MS) })
    } catch (error) {
      this.counters.refused++
      const problem = error as Error
      this.#init.onProblem({ name: problem.name, message: problem.message, peer, protocol: BLOCKS_PROTOCOL })
      stream.abort(problem)
    } finally {
      if (serving === 0) this.#serving.delete(peer)
      else this.#serving.set(peer, serving)
    }
  }

  async #answer(peer: string, stream: Stream, request: v.InferOutput<typeof requestSchema>): Promise<void> {
    const block = await this.#source?.(request.cid)
    if (block === undefined) {
      this.counters.missing++
      await this.#send(peer, stream, { status: 'missing' })
      return
    }
    await this.#send(peer, stream, { status: 'ok', total: block.byteLength })
    for (let offset = request.offset; offset < block.byteLength; offset += BLOCK_WRITE_BYTES) {
      await this.#write(peer, stream, block.subarray(offset, offset + BLOCK_WRITE_BYTES))
    }
    this.counters.served++
  }

  async #send(peer: string, stream: Stream, header: v.InferOutput<typeof headerSchema>): Promise<void> {
    await this.#write(peer, stream, lengthPrefixed.encode.single(encode(header)).subarray())
  }

  async #write(peer: string, stream: Stream, bytes: Uint8Array): Promise<void> {
    this.#init.onBytes(peer, 'out', bytes.byteLength)
    if (!stream.send(bytes)) await stream.onDrain({ signal: AbortSignal.timeout(STREAM_STALL_TIMEOUT_MS) })
  }

  async #fetchFrom(peer: string, cid: string, download: Download, options: FetchOptions): Promise<void> {
    const stream = await this.#init.open(peer, BLOCKS_PROTOCOL)
    const abort = () => stream.abort(new BlockUnavailableError('The fetch was cancelled'))
    options.signal?.addEventListener('abort', abort)
    try {
      const reader = new FrameReader(stream)
      stream.send(lengthPrefixed.encode.single(encode({ cid, offset: download.received })))
      const frame = await reader.frame()
      const header = decode(frame, { what: 'block header', limits: FRAME_LIMITS, schema: headerSchema })
      if (header.status === 'missing') throw new BlockMissingError('The peer does not have the block')
      if (header.status === 'busy') throw new BlockUnavailableError('The peer is busy')
      download.begin(peer, header.total, options.bytesMax)
      await reader.rest((bytes) => {
        this.#init.onBytes(peer, 'in', bytes.byteLength)
        download.append(bytes)
        options.onProgress?.({ bytes: download.received, total: header.total, peer })
        return download.received === header.total
      }, download.received === header.total)
      // Whoever sent it may be waiting for us to say that we have all of it.
      stream.close({ signal: AbortSignal.timeout(STREAM_CLOSE_TIMEOUT_MS) }).catch((error) => stream.abort(error))
    } catch (error) {
      stream.abort(error as Error)
      throw error
    } finally {
      options.signal?.removeEventListener('abort', abort)
    }
  }

  #liar(peer: string, cid: string): void {
    this.counters.refused++
    const message = `The bytes sent for ${cid} have another hash`
    this.#init.onProblem({ name: 'BadBlockError', message, peer, protocol: BLOCKS_PROTOCOL })
  }
}

/** A block on its way, from one peer or several. */
class Download {
  bytes: Uint8Array | undefined
  received = 0
  readonly peers = new Set<string>()

  begin(peer: string, total: number, bytesMax: number): void {
    if (total > bytesMax) {
      const details = { field: 'block', value: total, limit: bytesMax }
      throw new LimitExceededError(`The block has ${total} bytes, the limit is ${bytesMax}`, details)
    }
    if (this.bytes !== undefined && this.bytes.byteLength !== total) {
      throw new InvalidMessageError(`The block has ${total} bytes, another peer said ${this.bytes.byteLength}`)
    }
    this.bytes ??= new Uint8Array(total)
    this.peers.add(peer)
  }

  append(bytes: Uint8Array): void {
    const block = this.bytes ?? new Uint8Array()
    if (this.received + bytes.byteLength > block.byteLength) {
      throw new BadFrameError(`More bytes than the ${block.byteLength} of the block came`)
    }
    block.set(bytes, this.received)
    this.received += bytes.byteLength
  }
}

/** Reads one frame, then bare bytes, from a stream that sends its data as events. */
class FrameReader {
  readonly #stream: Stream
  readonly #decoder = new LengthPrefixedDecoder({
    maxDataLength: FRAME_BYTES_MAX,
    maxBufferSize: 8 * 1024 * 1024,
    lengthDecoder: frameLength,
  })
  readonly #frame = Promise.withResolvers<Uint8Array>()
  readonly #ended = Promise.withResolvers<void>()
  #early: Uint8Array[] = []
  #sink: ((bytes: Uint8Array) => void) | undefined
  #gotFrame = false
  #stall: ReturnType<typeof setTimeout> | undefined

  constructor(stream: Stream) {
    this.#stream = stream
    // Nobody may be waiting yet when it breaks; whoever waits later still sees it.
    this.#frame.promise.catch(() => {})
    this.#ended.promise.catch(() => {})
    this.#patience()
    stream.addEventListener('message', ({ data }) => this.#data(data))
    stream.addEventListener('close', ({ error }) => this.#fail(error ?? new BlockUnavailableError('The stream ended')))
    stream.addEventListener('remoteCloseWrite', () => this.#fail(new BlockUnavailableError('The stream ended early')))
  }

  frame(): Promise<Uint8Array> {
    return this.#frame.promise
  }

  /** Hands all further bytes to `sink`, until it says that it has what it wants. */
  rest(sink: (bytes: Uint8Array) => boolean, complete: boolean): Promise<void> {
    const done = () => {
      this.stop()
      this.#ended.resolve()
    }
    this.#sink = (bytes) => {
      try {
        if (sink(bytes)) done()
      } catch (error) {
        this.#fail(error as Error)
      }
    }
    if (complete) done()
    for (const bytes of this.#early.splice(0)) this.#sink(bytes)
    return this.#ended.promise
  }

  stop(): void {
    clearTimeout(this.#stall)
    this.#stall = undefined
    this.#gotFrame = true
  }

  #data(data: Uint8Array | { subarray(): Uint8Array; [Symbol.iterator](): Iterator<Uint8Array> }): void {
    if (this.#stall !== undefined) this.#patience()
    if (this.#gotFrame) {
      for (const part of data instanceof Uint8Array ? [data] : data) this.#bare(part)
      return
    }
    try {
      this.#header(data instanceof Uint8Array ? data : data.subarray())
    } catch (error) {
      const cause = error instanceof StarlingError ? error : new BadFrameError((error as Error).message)
      this.#fail(cause)
    }
  }

  #header(data: Uint8Array): void {
    const lengthBefore = this.#buffered
    this.#buffered += data.byteLength
    for (const frame of this.#decoder.decode(data)) {
      this.#gotFrame = true
      // What follows the frame in the same chunk is the beginning of the bare bytes.
      const used = frame.byteLength + lengthPrefixBytes(frame.byteLength) - lengthBefore
      this.#frame.resolve(frame.subarray())
      if (used < data.byteLength) this.#bare(data.subarray(used))
      return
    }
  }

  #buffered = 0

  #bare(bytes: Uint8Array): void {
    if (this.#sink === undefined) this.#early.push(bytes)
    else this.#sink(bytes)
  }

  #patience(): void {
    clearTimeout(this.#stall)
    this.#stall = setTimeout(() => {
      this.#fail(new BlockUnavailableError(`No byte came for ${BLOCK_STALL_TIMEOUT_MS} ms`))
    }, BLOCK_STALL_TIMEOUT_MS)
  }

  #fail(error: Error): void {
    clearTimeout(this.#stall)
    this.#stall = undefined
    this.#frame.reject(error)
    this.#ended.reject(error)
    if (this.#stream.status === 'open' && !(error instanceof BlockUnavailableError)) this.#stream.abort(error)
  }
}

function lengthPrefixBytes(length: number): number {
  return length < 128 ? 1 : 2
}

async function sha256Hex(bytes: Uint8Array): Promise<string> {
  // The digest runs on the platform's own threads; the view is never of shared memory.
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)))
}
