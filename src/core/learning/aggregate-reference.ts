import type { AggregationKernel } from './aggregate-kernel.ts'
import { roundEven, squaredDistance, squaredNorm } from './fixed.ts'

/** {@link AggregationKernel} in plain typed-array loops: what the SIMD kernel is held to, and what runs where there is no worker. */
export const REFERENCE_KERNEL: AggregationKernel = {
  squaredNorms: (rows) => rows.map(squaredNorm),
  squaredDistances,
  squaredDistancesTo: (rows, center) => rows.map((row) => squaredDistance(row, center)),
  scale: (row, factor) => row.map((value) => Math.trunc(value * factor)),
  mean,
  median: (rows) => byCoordinate(rows, medianOf),
  trimmedMean: (rows, trimCount) =>
    byCoordinate(rows, (sorted) => meanOf(sorted, trimCount, sorted.length - trimCount)),
  meanAroundMedian: (rows, keepCount) => byCoordinate(rows, (sorted) => meanAround(sorted, keepCount)),
  mix,
  moveCenter,
}

/** Coordinates at a time: rows stay in the cache while each column is gathered. */
const BLOCK_COORDINATES = 1024

function lengthOf(rows: readonly Int32Array[]): number {
  return rows[0]?.length ?? 0
}

function squaredDistances(rows: readonly Int32Array[]): BigInt64Array {
  const n = rows.length
  const distances = new BigInt64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const distance = squaredDistance(rows[i] as Int32Array, rows[j] as Int32Array)
      distances[i * n + j] = distance
      distances[j * n + i] = distance
    }
  }
  return distances
}

function mean(rows: readonly Int32Array[], weights: readonly number[] | null): Int32Array {
  const sums = new Float64Array(lengthOf(rows))
  let total = 0
  for (const [at, row] of rows.entries()) {
    const weight = weights === null ? 1 : (weights[at] as number)
    total += weight
    for (let i = 0; i < row.length; i++) sums[i] = (sums[i] as number) + (row[i] as number) * weight
  }
  return divided(sums, total)
}

function divided(sums: Float64Array, divisor: number): Int32Array {
  const result = new Int32Array(sums.length)
  for (let i = 0; i < sums.length; i++) result[i] = roundEven((sums[i] as number) / divisor)
  return result
}

/** Sorts each coordinate's values and gives them to `value`. */
function byCoordinate(rows: readonly Int32Array[], value: (sorted: Int32Array) => number): Int32Array {
  const n = rows.length
  const length = lengthOf(rows)
  const result = new Int32Array(length)
  const columns = new Int32Array(n * BLOCK_COORDINATES)
  for (let start = 0; start < length; start += BLOCK_COORDINATES) {
    const count = Math.min(BLOCK_COORDINATES, length - start)
    for (const [at, row] of rows.entries())
      for (let i = 0; i < count; i++) columns[i * n + at] = row[start + i] as number
    for (let i = 0; i < count; i++) {
      const column = columns.subarray(i * n, i * n + n)
      insertionSort(column)
      result[start + i] = value(column)
    }
  }
  return result
}

/** Faster than the built-in sort at the few dozen values of one coordinate. */
function insertionSort(values: Int32Array): void {
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number
    let at = i - 1
    while (at >= 0 && (values[at] as number) > value) {
      values[at + 1] = values[at] as number
      at--
    }
    values[at + 1] = value
  }
}

function medianOf(sorted: Int32Array): number {
  return meanOf(sorted, (sorted.length - 1) >> 1, (sorted.length >> 1) + 1)
}

function meanOf(sorted: Int32Array, start: number, end: number): number {
  let sum = 0
  for (let i = start; i < end; i++) sum += sorted[i] as number
  return roundEven(sum / (end - start))
}

/** The closest values stand together; the window moves up while the next value is closer than its lowest. */
function meanAround(sorted: Int32Array, keepCount: number): number {
  // Twice the median, so that the middle of two needs no rounding.
  const twice = (sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)
  let start = 0
  while (start + keepCount < sorted.length && (sorted[start] as number) + (sorted[start + keepCount] as number) < twice)
    start++
  return meanOf(sorted, start, start + keepCount)
}

function mix(rows: readonly Int32Array[], excluded: readonly (readonly number[])[]): Int32Array[] {
  const sums = new Float64Array(lengthOf(rows))
  for (const row of rows) for (let i = 0; i < row.length; i++) sums[i] = (sums[i] as number) + (row[i] as number)
  return rows.map((_, at) => {
    const without = excluded[at] ?? []
    const kept = sums.slice()
    for (const other of without) {
      const row = rows[other] as Int32Array
      for (let i = 0; i < row.length; i++) kept[i] = (kept[i] as number) - (row[i] as number)
    }
    return divided(kept, rows.length - without.length)
  })
}

function moveCenter(center: Int32Array, rows: readonly Int32Array[], factors: readonly number[]): Int32Array {
  const sums = new Float64Array(center.length)
  for (const [at, row] of rows.entries()) {
    const factor = factors[at] as number
    for (let i = 0; i < row.length; i++)
      sums[i] = (sums[i] as number) + roundEven(((row[i] as number) - (center[i] as number)) * factor)
  }
  return divided(sums, rows.length).map((step, i) => (center[i] as number) + step)
}
