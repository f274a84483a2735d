import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'
import { AggregationUnavailableError } from './errors.ts'
import { TILE_COORDINATES } from './limits.ts'
import { type Comparator, selectionNetwork } from './network.ts'

/** What `assembly/kernel.ts` exports; all but the factors and totals are addresses and counts. */
interface Exports {
  readonly memory: WebAssembly.Memory
  heapBase(): number
  squaredNorms(tile: number, stride: number, rows: number, vectors: number, out: number): void
  squaredDistances(tile: number, stride: number, rows: number, vectors: number, out: number): void
  squaredDistancesTo(tile: number, stride: number, rows: number, vectors: number, center: number, out: number): void
  largest(tile: number, stride: number, rows: number, vectors: number): number
  pack(tile: number, stride: number, rows: number, vectors: number, packed: number, packedStride: number): void
  packedDistances(packed: number, stride: number, rows: number, vectors: number, steps: number, out: number): void
  scale(from: number, vectors: number, factor: number, to: number): void
  mean(tile: number, stride: number, rows: number, vectors: number, out: number): void
  weightedMean(
    tile: number,
    stride: number,
    rows: number,
    vectors: number,
    weights: number,
    total: number,
    out: number,
  ): void
  runNetwork(tile: number, vectors: number, network: number, comparators: number): void
  meanAroundMedian(tile: number, stride: number, rows: number, keep: number, vectors: number, out: number): void
  mix(tile: number, stride: number, rows: number, vectors: number, excluded: number, without: number, out: number): void
  moveCenter(
    tile: number,
    stride: number,
    rows: number,
    vectors: number,
    center: number,
    factors: number,
    out: number,
  ): void
}

const PAGE_BYTES = 65_536
const LINE_BYTES = 64
const VALUE_BYTES = 4
const LANES = 4

/**
 * Bytes from one row to the next. One cache line more than the values: at a power of two the same coordinate of all rows would fall into the
 * same few places of the cache.
 */
const STRIDE_BYTES = TILE_COORDINATES * VALUE_BYTES + LINE_BYTES

/** As above for rows of 16-bit values. */
const PACKED_STRIDE_BYTES = TILE_COORDINATES * 2 + LINE_BYTES

/** Below this many sums in 32 bits the packed distances are no faster. */
const PACKED_STEPS_MIN = 4

/** What a comparator's wanted outcomes are called in the kernel. */
const WANTED = { both: 3, lower: 1, upper: 2 } as const

/** A span of coordinates that is in the kernel's memory. */
interface Tile {
  readonly start: number
  readonly count: number
  readonly vectors: number
}

/** {@link AggregationKernel} in WebAssembly SIMD: rows pass through a tile that fits the cache, so its memory stays small whatever d is. */
export class WasmKernel implements AggregationKernel {
  readonly #exports: Exports
  readonly #base: number
  #next = 0

  /** @throws {@link AggregationUnavailableError} If the module is not the kernel. */
  constructor(module: WebAssembly.Module) {
    const exports = new WebAssembly.Instance(module).exports as unknown as Exports
    if (!(exports.memory instanceof WebAssembly.Memory))
      throw new AggregationUnavailableError('The module of the aggregation kernel exports no memory')
    this.#exports = exports
    this.#base = Math.ceil(exports.heapBase() / LINE_BYTES) * LINE_BYTES
  }

  squaredNorms(rows: readonly Int32Array[]): bigint[] {
    this.#reset()
    const tiles = this.#room(rows.length * STRIDE_BYTES)
    const sums = this.#room(rows.length * 16)
    this.#unsigned(sums, rows.length * 2).fill(0n)
    for (const { vectors } of this.#tiles(rows, tiles))
      this.#exports.squaredNorms(tiles, STRIDE_BYTES, rows.length, vectors, sums)
    const halves = this.#unsigned(sums, rows.length * 2)
    return rows.map((_, row) => (halves[2 * row] as bigint) + ((halves[2 * row + 1] as bigint) << 32n))
  }

  squaredDistances(rows: readonly Int32Array[]): BigInt64Array {
    const n = rows.length
    this.#reset()
    const tiles = this.#room(n * STRIDE_BYTES)
    const packed = this.#room(n * PACKED_STRIDE_BYTES)
    const sums = this.#room(n * n * 8)
    this.#unsigned(sums, n * n).fill(0n)
    for (const { vectors } of this.#tiles(rows, tiles)) {
      const steps = packedSteps(this.#exports.largest(tiles, STRIDE_BYTES, n, vectors))
      if (steps < PACKED_STEPS_MIN) {
        this.#exports.squaredDistances(tiles, STRIDE_BYTES, n, vectors, sums)
        continue
      }
      this.#exports.pack(tiles, STRIDE_BYTES, n, vectors, packed, PACKED_STRIDE_BYTES)
      this.#exports.packedDistances(packed, PACKED_STRIDE_BYTES, n, (vectors + 1) >> 1, steps, sums)
    }
    const distances = new BigInt64Array(this.#exports.memory.buffer, sums, n * n).slice()
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) distances[j * n + i] = distances[i * n + j] as bigint
    return distances
  }

  squaredDistancesTo(rows: readonly Int32Array[], center: Int32Array): bigint[] {
    const n = rows.length
    this.#reset()
    const tiles = this.#room((n + 1) * STRIDE_BYTES)
    const sums = this.#room(n * 8)
    this.#unsigned(sums, n).fill(0n)
    const middle = tiles + n * STRIDE_BYTES
    for (const { vectors } of this.#tiles([...rows, center], tiles))
      this.#exports.squaredDistancesTo(tiles, STRIDE_BYTES, n, vectors, middle, sums)
    return Array.from(this.#unsigned(sums, n))
  }

  scale(row: Int32Array, factor: number): Int32Array {
    return this.#eachTile([row], (tiles, out, { vectors }) => this.#exports.scale(tiles, vectors, factor, out))
  }

  mean(rows: readonly Int32Array[], weights: readonly number[] | null): Int32Array {
    const n = rows.length
    if (weights === null)
      return this.#eachTile(rows, (tiles, out, { vectors }) => this.#exports.mean(tiles, STRIDE_BYTES, n, vectors, out))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return this.#eachTile(
      rows,
      (tiles, out, { vectors }, doubles) =>
        this.#exports.weightedMean(tiles, STRIDE_BYTES, n, vectors, doubles, total, out),
      { doubles: weights },
    )
  }

  median(rows: readonly Int32Array[]): Int32Array {
    return this.#meanOfRanks(rows, (rows.length - 1) >> 1, (rows.length >> 1) + 1)
  }

  trimmedMean(rows: readonly Int32Array[], trimCount: number): Int32Array {
    return this.#meanOfRanks(rows, trimCount, rows.length - trimCount)
  }

  meanAroundMedian(rows: readonly Int32Array[], keepCount: number): Int32Array {
    const network = selectionNetwork(rows.length, rows.keys())
    return this.#eachTile(
      rows,
      (tiles, out, { vectors }, offsets) => {
        this.#exports.runNetwork(tiles, vectors, offsets, network.length)
        this.#exports.meanAroundMedian(tiles, STRIDE_BYTES, rows.length, keepCount, vectors, out)
      },
      { offsets: offsetsOf(network) },
    )
  }

  mix(rows: readonly Int32Array[], excluded: readonly (readonly number[])[]): Int32Array[] {
    const n = rows.length
    const without = excluded[0]?.length ?? 0
    if (excluded.length !== n || excluded.some((list) => list.length !== without))
      throw new RangeError(`Each of ${n} rows must leave out as many others, ${without}`)
    this.#reset()
    const tiles = this.#room(n * STRIDE_BYTES)
    const out = this.#room(n * STRIDE_BYTES)
    const lists = this.#write(excluded.flat().map((row) => row * STRIDE_BYTES))
    const results = rows.map((row) => new Int32Array(row.length))
    for (const { start, count, vectors } of this.#tiles(rows, tiles)) {
      this.#exports.mix(tiles, STRIDE_BYTES, n, vectors, lists, without, out)
      for (const [row, result] of results.entries()) result.set(this.#integers(out + row * STRIDE_BYTES, count), start)
    }
    return results
  }

  moveCenter(center: Int32Array, rows: readonly Int32Array[], factors: readonly number[]): Int32Array {
    const n = rows.length
    return this.#eachTile(
      [...rows, center],
      (tiles, out, { vectors }, doubles) =>
        this.#exports.moveCenter(tiles, STRIDE_BYTES, n, vectors, tiles + n * STRIDE_BYTES, doubles, out),
      { doubles: factors },
    )
  }

  #meanOfRanks(rows: readonly Int32Array[], start: number, end: number): Int32Array {
    const ranks = Array.from({ length: end - start }, (_, i) => start + i)
    const network = selectionNetwork(rows.length, ranks)
    return this.#eachTile(
      rows,
      (tiles, out, { vectors }, offsets) => {
        this.#exports.runNetwork(tiles, vectors, offsets, network.length)
        this.#exports.mean(tiles + start * STRIDE_BYTES, STRIDE_BYTES, ranks.length, vectors, out)
      },
      { offsets: offsetsOf(network) },
    )
  }

  /** Runs `work` on every tile and gathers what it leaves at `out`; `given` lies at `extra` all the while. */
  #eachTile(
    rows: readonly Int32Array[],
    work: (tiles: number, out: number, tile: Tile, extra: number) => void,
    given: { readonly doubles?: readonly number[]; readonly offsets?: readonly number[] } = {},
  ): Int32Array {
    this.#reset()
    const tiles = this.#room(rows.length * STRIDE_BYTES)
    const out = this.#room(STRIDE_BYTES)
    const extra = given.doubles === undefined ? this.#write(given.offsets ?? []) : this.#writeDoubles(given.doubles)
    const result = new Int32Array(rows[0]?.length ?? 0)
    for (const tile of this.#tiles(rows, tiles)) {
      work(tiles, out, tile, extra)
      result.set(this.#integers(out, tile.count), tile.start)
    }
    return result
  }

  /** Copies one span after the other of all rows to `tiles`; what the last vector has beyond the last coordinate is zero. */
  *#tiles(rows: readonly Int32Array[], tiles: number): Generator<Tile> {
    const length = rows[0]?.length ?? 0
    for (let start = 0; start < length; start += TILE_COORDINATES) {
      const count = Math.min(TILE_COORDINATES, length - start)
      const vectors = Math.ceil(count / LANES)
      const memory = new Int32Array(this.#exports.memory.buffer)
      for (const [row, values] of rows.entries()) {
        const at = (tiles + row * STRIDE_BYTES) / VALUE_BYTES
        memory.set(values.subarray(start, start + count), at)
        memory.fill(0, at + count, at + vectors * LANES)
      }
      yield { start, count, vectors }
    }
  }

  #reset(): void {
    this.#next = this.#base
  }

  /** Room of its own for this many bytes, until the next reset. */
  #room(bytes: number): number {
    const at = this.#next
    this.#next += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES
    const { memory } = this.#exports
    const missing = this.#next - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
    return at
  }

  #write(values: readonly number[]): number {
    const at = this.#room(values.length * VALUE_BYTES)
    this.#integers(at, values.length).set(values)
    return at
  }

  #writeDoubles(values: readonly number[]): number {
    const at = this.#room(values.length * 8)
    new Float64Array(this.#exports.memory.buffer, at, values.length).set(values)
    return at
  }

  #integers(at: number, count: number): Int32Array {
    return new Int32Array(this.#exports.memory.buffer, at, count)
  }

  #unsigned(at: number, count: number): BigUint64Array {
    return new BigUint64Array(this.#exports.memory.buffer, at, count)
  }
}

/** How many products of two squared differences each fit 32 bits without a sign; 0 when differences do not fit 16 bits. */
function packedSteps(largest: number): number {
  const difference = 2 * largest
  if (difference > 32_767) return 0
  // All zeros: any number will do.
  return difference === 0 ? TILE_COORDINATES : Math.floor((2 ** 32 - 1) / (2 * difference * difference))
}

function offsetsOf(network: readonly Comparator[]): number[] {
  return network.flatMap(({ lower, upper, wanted }) => [lower * STRIDE_BYTES, upper * STRIDE_BYTES, WANTED[wanted]])
}
