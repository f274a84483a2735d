import { describe, expect, it } from 'vitest'
import { mnistFiles } from '../../testing/mnist.ts'
import { readIdx } from './dataset-idx.ts'

/** An IDX file of `sides`, with `dataBytes` bytes counting up. */
function idx(sides: readonly number[], dataBytes = sides.reduce((product, side) => product * side, 1)): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sides.length + dataBytes)
  bytes.set([0, 0, 8, sides.length])
  const view = new DataView(bytes.buffer)
  for (const [i, side] of sides.entries()) view.setUint32(4 + 4 * i, side)
  for (let i = 0; i < dataBytes; i++) bytes[4 + 4 * sides.length + i] = i % 256
  return bytes
}
const IMAGES = idx([3, 2, 2])
const LABELS = idx([3])
const changed = (bytes: Uint8Array, at: number, value: number) => bytes.map((byte, i) => (i === at ? value : byte))

describe('readIdx', () => {
  it('reads pictures as grays from 0 to 1, and labels', () => {
    const samples = readIdx(IMAGES, LABELS, { classes: null })
    expect([...samples.values]).toEqual(Array.from({ length: 12 }, (_, i) => Math.fround(i / 255)))
    expect([...samples.labels]).toEqual([0, 1, 2])
    expect(samples).toMatchObject({
      features: 4,
      classes: 3,
      picture: { width: 2, height: 2 },
      labelNames: ['0', '1', '2'],
    })
  })

  it('reads the test files of MNIST: mean .1325, 980 zeros', () => {
    const { images, labels } = mnistFiles('t10k')
    const samples = readIdx(images, labels, { classes: 10 })
    expect(samples.labels.length).toBe(10_000)
    expect(samples.labels.filter((label) => label === 0).length).toBe(980)
    expect(samples.values.reduce((sum, value) => sum + value, 0) / samples.values.length).toBeCloseTo(0.1325, 4)
  })

  it.each([
    ['an empty file', new Uint8Array(0), LABELS, 'InvalidDatasetError', /images has header bytes 0, limit 16 at least/],
    ['a header cut short', IMAGES.subarray(0, 15), LABELS, 'InvalidDatasetError', /header bytes 15/],
    ['another magic', changed(IMAGES, 0, 1), LABELS, 'InvalidDatasetError', /magic 256/],
    ['floats', changed(IMAGES, 2, 0x0d), LABELS, 'InvalidDatasetError', /type 13/],
    ['two dimensions', changed(IMAGES, 3, 2), LABELS, 'InvalidDatasetError', /dimensions 2, limit 3 exactly/],
    [
      'data cut short',
      IMAGES.subarray(0, -1),
      LABELS,
      'InvalidDatasetError',
      /data bytes 11, limit 12 exactly \(3 × 2 × 2\)/,
    ],
    ['data too long', idx([3, 2, 2], 13), LABELS, 'InvalidDatasetError', /data bytes 13/],
    ['labels cut short', IMAGES, LABELS.subarray(0, -1), 'InvalidDatasetError', /labels has data bytes 2/],
    [
      'fewer labels than images',
      IMAGES,
      idx([2]),
      'InvalidDatasetError',
      /labels has count 2, limit 3 exactly, as images/,
    ],
    ['no samples', idx([0, 2, 2]), idx([0]), 'InvalidDatasetError', /samples 0/],
    [
      'sizes of 2^96 bytes',
      idx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], 4),
      LABELS,
      'InvalidDatasetError',
      /data bytes 4/,
    ],
    ['pictures too wide', idx([1, 1, 257]), idx([1]), 'LimitExceededError', /1 × 257|257 × 1, limit 256/],
  ] as const)('refuses %s', (_, images, labels, name, message) => {
    expect(() => readIdx(images, labels, { classes: null })).toThrow(expect.objectContaining({ name }))
    expect(() => readIdx(images, labels, { classes: null })).toThrow(message)
  })

  it("refuses a label that is none of the task's classes", () => {
    expect(() => readIdx(IMAGES, LABELS, { classes: 2 })).toThrow(/largest label 2, limit 1 at most/)
  })

  it('refuses more samples than may be, before memory is taken for them', () => {
    // A million and one pictures of one pixel: 1 MB of bytes, and the floats are never made.
    const count = 1_000_001
    expect(() => readIdx(idx([count, 1, 1]), idx([count]), { classes: 256 })).toThrow(
      expect.objectContaining({ name: 'LimitExceededError', message: `Dataset has samples ${count}, limit 1000000` }),
    )
  })
})
