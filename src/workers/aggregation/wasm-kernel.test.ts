import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'
import { REFERENCE_KERNEL as REFERENCE } from '../../core/learning/aggregate-reference.ts'
import { clippingFactor } from '../../core/learning/fixed.ts'
import { SAMPLES_CAP_MAX, VECTOR_NORM_MAX } from '../../core/learning/limits.ts'
import { seededRng } from '../../core/tasks/rng.ts'
import { buildKernel } from './build.node.ts'
import { TILE_COORDINATES } from './limits.ts'
import { loadKernel } from './load.node.ts'
import { selectionNetwork } from './network.ts'

let kernel: AggregationKernel
beforeAll(async () => {
  kernel = await loadKernel()
})

/** Rows whose values are up to `size`, a share of them equal, so that ties and both kinds of distances are met. */
function rowsOf(seed: number, n: number, d: number, size: number): Int32Array[] {
  const rng = seededRng(seed)
  return Array.from({ length: n }, () =>
    Int32Array.from({ length: d }, () => (rng.below(4) === 0 ? size : rng.below(2 * size + 1) - size)),
  )
}

const shape = fc.record({
  seed: fc.nat(),
  n: fc.integer({ min: 1, max: 40 }),
  d: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(TILE_COORDINATES - 1, TILE_COORDINATES + 5)),
  // The edge of 16-bit sums, of what may be packed, and what norms allow at these lengths.
  size: fc.constantFrom(0, 1, 300, 11_585, 11_586, 16_383, 16_384, 70_000, 20_000_000),
})

describe('the kernel equals the reference, byte for byte', () => {
  const cases: Readonly<Record<string, (each: AggregationKernel, rows: Int32Array[], seed: number) => unknown>> = {
    squaredNorms: (each, rows) => each.squaredNorms(rows),
    squaredDistances: (each, rows) => each.squaredDistances(rows),
    squaredDistancesTo: (each, rows) => each.squaredDistancesTo(rows, rows.at(-1) as Int32Array),
    scale: (each, rows, seed) => each.scale(rows[0] as Int32Array, clippingFactor(1 + (seed % 1_000_000), 1n << 60n)),
    mean: (each, rows) => each.mean(rows, null),
    'mean with weights': (each, rows, seed) => {
      const rng = seededRng(seed)
      return each.mean(
        rows,
        rows.map(() => 1 + rng.below(SAMPLES_CAP_MAX)),
      )
    },
    median: (each, rows) => each.median(rows),
    trimmedMean: (each, rows, seed) => each.trimmedMean(rows, seed % ((rows.length + 1) >> 1)),
    meanAroundMedian: (each, rows, seed) => each.meanAroundMedian(rows, 1 + (seed % rows.length)),
    mix: (each, rows, seed) => {
      const without = seed % rows.length
      const others = (at: number) => rows.map((_, i) => (at + 1 + i) % rows.length).slice(0, without)
      return each.mix(
        rows,
        rows.map((_, at) => others(at)),
      )
    },
    moveCenter: (each, rows, seed) => {
      const rng = seededRng(seed)
      const factors = rows.map(() => clippingFactor(1 + rng.below(1 << 20), BigInt(rng.below(2 ** 32)) << 10n))
      return each.moveCenter(rows.at(-1) as Int32Array, rows, factors)
    },
  }

  it.each(Object.entries(cases))('[AG8] %s', (_, run) => {
    fc.assert(
      fc.property(shape, ({ seed, n, d, size }) => {
        const rows = rowsOf(seed, n, d, size)
        expect(run(kernel, rows, seed)).toEqual(run(REFERENCE, rows, seed))
      }),
      { numRuns: 40 },
    )
  })

  it('[AG8] at the ends of what an update may hold', () => {
    const rows = [VECTOR_NORM_MAX, -VECTOR_NORM_MAX, 0, 1, -1].map((value) => Int32Array.of(0, 0, 0, 0, value))
    for (const run of Object.values(cases)) expect(run(kernel, rows, 1)).toEqual(run(REFERENCE, rows, 1))
    expect(kernel.squaredDistances(rows)[1]).toBe(4n * BigInt(VECTOR_NORM_MAX) ** 2n)
  })

  it('[AG8] norms of any 32-bit values, to be refused for', () => {
    const rows = [Int32Array.from({ length: 3000 }, () => -(2 ** 31)), new Int32Array(3000).fill(2 ** 31 - 1)]
    expect(kernel.squaredNorms(rows)).toEqual(REFERENCE.squaredNorms(rows))
  })

  it('leaves its inputs as they were, also where tiles are sorted in place', () => {
    const rows = rowsOf(5, 9, 33, 1000)
    const before = rows.map((row) => row.slice())
    for (const run of Object.values(cases)) run(kernel, rows, 3)
    expect(rows).toEqual(before)
  })

  it('mix refuses lists of different lengths', () => {
    expect(() => kernel.mix(rowsOf(1, 2, 1, 1), [[], [0]])).toThrow(RangeError)
  })
})

describe('selectionNetwork', () => {
  it('sorts every input of zeros and ones of up to 12 values, and so (0–1 principle) every input', () => {
    for (let n = 1; n <= 12; n++) {
      const network = selectionNetwork(n, Array(n).keys())
      for (let bits = 0; bits < 1 << n; bits++) {
        const values = Array.from({ length: n }, (_, i) => (bits >> i) & 1)
        const ones = values.reduce((sum, value) => sum + value, 0)
        expect(apply(network, values)).toEqual(Array.from({ length: n }, (_, i) => (i < n - ones ? 0 : 1)))
      }
    }
  })

  it('puts the wanted ranks in place with fewer comparators', () => {
    for (const n of [20, 33, 50, 128]) {
      const middle = [(n - 1) >> 1, n >> 1]
      const network = selectionNetwork(n, middle)
      expect(network.length).toBeLessThan(selectionNetwork(n, Array(n).keys()).length)
      for (let seed = 0; seed < 20; seed++) {
        const rng = seededRng(seed)
        const values = Array.from({ length: n }, () => rng.below(1000))
        const sorted = values.toSorted((a, b) => a - b)
        const selected = apply(network, values)
        for (const rank of middle) expect(selected[rank]).toBe(sorted[rank])
      }
    }
  })

  function apply(network: ReturnType<typeof selectionNetwork>, input: readonly number[]): number[] {
    const values = [...input]
    for (const { lower, upper, wanted } of network) {
      const [a, b] = [values[lower] as number, values[upper] as number]
      // What nobody wants is spoiled, to show that nobody reads it.
      values[lower] = wanted === 'upper' ? Number.NaN : Math.min(a, b)
      values[upper] = wanted === 'lower' ? Number.NaN : Math.max(a, b)
    }
    return values
  }
})

describe('kernel.wasm', () => {
  it('is what its source compiles to', () => {
    const folder = mkdtempSync(join(tmpdir(), 'starling-kernel-'))
    try {
      const built = join(folder, 'kernel.wasm')
      buildKernel(built)
      expect(readFileSync(built).equals(readFileSync(join(import.meta.dirname, 'kernel.wasm')))).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
