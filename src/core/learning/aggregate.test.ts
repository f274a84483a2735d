import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PeerId } from '../codec/ids.ts'
import { aggregate } from './aggregate.ts'
import { REFERENCE_KERNEL } from './aggregate-reference.ts'
import { FIXED_ONE, squaredNorm } from './fixed.ts'
import { ITERATIONS_MAX, PEERS_MAX, SAMPLES_CAP_MAX, VECTOR_NORM_MAX } from './limits.ts'
import { type AggregationRule, initialState, type PeerUpdate, participantsMin } from './rules.ts'

/** Peer ids of these tests sort as their numbers do. */
function peer(index: number): PeerId {
  return `peer-${String(index).padStart(4, '0')}` as PeerId
}

function updatesOf(rows: readonly (readonly number[])[], scale = FIXED_ONE): PeerUpdate[] {
  return rows.map((row, i) => ({ peer: peer(i), values: Int32Array.from(row, (value) => Math.round(value * scale)) }))
}

function run(rows: readonly (readonly number[])[], rule: AggregationRule): { values: number[]; selected: number[] } {
  const { values, selected } = aggregate(updatesOf(rows), rule, initialState(rows[0]?.length ?? 1))
  return {
    values: Array.from(values, (value) => Number((value / FIXED_ONE).toFixed(3))),
    selected: selected.map((id) => Number(id.slice(5))),
  }
}

/** Every rule, with parameters that the given f allows. */
function rulesOf(f: number): AggregationRule[] {
  const plain: AggregationRule[] = [
    { rule: 'median', byzantineMax: f },
    { rule: 'trimmed-mean', byzantineMax: f },
    { rule: 'krum', byzantineMax: f },
    { rule: 'multi-krum', byzantineMax: f },
    { rule: 'multi-krum', byzantineMax: f, selectCount: 2 },
    { rule: 'bulyan', byzantineMax: f },
    { rule: 'centered-clipping', byzantineMax: f, radius: FIXED_ONE, iterations: 3 },
  ]
  const mixed = plain.map((rule) => ({ ...rule, nearestNeighbourMixing: true }))
  const clipped = [...plain, ...mixed].map((rule) => ({ ...rule, adaptiveClipping: true }))
  const means: AggregationRule[] = [
    { rule: 'mean', byzantineMax: 0 },
    { rule: 'mean', byzantineMax: 0, samplesMax: 100 },
  ]
  return [...means, ...plain, ...mixed, ...clipped]
}

describe('vectors of other implementations', () => {
  // ByzFL, tests/unit_test_aggregators.py and unit_test_preaggregators.py: one 3 × 3 matrix.
  const square = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]

  it.each([
    { rule: 'mean', byzantineMax: 0 },
    { rule: 'median', byzantineMax: 1 },
    { rule: 'trimmed-mean', byzantineMax: 1 },
    { rule: 'centered-clipping', byzantineMax: 1, radius: 100 * FIXED_ONE, iterations: 1 },
  ] as const)('ByzFL’s matrix has its middle row as its $rule', (rule) => {
    expect(run(square, rule).values).toEqual([4, 5, 6])
  })

  it('ByzFL’s nearest-neighbour mixing', () => {
    const rows = updatesOf(square).map(({ values }) => values)
    const mixed = REFERENCE_KERNEL.mix(rows, [[2], [2], [0]])
    expect(mixed.map((row) => Array.from(row, (value) => value / FIXED_ONE))).toEqual([
      [2.5, 3.5, 4.5],
      [2.5, 3.5, 4.5],
      [5.5, 6.5, 7.5],
    ])
    // The rule picks those neighbours itself; the mean of the mixtures shows that it did.
    expect(run(square, { rule: 'trimmed-mean', byzantineMax: 1, nearestNeighbourMixing: true }).values).toEqual([
      2.5, 3.5, 4.5,
    ])
  })

  it('ByzFL’s adaptive clipping: the longest of three is cut to the next', () => {
    // The last row becomes [4.41004009, 5.04004582, 5.67005155], and the middle values are taken.
    const { values, clipped } = aggregate(
      updatesOf(square),
      { rule: 'trimmed-mean', byzantineMax: 1, adaptiveClipping: true },
      initialState(3),
    )
    expect(Array.from(values, (value) => Number((value / FIXED_ONE).toFixed(3)))).toEqual([4, 5, 5.67])
    expect(clipped).toEqual([peer(2)])
  })

  it('ByzFL’s clipping to norm 2, cut towards zero', () => {
    const { values, clipped } = aggregate(
      updatesOf([[1, 2, 3]]),
      { rule: 'mean', byzantineMax: 0, clipNorm: 2 * FIXED_ONE },
      initialState(3),
    )
    expect(clipped).toEqual([peer(0)])
    for (const [i, wanted] of [0.53452248, 1.06904497, 1.60356745].entries()) {
      const got = (values[i] as number) / FIXED_ONE
      expect(got).toBeLessThanOrEqual(wanted)
      expect(wanted - got).toBeLessThan(2 / FIXED_ONE)
    }
    expect(squaredNorm(values)).toBeLessThanOrEqual((2n * BigInt(FIXED_ONE)) ** 2n)
  })

  // Flower, framework/py/flwr/server/strategy/bulyan_test.py: rows of four equal values.
  const four = (value: number): number[] => [value, value, value, value]

  it('Flower’s Bulyan without attackers is the mean', () => {
    const rows = [0.2, 0.5, 0.7, 12, 0.1, 0.1].map(four)
    expect(run(rows, { rule: 'bulyan', byzantineMax: 0 }).values).toEqual(four(Number((13.6 / 6).toFixed(3))))
  })
})

describe('Krum', () => {
  it('counts n − f − 2 squared distances, not n − f − 1', () => {
    const rows = [[0], [1], [4], [6], [11]]
    const rule = { rule: 'krum', byzantineMax: 1 } as const
    // Scores by two neighbours: 17, 10, 13, 29, 74. By three: 53, 35, 29, 54, 174.
    expect(run(rows, rule)).toEqual({ values: [1], selected: [1] })
  })

  it('sums squared distances, not distances', () => {
    // Row 1 has 5 and 5, row 3 has 1 and 8: by distances 10 > 9, by squares 50 < 65.
    expect(run([[-5], [0], [5], [13], [14]], { rule: 'krum', byzantineMax: 1 }).selected).toEqual([1])
  })

  it('counts colluders with the same vector by index, not by distance', () => {
    // Three rows at one place are two neighbours at distance 0 for each other.
    expect(run([[9], [0], [0.5], [5], [5], [5]], { rule: 'krum', byzantineMax: 1 }).selected).toEqual([3])
  })

  it('gives ties to the lowest peer id, whatever the order of arrival', () => {
    const updates = updatesOf([[1], [1], [1], [1], [1]])
    const result = aggregate(updates.toReversed(), { rule: 'krum', byzantineMax: 1 }, initialState(1))
    expect(result.selected).toEqual([peer(0)])
    expect(result.rejected.map(({ reason }) => reason)).toEqual(Array(4).fill('not-selected'))
  })
})

describe('rules', () => {
  it('median of an even number is the mean of the middle two, ties to even', () => {
    const middle = (a: number, b: number): number =>
      aggregate(updatesOf([[-100], [a], [b], [100]], 1), { rule: 'median', byzantineMax: 1 }, initialState(1))
        .values[0] as number
    expect([middle(1, 2), middle(2, 3), middle(-1, 0), middle(-3, -2), middle(4, 6)]).toEqual([2, 2, 0, -2, 5])
  })

  it('Bulyan averages the values closest to the median of those picked', () => {
    // n = 7, f = 1: five are picked (not 100 and one end), three kept in the coordinate.
    const { values, selected } = run([[1], [2], [3], [4], [5], [6], [100]], { rule: 'bulyan', byzantineMax: 1 })
    expect(selected).toHaveLength(5)
    expect(selected).not.toContain(6)
    expect(values[0]).toBeGreaterThanOrEqual(3)
    expect(values[0]).toBeLessThanOrEqual(4)
  })

  it('mean around the median prefers the lower of two values that are as close', () => {
    const rows = [[-4], [0], [4]].map((row) => Int32Array.from(row))
    expect(REFERENCE_KERNEL.meanAroundMedian(rows, 2)).toEqual(Int32Array.of(-2))
  })

  it('centered clipping moves by at most the radius in each iteration, from the last aggregate', () => {
    const rule = { rule: 'centered-clipping', byzantineMax: 1, radius: FIXED_ONE, iterations: 2 } as const
    const far = updatesOf([
      [30, 40],
      [30, 40],
      [30, 40],
    ])
    const first = aggregate(far, rule, initialState(2))
    const norm = Math.sqrt(Number(squaredNorm(first.values))) / FIXED_ONE
    expect(norm).toBeLessThanOrEqual(2.0001)
    expect(norm).toBeGreaterThan(1.999)
    const second = aggregate(far, rule, first.state)
    expect(Math.sqrt(Number(squaredNorm(second.values))) / FIXED_ONE).toBeGreaterThan(3.999)
  })

  it('one outlier never moves centered clipping further than radius · iterations / n', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 29), max: 2 ** 29 }),
        fc.integer({ min: 1, max: 4 }),
        (outlier, iterations) => {
          const rule = { rule: 'centered-clipping', byzantineMax: 1, radius: FIXED_ONE, iterations } as const
          const rows = [[0], [0], [0], [outlier / FIXED_ONE]]
          const moved = Math.abs(aggregate(updatesOf(rows), rule, initialState(1)).values[0] as number)
          expect(moved).toBeLessThanOrEqual((FIXED_ONE * iterations) / 4 + iterations)
        },
      ),
    )
  })
})

describe('sample counts', () => {
  const [low, high] = updatesOf([[0], [10]]) as [PeerUpdate, PeerUpdate]
  const meanOf = (samples: number, samplesMax?: number): number =>
    (aggregate(
      [low, { ...high, samples }],
      { rule: 'mean', byzantineMax: 0, ...(samplesMax === undefined ? {} : { samplesMax }) },
      initialState(1),
    ).values[0] as number) / FIXED_ONE

  it('are ignored unless the rule states a cap', () => {
    expect(meanOf(1e9)).toBe(5)
  })

  it('count up to the cap', () => {
    expect(meanOf(4, 9)).toBe(8)
    expect(meanOf(9, 9)).toBe(9)
    expect(meanOf(1e9, 9)).toBe(9)
  })

  it.each([0, -5, Number.NaN, Number.NEGATIVE_INFINITY])('a claim of %s counts as one', (samples) => {
    expect(meanOf(samples, 9)).toBe(5)
  })

  it('are ignored by every robust rule', () => {
    const updates = updatesOf(Array.from({ length: 11 }, (_, i) => [i, -i]))
    const claiming = updates.map((update, i) => ({ ...update, samples: i * 1e6 }))
    for (const rule of rulesOf(2).filter(({ rule }) => rule !== 'mean'))
      expect(aggregate(claiming, rule, initialState(2)), rule.rule).toEqual(aggregate(updates, rule, initialState(2)))
  })
})

describe('bad input', () => {
  it('refuses wrong lengths and huge norms by name, and goes on with the rest', () => {
    const good = updatesOf([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    const updates = [
      ...good,
      { peer: peer(7), values: Int32Array.of(1) },
      { peer: peer(8), values: Int32Array.of(VECTOR_NORM_MAX, 1) },
      { peer: peer(9), values: Int32Array.of(-(2 ** 31), 0) },
    ]
    const result = aggregate(updates, { rule: 'median', byzantineMax: 1 }, initialState(2))
    expect(result.values).toEqual(Int32Array.of(2 * FIXED_ONE, 2 * FIXED_ONE))
    expect(result.selected).toEqual([peer(0), peer(1), peer(2)])
    expect(result.rejected).toEqual([
      { peer: peer(7), reason: 'wrong-length' },
      { peer: peer(8), reason: 'norm-too-large' },
      { peer: peer(9), reason: 'norm-too-large' },
    ])
  })

  it('takes an update whose norm is exactly the limit', () => {
    const updates = [{ peer: peer(0), values: Int32Array.of(VECTOR_NORM_MAX, 0) }]
    expect(aggregate(updates, { rule: 'mean', byzantineMax: 0 }, initialState(2)).rejected).toEqual([])
  })

  it('refuses a peer that is there twice', () => {
    const [one] = updatesOf([[1]]) as [PeerUpdate]
    expect(() => aggregate([one, one], { rule: 'mean', byzantineMax: 0 }, initialState(1))).toThrow(/peer-0000/)
  })

  it('counts only usable updates for the bound', () => {
    const updates = [...updatesOf([[1], [2]]), { peer: peer(3), values: Int32Array.of(1, 2) }]
    expect(() => aggregate(updates, { rule: 'median', byzantineMax: 1 }, initialState(1))).toThrow(/updates is 2/)
  })
})

describe('bounds are errors, never adjusted', () => {
  const rows = (count: number): number[][] => Array.from({ length: count }, (_, i) => [i])

  it.each([0, 1, 2, 4].flatMap((f) => rulesOf(f).map((rule) => ({ ...rule, f, least: participantsMin(rule) }))))(
    '$rule with f = $byzantineMax takes $least updates and not one less',
    ({ f, least, ...rest }) => {
      const rule = rest as AggregationRule
      const enough = Math.max(least, rule.rule === 'multi-krum' ? f + (rule.selectCount ?? 1) : 0)
      expect(() => run(rows(enough), rule)).not.toThrow()
      const expected = expect.objectContaining({ name: 'AggregationBoundError' })
      expect(() => aggregate(updatesOf(rows(enough - 1)), rule, initialState(1))).toThrow(expected)
    },
  )

  it('states the least for each rule', () => {
    const least = (rule: AggregationRule['rule']): number => participantsMin({ rule, byzantineMax: 4 })
    expect([least('krum'), least('multi-krum'), least('bulyan'), least('trimmed-mean'), least('median')]).toEqual([
      11, 11, 19, 9, 9,
    ])
  })

  it('multi-krum selects n − f at most', () => {
    const rule = (selectCount: number) => ({ rule: 'multi-krum', byzantineMax: 1, selectCount }) as const
    expect(run(rows(6), rule(5)).selected).toHaveLength(5)
    expect(() => run(rows(6), rule(6))).toThrow(/selectCount is 6/)
    expect(() => run(rows(6), rule(0))).toThrow(/selectCount is 0/)
  })

  it('takes as many updates as the limit and not one more', () => {
    const rule = { rule: 'mean', byzantineMax: 0 } as const
    expect(() => run(rows(PEERS_MAX), rule)).not.toThrow()
    expect(() => run(rows(PEERS_MAX + 1), rule)).toThrow(/updates is 257/)
  })

  it.each([
    [{ rule: 'mean', byzantineMax: 1 }, /byzantineMax is 1/],
    [{ rule: 'median', byzantineMax: -1 }, /byzantineMax is -1/],
    [{ rule: 'median', byzantineMax: 0.5 }, /byzantineMax is 0.5/],
    [{ rule: 'median', byzantineMax: Number.NaN }, /byzantineMax is NaN/],
    [{ rule: 'median', byzantineMax: 0, clipNorm: 0 }, /clipNorm is 0/],
    [{ rule: 'median', byzantineMax: 0, clipNorm: VECTOR_NORM_MAX + 1 }, /clipNorm is 1073741824/],
    [{ rule: 'mean', byzantineMax: 0, samplesMax: SAMPLES_CAP_MAX + 1 }, /samplesMax is 32769/],
    [{ rule: 'centered-clipping', byzantineMax: 0, radius: 0, iterations: 1 }, /radius is 0/],
    [{ rule: 'centered-clipping', byzantineMax: 0, radius: 1, iterations: ITERATIONS_MAX + 1 }, /iterations is 17/],
  ] as const)('refuses %o', (rule, message) => {
    expect(() => run(rows(5), rule)).toThrow(message)
  })
})

describe('properties', () => {
  const matrix = fc
    .record({ n: fc.integer({ min: 11, max: 16 }), d: fc.integer({ min: 1, max: 6 }) })
    .chain(({ n, d }) =>
      fc.array(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: d, maxLength: d }), {
        minLength: n,
        maxLength: n,
      }),
    )

  it('the order of updates changes nothing, under any rule', () => {
    fc.assert(
      fc.property(matrix, fc.infiniteStream(fc.nat()), (rows, keys) => {
        const updates = updatesOf(rows, 1)
        const shuffled = updates
          .map((update) => ({ update, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ update }) => update)
        for (const rule of rulesOf(2)) {
          const state = initialState(rows[0]?.length ?? 1)
          expect(aggregate(shuffled, rule, state), rule.rule).toEqual(aggregate(updates, rule, state))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('negated updates make the negated aggregate where ties have no side', () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        const negated = rows.map((row) => row.map((value) => -value))
        const state = initialState(rows[0]?.length ?? 1)
        for (const rule of rulesOf(2).filter(({ rule }) => rule !== 'bulyan')) {
          const plain = aggregate(updatesOf(rows, 1), rule, state).values
          const mirrored = aggregate(updatesOf(negated, 1), rule, state).values
          expect(
            Array.from(mirrored, (value) => -value + 0),
            rule.rule,
          ).toEqual(Array.from(plain))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('f outliers of any size leave robust rules within what honest peers sent', () => {
    fc.assert(
      fc.property(matrix, fc.integer({ min: -(2 ** 29), max: 2 ** 29 }), (rows, outlier) => {
        const d = rows[0]?.length ?? 1
        const all = [...rows, Array(d).fill(outlier), Array(d).fill(outlier)]
        for (const rule of rulesOf(2).filter(({ rule }) => rule !== 'mean' && rule !== 'centered-clipping')) {
          if (rule.nearestNeighbourMixing) continue
          if (rule.rule === 'multi-krum' && rule.selectCount === undefined) continue
          if (rule.rule === 'krum' || rule.rule === 'multi-krum') {
            if (Math.abs(outlier) < 1e6) continue
          }
          const { values } = aggregate(updatesOf(all, 1), rule, initialState(d))
          for (let i = 0; i < d; i++) {
            const honest = rows.map((row) => row[i] as number)
            expect(values[i], rule.rule).toBeGreaterThanOrEqual(Math.min(...honest))
            expect(values[i], rule.rule).toBeLessThanOrEqual(Math.max(...honest))
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('adaptive clipping', () => {
  const rule: AggregationRule = { rule: 'trimmed-mean', byzantineMax: 2, adaptiveClipping: true }

  it('length buys nothing: the ⌊2f(n − f)/n⌋ longest may be as long as they like', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 3 }), {
          minLength: 7,
          maxLength: 12,
        }),
        fc.integer({ min: 2, max: 100 }),
        (rows, factor) => {
          const norm = (row: readonly number[]): number => row.reduce((sum, value) => sum + value ** 2, 0)
          const order = rows.map((_, at) => at).sort((a, b) => norm(rows[b] ?? []) - norm(rows[a] ?? []))
          const longest = new Set(order.slice(0, Math.floor((4 * (rows.length - 2)) / rows.length)))
          const longer = rows.map((row, at) => (longest.has(at) ? row.map((value) => value * factor) : row))
          const [before, after] = [run(rows, rule).values, run(longer, rule).values]
          // The quotients are cut to 22 bits: a few units of 2^-16 are theirs.
          for (const [at, value] of before.entries()) expect(Math.abs(value - (after[at] ?? 0))).toBeLessThan(0.002)
        },
      ),
      { seed: 11, numRuns: 200 },
    )
  })

  it('with f = 0 clips nobody, and beside a norm bound the shorter of both holds', () => {
    const rows = [[1], [2], [4], [8], [16], [32], [64]]
    const clippedBy = (more: Partial<AggregationRule>) =>
      aggregate(updatesOf(rows), { ...rule, ...more } as AggregationRule, initialState(1)).clipped.length
    expect(clippedBy({ byzantineMax: 0 })).toBe(0)
    // ⌊2 · 2 · 5 / 7⌋ = 2 are longer than 16.
    expect(clippedBy({})).toBe(2)
    expect(clippedBy({ clipNorm: 4 * FIXED_ONE })).toBe(4)
    expect(clippedBy({ clipNorm: 40 * FIXED_ONE })).toBe(2)
  })

  it('where most updates are nothing, long ones are cut to a unit', () => {
    const rows = [[0], [0], [0], [0], [0], [1000], [1000]]
    expect(run(rows, { rule: 'median', byzantineMax: 2, adaptiveClipping: true }).values).toEqual([0])
    const { clipped } = aggregate(updatesOf(rows), rule, initialState(1))
    expect(clipped).toHaveLength(2)
  })
})
