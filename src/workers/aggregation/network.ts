/** One comparator of a sorting network; which of its outcomes anybody still reads. */
export interface Comparator {
  readonly lower: number
  readonly upper: number
  readonly wanted: 'both' | 'lower' | 'upper'
}

/**
 * A network that puts the `wanted` ranks of `count` values in their places: Batcher's merge exchange (Knuth, The Art of Computer Programming,
 * volume 3, section 5.2.2, algorithm M), without the comparators and outcomes that those ranks do not need.
 */
export function selectionNetwork(count: number, wanted: Iterable<number>): Comparator[] {
  const live: boolean[] = Array(count).fill(false)
  for (const rank of wanted) live[rank] = true
  const kept: Comparator[] = []
  for (const [lower, upper] of mergeExchange(count).reverse()) {
    const low = live[lower] === true
    const high = live[upper] === true
    if (!low && !high) continue
    kept.push({ lower, upper, wanted: low && high ? 'both' : low ? 'lower' : 'upper' })
    live[lower] = true
    live[upper] = true
  }
  return kept.reverse()
}

function mergeExchange(count: number): [number, number][] {
  const pairs: [number, number][] = []
  for (let p = 1; p < count; p *= 2) {
    for (let k = p; k >= 1; k /= 2) {
      for (let j = k % p; j + k < count; j += 2 * k) {
        for (let i = j; i < Math.min(j + k, count - k); i++) {
          // Only within one run of 2p.
          if (Math.floor(i / (2 * p)) === Math.floor((i + k) / (2 * p))) pairs.push([i, i + k])
        }
      }
    }
  }
  return pairs
}
