import { chacha20 } from '@noble/ciphers/chacha.js'
import { concatBytes, utf8 } from '../../codec/bytes.ts'
import { invariant } from '../../codec/errors.ts'
import { sha256Bytes } from '../../codec/hash.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import {
  COMPLETE_GRAPH_MAX,
  GRAPH_CORRUPT_PER_MILLE,
  GRAPH_DROPOUT_BITS,
  GRAPH_DROPOUT_PER_MILLE,
  GRAPH_PRIVACY_BITS,
  SHARE_HOLDERS_MAX,
} from './limits.ts'

/** Who masks with whom, and how many shares give a secret back. */
export interface GraphPlan {
  /** Neighbours of each peer. */
  readonly degree: number
  /** Shares that give a secret back, of `degree + 1` holders. */
  readonly threshold: number
  /** Peers that must be left for the plan's promises to hold; below it, honest peers reveal nothing. */
  readonly survivorsMin: number
  /** Colluding peers, callers included, among which no two views of the dropouts get both secrets of anybody. */
  readonly colludersMax: number
}

/**
 * The plan for a number of participants. Rule [Q9].
 *
 * Nobody gets both secrets of an honest peer as long as `2 × threshold > holders + colluders`: honest holders reveal one of the two,
 * colluders both. Up to `COMPLETE_GRAPH_MAX` everybody is everybody's neighbour, and that holds for any third of colluders.
 *
 * Above, neighbours are drawn at random, and the plan is the smallest even degree for which, with `GRAPH_CORRUPT_PER_MILLE` colluders
 * and `GRAPH_DROPOUT_PER_MILLE` dropouts,
 * - the chance that any peer has so many colluding neighbours, or that the honest survivors come apart, is at most 2^-GRAPH_PRIVACY_BITS;
 * - the chance that any peer has fewer than `threshold` holders left is at most 2^-GRAPH_DROPOUT_BITS.
 * The chances are exact hypergeometric tails in whole numbers, so every peer finds the same plan. Source of the construction: J. Bell et
 * al., "Secure single-server aggregation with (poly)logarithmic overhead", CCS 2020.
 *
 * @param participants - At least 2.
 */
export function planGraph(participants: number): GraphPlan {
  invariant(Number.isInteger(participants) && participants >= 2, 'a graph has at least 2 peers')
  const known = plans.get(participants)
  if (known !== undefined) return known
  const plan = participants > COMPLETE_GRAPH_MAX ? sparsePlan(participants) : completePlan(participants)
  if (plans.size < PLANS_KEPT_MAX) plans.set(participants, plan)
  return plan
}

const plans = new Map<number, GraphPlan>()
const PLANS_KEPT_MAX = 64

function completePlan(participants: number): GraphPlan {
  const colludersMax = Math.floor((participants - 1) / 3)
  const threshold = Math.floor((participants + colludersMax) / 2) + 1
  return { degree: participants - 1, threshold, survivorsMin: threshold, colludersMax }
}

function sparsePlan(participants: number): GraphPlan {
  const corrupt = Math.ceil((participants * GRAPH_CORRUPT_PER_MILLE) / 1_000)
  const dropped = Math.ceil((participants * GRAPH_DROPOUT_PER_MILLE) / 1_000)
  const binomials = binomialsUpTo(participants)
  for (let degree = 2; degree < participants - 1 && degree < SHARE_HOLDERS_MAX; degree += 2) {
    if (!connected(binomials, { participants, bad: corrupt + dropped, degree })) continue
    const holders = degree + 1
    // The fewest colluding neighbours, and dropped ones, that come together with no more than the allowed chance.
    const colluding = rareCount(binomials, { participants, marked: corrupt, degree, bits: GRAPH_PRIVACY_BITS + 1 })
    const gone = rareCount(binomials, { participants, marked: dropped, degree, bits: GRAPH_DROPOUT_BITS })
    const threshold = Math.floor((holders + colluding - 1) / 2) + 1
    if (holders - (gone - 1) < threshold) continue
    return { degree, threshold, survivorsMin: participants - dropped, colludersMax: corrupt }
  }
  return completePlan(participants)
}

/** `C(n, ·)` by table row, from Pascal's rule by multiplication: rows are asked for one after the other and kept. */
type Binomials = (n: number, k: number) => bigint

function binomialsUpTo(nMax: number): Binomials {
  const factorials: bigint[] = [1n]
  for (let n = 1; n <= nMax; n++) factorials.push((factorials[n - 1] as bigint) * BigInt(n))
  // Indices are at most `nMax`.
  return (n, k) =>
    k < 0 || k > n ? 0n : (factorials[n] as bigint) / ((factorials[k] as bigint) * (factorials[n - k] as bigint))
}

/**
 * The smallest `x` for which `participants × P[X ≥ x] ≤ 2^-bits`, where X counts the marked among `degree` neighbours that are drawn from
 * the other participants. One above the largest possible count when no smaller one is as rare.
 */
function rareCount(
  binomial: Binomials,
  of: { participants: number; marked: number; degree: number; bits: number },
): number {
  const { participants, marked, degree, bits } = of
  const others = participants - 1
  const limit = binomial(others, degree)
  let tail = 0n
  for (let count = Math.min(marked, degree); count >= 0; count--) {
    tail += binomial(marked, count) * binomial(others - marked, degree - count)
    if ((tail * BigInt(participants)) << BigInt(bits) > limit) return count + 1
  }
  return 0
}

/**
 * Whether the good peers stay in one piece but for the allowed chance: on the ring, everybody is linked to `degree / 2` on each side, so they
 * come apart only across a run of `degree / 2` bad ones.
 */
function connected(binomial: Binomials, of: { participants: number; bad: number; degree: number }): boolean {
  const { participants, bad, degree } = of
  const run = degree / 2
  const chance = binomial(bad, run) * BigInt(participants)
  return chance << BigInt(GRAPH_PRIVACY_BITS + 1) <= binomial(participants, run)
}

/**
 * Everybody's neighbours: each peer is linked to `degree / 2` on each side of a ring whose order is drawn from the session and all keys.
 * Nobody knows the order before all have announced their keys.
 *
 * @param peers - By peer id.
 * @param plan.degree - Even, or `peers.length - 1` for the complete graph.
 * @returns For each peer its neighbours by peer id, itself left out.
 */
export function neighboursOf(
  peers: readonly PeerId[],
  options: { readonly degree: number; readonly session: Hash; readonly rosterDigest: Uint8Array },
): ReadonlyMap<PeerId, readonly PeerId[]> {
  const { degree, session, rosterDigest } = options
  if (degree >= peers.length - 1) {
    return new Map(peers.map((peer) => [peer, peers.filter((other) => other !== peer)]))
  }
  invariant(degree % 2 === 0, 'a sparse graph has an even degree')
  const seed = sha256Bytes(concatBytes(utf8(`starling/secure-sum/1/graph/${session}\n`), rosterDigest))
  const ring = shuffled(peers, seed)
  return new Map(
    ring.map((peer, at) => {
      const neighbours: PeerId[] = []
      for (let step = 1; step <= degree / 2; step++) {
        // Both are indices of the ring.
        neighbours.push(
          ring[(at + step) % ring.length] as PeerId,
          ring[(at - step + ring.length) % ring.length] as PeerId,
        )
      }
      return [peer, neighbours.sort()]
    }),
  )
}

/** Fisher and Yates with a keystream; draws that would be biased are thrown away. */
export function shuffled<Item>(items: readonly Item[], seed: Uint8Array): Item[] {
  const result = [...items]
  const draw = drawer(seed)
  for (let last = result.length - 1; last > 0; last--) {
    const other = draw(last + 1)
    // Both are indices of the list.
    const moved = result[last] as Item
    result[last] = result[other] as Item
    result[other] = moved
  }
  return result
}

/** Uniform numbers below a bound from a seed's keystream. */
function drawer(seed: Uint8Array): (bound: number) => number {
  const nonce = new Uint8Array(12)
  let words = new DataView(new ArrayBuffer(0))
  let at = 0
  let block = 0
  const next = () => {
    if (at === words.byteLength) {
      words = new DataView(chacha20(seed, nonce, new Uint8Array(64), undefined, block++).buffer)
      at = 0
    }
    at += 4
    return words.getUint32(at - 4, true)
  }
  return (bound) => {
    const fair = 2 ** 32 - (2 ** 32 % bound)
    for (;;) {
      const word = next()
      if (word < fair) return word % bound
    }
  }
}
