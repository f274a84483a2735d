import { EIGENTRUST_RESTART_PPM, EIGENTRUST_STEPS } from './limits.ts'

/** How much one trusts another, before it is set against all whom the first trusts. */
export interface TrustEdge<Node> {
  readonly from: Node
  readonly to: Node
  /** Whole, 1 to 2^16. */
  readonly weight: number
}

/** The trust that is shared out, and its unit: with edges up to 2^16, products stay below 2^53. */
const WHOLE = 2 ** 32
const PPM = 1_000_000

/**
 * The global trust that flows from a pre-trusted set over everybody's local trust, as parts of 2^32. At every step the greater part
 * flows on along the edges and the rest goes back to the pre-trusted, so a circle that nobody outside trusts holds nothing however
 * much its members praise each other. Integers, and nodes in the order first named: the same input gives the same bits everywhere.
 *
 * Source: Kamvar, Schlosser, Garcia-Molina, The EigenTrust Algorithm (WWW 2003), algorithm 2 with its pre-trusted peers.
 *
 * @param preTrusted - With their weights; none give trust to nobody.
 */
export function eigenTrust<Node>(
  edges: readonly TrustEdge<Node>[],
  preTrusted: ReadonlyMap<Node, number>,
): ReadonlyMap<Node, number> {
  const nodes = new Map<Node, number>()
  const indexOf = (node: Node): number => {
    const known = nodes.get(node)
    if (known !== undefined) return known
    nodes.set(node, nodes.size)
    return nodes.size - 1
  }
  for (const node of preTrusted.keys()) indexOf(node)
  const links = edges.map(({ from, to, weight }) => ({ from: indexOf(from), to: indexOf(to), weight }))
  const count = nodes.size
  const outgoing = new Float64Array(count)
  for (const { from, weight } of links) outgoing[from] = (outgoing[from] ?? 0) + weight
  const start = restart(preTrusted, count)
  let trust = start
  for (let step = 0; step < EIGENTRUST_STEPS; step++) {
    const next = new Float64Array(count)
    let flowed = 0
    for (const { from, to, weight } of links) {
      const part = Math.floor((at(trust, from) * weight) / at(outgoing, from))
      const onward = Math.floor((part * (PPM - EIGENTRUST_RESTART_PPM)) / PPM)
      next[to] = at(next, to) + onward
      flowed += onward
    }
    // What nobody passes on, and what rounding drops, goes back with the rest.
    const back = WHOLE - flowed
    for (let index = 0; index < count; index++) {
      if (at(start, index) > 0) next[index] = at(next, index) + Math.floor(back * (at(start, index) / WHOLE))
    }
    trust = next
  }
  return new Map([...nodes].map(([node, index]) => [node, at(trust, index)]))
}

const at = (values: Float64Array, index: number): number => values[index] ?? 0

function restart(preTrusted: ReadonlyMap<unknown, number>, count: number): Float64Array {
  const start = new Float64Array(count)
  let total = 0
  for (const weight of preTrusted.values()) total += weight
  let index = 0
  for (const weight of preTrusted.values()) start[index++] = Math.floor((WHOLE / total) * weight)
  return start
}
