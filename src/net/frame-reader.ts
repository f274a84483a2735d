import type { Stream } from '@libp2p/interface'
import { BadFrameError, StreamEndedError } from './errors.ts'
import { frameLength } from './frame-length.ts'
import { onRemoteEnd } from './remote-end.ts'

/** The most that waits unread: what a peer may send before it is asked. */
const BUFFER_BYTES_MAX = 8 * 1024 * 1024

interface Wanted {
  /** How many bytes of the buffer it can use; 0 when it needs more. */
  readonly take: (buffered: Uint8Array) => number
  readonly reject: (error: Error) => void
}

/**
 * Reads length-prefixed frames and runs of bare bytes, in turn, from a stream that delivers its data as events.
 *
 * One reader at a time waits; a stream that ends or breaks rejects it, and all later ones.
 */
export class FrameReader {
  readonly #frameBytesMax: number
  #buffer: Uint8Array[] = []
  #bufferedBytes = 0
  #wanted: Wanted | undefined
  #error: Error | undefined

  constructor(stream: Stream, init: { readonly frameBytesMax: number }) {
    this.#frameBytesMax = init.frameBytesMax
    stream.addEventListener('message', ({ data }) => {
      for (const part of data instanceof Uint8Array ? [data] : data) this.#push(part)
    })
    onRemoteEnd(stream, () => this.fail(new StreamEndedError('The stream ended')))
    stream.addEventListener('close', ({ error }) => this.fail(error ?? new StreamEndedError('The stream ended')))
  }

  /** The next frame. */
  frame(options: { readonly timeoutMs: number }): Promise<Uint8Array> {
    return this.#want(options.timeoutMs, (resolve) => (buffered) => {
      const frame = this.#cut(buffered)
      if (frame === undefined) return 0
      resolve(frame.bytes)
      return frame.used
    })
  }

  /** Hands the next `count` bytes to `sink` as they come; fails when none comes for `timeoutMs`. */
  async bare(count: number, options: { timeoutMs: number; sink: (bytes: Uint8Array) => void }): Promise<void> {
    let left = count
    while (left > 0) {
      const bytes = await this.#want<Uint8Array>(options.timeoutMs, (resolve) => (buffered) => {
        const some = buffered.subarray(0, left)
        resolve(some)
        return some.byteLength
      })
      left -= bytes.byteLength
      options.sink(bytes)
    }
  }

  fail(error: Error): void {
    this.#error ??= error
    // Whoever waits has not enough to go on with; what came before the end can still be read by later ones.
    this.#wanted?.reject(this.#error)
    this.#wanted = undefined
  }

  #push(bytes: Uint8Array): void {
    this.#bufferedBytes += bytes.byteLength
    this.#buffer.push(bytes)
    if (this.#bufferedBytes > BUFFER_BYTES_MAX) {
      this.fail(new BadFrameError(`More than ${BUFFER_BYTES_MAX} bytes came unasked`, { limit: BUFFER_BYTES_MAX }))
      this.#buffer = []
      this.#bufferedBytes = 0
    }
    this.#serve()
  }

  #want<T>(timeoutMs: number, make: (resolve: (value: T) => void) => Wanted['take']): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.fail(new StreamEndedError(`No byte came for ${timeoutMs} ms`))
      }, timeoutMs)
      const settled = () => clearTimeout(timer)
      this.#wanted = {
        take: make((value) => {
          settled()
          resolve(value)
        }),
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      this.#serve()
      if (this.#wanted !== undefined && this.#error !== undefined) {
        this.#wanted.reject(this.#error)
        this.#wanted = undefined
      }
    })
  }

  #serve(): void {
    const wanted = this.#wanted
    const [first] = this.#buffer
    if (wanted === undefined || first === undefined) return
    try {
      let used = wanted.take(first)
      if (used === 0 && this.#buffer.length > 1) {
        this.#buffer = [concatenated(this.#buffer, this.#bufferedBytes)]
        used = wanted.take(this.#buffer[0] ?? first)
      }
      if (used === 0) return
      this.#wanted = undefined
      this.#consume(used)
    } catch (error) {
      this.fail(error as Error)
    }
  }

  #consume(bytes: number): void {
    this.#bufferedBytes -= bytes
    const [first] = this.#buffer
    if (first === undefined) return
    if (bytes === first.byteLength) this.#buffer.shift()
    else this.#buffer[0] = first.subarray(bytes)
  }

  /** The first frame of the buffer, once it is whole. */
  #cut(buffered: Uint8Array): { readonly bytes: Uint8Array; readonly used: number } | undefined {
    let length: number
    try {
      length = frameLength(buffered)
    } catch (error) {
      if (error instanceof RangeError) return undefined
      throw error
    }
    if (length === 0 || length > this.#frameBytesMax) {
      const limit = this.#frameBytesMax
      throw new BadFrameError(`A frame has ${length} bytes, the limit is ${limit}`, { value: length, limit })
    }
    const start = length < 128 ? 1 : length < 16_384 ? 2 : 3
    if (buffered.byteLength < start + length) return undefined
    return { bytes: buffered.subarray(start, start + length), used: start + length }
  }
}

function concatenated(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}
