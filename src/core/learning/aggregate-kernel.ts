/**
 * The arithmetic that rules are made of, over many long vectors. Two implementations give the same bytes: plain loops in
 * `aggregate-reference.ts`, and WebAssembly SIMD in `src/workers/aggregation`.
 *
 * Rows have the same length and, unless it is said otherwise, norms of at most `VECTOR_NORM_MAX`. None is modified. A mean is the sum
 * (exact, below 2^53), divided as doubles are, then rounded to the nearest with ties to even.
 */
export interface AggregationKernel {
  /** Squared L2 norm of each row, exact; rows of any 32-bit values. */
  squaredNorms(rows: readonly Int32Array[]): bigint[]
  /** Squared L2 distances, exact: entry `i · n + j` is between rows i and j. */
  squaredDistances(rows: readonly Int32Array[]): BigInt64Array
  /** Squared L2 distance of each row to `center`, exact. */
  squaredDistancesTo(rows: readonly Int32Array[], center: Int32Array): bigint[]
  /** Each value times `factor` (as `clippingFactor` makes it, below 1), cut towards zero: the norm never ends above the bound. */
  scale(row: Int32Array, factor: number): Int32Array
  /** The mean; with `weights` (whole, 1 to `SAMPLES_CAP_MAX`), the weighted mean. */
  mean(rows: readonly Int32Array[], weights: readonly number[] | null): Int32Array
  /** The middle value of each coordinate; of an even number of rows the mean of the middle two. */
  median(rows: readonly Int32Array[]): Int32Array
  /** The mean of each coordinate without its `trimCount` lowest and highest values; `2 · trimCount < n`. */
  trimmedMean(rows: readonly Int32Array[], trimCount: number): Int32Array
  /**
   * The mean of the `keepCount` values of each coordinate that are closest to their median, lower values first where two are as
   * close; `1 <= keepCount <= n`.
   */
  meanAroundMedian(rows: readonly Int32Array[], keepCount: number): Int32Array
  /** One vector for each row: the mean of all rows but those that `excluded` lists for it. */
  mix(rows: readonly Int32Array[], excluded: readonly (readonly number[])[]): Int32Array[]
  /**
   * One step of centered clipping: `center + mean of (row − center) · factor`, each product rounded to the nearest, ties to even,
   * before they are summed.
   */
  moveCenter(center: Int32Array, rows: readonly Int32Array[], factors: readonly number[]): Int32Array
}
