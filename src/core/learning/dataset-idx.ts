/**
 * IDX, the file format of MNIST: two zero bytes, a type (8 = unsigned byte), the number of dimensions, each dimension as a big-endian
 * 32-bit number, then the data. Source: http://yann.lecun.com/exdb/mnist/, "FILE FORMATS".
 */
import { LimitExceededError } from '../codec/errors.ts'
import { checkSize, type Samples } from './dataset.ts'
import { InvalidDatasetError } from './errors.ts'
import { DATASET_CLASSES_MAX, PICTURE_SIDE_MAX } from './limits.ts'

const TYPE_UINT8 = 8
const HEADER_BYTES = 4
const BYTES_PER_SIDE = 4
const GRAY_MAX = 255

/** The parts of an IDX file: a view of its bytes, none copied. */
export interface IdxFile {
  readonly sides: readonly number[]
  readonly data: Uint8Array
}

/**
 * Opens an IDX file. Sizes are held against the bytes that are there before anything is made of them.
 *
 * @param file - What the file is called in errors: `images` or `labels`.
 * @throws {@link InvalidDatasetError} If the header is cut short or of another type, or the data are fewer or more than it says.
 */
export function openIdx(bytes: Uint8Array, file: string, dimensions: number): IdxFile {
  const header = HEADER_BYTES + dimensions * BYTES_PER_SIDE
  if (bytes.length < header) throw invalid(file, 'header bytes', bytes.length, `${header} at least`)
  if (bytes[0] !== 0 || bytes[1] !== 0)
    throw invalid(file, 'magic', (bytes[0] as number) * 256 + (bytes[1] as number), '0')
  if (bytes[2] !== TYPE_UINT8) throw invalid(file, 'type', bytes[2] as number, `${TYPE_UINT8} (unsigned bytes)`)
  if (bytes[3] !== dimensions) throw invalid(file, 'dimensions', bytes[3] as number, `${dimensions} exactly`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sides = Array.from({ length: dimensions }, (_, i) => view.getUint32(HEADER_BYTES + i * BYTES_PER_SIDE))
  // Three 32-bit sides multiply to less than 2^96: past 2^53 the product is inexact, but then it is no file's length either.
  const expected = sides.reduce((product, side) => product * side, 1)
  const data = bytes.subarray(header)
  if (data.length !== expected)
    throw invalid(file, 'data bytes', data.length, `${expected} exactly (${sides.join(' × ')})`)
  return { sides, data }
}

/**
 * Pictures and their labels as samples, grays scaled to 0 … 1.
 *
 * @param options.classes - The task's number of classes; `null` takes the largest label plus one.
 * @throws {@link InvalidDatasetError} If a file is damaged, the counts differ, or a label is no class.
 * @throws {@link LimitExceededError} If the pictures are too large or too many.
 */
export function readIdx(images: Uint8Array, labels: Uint8Array, options: { readonly classes: number | null }): Samples {
  const pictures = openIdx(images, 'images', 3)
  const marks = openIdx(labels, 'labels', 1)
  const [count, height, width] = pictures.sides as [number, number, number]
  if (count !== marks.sides[0])
    throw invalid('labels', 'count', marks.sides[0] as number, `${count} exactly, as images`)
  for (const side of [width, height]) {
    if (side > PICTURE_SIDE_MAX) {
      throw new LimitExceededError(
        `File images has pictures of ${width} × ${height}, limit ${PICTURE_SIDE_MAX} a side`,
        {
          field: 'images',
          value: side,
          limit: PICTURE_SIDE_MAX,
        },
      )
    }
  }
  checkSize(count, width * height)
  const most = marks.data.reduce((largest, label) => Math.max(largest, label), 0)
  const classes = options.classes ?? Math.max(2, most + 1)
  if (classes > DATASET_CLASSES_MAX) throw invalid('labels', 'classes', classes, `${DATASET_CLASSES_MAX} at most`)
  if (most >= classes) throw invalid('labels', 'largest label', most, `${classes - 1} at most`)
  return {
    values: Float32Array.from(pictures.data, (gray) => gray / GRAY_MAX),
    labels: marks.data.slice(),
    features: width * height,
    classes,
    labelNames: Array.from({ length: classes }, (_, label) => String(label)),
    picture: { width, height },
  }
}

function invalid(file: string, field: string, value: number, limit: string): InvalidDatasetError {
  return new InvalidDatasetError(`File ${file} has ${field} ${value}, limit ${limit}`, {
    field: file,
    what: field,
    value,
    limit,
  })
}
