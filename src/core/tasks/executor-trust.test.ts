import { describe, expect, it } from 'vitest'
import { testPeer } from '../../testing/task-fixtures.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import type { ExecutorView } from '../trust/assignment.ts'
import { HALF, ONE, ofPpm } from '../trust/fixed.ts'
import { TASK_MS } from '../trust/limits.ts'
import { ExecutorTrust } from './executor-trust.ts'
import type { Verification } from './manifest.ts'
import { seededRng } from './rng.ts'

const [A, B, C] = [testPeer(11), testPeer(12), testPeer(13)] as const
const ANYONE = { uptimePpmMin: 0, failurePpmMax: 1_000_000, reputationPpmMin: 0 }
const ALONE: Verification = { replicas: 1, quorum: 1, auditPpm: 10_000, speculation: true }

function view(peer: PeerId, change: Partial<ExecutorView> = {}): ExecutorView {
  // A device's id has the form of a root's.
  const root = peer as string as RootId
  const quotaLeftPpm = 10_000_000
  return { peer, root, tier: 'trusted', score: ONE, quotaLeftPpm, barred: false, suspect: false, ...change }
}

function trust(enforced: boolean, ...views: ExecutorView[]): ExecutorTrust {
  const made = new ExecutorTrust()
  made.set({ enforced, views })
  return made
}

describe('ExecutorTrust', () => {
  it('serves everybody alike before it knows anything, and among friends, but for who is barred', () => {
    for (const each of [new ExecutorTrust(), trust(false, view(A, { quotaLeftPpm: 0 }))]) {
      expect(each.mayServe(A, ANYONE)).toBe(true)
      expect(each.allowance(A, { unitMs: null, held: 5, free: 3 })).toBe(3)
      expect(each.auditPpm([A], ALONE)).toBe(ALONE.auditPpm)
    }
    expect(trust(false, view(A, { barred: true })).mayServe(A, ANYONE)).toBe(false)
  })

  it('[T18] serves nobody unknown, barred, without a root, or below the reputation that the manifest asks for', () => {
    const sixty = { ...ANYONE, reputationPpmMin: 600_000 }
    const strict = trust(true, view(A, { score: ofPpm(600_000) }), view(B, { score: ofPpm(599_000) }))
    expect([A, B, C].map((peer) => strict.mayServe(peer, sixty))).toEqual([true, false, false])
    const others = trust(true, view(A, { barred: true }), view(B, { root: null }), view(C, { score: null }))
    expect([A, B, C].map((peer) => others.mayServe(peer, ANYONE))).toEqual([false, false, true])
    expect(others.mayServe(C, { ...ANYONE, reputationPpmMin: 500_001 })).toBe(false)
  })

  it('[T9] lends no more than the quota leaves, counting what is held', () => {
    const quotaLeftPpm = 2_000_000
    const strict = trust(true, view(A, { quotaLeftPpm }))
    const half = { unitMs: TASK_MS / 2, free: 10 }
    expect([0, 1, 3, 4, 5].map((held) => strict.allowance(A, { ...half, held }))).toEqual([4, 3, 1, 0, 0])
    // Nothing known of the unit: it may be a whole task.
    expect(strict.allowance(A, { unitMs: null, held: 0, free: 10 })).toBe(2)
    expect(strict.allowance(B, { unitMs: 1, held: 0, free: 10 })).toBe(0)
  })

  it('[T19] asks the better ones first more often', () => {
    const strict = trust(true, view(A), view(B, { score: HALF }))
    const loads = [A, B].map((peer) => ({ peer, slots: 4, held: 0 }))
    const rng = seededRng(7)
    let first = 0
    for (let draw = 0; draw < 1_000; draw++) if (strict.order(loads, rng)[0]?.peer === A) first++
    // Twice the score is four times the weight: four draws of five.
    expect(first).toBeGreaterThan(750)
    expect(first).toBeLessThan(850)
  })

  it('[T21] checks a lone executor as its standing asks, and everything of one on trial', () => {
    const strict = trust(true, view(A), view(B, { score: null }))
    const alone = strict.auditPpm([A], ALONE)
    expect(alone).toBeGreaterThan(ALONE.auditPpm)
    expect(alone).toBeLessThan(1_000_000)
    expect(strict.auditPpm([B], ALONE)).toBe(1_000_000)
    expect(strict.auditPpm([A, B], { ...ALONE, replicas: 2, quorum: 2 })).toBe(ALONE.auditPpm)
  })

  it('[T21] never lets more than two results of a lone newcomer pass unseen, however chance falls', () => {
    const strict = trust(true, view(A, { tier: 'newcomer' }))
    for (let seed = 0; seed < 50; seed++) {
      const rng = seededRng(seed)
      let unseen = 0
      for (let result = 0; result < 100; result++) {
        unseen = strict.auditDue([A], ALONE, rng) ? 0 : unseen + 1
        expect(unseen).toBeLessThanOrEqual(2)
      }
    }
  })
})
