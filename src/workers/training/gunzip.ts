import { LimitExceededError } from '../../core/codec/errors.ts'
import { InvalidDatasetError } from '../../core/learning/errors.ts'
import { FILE_BYTES_MAX } from './limits.ts'

/** Whether bytes begin as a gzip member does (RFC 1952, section 2.3.1). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * Undoes gzip, stopping at {@link FILE_BYTES_MAX}: a small file can unpack to a thousand times its size.
 *
 * @param field - What the file is called in errors.
 * @throws {@link InvalidDatasetError} If it is damaged or cut short.
 * @throws {@link LimitExceededError} If more comes out than may.
 */
export async function gunzip(bytes: Uint8Array, field: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  // A copy: the stream's types want a buffer that is not shared.
  const reader = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new InvalidDatasetError(`File ${field} is a damaged gzip file`, { field, value: bytes.length }, { cause })
    })
    if (done) break
    length += value.length
    if (length > FILE_BYTES_MAX) {
      await reader.cancel()
      throw new LimitExceededError(`File ${field} unpacks to more than ${FILE_BYTES_MAX} bytes`, {
        field,
        value: length,
        limit: FILE_BYTES_MAX,
      })
    }
    chunks.push(value)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
