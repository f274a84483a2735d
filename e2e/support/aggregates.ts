import { sha256 } from '@noble/hashes/sha2.js'
import type { PeerId } from '../../src/core/codec/ids.ts'
import { encodeVector, FIXED_ONE } from '../../src/core/learning/fixed.ts'
import { type AggregationRule, initialState, type PeerUpdate } from '../../src/core/learning/rules.ts'
import { seededRng } from '../../src/core/tasks/rng.ts'
import type { Aggregator } from '../../src/workers/aggregation/contract.ts'

/** What one engine made of one case: a digest of the vector's wire form, and who was in it. */
export interface AggregateOutcome {
  readonly name: string
  readonly digest: string
  readonly selected: number
  readonly clipped: number
}

interface AggregateCase {
  readonly name: string
  readonly n: number
  readonly d: number
  /** Largest value; small ones take the kernel's 16-bit way, large ones its 32-bit one. */
  readonly size: number
  readonly rule: AggregationRule
}

const SHAPES = [
  { n: 11, d: 5_001, size: 900 },
  { n: 20, d: 2_048, size: 40_000 },
  { n: 23, d: 3_333, size: 9_000_000 },
] as const

/** Every rule, with and without mixing and clipping, on small and large values; sizes that fill no vector and no tile. */
export function aggregateCases(): AggregateCase[] {
  const f = { byzantineMax: 2 }
  const rules: AggregationRule[] = [
    { rule: 'median', ...f },
    { rule: 'trimmed-mean', ...f },
    { rule: 'krum', ...f },
    { rule: 'multi-krum', ...f, selectCount: 5 },
    { rule: 'bulyan', ...f },
    { rule: 'centered-clipping', ...f, radius: FIXED_ONE, iterations: 3 },
  ]
  const mean: AggregationRule = { rule: 'mean', byzantineMax: 0, samplesMax: 1000 }
  const mixed = rules.map((rule) => ({ ...rule, nearestNeighbourMixing: true }))
  const all = [mean, ...rules, ...mixed, ...mixed.map((rule) => ({ ...rule, adaptiveClipping: true }))]
  return SHAPES.flatMap(({ n, d, size }) =>
    [...all, ...all.map((rule) => ({ ...rule, clipNorm: size * 20 }))].map((rule) => ({
      name: `${rule.rule}${rule.nearestNeighbourMixing ? ' mixed' : ''}${rule.adaptiveClipping ? ' adaptive' : ''}${rule.clipNorm ? ' clipped' : ''} n=${n} d=${d} size=${size}`,
      n,
      d,
      size,
      rule,
    })),
  )
}

/** The updates of a case, in an order that `orderSeed` says. A few are equal, for ties. */
function updatesOf({ n, d, size }: AggregateCase, orderSeed: number): PeerUpdate[] {
  const rng = seededRng(n * d)
  const updates = Array.from(
    { length: n },
    (_, i): PeerUpdate => ({
      peer: `peer-${String(i).padStart(3, '0')}` as PeerId,
      values: Int32Array.from({ length: d }, () => rng.below(2 * size + 1) - size),
      samples: rng.below(2000),
    }),
  )
  for (const [twin, original] of [
    [4, 1],
    [7, 1],
    [9, 8],
  ] as const)
    updates[twin]?.values.set((updates[original] as PeerUpdate).values)
  const order = seededRng(orderSeed)
  return updates
    .map((update) => ({ update, key: order.below(2 ** 32) }))
    .sort((a, b) => a.key - b.key)
    .map(({ update }) => update)
}

/** Two rounds of every case, so that what is carried over counts too. */
export async function runAggregates(aggregator: Aggregator, orderSeed: number): Promise<AggregateOutcome[]> {
  const outcomes: AggregateOutcome[] = []
  for (const each of aggregateCases()) {
    const updates = updatesOf(each, orderSeed)
    const first = await aggregator.aggregate(updates, each.rule, initialState(each.d))
    const { values, selected, clipped } = await aggregator.aggregate(updates, each.rule, first.state)
    const digest = Array.from(sha256(encodeVector(values)), (byte) => byte.toString(16).padStart(2, '0')).join('')
    outcomes.push({ name: each.name, digest, selected: selected.length, clipped: clipped.length })
  }
  return outcomes
}
