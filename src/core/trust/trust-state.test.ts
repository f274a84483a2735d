import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testPeer } from '../../testing/task-fixtures.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { HALF, ONE, ofPpm, toNumber } from './fixed.ts'
import {
  ACCUSERS_MIN,
  ATTESTATIONS_PER_SUBJECT_MAX,
  ATTESTED_SHARE_PPM,
  BLACKLIST_MS,
  LIAR_MS,
  OUTVOTED_MAX,
  RECOMPUTATIONS_PER_ACCUSER_MAX,
  RECOMPUTATIONS_PER_HOUR_MAX,
  TASKS_MIN,
  TIER_QUOTAS,
  TIER_STANDING_MIN,
} from './limits.ts'
import { RecomputationBudget } from './recomputation-budget.ts'
import { decodeTrustRecord, encodeTrustRecord } from './record-codec.ts'
import { type TrustEvent, TrustState } from './trust-state.ts'

const NOW_MS = 1_800_000_000_000
const PPM = 1_000_000
const ROOTS = Array.from({ length: 40 }, (_, index) => testPeer(index + 1) as string as RootId)
// The list is longer than any index that is used.
const root = (index: number): RootId => ROOTS[index] as RootId
const SELF = testPeer(0) as string as RootId
const peerOf = (of: RootId): PeerId => of as string as PeerId

const measure = { durationUs: 1_000_000, costMicro: 1_000, megagas: 1_000 }

function state(options: { readonly quotas?: boolean } = {}): TrustState {
  return new TrustState({ self: SELF, quotas: options.quotas ?? true })
}

function dealt(
  of: TrustState,
  who: RootId,
  count: { readonly good?: number; readonly failed?: number },
  nowMs = NOW_MS,
) {
  const at = { nowMs, root: who, peer: peerOf(who), category: 'kind', sharePpm: PPM }
  for (let task = 0; task < (count.good ?? 0); task++) of.step({ ...at, type: 'good', measure })
  for (let task = 0; task < (count.failed ?? 0); task++) of.step({ ...at, type: 'failed', cause: 'deadline' })
}

const wrong = (of: TrustState, who: RootId, proof: 'recomputed' | 'outvoted' | 'equivocation', nowMs = NOW_MS) =>
  of.step({ nowMs, root: who, peer: peerOf(who), category: 'kind', type: 'wrong', proof })

function attested(
  of: TrustState,
  by: { attester: RootId; subject: RootId; scorePpm: number; seq?: number; good?: number },
) {
  const { attester, subject, scorePpm, seq = 1, good = 100 } = by
  const bytes = new Uint8Array(1)
  return of.attestations.add({ attester, subject, score: ofPpm(scorePpm), good, bad: 0, atMs: NOW_MS, seq, bytes })
}

describe('own dealings', () => {
  it('[T4] are no score below the minimum of tasks', () => {
    const of = state()
    dealt(of, root(1), { good: TASKS_MIN - 1 })
    expect(of.ownScore(root(1), NOW_MS)).toBeNull()
    dealt(of, root(1), { good: 1 })
    expect(of.ownScore(root(1), NOW_MS)).not.toBeNull()
  })

  it('[T10] bar whose score falls below 0.3, at the minimum of tasks and not before', () => {
    const of = state()
    dealt(of, root(2), { good: 20 })
    dealt(of, root(1), { failed: TASKS_MIN - 1 })
    expect(of.isBarred(root(1), NOW_MS)).toBe(false)
    dealt(of, root(1), { failed: 1 })
    expect(of.record(root(1))?.barred).toMatchObject({ by: 'score', untilMs: NOW_MS + BLACKLIST_MS })
  })

  it.each([
    ['score', BLACKLIST_MS],
    ['evidence', LIAR_MS],
  ] as const)('[T11] a bar by %s holds to the last millisecond and no longer', (by, durationMs) => {
    const of = state()
    dealt(of, root(2), { good: 20 })
    if (by === 'score') dealt(of, root(1), { failed: TASKS_MIN })
    else wrong(of, root(1), 'recomputed')
    const endMs = NOW_MS + durationMs
    expect([endMs - 1, endMs, endMs + 1].map((nowMs) => of.isBarred(root(1), nowMs))).toEqual([true, false, false])
    expect(of.tick(endMs - 1)).toEqual([])
    expect(of.tick(endMs)).toEqual([{ type: 'unblacklisted', root: root(1), by: 'expiry' }])
    expect(of.tick(endMs + 1)).toEqual([])
  })

  it('[T11] a bar of any length, begun at any time, ends at its millisecond and by itself', () => {
    const start = fc.integer({ min: 0, max: 4_000_000_000_000 })
    fc.assert(
      fc.property(start, fc.integer({ min: 1, max: 100 * LIAR_MS }), fc.boolean(), (nowMs, durationMs, ticks) => {
        const of = state()
        of.block(root(1), { nowMs, untilMs: nowMs + durationMs, reason: 'r' })
        const endMs = nowMs + durationMs
        if (ticks) of.tick(endMs - 1)
        expect(of.isBarred(root(1), nowMs)).toBe(true)
        expect([endMs - 1, endMs, endMs + 1].map((atMs) => of.isBarred(root(1), atMs))).toEqual([true, false, false])
      }),
    )
  })

  it('[T7] bound links by tier, at every boundary of standing and on both sides of it', () => {
    for (const [index, tier] of (['newcomer', 'established', 'trusted', 'elite'] as const).entries()) {
      const { connectionsMax } = TIER_QUOTAS[tier]
      const below = TIER_QUOTAS[(['newcomer', 'newcomer', 'established', 'trusted'] as const)[index] ?? tier]
      const of = state()
      of.block(root(1), { nowMs: NOW_MS, untilMs: NOW_MS + 1, reason: 'so that there is a record' })
      const record = of.record(root(1)) ?? expect.unreachable()
      const edge = TIER_STANDING_MIN[tier] * 1_000
      for (const [standingMilli, max] of [
        [Math.max(0, edge - 1), below.connectionsMax],
        [edge, connectionsMax],
        [edge + 1, connectionsMax],
      ] as const) {
        record.standingMilli = standingMilli
        expect(of.connectionsMax(root(1)), `${tier} at ${standingMilli}`).toBe(max)
      }
      of.enforce(false)
      expect(of.connectionsMax(root(1))).toBe(Number.POSITIVE_INFINITY)
    }
    expect(state().connectionsMax(SELF)).toBe(Number.POSITIVE_INFINITY)
    expect(state().connectionsMax(root(9))).toBe(TIER_QUOTAS.newcomer.connectionsMax)
  })

  it('[T12] leave a way back: on trial after the bar, and proven again by good work', () => {
    const of = state()
    dealt(of, root(1), { good: 50 })
    wrong(of, root(1), 'equivocation')
    const backMs = NOW_MS + LIAR_MS
    of.tick(backMs)
    expect(of.view(peerOf(root(1)), root(1), backMs)).toMatchObject({ barred: false, score: null, tier: 'newcomer' })
    dealt(of, root(1), { good: TASKS_MIN }, backMs)
    expect(of.ownScore(root(1), backMs)).toBeGreaterThan(HALF)
  })

  it('[T10] a proved lie bars at once; being outvoted does the second time', () => {
    for (const proof of ['recomputed', 'equivocation'] as const) {
      const of = state()
      dealt(of, root(1), { good: 200 })
      expect(wrong(of, root(1), proof)).toContainEqual(
        expect.objectContaining({ type: 'blacklisted', barred: expect.objectContaining({ by: 'evidence' }) }),
      )
    }
    const of = state()
    for (let time = 1; time < OUTVOTED_MAX; time++) wrong(of, root(1), 'outvoted')
    expect(of.isBarred(root(1), NOW_MS)).toBe(false)
    wrong(of, root(1), 'outvoted')
    expect(of.isBarred(root(1), NOW_MS)).toBe(true)
  })

  it('[T13] an owner bars and lifts as he likes, and nobody bars himself', () => {
    const of = state()
    of.block(root(1), { nowMs: NOW_MS, untilMs: null, reason: 'mine' })
    expect(of.isBarred(root(1), NOW_MS + 1e12)).toBe(true)
    // A proof does not shorten what lasts until it is lifted.
    wrong(of, root(1), 'recomputed')
    expect(of.record(root(1))?.barred?.by).toBe('owner')
    of.unblock(root(1), NOW_MS)
    expect(of.isBarred(root(1), NOW_MS)).toBe(false)
    expect(of.block(SELF, { nowMs: NOW_MS, untilMs: null, reason: 'no' })).toEqual([])
    wrong(of, SELF, 'recomputed')
    expect(of.isBarred(SELF, NOW_MS)).toBe(false)
  })

  it('[T3] a score fades toward neutral while nothing is heard', () => {
    const of = state()
    dealt(of, root(1), { good: 100 })
    const day = 86_400_000
    const scores = [0, 14, 28, 140].map((days) => of.ownScore(root(1), NOW_MS + days * day) ?? 0)
    for (const [index, score] of scores.entries()) if (index > 0) expect(score).toBeLessThan(scores[index - 1] ?? 0)
    expect(toNumber(scores[3] ?? 0)).toBeCloseTo(0.5, 2)
  })

  it('[T9] quotas count in an open network and not in a room', () => {
    const open = state()
    open.charge(root(1), NOW_MS, 9 * PPM)
    expect(open.view(peerOf(root(1)), root(1), NOW_MS).quotaLeftPpm).toBe(PPM)
    const room = state({ quotas: false })
    room.charge(root(1), NOW_MS, 9 * PPM)
    const view = room.view(peerOf(root(1)), root(1), NOW_MS)
    expect(view.quotaLeftPpm).toBe(Number.MAX_SAFE_INTEGER)
    expect(view.score).toBe(HALF)
  })
})

describe("others' word", () => {
  it('[T16] moves a score by its share at most, and less the more is known here', () => {
    const of = state()
    for (let index = 1; index <= 20; index++) dealt(of, root(index), { good: TASKS_MIN * 4 })
    const subject = root(30)
    dealt(of, subject, { good: TASKS_MIN })
    const own = of.ownScore(subject, NOW_MS) ?? 0
    for (let index = 1; index <= 20; index++) attested(of, { attester: root(index), subject, scorePpm: 0 })
    const blended = of.blendedScore(subject, NOW_MS) ?? 0
    expect(blended).toBeLessThan(own)
    expect(own - blended).toBeLessThanOrEqual((own * ATTESTED_SHARE_PPM) / PPM + 1)
    dealt(of, subject, { good: TASKS_MIN * 9 })
    const later = (of.ownScore(subject, NOW_MS) ?? 0) - (of.blendedScore(subject, NOW_MS) ?? 0)
    expect(later).toBeLessThan((own - blended) / 5)
  })

  it('[T15] of strangers nobody vouches for weighs nothing, however many they are', () => {
    const of = state()
    for (let index = 1; index < 30; index++) {
      for (let subject = 1; subject < 30; subject++) {
        if (index !== subject) attested(of, { attester: root(index), subject: root(subject), scorePpm: PPM })
      }
    }
    for (let index = 1; index < 30; index++) {
      expect(of.credibility(root(index), NOW_MS)).toBe(0)
      expect(of.attested(root(index), NOW_MS).confidence).toBe(0)
      expect(of.blendedScore(root(index), NOW_MS)).toBeNull()
    }
  })

  it('[T15] is capped for each identity and for each subnet', () => {
    const of = state()
    const subject = root(30)
    for (let index = 1; index <= 8; index++) {
      dealt(of, root(index), { good: 100 })
      of.step({ nowMs: NOW_MS, root: root(index), peer: peerOf(root(index)), type: 'seen', subnet: 'one-net' })
    }
    attested(of, { attester: root(1), subject, scorePpm: PPM })
    const one = of.attested(subject, NOW_MS).confidence
    expect(one).toBeLessThanOrEqual(ONE / 8)
    for (let index = 2; index <= 8; index++) attested(of, { attester: root(index), subject, scorePpm: PPM })
    const all = of.attested(subject, NOW_MS + 120_000).confidence
    expect(all).toBeGreaterThan(one)
    expect(all).toBeLessThanOrEqual(ONE / 4)
  })

  it('[T14] keeps the newest of each pair and bounds what is said of one', () => {
    const of = state()
    const subject = root(39)
    expect(attested(of, { attester: root(1), subject, scorePpm: 1, seq: 5 })).toBe(true)
    expect(attested(of, { attester: root(1), subject, scorePpm: 2, seq: 5 })).toBe(false)
    expect(attested(of, { attester: root(1), subject, scorePpm: 3, seq: 6 })).toBe(true)
    expect(of.attestations.size).toBe(1)
    for (let index = 0; index < ATTESTATIONS_PER_SUBJECT_MAX + 9; index++) {
      attested(of, { attester: `stranger-${index}` as RootId, subject, scorePpm: 1 })
    }
    expect(of.attestations.size).toBe(ATTESTATIONS_PER_SUBJECT_MAX)
    of.attestations.forgetAttester(root(1))
    expect(of.attestations.size).toBe(ATTESTATIONS_PER_SUBJECT_MAX - 1)
  })
})

describe('accusations', () => {
  it(`[T22] of ${ACCUSERS_MIN} credible peers convict whom this peer does not know, and only make suspect whom it does`, () => {
    const of = state()
    for (let index = 1; index <= ACCUSERS_MIN; index++) dealt(of, root(index), { good: 100 })
    const [known, unknown] = [root(20), root(21)]
    dealt(of, known, { good: TASKS_MIN })
    for (let index = 1; index <= ACCUSERS_MIN; index++) {
      expect(of.isBarred(unknown, NOW_MS)).toBe(false)
      for (const accused of [known, unknown]) of.accuse(accused, { accuser: root(index), nowMs: NOW_MS })
    }
    expect([known, unknown].map((each) => of.isBarred(each, NOW_MS))).toEqual([false, true])
    expect(of.view(peerOf(known), known, NOW_MS).suspect).toBe(true)
  })

  it('[T22] of strangers and repeated ones count for nothing', () => {
    const of = state()
    for (let index = 1; index < 20; index++) of.accuse(root(30), { accuser: root(index), nowMs: NOW_MS })
    expect(of.isSuspect(root(30))).toBe(false)
    dealt(of, root(1), { good: 100 })
    for (let time = 0; time < 9; time++) of.accuse(root(30), { accuser: root(1), nowMs: NOW_MS })
    expect(of.isBarred(root(30), NOW_MS)).toBe(false)
  })

  it('[T23] settled by recomputing: the liar is barred, or the slanderer loses its word', () => {
    const of = state()
    dealt(of, root(1), { good: 100 })
    const conflict = { accused: root(2), accuser: root(1), witness: root(3) }
    of.accuse(root(2), { accuser: root(1), nowMs: NOW_MS })
    of.settle(conflict, { accusedWrong: false, witnessWrong: true, nowMs: NOW_MS })
    expect(of.isSuspect(root(2))).toBe(false)
    expect([1, 2, 3].map((index) => of.isBarred(root(index), NOW_MS))).toEqual([false, false, true])
    expect(of.credibility(root(1), NOW_MS)).toBe(0)
    expect(of.credibility(root(1), NOW_MS + LIAR_MS)).toBeGreaterThan(0)
    of.settle({ ...conflict, accused: root(4) }, { accusedWrong: true, witnessWrong: false, nowMs: NOW_MS })
    expect(of.isBarred(root(4), NOW_MS)).toBe(true)
  })

  it('[T23] are looked into within a bound, half of it kept for those who are believed', () => {
    const budget = new RecomputationBudget()
    let strangers = 0
    for (let index = 0; index < 99; index++) {
      if (budget.take(`s${index}` as RootId, { nowMs: NOW_MS, credible: false })) strangers++
    }
    expect(strangers).toBe(RECOMPUTATIONS_PER_HOUR_MAX / 2)
    let own = 0
    for (let time = 0; time < 9; time++) if (budget.take(root(1), { nowMs: NOW_MS, credible: true })) own++
    expect(own).toBe(RECOMPUTATIONS_PER_ACCUSER_MAX)
    expect(budget.take(root(1), { nowMs: NOW_MS + 3_600_000, credible: true })).toBe(true)
  })
})

describe('records', () => {
  const event = fc.oneof(
    fc.constantFrom('recomputed', 'outvoted', 'equivocation').map((proof) => ({ type: 'wrong', proof }) as const),
    fc.boolean().map((good) => ({ type: 'model', good }) as const),
    fc.integer({ min: 0, max: 2 * PPM }).map((sharePpm) => ({ type: 'good', sharePpm, measure }) as const),
    fc.integer({ min: 0, max: 2 * PPM }).map((sharePpm) => ({ type: 'failed', sharePpm, cause: 'deadline' }) as const),
  )
  const events = fc.array(
    fc.record({
      body: event,
      who: fc.integer({ min: 1, max: 4 }),
      afterMs: fc.integer({ min: 0, max: 3 * 86_400_000 }),
    }),
    { maxLength: 80 },
  )

  it('[T24] come back from the store with the same opinions', () => {
    fc.assert(
      fc.property(events, (list) => {
        const of = state()
        let nowMs = NOW_MS
        for (const { body, who, afterMs } of list) {
          nowMs += afterMs
          const at = { nowMs, root: root(who), peer: peerOf(root(who)), category: 'kind' }
          of.step({ ...at, ...body } as TrustEvent)
        }
        const records = [...of.roots].map((record) => decodeTrustRecord(encodeTrustRecord(record, nowMs)))
        const again = new TrustState({ self: SELF, quotas: true, records })
        for (const { root: who } of of.roots) {
          expect(again.isBarred(who, nowMs)).toBe(of.isBarred(who, nowMs))
          expect(again.record(who)?.standingMilli).toBe(of.record(who)?.standingMilli)
          expect(again.record(who)?.total).toEqual(of.record(who)?.total)
          expect(again.record(who)?.history).toEqual(of.record(who)?.history)
        }
      }),
      { numRuns: 60 },
    )
  })
})
