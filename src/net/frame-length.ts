import { BadFrameError } from './errors.ts'

/** Four bytes of seven bits: 256 MiB, more than any frame may have. */
const LENGTH_BYTES_MAX = 4

/** The bytes before a frame, as libp2p's decoder holds them. */
type Buffered = { readonly byteLength: number } & ({ get(index: number): number } | Uint8Array)

/**
 * Reads the length before a frame.
 *
 * libp2p's own reader takes a length that never ends for one that is not there yet, and goes on buffering.
 *
 * @throws RangeError When more bytes are needed, as the decoder expects.
 * @throws {@link BadFrameError} When no further byte could make it a length, or when it is not in its shortest form.
 */
export function frameLength(data: Buffered): number {
  let length = 0
  for (let index = 0; index < LENGTH_BYTES_MAX; index++) {
    if (index >= data.byteLength) throw new RangeError('The length of the frame is not complete')
    const byte = 'get' in data ? data.get(index) : (data[index] as number)
    if (byte === 0 && index > 0) throw new BadFrameError('The length of a frame is not in its shortest form')
    length += (byte & 0x7f) * 128 ** index
    if (byte < 0x80) return length
  }
  throw new BadFrameError(`The length of a frame has more than ${LENGTH_BYTES_MAX} bytes`, { limit: LENGTH_BYTES_MAX })
}
