import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testPeer } from '../../testing/task-fixtures.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { seededRng } from '../tasks/rng.ts'
import {
  assignmentWeight,
  auditPpmFor,
  type Candidate,
  type ExecutorView,
  leaseAllowance,
  selectExecutors,
  topExecutors,
  unitSharePpm,
} from './assignment.ts'
import { AuditDraw } from './audit-draw.ts'
import { HALF, ONE } from './fixed.ts'
import { TASK_MS, TRIAL_SHARE_PPM, UNIT_SHARE_MIN_PPM } from './limits.ts'

const PPM = 1_000_000
const PEERS: readonly PeerId[] = Array.from({ length: 20 }, (_, index) => testPeer(index + 1))

function view(index: number, change: Partial<ExecutorView> = {}): ExecutorView {
  // The list is longer than any index that is used.
  const peer = PEERS[index] as PeerId
  const root = peer as string as RootId
  return { peer, root, tier: 'trusted', score: ONE, quotaLeftPpm: PPM, barred: false, suspect: false, ...change }
}

const candidate = (index: number, change: Partial<ExecutorView> = {}, load: Partial<Candidate> = {}): Candidate => ({
  view: view(index, change),
  slots: 4,
  held: 0,
  priceClass: 0,
  ...load,
})

describe('assignmentWeight', () => {
  it('[T18] is nothing for who is barred, a guest, out of quota or full, and something for all others', () => {
    const none = [{ barred: true }, { root: null }, { quotaLeftPpm: 0 }]
    for (const change of none) expect(assignmentWeight(candidate(0, change))).toBe(0)
    expect(assignmentWeight(candidate(0, {}, { held: 4 }))).toBe(0)
    expect(assignmentWeight(candidate(0, { score: 0 }, { priceClass: 99 }))).toBe(1)
  })

  it('[T18] rises with reputation by its square, falls with load, halves with each class of price', () => {
    const full = assignmentWeight(candidate(0))
    expect(full).toBe(ONE)
    expect(assignmentWeight(candidate(0, { score: HALF }))).toBe(ONE / 4)
    expect(assignmentWeight(candidate(0, {}, { held: 3 }))).toBe(ONE / 4)
    expect(assignmentWeight(candidate(0, {}, { priceClass: 2 }))).toBe(ONE / 4)
  })
})

describe('selectExecutors', () => {
  it('[T19] takes each at most once, nobody of no weight, and as many as are wanted or there are', () => {
    const some = fc.array(fc.record({ score: fc.option(fc.integer({ min: 0, max: ONE })), barred: fc.boolean() }), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 25 }), fc.nat(), (list, count, seed) => {
        const candidates = list.map((change, index) => candidate(index, change))
        const chosen = selectExecutors(candidates, { count, rng: seededRng(seed) })
        const able = candidates.filter((each) => !each.view.barred)
        expect(new Set(chosen).size).toBe(chosen.length)
        expect(chosen.length).toBe(Math.min(count, able.length))
        expect(chosen.every((each) => able.includes(each))).toBe(true)
        expect(selectExecutors(candidates, { count, rng: seededRng(seed) })).toEqual(chosen)
      }),
    )
  })

  it('[T20] gives those on trial their share while proven ones are there, and all when none is', () => {
    const candidates = [candidate(0), candidate(1), candidate(2, { score: null }), candidate(3, { score: null })]
    const rng = seededRng(3)
    let trials = 0
    const draws = 10_000
    for (let draw = 0; draw < draws; draw++) {
      const [first] = selectExecutors(candidates, { count: 1, rng })
      if (first?.view.score === null) trials++
    }
    expect(trials / draws).toBeGreaterThan((TRIAL_SHARE_PPM / PPM) * 0.85)
    expect(trials / draws).toBeLessThan((TRIAL_SHARE_PPM / PPM) * 1.15)
    expect(selectExecutors(candidates.slice(2), { count: 2, rng })).toHaveLength(2)
    expect(selectExecutors(candidates.slice(0, 2), { count: 2, rng, trialPpm: PPM })).toHaveLength(2)
  })

  it('[T19] the top are those with a record alone, best first', () => {
    const views = [view(0, { score: HALF }), view(1, { score: null }), view(2), view(3, { barred: true })]
    expect(topExecutors(views, 2).map(({ peer }) => peer)).toEqual([PEERS[2], PEERS[0]])
    expect(topExecutors(views, 1)).toHaveLength(1)
  })
})

describe('quotas of units', () => {
  it('[T9] a unit counts by its share of a task, and never less than its least', () => {
    expect([0, 30, 31, TASK_MS / 2, TASK_MS, TASK_MS + 1].map(unitSharePpm)).toEqual([
      UNIT_SHARE_MIN_PPM,
      UNIT_SHARE_MIN_PPM,
      1_034,
      PPM / 2,
      PPM,
      PPM + 34,
    ])
  })

  it('[T9] what may be lent never passes what is left, by one unit either', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 * PPM }),
        fc.integer({ min: 0, max: 90_000 }),
        (quotaLeftPpm, durationMs) => {
          const units = leaseAllowance(view(0, { quotaLeftPpm }), { durationMs, free: 1e9 })
          const share = unitSharePpm(durationMs)
          expect(units * share).toBeLessThanOrEqual(quotaLeftPpm)
          expect((units + 1) * share).toBeGreaterThan(quotaLeftPpm)
        },
      ),
    )
    expect(leaseAllowance(view(0, { barred: true }), { durationMs: 1, free: 9 })).toBe(0)
  })
})

describe('audits', () => {
  const alone = { quorum: 1, auditPpm: 10_000 }

  it('[T21] are certain on trial and under suspicion, rarer with each tier, never below what the job asks', () => {
    expect(auditPpmFor(view(0, { score: null }), alone)).toBe(PPM)
    expect(auditPpmFor(view(0, { suspect: true, tier: 'elite' }), alone)).toBe(PPM)
    const tiers = ['newcomer', 'established', 'trusted', 'elite'] as const
    const rates = tiers.map((tier) => auditPpmFor(view(0, { tier }), alone))
    expect(rates).toEqual([...rates].sort((a, b) => b - a))
    expect(auditPpmFor(view(0, { tier: 'elite' }), { quorum: 1, auditPpm: 900_000 })).toBe(900_000)
    expect(auditPpmFor(view(0, { score: null }), { quorum: 2, auditPpm: 7 })).toBe(7)
  })

  it('[T21] fall once in every block, so that no cheat goes unseen for two blocks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20_000, max: PPM }), fc.nat(), (auditPpm, seed) => {
        const draw = new AuditDraw()
        const rng = seededRng(seed)
        const block = Math.floor(PPM / auditPpm)
        let unseen = 0
        let audits = 0
        for (let result = 0; result < block * 20; result++) {
          const due = draw.due(auditPpm, rng)
          unseen = due ? 0 : unseen + 1
          if (due) audits++
          expect(unseen).toBeLessThanOrEqual(2 * block - 2)
        }
        expect(audits).toBe(20)
      }),
      { numRuns: 60 },
    )
    expect(new AuditDraw().due(0, seededRng(1))).toBe(false)
  })
})
