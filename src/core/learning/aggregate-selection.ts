/**
 * Who is near whom, from squared distances. Neighbours are counted by index, so several peers that send the same vector are each
 * other's neighbours at distance 0 as often as they are. All ties go to the lower index, the lower peer id.
 */

/** For each row the others, nearest first. */
export function neighbourOrder(distances: BigInt64Array, n: number): readonly (readonly number[])[] {
  return Array.from({ length: n }, (_, i) => {
    const others = Array.from({ length: n }, (_, j) => j).filter((j) => j !== i)
    const distanceTo = (j: number): bigint => distances[i * n + j] as bigint
    return others.sort((a, b) => compare(distanceTo(a), distanceTo(b)) || a - b)
  })
}

/** For each row the `count` others that are farthest: what nearest-neighbour mixing leaves out. */
export function farthest(distances: BigInt64Array, n: number, count: number): readonly (readonly number[])[] {
  return neighbourOrder(distances, n).map((order) => order.slice(n - 1 - count))
}

/** Rows by Krum's score, best first: the sum of the n − f − 2 smallest squared distances to others. */
export function krumOrder(distances: BigInt64Array, n: number, byzantineMax: number): readonly number[] {
  const scores = krumScores(distances, neighbourOrder(distances, n), Array(n).fill(true), n - byzantineMax - 2)
  return Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => compare(scores[a] as bigint, scores[b] as bigint) || a - b,
  )
}

/**
 * Bulyan's choice: θ = n − 2f times the best by Krum among those left, of whose number n' the score counts n' − f − 2 neighbours.
 * (With f = 1 the last of the picks has no neighbours left to count: all scores are 0 then, and the lowest index is taken. The second
 * step's promise needs only that θ were picked.)
 */
export function bulyanSelection(distances: BigInt64Array, n: number, byzantineMax: number): readonly number[] {
  const order = neighbourOrder(distances, n)
  const left: boolean[] = Array(n).fill(true)
  const picked: number[] = []
  for (let remaining = n; picked.length < n - 2 * byzantineMax; remaining--) {
    const scores = krumScores(distances, order, left, remaining - byzantineMax - 2)
    let best = -1
    for (let i = 0; i < n; i++) if (left[i] && (best < 0 || (scores[i] as bigint) < (scores[best] as bigint))) best = i
    left[best] = false
    picked.push(best)
  }
  return picked.sort((a, b) => a - b)
}

function krumScores(
  distances: BigInt64Array,
  order: readonly (readonly number[])[],
  left: readonly boolean[],
  neighbours: number,
): bigint[] {
  const n = order.length
  return order.map((others, i) => {
    let score = 0n
    let counted = 0
    for (const j of others) {
      if (counted >= neighbours) break
      if (!left[j]) continue
      score += distances[i * n + j] as bigint
      counted++
    }
    return score
  })
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
