import { describe, expect, it } from 'vitest'
import { inputOf, outcomeOf } from '../../testing/sim/truth.ts'
import { NOW_MS, type TestJob, testJob, testPeer, testSignedReceipt } from '../../testing/task-fixtures.ts'
import type { JobId, PeerId, RootId } from '../codec/ids.ts'
import { HEARTBEAT_TIMEOUT_MS, LEASE_LOST_AFTER_MS, PPM } from './limits.ts'
import type { BidMessage, ExecutorMessage, RequesterMessage } from './messages.ts'
import { recordOps } from './record-codec.ts'
import { BUCKETS, type RequesterRecords } from './records.ts'
import { Requester } from './requester.ts'
import type { RequesterEffect, RequesterEvent, RequesterNotice } from './requester-events.ts'
import { seededRng } from './rng.ts'

const SELF = testPeer(1)
const [A, B, C, D] = [testPeer(11), testPeer(12), testPeer(13), testPeer(14)] as const
const NO_RECORDS: RequesterRecords = { jobs: [], decided: [], votes: [], failures: [] }

type Sent<T> = Extract<RequesterMessage, { type: T }>

/** Drives one requester by hand: answers its reads at once, remembers all else. */
class Harness {
  readonly requester = new Requester({ self: SELF, rng: seededRng(1) })
  nowMs = NOW_MS
  effects: RequesterEffect[] = []
  notices: RequesterNotice[] = []

  constructor(...jobs: TestJob[]) {
    this.step({ type: 'start', session: 1, records: NO_RECORDS })
    for (const { job, spec } of jobs) this.step({ type: 'submit', job, spec })
  }

  step(
    event: RequesterEvent extends infer E ? (E extends unknown ? Omit<E, 'nowMs'> : never) : never,
  ): RequesterEffect[] {
    // The union's members all take the time.
    const effects = this.requester.step({ ...event, nowMs: this.nowMs } as RequesterEvent)
    this.effects.push(...effects)
    for (const effect of effects) {
      if (effect.type === 'emit') this.notices.push(effect.event)
      if (effect.type !== 'loadInputs') continue
      const inputs = effect.units.map((unit) => inputOf(effect.job, unit))
      this.step({ type: 'inputsLoaded', job: effect.job, inputs })
    }
    return effects
  }

  receive(from: PeerId, message: ExecutorMessage): RequesterEffect[] {
    return this.step({ type: 'message', from, message })
  }

  bid(from: PeerId, of: TestJob | readonly TestJob[], change: Partial<BidMessage> = {}): void {
    const jobs = [of].flat().map(({ job }) => job)
    // A worker for each slot: nothing waits at an executor, so nothing is held back near the end.
    const { slots = 2 } = change
    const numbers = { slots, workers: slots, gasPerSecond: 0, session: 1, grant: 0 }
    this.receive(from, { type: 'bid', jobs, ...numbers, held: [], ...change })
  }

  result(from: PeerId, of: TestJob, unit: number, lie = ''): RequesterEffect[] {
    const receipt = testSignedReceipt(of, { executor: from, unit, lie })
    return this.receive(from, {
      type: 'results',
      job: of.job,
      results: [{ receipt, outcome: outcomeOf(of.job, unit, lie).encoded }],
    })
  }

  after(ms: number): RequesterEffect[] {
    this.nowMs += ms
    return this.step({ type: 'tick' })
  }

  sent<T extends RequesterMessage['type']>(type: T, to?: PeerId): Sent<T>[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'send' && effect.message.type === type && (to === undefined || effect.peer === to)
        ? [effect.message as Sent<T>]
        : [],
    )
  }

  lent(to: PeerId, job?: JobId): number[] {
    return this.sent('lease', to)
      .filter((message) => job === undefined || message.job === job)
      .flatMap(({ leases }) => leases.map(({ unit }) => unit))
  }

  accepted(): number[] {
    return this.notices.flatMap((notice) => (notice.type === 'unitAccepted' ? [notice.accepted.unit] : []))
  }

  clear(): void {
    this.effects = []
    this.notices = []
  }
}

describe('Requester', () => {
  it('[L2] lends as many units as slots, each with its input, and more as results come', () => {
    const of = testJob()
    const h = new Harness(of)
    h.bid(A, of)
    expect(h.lent(A)).toEqual([0, 1])
    expect(h.sent('lease')[0]?.leases[0]).toMatchObject({ unit: 0, attempt: 1, input: inputOf(of.job, 0).inline })
    h.result(A, of, 0)
    expect(h.lent(A)).toEqual([0, 1, 2])
  })

  it('[L8] persists before it acknowledges, and accepts once however often a result comes', () => {
    const of = testJob()
    const h = new Harness(of)
    h.bid(A, of)
    const effects = h.result(A, of, 0)
    const persisted = effects.findIndex((effect) => effect.type === 'persist')
    const acknowledged = effects.findIndex((effect) => effect.type === 'send' && effect.message.type === 'ack')
    expect(persisted).toBe(0)
    expect(acknowledged).toBeGreaterThan(persisted)
    h.result(A, of, 0)
    expect(h.accepted()).toEqual([0])
    expect(h.sent('ack', A)).toHaveLength(2)
  })

  it('[T18] lends nothing to who is barred, and again once it is not', () => {
    const of = testJob()
    const h = new Harness(of)
    const view = { peer: A, root: null, tier: 'guest', score: null, quotaLeftPpm: 0, suspect: false } as const
    h.step({ type: 'trust', policy: { enforced: false, views: [{ ...view, barred: true }] } })
    h.bid(A, of)
    expect(h.lent(A)).toEqual([])
    h.step({ type: 'trust', policy: { enforced: false, views: [{ ...view, barred: false }] } })
    expect(h.lent(A)).toEqual([0, 1])
  })

  it('[T9] lends what the quota leaves, and more when it grows', () => {
    const of = testJob()
    const h = new Harness(of)
    const views = (quotaLeftPpm: number) => {
      const root = A as string as RootId
      return [{ peer: A, root, tier: 'newcomer', score: null, quotaLeftPpm, barred: false, suspect: false }] as const
    }
    h.step({ type: 'trust', policy: { enforced: true, views: views(3_000_000) } })
    h.bid(A, of, { slots: 8 })
    expect(h.lent(A)).toEqual([0, 1, 2])
    h.bid(B, of, { slots: 8 })
    expect(h.lent(B)).toEqual([])
    h.step({ type: 'trust', policy: { enforced: true, views: views(4_000_000) } })
    expect(h.lent(A)).toEqual([0, 1, 2, 3])
  })

  it('[V2] waits for its quorum of distinct executors', () => {
    const of = testJob({ verification: { replicas: 2, quorum: 2 } })
    const h = new Harness(of)
    h.bid(A, of)
    h.result(A, of, 0)
    h.result(A, of, 0)
    expect(h.accepted()).toEqual([])
    expect(h.requester.progress()[0]?.state).toEqual({
      state: 'waiting',
      reason: 'few-executors',
      executors: 1,
      needed: 2,
    })
    h.bid(B, of)
    expect(h.lent(B)).toContain(0)
    h.result(B, of, 0)
    expect(h.accepted()).toEqual([0])
    expect(h.requester.progress()[0]?.state).toEqual({ state: 'running' })
  })

  it('[V5] asks for more when two disagree, excludes the liar and keeps both receipts', () => {
    const of = testJob({ verification: { replicas: 2, quorum: 2 } })
    const h = new Harness(of)
    for (const peer of [A, B]) h.bid(peer, of, { slots: 1 })
    h.result(A, of, 0, 'lie')
    h.result(B, of, 0)
    expect(h.accepted()).toEqual([])
    h.bid(C, of, { slots: 1 })
    expect(h.lent(C)).toEqual([0])
    h.clear()
    const effects = h.result(C, of, 0)
    expect(h.accepted()).toEqual([0])
    expect(h.notices).toContainEqual({ type: 'excluded', job: of.job, peer: A, reason: 'wrong-result' })
    const ops = effects.flatMap((effect) => (effect.type === 'persist' ? effect.ops : []))
    expect(ops.find(({ bucket }) => bucket === BUCKETS.evidence)?.key).toContain(A)
    h.clear()
    h.bid(A, of)
    expect(h.lent(A)).toEqual([])
  })

  it('[V5] excludes one that signs two outcomes for a unit', () => {
    const of = testJob({ verification: { replicas: 3, quorum: 3 } })
    const h = new Harness(of)
    for (const peer of [A, B]) h.bid(peer, of)
    h.result(A, of, 0)
    h.result(A, of, 0, 'second thought')
    expect(h.notices).toContainEqual({ type: 'excluded', job: of.job, peer: A, reason: 'equivocation' })
  })

  it('[V4] recomputes an audited unit itself, and its own outcome decides', () => {
    const of = testJob({ verification: { replicas: 1, quorum: 1, auditPpm: PPM } })
    const h = new Harness(of)
    h.bid(A, of, { slots: 1 })
    h.result(A, of, 0, 'lie')
    expect(h.accepted()).toEqual([])
    expect(h.effects).toContainEqual({ type: 'executeLocally', job: of.job, unit: 0 })
    // In the test's words B is who recomputed it: only the bytes of the two receipts matter here.
    const signed = testSignedReceipt(of, { executor: B, unit: 0 })
    h.step({ type: 'executedLocally', job: of.job, unit: 0, key: outcomeOf(of.job, 0), signed })
    expect(h.notices).toContainEqual({ type: 'excluded', job: of.job, peer: A, reason: 'wrong-result' })
    const lie = testSignedReceipt(of, { executor: A, unit: 0, lie: 'lie' })
    const evidence = recordOps.evidence(of.job, A, [lie, signed])
    expect(h.effects.flatMap((effect) => (effect.type === 'persist' ? effect.ops : []))).toContainEqual(evidence)
    h.bid(B, of, { slots: 1 })
    h.result(B, of, 0)
    expect(h.accepted()).toEqual([0])
  })

  it('[L3] never lends a unit again to an executor that failed at it, over a restart too', () => {
    const of = testJob({ unitCount: 1 })
    const h = new Harness(of)
    h.bid(A, of)
    h.receive(A, { type: 'release', job: of.job, releases: [{ unit: 0, reason: 'worker-crash' }] })
    h.bid(A, of)
    expect(h.lent(A)).toEqual([0])
    const again = new Harness()
    const jobs = [
      { job: of.job, spec: of.spec, state: { state: 'running' } as const, createdAtMs: NOW_MS, excluded: [] },
    ]
    again.step({
      type: 'start',
      session: 2,
      records: { ...NO_RECORDS, jobs, failures: [{ job: of.job, unit: 0, peer: A }] },
    })
    again.bid(A, of)
    expect(again.lent(A)).toEqual([])
    again.bid(B, of)
    expect(again.lent(B)).toEqual([0])
  })

  it('[L3] takes back what a paused executor returns, and may lend it again later', () => {
    const of = testJob({ unitCount: 1 })
    const h = new Harness(of)
    h.bid(A, of)
    h.receive(A, { type: 'release', job: of.job, releases: [{ unit: 0, reason: 'paused' }] })
    expect(h.lent(A)).toEqual([0, 0])
  })

  it('[L3] drops an executor that fails three times in a row', () => {
    const of = testJob({ unitCount: 9 })
    const h = new Harness(of)
    h.bid(A, of, { slots: 3 })
    h.receive(A, { type: 'release', job: of.job, releases: [0, 1, 2].map((unit) => ({ unit, reason: 'internal' })) })
    expect(h.notices).toContainEqual({ type: 'excluded', job: of.job, peer: A, reason: 'unreliable' })
  })

  it('[L4] notices a silent executor long before the deadline, and a lost lease by what is not held', () => {
    const of = testJob()
    const h = new Harness(of)
    h.bid(A, of)
    h.bid(B, of, { slots: 1 })
    expect(h.lent(B)).toEqual([2])
    h.nowMs += HEARTBEAT_TIMEOUT_MS
    h.bid(B, of, { slots: 4, held: [{ job: of.job, queued: [], running: [2], done: [] }] })
    h.after(1)
    expect(h.notices).toContainEqual({ type: 'executorLeft', peer: A, reason: 'silent' })
    expect(h.lent(B)).toEqual([2, 3, 0, 1])
    h.clear()
    h.nowMs += LEASE_LOST_AFTER_MS + 1
    h.bid(B, of, { slots: 4, held: [{ job: of.job, queued: [], running: [2, 3, 0], done: [] }] })
    expect(h.notices).toContainEqual({ type: 'leaseEnded', job: of.job, unit: 1, peer: B, reason: 'lost' })
  })

  it('[L4] takes over what an executor still works at after a restart, and cancels what is decided', () => {
    const of = testJob()
    const first = new Harness(of)
    first.bid(A, of)
    const h = new Harness(of)
    h.bid(A, of, { session: 99, grant: 7, held: [{ job: of.job, queued: [1], running: [0], done: [] }] })
    expect(h.lent(A)).toEqual([])
    h.bid(B, of)
    expect(h.lent(B)).toEqual([2, 3])
    h.result(A, of, 0)
    h.clear()
    h.bid(B, of, { held: [{ job: of.job, queued: [0], running: [2, 3], done: [] }] })
    expect(h.sent('cancel', B)).toEqual([{ type: 'cancel', job: of.job, units: [0] }])
  })

  it('[L4] believes nobody to hold more than it bid for', () => {
    const of = testJob({ unitCount: 50 })
    const h = new Harness(of)
    const everything = Array.from({ length: 50 }, (_, unit) => unit)
    h.bid(A, of, { slots: 2, session: 9, held: [{ job: of.job, queued: everything, running: [], done: [] }] })
    expect(h.requester.progress()[0]?.inFlight).toBe(2)
    expect(h.sent('cancel', A).flatMap(({ units }) => units)).toHaveLength(48)
  })

  it('[L10] holds back near the end what others could take sooner, and lends it as they come to their ends', () => {
    const of = testJob({ unitCount: 10 })
    const h = new Harness(of)
    const slots = { slots: 6, workers: 1 }
    h.bid(A, of, slots)
    expect(h.lent(A)).toEqual([0, 1, 2, 3, 4])
    h.bid(B, of, slots)
    expect(h.lent(B)).toEqual([5, 6, 7])
    const finish = (from: PeerId, unit: number) => {
      const receipt = testSignedReceipt(of, { executor: from, unit, durationUs: 1_000_000 })
      const outcome = outcomeOf(of.job, unit).encoded
      h.receive(from, { type: 'results', job: of.job, results: [{ receipt, outcome }] })
    }
    finish(A, 0)
    expect(h.lent(A)).toHaveLength(5)
    for (const unit of [5, 6]) finish(B, unit)
    expect(h.lent(B)).toEqual([5, 6, 7, 8])
    finish(B, 7)
    expect(h.lent(B)).toEqual([5, 6, 7, 8, 9])
  })

  it('[L10] keeps fast executors in work although little is left', () => {
    const of = testJob({ unitCount: 40 })
    const h = new Harness(of)
    h.bid(A, of, { slots: 30, workers: 1 })
    expect(h.lent(A)).toHaveLength(20)
    // The units take 1.5 ms: fewer than 34 of them would not last for a round trip.
    h.result(A, of, 0)
    expect(h.lent(A)).toHaveLength(31)
  })

  it('[L5] lends a slow unit a further time when nothing is pending', () => {
    const of = testJob({ unitCount: 5 })
    const h = new Harness(of)
    h.bid(A, of, { slots: 1 })
    h.bid(B, of, { slots: 4 })
    for (const unit of h.lent(B)) {
      h.nowMs += 10
      h.result(B, of, unit)
    }
    h.clear()
    h.nowMs += 6_000
    h.bid(B, of, { slots: 4 })
    h.bid(A, of, { slots: 1, held: [{ job: of.job, queued: [], running: [0], done: [] }] })
    h.after(1)
    expect(h.lent(B)).toEqual([0])
    h.result(B, of, 0)
    expect(h.accepted()).toEqual([0])
    expect(h.notices.findLast((notice) => notice.type === 'jobChanged')).toMatchObject({
      progress: { state: { state: 'done' } },
    })
  })

  it('[L7] shares slots between jobs by priority, and starves none', () => {
    const low = testJob({ unitCount: 2_000, priority: 0 })
    const high = testJob({ unitCount: 2_000, priority: 3 })
    const h = new Harness(low, high)
    h.bid(A, [low, high], { slots: 1 })
    for (let i = 0; i < 180; i++) {
      const last = h.sent('lease', A).at(-1)
      const unit = last?.leases[0]?.unit ?? 0
      h.result(A, last?.job === low.job ? low : high, unit)
    }
    const shares = [h.lent(A, low.job).length, h.lent(A, high.job).length] as const
    expect(shares[0]).toBeGreaterThanOrEqual(15)
    expect(shares[1] / shares[0]).toBeGreaterThan(6)
  })

  it('[L9] goes on where its records end', () => {
    const of = testJob({ verification: { replicas: 2, quorum: 2 } })
    const h = new Harness()
    const vote = testSignedReceipt(of, { executor: A, unit: 1 })
    const receipt = testSignedReceipt(of, { executor: B, unit: 0 }).receipt
    const { outputHash, exitCode, trap, gas, durationUs, costMicroUnits } = receipt
    const accepted = {
      unit: 0,
      outputHash,
      exitCode,
      trap,
      gas,
      durationUs,
      costMicroUnits,
      executors: [A, B],
      audited: false,
    }
    h.step({
      type: 'start',
      session: 2,
      records: {
        jobs: [{ job: of.job, spec: of.spec, state: { state: 'running' }, createdAtMs: NOW_MS, excluded: [] }],
        decided: [{ job: of.job, decided: { verdict: 'accepted', accepted } }],
        votes: [{ job: of.job, vote, outcomeStored: true }],
        failures: [],
      },
    })
    expect(h.requester.progress()[0]).toMatchObject({ accepted: 1 })
    h.bid(A, of, { slots: 9 })
    expect(h.lent(A)).toEqual([2, 3])
    h.bid(B, of, { slots: 9 })
    expect(h.lent(B).sort()).toEqual([1, 2, 3])
    h.result(B, of, 1)
    expect(h.accepted()).toEqual([1])
  })

  it('refuses a receipt that contradicts the terms or the input, and bans who sends many', () => {
    const of = testJob({ unitCount: 40 })
    const h = new Harness(of)
    h.bid(A, of, { slots: 1 })
    const signed = testSignedReceipt(of, { executor: A, unit: 0 })
    const wrong = { ...signed, receipt: { ...signed.receipt, costMicroUnits: 99n } }
    h.receive(A, { type: 'results', job: of.job, results: [{ receipt: wrong, outcome: outcomeOf(of.job, 0).encoded }] })
    expect(h.accepted()).toEqual([])
    for (let i = 0; i < 8; i++) h.step({ type: 'badMessage', from: A })
    h.clear()
    h.bid(A, of)
    expect(h.lent(A)).toEqual([])
  })

  it('fetches a large outcome before it accepts, and acknowledges only then', () => {
    const of = testJob()
    const h = new Harness(of)
    h.bid(A, of)
    const receipt = testSignedReceipt(of, { executor: A, unit: 0 })
    const { outputHash } = receipt.receipt
    h.receive(A, { type: 'results', job: of.job, results: [{ receipt, outcome: null }] })
    expect(h.effects).toContainEqual({ type: 'fetchOutcome', job: of.job, unit: 0, outputHash, from: [A] })
    expect([h.accepted(), h.sent('ack', A)]).toEqual([[], []])
    h.step({ type: 'outcomeFetched', job: of.job, unit: 0, outputHash })
    expect(h.accepted()).toEqual([0])
    expect(h.sent('ack', A)).toHaveLength(1)
  })

  it('fails a unit at which four executors failed, and ends the job', () => {
    const of = testJob({ unitCount: 1 })
    const h = new Harness(of)
    for (const peer of [A, B, C, D]) {
      h.bid(peer, of)
      h.receive(peer, { type: 'release', job: of.job, releases: [{ unit: 0, reason: 'wall-limit' }] })
    }
    expect(h.notices).toContainEqual({ type: 'unitFailed', job: of.job, unit: 0, reason: 'attempts' })
    expect(h.notices.at(-1)).toMatchObject({ type: 'jobChanged', progress: { failed: 1, state: { state: 'done' } } })
  })

  it('ends a job that has too few executors for too long, or is over its validity', () => {
    const short = testJob({ shortage: { policy: 'fail', afterMs: 5_000 } })
    const h = new Harness(short)
    h.after(4_999)
    expect(h.requester.progress()).toHaveLength(1)
    h.after(1)
    expect(h.notices.at(-1)).toMatchObject({ progress: { state: { state: 'failed', reason: 'few-executors' } } })
    const late = new Harness(testJob())
    late.after(3_600_000)
    expect(late.notices.at(-1)).toMatchObject({ progress: { state: { state: 'failed', reason: 'expired' } } })
  })

  it('offers to new neighbours and, while work remains, to everybody', () => {
    const of = testJob()
    const h = new Harness(of)
    h.step({ type: 'peerConnected', peer: A })
    expect(h.sent('offer', A)[0]?.offers[0]).toMatchObject({ job: of.job, unitsLeft: 4 })
    const broadcasts = () => h.effects.filter((effect) => effect.type === 'broadcast').length
    const before = broadcasts()
    for (let i = 0; i < 10; i++) h.after(1_000)
    expect(broadcasts() - before).toBe(2)
    h.step({ type: 'cancelJob', job: of.job })
    h.clear()
    h.after(10_000)
    expect(h.effects).toEqual([])
  })
})
