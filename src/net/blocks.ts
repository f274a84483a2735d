import type { Stream } from '@libp2p/interface'
import * as lengthPrefixed from 'it-length-prefixed'
import * as v from 'valibot'
import { toHex } from '../core/codec/bytes.ts'
import { decode, encode } from '../core/codec/cbor.ts'
import { parseCid } from '../core/codec/cid.ts'
import { InvalidMessageError, LimitExceededError } from '../core/codec/errors.ts'
import { cid as cidField, integer } from '../core/codec/fields.ts'
import { drained } from './drained.ts'
import { BadFrameError, BlockMissingError, BlockUnavailableError, StreamEndedError } from './errors.ts'
import { FrameReader } from './frame-reader.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_REQUESTS_PER_PEER_MAX,
  BLOCK_STALL_TIMEOUT_MS,
  BLOCK_STREAM_IDLE_MS,
  BLOCK_STREAMS_IDLE_MAX,
  BLOCK_WRITE_BYTES,
  STREAM_CLOSE_TIMEOUT_MS,
  STREAM_STALL_TIMEOUT_MS,
} from './limits.ts'
import type { FetchOptions, NetworkProblem } from './network.ts'

/**
 * Content-addressed blocks over a direct stream.
 *
 * The asker writes one length-prefixed CBOR request and the answerer one length-prefixed CBOR header, then the bytes
 * from the asked offset to the end, bare; then the next request may come. A block that breaks off is resumed from
 * another peer at the byte where it did.
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
  /** Whether a stream is on the best connection to the peer. */
  readonly isBest: (peer: string, stream: Stream) => boolean
  readonly onProblem: (problem: NetworkProblem) => void
  readonly onBytes: (peer: string, direction: 'in' | 'out', bytes: number) => void
}

/** Fetches blocks from peers, and serves those that we have. */
export class Blocks {
  readonly counters = { fetched: 0, failed: 0, served: 0, missing: 0, refused: 0 }
  readonly #init: BlocksInit
  readonly #serving = new Map<string, number>()
  readonly #idle = new Map<string, BlockChannel[]>()
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

  /** Answers the requests that come on one inbound stream, one after the other. */
  async receive(peer: string, stream: Stream): Promise<void> {
    const serving = this.#serving.get(peer) ?? 0
    this.#serving.set(peer, serving + 1)
    const reader = new FrameReader(stream, { frameBytesMax: FRAME_BYTES_MAX })
    try {
      for (;;) {
        const frame = await reader.frame({ timeoutMs: 2 * BLOCK_STREAM_IDLE_MS })
        const request = decode(frame, { what: 'block request', limits: FRAME_LIMITS, schema: requestSchema })
        if (serving >= BLOCK_REQUESTS_PER_PEER_MAX) await this.#send(peer, stream, { status: 'busy' })
        else await this.#answer(peer, stream, request)
      }
    } catch (error) {
      this.#ended(peer, stream, error as Error)
    } finally {
      const left = (this.#serving.get(peer) ?? 1) - 1
      if (left > 0) this.#serving.set(peer, left)
      else this.#serving.delete(peer)
    }
  }

  /** Whoever asked is done, or broke a rule. */
  #ended(peer: string, stream: Stream, error: Error): void {
    if (error instanceof StreamEndedError && stream.status === 'open') {
      stream.close({ signal: AbortSignal.timeout(STREAM_STALL_TIMEOUT_MS) }).catch((cause) => stream.abort(cause))
      return
    }
    if (error instanceof BadFrameError || error instanceof InvalidMessageError || error instanceof LimitExceededError) {
      this.counters.refused++
      this.#init.onProblem({ name: error.name, message: error.message, peer, protocol: BLOCKS_PROTOCOL })
    }
    stream.abort(error)
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
    if (!stream.send(bytes)) await drained(stream, { timeoutMs: STREAM_STALL_TIMEOUT_MS })
  }

  async #fetchFrom(peer: string, cid: string, download: Download, options: FetchOptions): Promise<void> {
    const channel = await this.#channel(peer)
    const { stream, reader } = channel
    const abort = () => stream.abort(new BlockUnavailableError('The fetch was cancelled'))
    options.signal?.addEventListener('abort', abort)
    try {
      stream.send(lengthPrefixed.encode.single(encode({ cid, offset: download.received })))
      const frame = await reader.frame({ timeoutMs: BLOCK_STALL_TIMEOUT_MS })
      const header = decode(frame, { what: 'block header', limits: FRAME_LIMITS, schema: headerSchema })
      if (header.status === 'missing') {
        this.#keep(peer, channel)
        throw new BlockMissingError('The peer does not have the block')
      }
      if (header.status === 'busy') throw new BlockUnavailableError('The peer is busy')
      download.begin(peer, header.total, options.bytesMax)
      const sink = (bytes: Uint8Array) => {
        this.#init.onBytes(peer, 'in', bytes.byteLength)
        download.append(bytes)
        options.onProgress?.({ bytes: download.received, total: header.total, peer })
      }
      await reader.bare(header.total - download.received, { timeoutMs: BLOCK_STALL_TIMEOUT_MS, sink })
      this.#keep(peer, channel)
    } catch (error) {
      if (!(error instanceof BlockMissingError)) stream.abort(error as Error)
      throw error
    } finally {
      options.signal?.removeEventListener('abort', abort)
    }
  }

  /** A stream to ask on: one that is idle, or a new one. Opening costs several round trips. */
  async #channel(peer: string): Promise<BlockChannel> {
    const idle = this.#idle.get(peer)
    for (let channel = idle?.pop(); channel !== undefined; channel = idle?.pop()) {
      clearTimeout(channel.closing)
      const { status, writeStatus, remoteWriteStatus } = channel.stream
      if (status === 'open' && writeStatus === 'writable' && remoteWriteStatus === 'writable') return channel
    }
    const stream = await this.#init.open(peer, BLOCKS_PROTOCOL)
    return { stream, reader: new FrameReader(stream, { frameBytesMax: FRAME_BYTES_MAX }), closing: undefined }
  }

  #keep(peer: string, channel: BlockChannel): void {
    const idle = this.#idle.get(peer) ?? []
    this.#idle.set(peer, idle)
    if (idle.length >= BLOCK_STREAMS_IDLE_MAX || !this.#init.isBest(peer, channel.stream)) return closeChannel(channel)
    idle.push(channel)
    channel.closing = setTimeout(() => {
      idle.splice(idle.indexOf(channel), 1)
      if (idle.length === 0) this.#idle.delete(peer)
      closeChannel(channel)
    }, BLOCK_STREAM_IDLE_MS)
  }

  /** The peer is gone, or has a better connection now: idle streams are of no use. */
  forget(peer: string): void {
    for (const channel of this.#idle.get(peer) ?? []) {
      clearTimeout(channel.closing)
      closeChannel(channel)
    }
    this.#idle.delete(peer)
  }

  stop(): void {
    for (const peer of [...this.#idle.keys()]) this.forget(peer)
  }

  #liar(peer: string, cid: string): void {
    this.counters.refused++
    const message = `The bytes sent for ${cid} have another hash`
    this.#init.onProblem({ name: 'BadBlockError', message, peer, protocol: BLOCKS_PROTOCOL })
  }
}

/** A stream on which blocks are asked for. */
interface BlockChannel {
  readonly stream: Stream
  readonly reader: FrameReader
  closing: ReturnType<typeof setTimeout> | undefined
}

function closeChannel({ stream }: BlockChannel): void {
  if (stream.status !== 'open') return
  stream.close({ signal: AbortSignal.timeout(STREAM_CLOSE_TIMEOUT_MS) }).catch((error) => stream.abort(error))
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

async function sha256Hex(bytes: Uint8Array): Promise<string> {
  // The digest runs on the platform's own threads; the view is never of shared memory.
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)))
}
