import type { Samples } from '../../core/learning/dataset.ts'
import { readIdx } from '../../core/learning/dataset-idx.ts'
import { InvalidDatasetError } from '../../core/learning/errors.ts'
import { gunzip, isGzip } from './gunzip.ts'

const CLASSES = 10
const IMAGES_HEADER_BYTES = 16

/**
 * Opens the bundled digits: an IDX file of images and one of labels, one after the other. A server may have undone the gzip.
 *
 * @throws {@link InvalidDatasetError} If they were cut short on the way.
 */
export async function readDigits(stored: Uint8Array): Promise<Samples> {
  const bytes = isGzip(stored) ? await gunzip(stored, 'digits') : stored
  if (bytes.length < IMAGES_HEADER_BYTES) {
    throw new InvalidDatasetError(`File digits has ${bytes.length} bytes, limit ${IMAGES_HEADER_BYTES} at least`, {
      field: 'digits',
      value: bytes.length,
      limit: IMAGES_HEADER_BYTES,
    })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = IMAGES_HEADER_BYTES + view.getUint32(4) * view.getUint32(8) * view.getUint32(12)
  return readIdx(bytes.subarray(0, end), bytes.subarray(end), { classes: CLASSES })
}
