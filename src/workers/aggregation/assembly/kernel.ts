/**
 * The arithmetic of aggregation in WebAssembly SIMD, on a tile: the same span of coordinates of every row, row after row at a fixed stride,
 * small enough for a core's cache. The caller copies tiles in and results out, and owns the memory from `__heap_base` on.
 *
 * Only deterministic instructions, none of relaxed SIMD. Each function says the same as its namesake in
 * src/core/learning/aggregate-reference.ts, to the byte. Spans are counted in vectors of four coordinates; what is beyond the last coordinate
 * is zero in every row, and nobody reads its result.
 */

const VECTOR: usize = 16

/** Where the caller's memory begins. */
export function heapBase(): usize {
  return __heap_base
}

@inline
function foldedAdd(at: usize, sum: v128): void {
  store<i64>(at, load<i64>(at) + i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1))
}

@inline
function squared(sum: v128, difference: v128): v128 {
  return i64x2.add(
    i64x2.add(sum, i64x2.extmul_low_i32x4_s(difference, difference)),
    i64x2.extmul_high_i32x4_s(difference, difference),
  )
}

/** Adds each row's sum of squares to two 64-bit counters, of the squares' low and high halves: neither can overflow. */
export function squaredNorms(tile: usize, stride: usize, rows: i32, vectors: i32, out: usize): void {
  const low = i64x2.splat(0xffffffff)
  for (let row = 0; row < rows; row++) {
    let at = tile + <usize>row * stride
    const end = at + <usize>vectors * VECTOR
    let lows = i64x2.splat(0)
    let highs = i64x2.splat(0)
    for (; at < end; at += VECTOR) {
      const values = v128.load(at)
      const first = i64x2.extmul_low_i32x4_s(values, values)
      const second = i64x2.extmul_high_i32x4_s(values, values)
      lows = i64x2.add(lows, i64x2.add(v128.and(first, low), v128.and(second, low)))
      highs = i64x2.add(highs, i64x2.add(i64x2.shr_u(first, 32), i64x2.shr_u(second, 32)))
    }
    foldedAdd(out + ((<usize>row) << 4), lows)
    foldedAdd(out + ((<usize>row) << 4) + 8, highs)
  }
}

/** Adds each row's squared distance to `center` to a 64-bit counter. */
export function squaredDistancesTo(
  tile: usize,
  stride: usize,
  rows: i32,
  vectors: i32,
  center: usize,
  out: usize,
): void {
  const bytes = <usize>vectors * VECTOR
  for (let row = 0; row < rows; row++) {
    const base = tile + <usize>row * stride
    let sum = i64x2.splat(0)
    for (let at: usize = 0; at < bytes; at += VECTOR)
      sum = squared(sum, i32x4.sub(v128.load(base + at), v128.load(center + at)))
    foldedAdd(out + ((<usize>row) << 3), sum)
  }
}

/** The largest absolute value of the tile; at most 2^30. */
export function largest(tile: usize, stride: usize, rows: i32, vectors: i32): i32 {
  let most = i32x4.splat(0)
  for (let row = 0; row < rows; row++) {
    let at = tile + <usize>row * stride
    const end = at + <usize>vectors * VECTOR
    for (; at < end; at += VECTOR) most = i32x4.max_s(most, i32x4.abs(v128.load(at)))
  }
  return max(
    max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  )
}

/** Adds the squared distance of each pair i < j to the 64-bit counter `i · rows + j`. Four pairs at a time: rows are loaded half as often. */
export function squaredDistances(tile: usize, stride: usize, rows: i32, vectors: i32, out: usize): void {
  const bytes = <usize>vectors * VECTOR
  for (let i = 0; i < rows; i += 2) {
    const a0 = tile + <usize>i * stride
    // A last odd row stands in for its partner; the partner's sums are not stored.
    const a1 = i + 1 < rows ? a0 + stride : a0
    if (i + 1 < rows) {
      let sum = i64x2.splat(0)
      for (let at: usize = 0; at < bytes; at += VECTOR)
        sum = squared(sum, i32x4.sub(v128.load(a0 + at), v128.load(a1 + at)))
      foldedAdd(out + ((<usize>(i * rows + i + 1)) << 3), sum)
    }
    for (let j = i + 2; j < rows; j += 2) {
      const b0 = tile + <usize>j * stride
      const b1 = j + 1 < rows ? b0 + stride : b0
      let s00 = i64x2.splat(0)
      let s01 = i64x2.splat(0)
      let s10 = i64x2.splat(0)
      let s11 = i64x2.splat(0)
      for (let at: usize = 0; at < bytes; at += VECTOR) {
        const x0 = v128.load(a0 + at)
        const x1 = v128.load(a1 + at)
        const y0 = v128.load(b0 + at)
        const y1 = v128.load(b1 + at)
        s00 = squared(s00, i32x4.sub(x0, y0))
        s01 = squared(s01, i32x4.sub(x0, y1))
        s10 = squared(s10, i32x4.sub(x1, y0))
        s11 = squared(s11, i32x4.sub(x1, y1))
      }
      storePairs(out, rows, i, j, s00, s01, s10, s11)
    }
  }
}

@inline
function storePairs(out: usize, rows: i32, i: i32, j: i32, s00: v128, s01: v128, s10: v128, s11: v128): void {
  const at = out + ((<usize>(i * rows + j)) << 3)
  const below = at + ((<usize>rows) << 3)
  foldedAdd(at, s00)
  if (j + 1 < rows) foldedAdd(at + 8, s01)
  if (i + 1 < rows) foldedAdd(below, s10)
  if (i + 1 < rows && j + 1 < rows) foldedAdd(below + 8, s11)
}

/** Copies the tile to `packed` as 16-bit values, which all of it must fit; pads each row with zeros to whole vectors of eight. */
export function pack(tile: usize, stride: usize, rows: i32, vectors: i32, packed: usize, packedStride: usize): void {
  const zero = i32x4.splat(0)
  for (let row = 0; row < rows; row++) {
    let from = tile + <usize>row * stride
    let to = packed + <usize>row * packedStride
    let left = vectors
    for (; left >= 2; left -= 2) {
      v128.store(to, i16x8.narrow_i32x4_s(v128.load(from), v128.load(from, 16)))
      from += 2 * VECTOR
      to += VECTOR
    }
    if (left == 1) v128.store(to, i16x8.narrow_i32x4_s(v128.load(from), zero))
  }
}

@inline
function widened(sum: v128, part: v128): v128 {
  return i64x2.add(i64x2.add(sum, i64x2.extend_low_i32x4_u(part)), i64x2.extend_high_i32x4_u(part))
}

@inline
function dotted(sum: v128, difference: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(difference, difference))
}

/**
 * {@link squaredDistances} on a packed tile whose differences fit 16 bits. `steps` vectors of eight are summed in 32 bits without a sign before
 * they go to the 64-bit sums: the caller knows from the largest value how many cannot overflow.
 */
export function packedDistances(packed: usize, stride: usize, rows: i32, vectors: i32, steps: i32, out: usize): void {
  const bytes = <usize>vectors * VECTOR
  const step = <usize>steps * VECTOR
  for (let i = 0; i < rows; i += 2) {
    const a0 = packed + <usize>i * stride
    const a1 = i + 1 < rows ? a0 + stride : a0
    if (i + 1 < rows) {
      let sum = i64x2.splat(0)
      for (let at: usize = 0; at < bytes; ) {
        const end = min(bytes, at + step)
        let part = i32x4.splat(0)
        for (; at < end; at += VECTOR) part = dotted(part, i16x8.sub(v128.load(a0 + at), v128.load(a1 + at)))
        sum = widened(sum, part)
      }
      foldedAdd(out + ((<usize>(i * rows + i + 1)) << 3), sum)
    }
    for (let j = i + 2; j < rows; j += 2) {
      const b0 = packed + <usize>j * stride
      const b1 = j + 1 < rows ? b0 + stride : b0
      let s00 = i64x2.splat(0)
      let s01 = i64x2.splat(0)
      let s10 = i64x2.splat(0)
      let s11 = i64x2.splat(0)
      for (let at: usize = 0; at < bytes; ) {
        const end = min(bytes, at + step)
        let p00 = i32x4.splat(0)
        let p01 = i32x4.splat(0)
        let p10 = i32x4.splat(0)
        let p11 = i32x4.splat(0)
        for (; at < end; at += VECTOR) {
          const x0 = v128.load(a0 + at)
          const x1 = v128.load(a1 + at)
          const y0 = v128.load(b0 + at)
          const y1 = v128.load(b1 + at)
          p00 = dotted(p00, i16x8.sub(x0, y0))
          p01 = dotted(p01, i16x8.sub(x0, y1))
          p10 = dotted(p10, i16x8.sub(x1, y0))
          p11 = dotted(p11, i16x8.sub(x1, y1))
        }
        s00 = widened(s00, p00)
        s01 = widened(s01, p01)
        s10 = widened(s10, p10)
        s11 = widened(s11, p11)
      }
      storePairs(out, rows, i, j, s00, s01, s10, s11)
    }
  }
}

@inline
function lowDoubles(values: v128): v128 {
  return f64x2.convert_low_i32x4_s(values)
}

@inline
function highDoubles(values: v128): v128 {
  return f64x2.convert_low_i32x4_s(v128.shuffle<i32>(values, values, 2, 3, 2, 3))
}

/** Two pairs of whole doubles as four integers. */
@inline
function integers(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(i32x4.trunc_sat_f64x2_s_zero(low), i32x4.trunc_sat_f64x2_s_zero(high), 0, 1, 4, 5)
}

/** Sums divided and rounded to the nearest, ties to even. */
@inline
function quotients(low: v128, high: v128, divisor: v128): v128 {
  return integers(f64x2.nearest(f64x2.div(low, divisor)), f64x2.nearest(f64x2.div(high, divisor)))
}

/** Each value times `factor`, cut towards zero. */
export function scale(from: usize, vectors: i32, factor: f64, to: usize): void {
  const factors = f64x2.splat(factor)
  const bytes = <usize>vectors * VECTOR
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const values = v128.load(from + at)
    // The conversion itself cuts towards zero.
    v128.store(to + at, integers(f64x2.mul(lowDoubles(values), factors), f64x2.mul(highDoubles(values), factors)))
  }
}

/** The mean of `rows` rows. */
export function mean(tile: usize, stride: usize, rows: i32, vectors: i32, out: usize): void {
  const divisor = f64x2.splat(<f64>rows)
  const bytes = <usize>vectors * VECTOR
  const end = tile + <usize>rows * stride
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    let low = f64x2.splat(0)
    let high = f64x2.splat(0)
    for (let row = tile; row < end; row += stride) {
      const values = v128.load(row + at)
      low = f64x2.add(low, lowDoubles(values))
      high = f64x2.add(high, highDoubles(values))
    }
    v128.store(out + at, quotients(low, high, divisor))
  }
}

/** The mean with a weight for each row, doubles that lie at `weights`, whose sum is `total`. */
export function weightedMean(
  tile: usize,
  stride: usize,
  rows: i32,
  vectors: i32,
  weights: usize,
  total: f64,
  out: usize,
): void {
  const divisor = f64x2.splat(total)
  const bytes = <usize>vectors * VECTOR
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    let low = f64x2.splat(0)
    let high = f64x2.splat(0)
    for (let row = 0; row < rows; row++) {
      const values = v128.load(tile + <usize>row * stride + at)
      const weight = v128.load64_splat(weights + ((<usize>row) << 3))
      low = f64x2.add(low, f64x2.mul(lowDoubles(values), weight))
      high = f64x2.add(high, f64x2.mul(highDoubles(values), weight))
    }
    v128.store(out + at, quotients(low, high, divisor))
  }
}

/** Bytes of each row that go through the whole network before the next: all rows' blocks fit the first cache. */
const BLOCK: usize = 256

/**
 * Runs a network of comparators over the rows, for every coordinate. A comparator is three 32-bit numbers: the offsets of two rows, and what is
 * wanted of it: 3 both, 1 the lower value in the first row, 2 the higher in the second.
 */
export function runNetwork(tile: usize, vectors: i32, network: usize, comparators: i32): void {
  const bytes = <usize>vectors * VECTOR
  const last = network + <usize>comparators * 12
  for (let block: usize = 0; block < bytes; block += BLOCK) {
    const length = min(BLOCK, bytes - block)
    const base = tile + block
    for (let at = network; at < last; at += 12) {
      let a = base + load<u32>(at)
      let b = base + load<u32>(at, 4)
      const wanted = load<u32>(at, 8)
      const end = a + length
      if (wanted == 3) {
        for (; a < end; a += VECTOR, b += VECTOR) {
          const x = v128.load(a)
          const y = v128.load(b)
          v128.store(a, i32x4.min_s(x, y))
          v128.store(b, i32x4.max_s(x, y))
        }
      } else if (wanted == 1) {
        for (; a < end; a += VECTOR, b += VECTOR) v128.store(a, i32x4.min_s(v128.load(a), v128.load(b)))
      } else {
        for (; a < end; a += VECTOR, b += VECTOR) v128.store(b, i32x4.max_s(v128.load(a), v128.load(b)))
      }
    }
  }
}

/** The mean of the `keep` values closest to the median, of rows that are sorted. */
export function meanAroundMedian(tile: usize, stride: usize, rows: i32, keep: i32, vectors: i32, out: usize): void {
  const divisor = f64x2.splat(<f64>keep)
  const bytes = <usize>vectors * VECTOR
  const lowerMiddle = tile + <usize>((rows - 1) >> 1) * stride
  const upperMiddle = tile + <usize>(rows >> 1) * stride
  const ahead = <usize>keep * stride
  const windowEnd = tile + ahead
  const shiftsEnd = tile + <usize>(rows - keep) * stride
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const twice = i32x4.add(v128.load(lowerMiddle + at), v128.load(upperMiddle + at))
    let low = f64x2.splat(0)
    let high = f64x2.splat(0)
    for (let row = tile; row < windowEnd; row += stride) {
      const values = v128.load(row + at)
      low = f64x2.add(low, lowDoubles(values))
      high = f64x2.add(high, highDoubles(values))
    }
    // Once a coordinate's window stops it stays: the sums on the left only grow.
    for (let row = tile; row < shiftsEnd; row += stride) {
      const leaving = v128.load(row + at)
      const coming = v128.load(row + at + ahead)
      const moves = i32x4.lt_s(i32x4.add(leaving, coming), twice)
      const gone = v128.and(leaving, moves)
      const come = v128.and(coming, moves)
      low = f64x2.add(low, f64x2.sub(lowDoubles(come), lowDoubles(gone)))
      high = f64x2.add(high, f64x2.sub(highDoubles(come), highDoubles(gone)))
    }
    v128.store(out + at, quotients(low, high, divisor))
  }
}

/** For each row the mean of all rows but `without`, whose offsets lie at `excluded`, `without` for each row. */
export function mix(
  tile: usize,
  stride: usize,
  rows: i32,
  vectors: i32,
  excluded: usize,
  without: i32,
  out: usize,
): void {
  const divisor = f64x2.splat(<f64>(rows - without))
  const bytes = <usize>vectors * VECTOR
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const base = tile + at
    let low = f64x2.splat(0)
    let high = f64x2.splat(0)
    for (let row = 0; row < rows; row++) {
      const values = v128.load(base + <usize>row * stride)
      low = f64x2.add(low, lowDoubles(values))
      high = f64x2.add(high, highDoubles(values))
    }
    let list = excluded
    for (let row = 0; row < rows; row++) {
      let keptLow = low
      let keptHigh = high
      const listEnd = list + ((<usize>without) << 2)
      for (; list < listEnd; list += 4) {
        const values = v128.load(base + load<u32>(list))
        keptLow = f64x2.sub(keptLow, lowDoubles(values))
        keptHigh = f64x2.sub(keptHigh, highDoubles(values))
      }
      v128.store(out + <usize>row * stride + at, quotients(keptLow, keptHigh, divisor))
    }
  }
}

/** `center + mean of (row − center) · factor`, with a factor for each row, doubles that lie at `factors`. */
export function moveCenter(
  tile: usize,
  stride: usize,
  rows: i32,
  vectors: i32,
  center: usize,
  factors: usize,
  out: usize,
): void {
  const divisor = f64x2.splat(<f64>rows)
  const bytes = <usize>vectors * VECTOR
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const middle = v128.load(center + at)
    let low = f64x2.splat(0)
    let high = f64x2.splat(0)
    for (let row = 0; row < rows; row++) {
      const difference = i32x4.sub(v128.load(tile + <usize>row * stride + at), middle)
      const factor = v128.load64_splat(factors + ((<usize>row) << 3))
      low = f64x2.add(low, f64x2.nearest(f64x2.mul(lowDoubles(difference), factor)))
      high = f64x2.add(high, f64x2.nearest(f64x2.mul(highDoubles(difference), factor)))
    }
    v128.store(out + at, i32x4.add(middle, quotients(low, high, divisor)))
  }
}
