import type { AggregationKernel } from './aggregate-kernel.ts'
import { REFERENCE_KERNEL } from './aggregate-reference.ts'
import { bulyanSelection, farthest, krumOrder } from './aggregate-selection.ts'
import { DuplicateUpdateError, InvalidVectorError } from './errors.ts'
import { clippingFactor, rootCeiling, squaredNorm } from './fixed.ts'
import { VECTOR_NORM_MAX } from './limits.ts'
import {
  type Aggregation,
  type AggregationRule,
  type AggregationState,
  type CenteredClippingRule,
  checkBounds,
  checkRule,
  type MeanRule,
  type PeerUpdate,
  type RejectedUpdate,
} from './rules.ts'

/**
 * Makes one vector of many peers' updates. Rules [AG1] to [AG9] of docs/PROTOCOL.md. The same bytes whatever the order of `updates` and
 * whichever kernel and engine compute them.
 *
 * Order of the steps: refuse updates of wrong length or norm, check the rule's bound against those left, clip, mix nearest
 * neighbours, apply the rule.
 *
 * @param updates - At most one for each peer; not modified.
 * @param rule - f, which rule, and what comes before it.
 * @param state - Of the last round, or `initialState(d)`; its length is what every update's must be.
 * @param kernel - The arithmetic. @default plain loops
 * @throws {@link AggregationBoundError} When too few usable updates are left for the rule, or the rule is none.
 * @throws {@link DuplicateUpdateError} When one peer is there twice.
 * @throws {@link InvalidVectorError} When centered clipping would start from a centre with a norm above `VECTOR_NORM_MAX`.
 */
export function aggregate(
  updates: readonly PeerUpdate[],
  rule: AggregationRule,
  state: AggregationState,
  kernel: AggregationKernel = REFERENCE_KERNEL,
): Aggregation {
  checkRule(rule)
  const { usable, rejected } = sift(updates, state.center.length, kernel)
  checkBounds(rule, usable.length)
  const clipped: PeerUpdate[] = []
  const bound = clippingBound(usable, rule)
  const rows = usable.map(({ update, squaredNorm }) => {
    const factor = bound === null ? 1 : clippingFactor(bound, squaredNorm)
    if (factor === 1) return update.values
    clipped.push(update)
    return kernel.scale(update.values, factor)
  })
  const sorted = usable.map(({ update }) => update)
  const { values, picked } = apply(mixed(rows, rule, kernel), sorted, rule, state.center, kernel)
  const inside = new Set(picked)
  for (const [at, { peer }] of sorted.entries()) if (!inside.has(at)) rejected.push({ peer, reason: 'not-selected' })
  return {
    values,
    state: { center: values },
    selected: sorted.filter((_, at) => inside.has(at)).map(({ peer }) => peer),
    rejected: rejected.sort(byPeer),
    clipped: clipped.map(({ peer }) => peer),
  }
}

const NORM_LIMIT_SQUARED = BigInt(VECTOR_NORM_MAX) ** 2n

function byPeer(a: { readonly peer: string }, b: { readonly peer: string }): number {
  return a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : 0
}

interface Sifted {
  readonly usable: readonly { readonly update: PeerUpdate; readonly squaredNorm: bigint }[]
  readonly rejected: RejectedUpdate[]
}

function sift(updates: readonly PeerUpdate[], length: number, kernel: AggregationKernel): Sifted {
  const sorted = [...updates].sort(byPeer)
  for (const [at, { peer }] of sorted.entries())
    if (sorted[at - 1]?.peer === peer)
      throw new DuplicateUpdateError(`Peer ${peer} has more than one update; it may have 1`, { peer })
  const rejected: RejectedUpdate[] = []
  const shaped = sorted.filter(({ peer, values }) => {
    if (values.length === length) return true
    rejected.push({ peer, reason: 'wrong-length' })
    return false
  })
  const norms = kernel.squaredNorms(shaped.map(({ values }) => values))
  const usable = shaped.flatMap((update, at) => {
    const squaredNorm = norms[at] as bigint
    if (squaredNorm <= NORM_LIMIT_SQUARED) return [{ update, squaredNorm }]
    rejected.push({ peer: update.peer, reason: 'norm-too-large' })
    return []
  })
  return { usable, rejected }
}

/** The norm that no update may exceed, in units of I16F16; null when there is none. */
function clippingBound(usable: Sifted['usable'], rule: AggregationRule): number | null {
  const fixed = rule.clipNorm ?? null
  if (rule.adaptiveClipping !== true) return fixed
  const [n, f] = [usable.length, rule.byzantineMax]
  const longest = usable.map(({ squaredNorm }) => squaredNorm).sort((a, b) => (a > b ? -1 : a < b ? 1 : 0))
  // Never zero, to which nothing can be scaled: where so many updates are nothing, one unit is next to it.
  const next = Math.max(1, Number(rootCeiling(longest[Math.floor((2 * f * (n - f)) / n)] as bigint)))
  return fixed === null ? next : Math.min(fixed, next)
}

function mixed(rows: readonly Int32Array[], rule: AggregationRule, kernel: AggregationKernel): readonly Int32Array[] {
  if (rule.nearestNeighbourMixing !== true || rule.byzantineMax === 0) {
    // With f = 0 every mixture is the mean of all, which is no filter; the rule alone says more about who sent what.
    return rule.nearestNeighbourMixing === true
      ? kernel.mix(
          rows,
          rows.map(() => []),
        )
      : rows
  }
  return kernel.mix(rows, farthest(kernel.squaredDistances(rows), rows.length, rule.byzantineMax))
}

interface Applied {
  readonly values: Int32Array
  /** Indices of the rows that went in. */
  readonly picked: readonly number[]
}

function apply(
  rows: readonly Int32Array[],
  updates: readonly PeerUpdate[],
  rule: AggregationRule,
  center: Int32Array,
  kernel: AggregationKernel,
): Applied {
  const n = rows.length
  const f = rule.byzantineMax
  const all = rows.map((_, at) => at)
  const those = (picked: readonly number[]): readonly Int32Array[] => picked.map((at) => rows[at] as Int32Array)
  switch (rule.rule) {
    case 'mean':
      return { values: kernel.mean(rows, weightsOf(updates, rule)), picked: all }
    case 'median':
      return { values: kernel.median(rows), picked: all }
    case 'trimmed-mean':
      return { values: kernel.trimmedMean(rows, f), picked: all }
    case 'krum': {
      const picked = krumOrder(kernel.squaredDistances(rows), n, f).slice(0, 1)
      return { values: kernel.mean(those(picked), null), picked }
    }
    case 'multi-krum': {
      const picked = krumOrder(kernel.squaredDistances(rows), n, f).slice(0, rule.selectCount ?? n - f)
      return { values: kernel.mean(those(picked), null), picked }
    }
    case 'bulyan': {
      const picked = bulyanSelection(kernel.squaredDistances(rows), n, f)
      return { values: kernel.meanAroundMedian(those(picked), n - 4 * f), picked }
    }
    case 'centered-clipping':
      return { values: centeredClipping(rows, rule, center, kernel), picked: all }
  }
}

/** Claims cut to the cap; a claim below one, or none, counts as one. */
function weightsOf(updates: readonly PeerUpdate[], rule: MeanRule): readonly number[] | null {
  const cap = rule.samplesMax
  if (cap === undefined) return null
  return updates.map(({ samples = 1 }) => (samples >= 1 ? Math.min(Math.floor(samples), cap) : 1))
}

function centeredClipping(
  rows: readonly Int32Array[],
  rule: CenteredClippingRule,
  start: Int32Array,
  kernel: AggregationKernel,
): Int32Array {
  if (squaredNorm(start) > NORM_LIMIT_SQUARED)
    throw new InvalidVectorError(`The centre's norm is above ${VECTOR_NORM_MAX}; it must be an update's`)
  let center = start
  for (let iteration = 0; iteration < rule.iterations; iteration++) {
    const factors = kernel.squaredDistancesTo(rows, center).map((each) => clippingFactor(rule.radius, each))
    center = kernel.moveCenter(center, rows, factors)
  }
  return center
}
