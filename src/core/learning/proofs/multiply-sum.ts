import { ORDER, Point } from './group.ts'

/**
 * `Σ scalar × point`, by buckets (Pippenger). The scalars' length decides the work: an update of 20-bit integers takes a tenth of what full
 * scalars take. Not in constant time: the prover's own machine is trusted with its update.
 *
 * @param scalars - As many as points; of either sign, or taken modulo the order: those above half of it are negated.
 */
export function multiplySum(points: readonly Point[], scalars: readonly bigint[]): Point {
  const used: Point[] = []
  const sizes: bigint[] = []
  let longest = 0n
  scalars.forEach((scalar, at) => {
    if (scalar === 0n) return
    const isLarge = scalar > HALF
    const size = scalar < 0n ? -scalar : isLarge ? ORDER - scalar : scalar
    const point = points[at] as Point
    if (size === 0n) return
    used.push(scalar < 0n || isLarge ? point.negate() : point)
    sizes.push(size)
    if (size > longest) longest = size
  })
  if (used.length === 0) return Point.ZERO
  return buckets(used, sizes, longest.toString(2).length)
}

const HALF = ORDER / 2n

function buckets(points: readonly Point[], sizes: readonly bigint[], bits: number): Point {
  const width = windowOf(points.length)
  const windows = Math.ceil(bits / width)
  const digits = digitsOf(sizes, width, windows)
  let total = Point.ZERO
  for (let window = windows - 1; window >= 0; window--) {
    if (window < windows - 1) for (let bit = 0; bit < width; bit++) total = total.double()
    const filled: (Point | undefined)[] = new Array(1 << width)
    points.forEach((point, at) => {
      const digit = digits[at * windows + window] as number
      if (digit === 0) return
      const before = filled[digit]
      filled[digit] = before === undefined ? point : before.add(point)
    })
    total = total.add(weigh(filled))
  }
  return total
}

/** `Σ digit × bucket`, by adding up running sums from the top. */
function weigh(filled: readonly (Point | undefined)[]): Point {
  let running = Point.ZERO
  let sum = Point.ZERO
  for (let digit = filled.length - 1; digit > 0; digit--) {
    const bucket = filled[digit]
    if (bucket !== undefined) running = running.add(bucket)
    sum = sum.add(running)
  }
  return sum
}

/** Bits of a digit: buckets cost two additions each, points one. */
function windowOf(count: number): number {
  return Math.max(2, Math.min(12, Math.floor(Math.log2(count)) - 2))
}

function digitsOf(sizes: readonly bigint[], width: number, windows: number): Uint16Array {
  const digits = new Uint16Array(sizes.length * windows)
  const mask = (1n << BigInt(width)) - 1n
  sizes.forEach((size, at) => {
    let left = size
    for (let window = 0; left > 0n; window++) {
      digits[at * windows + window] = Number(left & mask)
      left >>= BigInt(width)
    }
  })
  return digits
}
