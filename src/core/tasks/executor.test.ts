import { describe, expect, it } from 'vitest'
import { outcomeOf, simAttestation, simReceipt } from '../../testing/sim/truth.ts'
import {
  ABLE,
  NOW_MS,
  type TestJob,
  testJob,
  testPeer,
  testReceipt,
  testSignedReceipt,
} from '../../testing/task-fixtures.ts'
import type { PeerId } from '../codec/ids.ts'
import { Executor } from './executor.ts'
import type { ExecutorEffect, ExecutorEvent, OutboxRecord } from './executor-events.ts'
import {
  EXECUTIONS_PER_WORKER_MAX,
  HEARTBEAT_INTERVAL_MS,
  OFFER_TTL_MS,
  RECEIPTS_GATHER_MS,
  RESEND_INTERVAL_MS,
  SHORT_UNIT_US,
} from './limits.ts'
import type { ExecutorMessage, RequesterMessage } from './messages.ts'
import { BUCKETS } from './records.ts'

const SELF = testPeer(20)
const REQUESTER = testPeer(1)
const nonce = new Uint8Array(16)

type Sent<T> = Extract<ExecutorMessage, { type: T }>
type Timeless<E> = E extends unknown ? Omit<E, 'nowMs'> : never

/** Drives one executor by hand: manifests and modules are there at once, executions end when the test says so. */
class Harness {
  readonly executor: Executor
  readonly of: TestJob
  nowMs = NOW_MS
  effects: ExecutorEffect[] = []
  /** Whether what is to be signed is signed. */
  signs = true

  constructor(options: { optedIn?: boolean; workers?: number; self?: PeerId; outbox?: OutboxRecord[] } = {}) {
    this.of = testJob({ unitCount: 100 })
    this.executor = new Executor({ self: options.self ?? SELF, capability: ABLE })
    this.step({ type: 'start', outbox: options.outbox ?? [] })
    this.step({
      type: 'controls',
      controls: { optedIn: options.optedIn ?? true, workers: options.workers ?? 2, weights: [] },
    })
  }

  step(event: Timeless<ExecutorEvent>): ExecutorEffect[] {
    // The union's members all take the time.
    const effects = this.executor.step({ ...event, nowMs: this.nowMs } as ExecutorEvent)
    this.effects.push(...effects)
    const requester = REQUESTER
    for (const effect of effects) {
      if (effect.type === 'fetchManifest') {
        this.step({ type: 'manifestReady', requester, job: effect.job, manifest: this.of.spec.manifest })
      } else if (effect.type === 'prepareModule') {
        this.step({ type: 'moduleReady', requester, job: effect.job })
      } else if (effect.type === 'signReceipts' && this.signs) {
        const receipts = effect.receipts.map(({ id, receipt }) => ({
          id,
          signed: simReceipt(receipt, { author: SELF, nonce }),
        }))
        this.step({ type: 'receiptsSigned', receipts })
      } else if (effect.type === 'signAttestation') {
        const by = { author: SELF, nonce, nowMs: this.nowMs }
        this.step({
          type: 'attestationSigned',
          requester,
          job: effect.job,
          signed: simAttestation(effect.attestation, by),
        })
      }
    }
    return effects
  }

  receive(message: RequesterMessage): ExecutorEffect[] {
    return this.step({ type: 'message', from: REQUESTER, message })
  }

  offer(change: object = {}): void {
    const { manifest, manifestCid } = this.of.spec
    const { abi, payment, resources, serviceLevel, priority, validUntilMs, module } = manifest
    const terms = { abi, payment, resources, serviceLevel, priority, validUntilMs }
    const offer = { job: this.of.job, manifestCid, moduleCid: module, unitsLeft: 9, ...terms, ...change }
    this.receive({ type: 'offer', offers: [offer] })
  }

  lease(...units: number[]): void {
    const leases = units.map((unit) => {
      const { inputHash } = testReceipt(this.of, unit)
      return { unit, attempt: 1, inputHash, inputBytes: 3, input: new Uint8Array(3) }
    })
    this.receive({ type: 'lease', job: this.of.job, session: 1, grant: 1, deadlineMs: 100_000, leases })
  }

  started(): { id: number; unit: number }[] {
    return this.effects.flatMap((effect) => (effect.type === 'execute' ? [{ id: effect.id, unit: effect.unit }] : []))
  }

  finish(unit: number, durationUs = 1_500): void {
    const { id } = this.started().findLast((each) => each.unit === unit) ?? { id: -1 }
    const { encoded: outcome, ...found } = outcomeOf(this.of.job, unit)
    const measured = { durationUs, memoryBytesPeak: 65_536, startedAtMs: NOW_MS }
    this.step({ type: 'executed', id, executed: { ...found, outcome, ...measured } })
  }

  after(ms: number): ExecutorEffect[] {
    this.nowMs += ms
    return this.step({ type: 'tick' })
  }

  sent<T extends ExecutorMessage['type']>(type: T): Sent<T>[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'send' && effect.message.type === type ? [effect.message as Sent<T>] : [],
    )
  }

  results(): number[] {
    return this.sent('results').flatMap(({ results }) => results.map(({ receipt }) => receipt.receipt.unit))
  }
}

describe('Executor', () => {
  it('[L2] bids when manifest and module are there, runs what it is lent, and sends signed results', () => {
    const h = new Harness()
    h.offer()
    expect(h.sent('bid')[0]).toMatchObject({ jobs: [h.of.job], slots: 4, workers: 2 })
    h.lease(0, 1, 2)
    expect(h.started().map(({ unit }) => unit)).toEqual([0, 1])
    h.finish(0)
    expect(h.started().map(({ unit }) => unit)).toContain(2)
    for (const unit of [1, 2]) h.finish(unit)
    expect(h.results()).toEqual([0, 1, 2])
    expect(h.sent('results')[0]?.results[0]?.receipt.receipt).toEqual(testReceipt(h.of, 0))
  })

  it('[X1] does nothing for others before the owner agrees, but runs the owner’s own jobs', () => {
    const h = new Harness({ optedIn: false })
    h.offer()
    expect(h.effects.some((effect) => effect.type === 'fetchManifest')).toBe(false)
    expect(h.executor.status()).toEqual({ state: 'paused', reasons: ['not-opted-in'], untilMs: null })
    h.step({ type: 'controls', controls: { optedIn: true, workers: 2, weights: [] } })
    expect(h.sent('bid')).toHaveLength(1)
    const own = new Harness({ optedIn: false, self: REQUESTER })
    own.offer()
    expect(own.sent('bid')).toHaveLength(1)
  })

  it('[X1] gives everything back when it is paused, says why, and comes back by itself', () => {
    const h = new Harness()
    h.offer()
    h.lease(0, 1, 2)
    h.step({ type: 'pause', pause: { reason: 'battery', untilMs: null } })
    h.step({ type: 'pause', pause: { reason: 'user', untilMs: NOW_MS + 1_800_000 } })
    expect(
      h
        .sent('release')
        .flatMap(({ releases }) => releases.map(({ unit }) => unit))
        .sort(),
    ).toEqual([0, 1, 2])
    expect(h.effects.filter((effect) => effect.type === 'cancelExecution')).toHaveLength(2)
    expect(h.sent('bid').at(-1)?.slots).toBe(0)
    expect(h.executor.status()).toEqual({ state: 'paused', reasons: ['battery', 'user'], untilMs: null })
    h.step({ type: 'resume', reason: 'battery' })
    expect(h.executor.status()).toEqual({ state: 'paused', reasons: ['user'], untilMs: NOW_MS + 1_800_000 })
    h.lease(5)
    expect(h.sent('release').at(-1)?.releases).toEqual([{ unit: 5, reason: 'paused' }])
    h.after(1_800_000)
    expect(h.executor.status().state).toBe('idle')
  })

  it('[X1] always has a reason for doing nothing', () => {
    const h = new Harness()
    expect(h.executor.status()).toEqual({ state: 'idle', reason: 'no-offers' })
    h.offer({ abi: 'wasi-command', resources: { ...h.of.spec.manifest.resources, cores: 65 } })
    expect(h.executor.status()).toEqual({ state: 'idle', reason: 'no-match' })
    const notices = h.effects.flatMap((effect) => (effect.type === 'emit' ? [effect.event] : []))
    expect(notices.find(({ type }) => type === 'offerDeclined')).toMatchObject({
      mismatches: [{ field: 'resources.cores' }],
    })
    const able = new Harness()
    able.offer()
    expect(able.executor.status()).toEqual({ state: 'idle', reason: 'waiting-for-leases' })
    able.lease(0)
    expect(able.executor.status()).toEqual({ state: 'working', running: 1, queued: 0 })
    const none = new Harness({ workers: 0 })
    expect(none.executor.status()).toEqual({ state: 'paused', reasons: ['no-workers'], untilMs: null })
  })

  it('[L8] sends results again until they are acknowledged, and persists them meanwhile', () => {
    const h = new Harness()
    h.offer()
    h.lease(0)
    h.finish(0)
    expect(h.results()).toEqual([0])
    h.after(HEARTBEAT_INTERVAL_MS)
    expect(h.results()).toEqual([0, 0])
    const ops = h.effects.flatMap((effect) => (effect.type === 'persist' ? effect.ops : []))
    expect(ops.map(({ bucket }) => bucket)).toEqual([BUCKETS.outbox])
    const effects = h.receive({ type: 'ack', job: h.of.job, units: [0] })
    expect(effects[0]).toEqual({ type: 'persist', ops: [{ ...ops[0], value: undefined }] })
    for (let i = 0; i < 5; i++) h.after(RESEND_INTERVAL_MS * 4)
    expect(h.results()).toEqual([0, 0])
  })

  it('[L9] sends after a restart what it had persisted', () => {
    const of = testJob({ unitCount: 100 })
    const receipt = testSignedReceipt(of, { executor: SELF, unit: 3 })
    const result = { receipt, outcome: outcomeOf(of.job, 3).encoded }
    const h = new Harness({ outbox: [{ requester: REQUESTER, job: of.job, result }] })
    expect(h.results()).toEqual([3])
  })

  it('[L4] tells with every heartbeat what it holds', () => {
    const h = new Harness({ workers: 1 })
    h.offer()
    h.lease(0, 1, 2)
    h.finish(0, SHORT_UNIT_US + 1)
    h.after(RECEIPTS_GATHER_MS)
    h.after(HEARTBEAT_INTERVAL_MS)
    expect(h.sent('bid').at(-1)).toMatchObject({
      session: 1,
      grant: 1,
      held: [{ job: h.of.job, queued: [2], running: [1], done: [0] }],
    })
  })

  it('[X5] signs and sends together what is finished while there is more to do', () => {
    const h = new Harness({ workers: 1 })
    h.offer()
    h.lease(...Array.from({ length: 9 }, (_, unit) => unit))
    const sent = () => h.sent('results').map(({ results }) => results.length)
    for (const unit of [0, 1, 2, 3]) h.finish(unit, SHORT_UNIT_US)
    expect(sent()).toEqual([])
    // Four are left of nine: the requester should lend more before they are through.
    h.finish(4, SHORT_UNIT_US)
    expect(sent()).toEqual([5])
    h.finish(5, SHORT_UNIT_US)
    expect(sent()).toEqual([5])
    h.after(RECEIPTS_GATHER_MS)
    expect(sent()).toEqual([5, 1])
    for (const unit of [6, 7, 8]) h.finish(unit, SHORT_UNIT_US)
    expect(h.results()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('[X5] signs the last unit at once, and gives back one whose signature fails', () => {
    const h = new Harness({ workers: 1 })
    h.offer()
    h.lease(0)
    h.finish(0)
    expect(h.results()).toEqual([0])
    h.signs = false
    h.lease(1)
    h.finish(1)
    const { id } = h.started().at(-1) ?? { id: -1 }
    h.step({ type: 'executionFailed', id, reason: 'internal' })
    expect(h.sent('release').at(-1)?.releases).toEqual([{ unit: 1, reason: 'internal' }])
    expect(h.executor.status()).toEqual({ state: 'idle', reason: 'waiting-for-leases' })
  })

  it('[X2] hands short units out several at once, and tops up when half of them are done', () => {
    const h = new Harness({ workers: 1 })
    h.offer()
    h.lease(...Array.from({ length: 100 }, (_, unit) => unit))
    expect(h.started()).toHaveLength(1)
    h.finish(0, SHORT_UNIT_US)
    expect(h.started()).toHaveLength(3)
    // The mean of the last durations falls below a millisecond.
    for (let unit = 1; unit <= 60; unit++) h.finish(unit, 1)
    const ahead = h.started().length - 61
    expect(ahead).toBeGreaterThan(EXECUTIONS_PER_WORKER_MAX / 2)
    expect(ahead).toBeLessThanOrEqual(EXECUTIONS_PER_WORKER_MAX)
  })

  it('[L3] releases a lease whose input is larger or smaller than the manifest allows', () => {
    const h = new Harness()
    h.offer()
    const { bytesMin, bytesMax } = h.of.spec.manifest.input
    const { inputHash } = testReceipt(h.of, 0)
    for (const [unit, inputBytes] of [bytesMin - 1, bytesMin, bytesMax, bytesMax + 1].entries()) {
      const lease = { unit, attempt: 1, inputHash, inputBytes, input: null }
      h.receive({ type: 'lease', job: h.of.job, session: 1, grant: 1, deadlineMs: 100_000, leases: [lease] })
    }
    expect(h.sent('release').flatMap(({ releases }) => releases)).toEqual([
      { unit: 0, reason: 'input-unavailable' },
      { unit: 3, reason: 'input-unavailable' },
    ])
  })

  it('[L3] releases what fails with its reason, and declines it the next time', () => {
    const h = new Harness()
    h.offer()
    h.lease(0)
    h.step({ type: 'executionFailed', id: h.started()[0]?.id ?? -1, reason: 'wall-limit' })
    h.lease(0)
    expect(h.sent('release').map(({ releases }) => releases)).toEqual([
      [{ unit: 0, reason: 'wall-limit' }],
      [{ unit: 0, reason: 'internal' }],
    ])
    expect(h.started()).toHaveLength(1)
  })

  it('stops what is cancelled, and everything when the job ends', () => {
    const h = new Harness({ workers: 1 })
    h.offer()
    h.lease(0, 1, 2)
    h.receive({ type: 'cancel', job: h.of.job, units: [0] })
    expect(h.effects).toContainEqual({ type: 'cancelExecution', id: h.started()[0]?.id })
    expect(h.started().map(({ unit }) => unit)).toEqual([0, 1])
    h.receive({ type: 'cancel', job: h.of.job, units: [] })
    expect(h.executor.status()).toEqual({ state: 'idle', reason: 'no-offers' })
  })

  it('[X2] asks for more units at once when they are tiny', () => {
    const h = new Harness({ workers: 1 })
    h.offer()
    h.lease(0, 1)
    expect(h.sent('bid').at(-1)?.slots).toBe(2)
    h.finish(0, 1_000)
    expect(h.sent('bid').at(-1)?.slots).toBe(129)
  })

  it('[R5] attests only what it found itself', () => {
    const h = new Harness()
    h.offer()
    h.lease(0)
    h.finish(0)
    const other = testPeer(30)
    const good = testSignedReceipt(h.of, { executor: other, unit: 0 })
    const lie = testSignedReceipt(h.of, { executor: other, unit: 0, lie: 'x' })
    const unknown = testSignedReceipt(h.of, { executor: other, unit: 1 })
    const own = testSignedReceipt(h.of, { executor: SELF, unit: 0 })
    h.receive({ type: 'countersign', job: h.of.job, receipts: [good, lie, unknown, own] })
    expect(h.sent('attestation')[0]?.attestation.attestation.receipts).toEqual([good.hash])
    h.receive({ type: 'countersign', job: h.of.job, receipts: [lie] })
    expect(h.sent('attestation')).toHaveLength(1)
  })

  it('[R3] never states more than the manifest allows', () => {
    const h = new Harness()
    h.offer()
    h.lease(0)
    h.finish(0, 31_000_000)
    const { durationUs, costMicroUnits } = h.sent('results')[0]?.results[0]?.receipt.receipt ?? {}
    expect({ durationUs, costMicroUnits }).toEqual({ durationUs: 30_000_000, costMicroUnits: 5_000n })
  })

  it('forgets a requester that offers no more, and its queue with it', () => {
    const h = new Harness({ workers: 1 })
    h.offer()
    h.lease(0, 1, 2)
    h.after(OFFER_TTL_MS + 1)
    h.finish(0)
    expect(h.started().map(({ unit }) => unit)).toEqual([0])
    expect(h.results()).toEqual([0])
  })
})
