import * as v from 'valibot'
import { compareBytes } from '../../core/codec/bytes.ts'
import { decode } from '../../core/codec/cbor.ts'
import type { JobId, PeerId } from '../../core/codec/ids.ts'
import { RECORD_LIMITS } from '../../core/codec/limits.ts'
import type { ExecutorMessage, RequesterMessage } from '../../core/tasks/messages.ts'
import { decodeReceipt } from '../../core/tasks/receipt-codec.ts'
import { unitKey } from '../../core/tasks/record-codec.ts'
import { BUCKETS } from '../../core/tasks/records.ts'
import type { RequesterNotice } from '../../core/tasks/requester-events.ts'
import type { StoreOp } from '../../core/tasks/store-ops.ts'
import { keyText } from '../../core/tasks/tally.ts'
import { type JobPlan, LIARS, type Scenario } from './scenario.ts'
import type { SimStore } from './sim-store.ts'
import { trueKey } from './truth.ts'

/** The promises of the scheduler. Each is watched from outside: by what is written, sent and announced, never by its own state. */
export type InvariantName =
  /** [V3] A unit is accepted at most once, and announced at most once. */
  | 'accepted-once'
  /** [V2] Nothing is accepted without its quorum of distinct executors' own receipts. */
  | 'quorum'
  /** [L8] What is acknowledged is durable, and stays. */
  | 'acknowledged-durable'
  /** [L9] After a restart a requester knows what it had decided. */
  | 'restart-continues'
  /** [L3] A unit is never lent again to an executor that failed at it. */
  | 'no-relend'
  /** [V1] An accepted outcome is the true one while liars are fewer than the quorum. */
  | 'true-outcome'
  /** [V5] Only liars are excluded as liars, and there is evidence. */
  | 'just-exclusion'
  /** [F1] Requesters that both wait get their weighted shares of an executor. */
  | 'fairness'
  /** [L1] A job ends when enough honest executors remain. */
  | 'liveness'

/** A broken promise. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
  readonly invariant: InvariantName

  constructor(invariant: InvariantName, what: string) {
    super(`[${invariant}] ${what}`)
    this.invariant = invariant
  }
}

const acceptedShape = v.looseObject({
  verdict: v.literal('accepted'),
  accepted: v.looseObject({
    unit: v.number(),
    outputHash: v.string(),
    exitCode: v.number(),
    trap: v.nullable(v.string()),
    gas: v.union([v.number(), v.bigint()]),
    executors: v.array(v.string()),
  }),
})
const decidedShape = v.union([acceptedShape, v.looseObject({ verdict: v.literal('failed'), unit: v.number() })])
const bytesList = v.array(v.instance(Uint8Array))
const jobShape = v.looseObject({
  state: v.looseObject({ state: v.string() }),
  excluded: v.array(v.looseObject({ peer: v.string(), reason: v.string() })),
})

const read = <T>(value: Uint8Array, schema: v.GenericSchema<unknown, T>): T =>
  decode(value, { what: 'record', limits: RECORD_LIMITS, schema })

interface Acknowledged {
  readonly requester: PeerId
  readonly executor: PeerId
  readonly job: JobId
  readonly unit: number
}

/** Watches one run. Every method throws {@link InvariantViolation}. */
export class Checker {
  readonly #jobs: ReadonlyMap<JobId, JobPlan>
  readonly #behaviours: ReadonlyMap<PeerId, string>
  /** Signed receipts, by the executor that really made them. */
  readonly #signed = new Map<string, PeerId>()
  readonly #written = new Set<string>()
  readonly #announced = new Set<string>()
  readonly #failedAt = new Set<string>()
  readonly #acknowledged: Acknowledged[] = []

  constructor(scenario: Scenario) {
    this.#jobs = new Map(scenario.jobs.map((plan) => [plan.job, plan]))
    this.#behaviours = new Map(scenario.peers.map(({ peer, behaviour }) => [peer, behaviour]))
  }

  /** How many units were decided in all, durably. */
  get decidedCount(): number {
    return this.#written.size
  }

  /** An executor signed a receipt. */
  signed(executor: PeerId, receiptHash: string): void {
    this.#signed.set(receiptHash, executor)
  }

  /** A write became durable. */
  wrote(ops: readonly StoreOp[]): void {
    const receipts = new Map(ops.filter((op) => op.bucket === BUCKETS.receipts).map((op) => [op.key, op.value]))
    for (const { bucket, key, value } of ops) {
      if (bucket !== BUCKETS.units || value === undefined) continue
      if (this.#written.has(key))
        throw new InvariantViolation('accepted-once', `unit ${key} is written as decided again`)
      this.#written.add(key)
      const decided = read(value, decidedShape)
      if (decided.verdict === 'accepted') this.#checkAccepted(key, decided.accepted, receipts.get(key))
    }
  }

  #checkAccepted(
    key: string,
    accepted: v.InferOutput<typeof acceptedShape>['accepted'],
    list: Uint8Array | undefined,
  ): void {
    // Unit keys begin with the job's id.
    const job = key.slice(0, 64) as JobId
    const plan = this.#plan(job)
    const agreed = keyText({ ...accepted, gas: BigInt(accepted.gas) } as never)
    const executors = new Set<PeerId>()
    for (const bytes of list === undefined ? [] : read(list, bytesList)) {
      const { executor, receipt, hash } = decodeReceipt(bytes).signed
      const own = this.#signed.get(hash) === executor
      if (own && receipt.manifest === job && receipt.unit === accepted.unit && keyText(receipt) === agreed) {
        executors.add(executor)
      }
    }
    const { quorum } = plan.spec.manifest.verification
    if (executors.size < quorum) {
      throw new InvariantViolation('quorum', `unit ${key} is accepted with ${executors.size} of ${quorum} executors`)
    }
    if (agreed !== trueKey(job, accepted.unit)) {
      throw new InvariantViolation('true-outcome', `unit ${key} is accepted with ${agreed}`)
    }
  }

  #plan(job: JobId): JobPlan {
    const plan = this.#jobs.get(job)
    if (plan === undefined) throw new Error(`Unknown job ${job}`)
    return plan
  }

  /** A requester announced something. */
  announced(requester: PeerId, notice: RequesterNotice, store: SimStore): void {
    if (notice.type === 'unitAccepted') {
      const key = unitKey(notice.job, notice.accepted.unit)
      if (this.#announced.has(key)) throw new InvariantViolation('accepted-once', `unit ${key} is announced again`)
      this.#announced.add(key)
    } else if (notice.type === 'leaseEnded' && (notice.reason === 'failed' || notice.reason === 'deadline')) {
      this.#failedAt.add(`${requester}/${unitKey(notice.job, notice.unit)}/${notice.peer}`)
    } else if (notice.type === 'excluded') {
      this.#checkExclusion(notice, store)
    }
  }

  #checkExclusion(notice: Extract<RequesterNotice, { type: 'excluded' }>, store: SimStore): void {
    const { peer, reason, job } = notice
    if (reason !== 'wrong-result' && reason !== 'equivocation') return
    const behaviour = this.#behaviours.get(peer)
    if (!LIARS.has(behaviour as never)) {
      throw new InvariantViolation('just-exclusion', `${behaviour} executor ${peer} is excluded for ${reason}`)
    }
    const evidence = store.keys(BUCKETS.evidence, `${job}/`).filter((key) => key.endsWith(peer))
    if (evidence.length === 0) throw new InvariantViolation('just-exclusion', `no evidence against ${peer} is kept`)
    for (const key of evidence) {
      // Listed keys have values.
      const [first, second] = read(store.read(BUCKETS.evidence, key) as Uint8Array, bytesList)
      const alone = first !== undefined && second !== undefined && compareBytes(first, second) === 0
      if (reason === 'equivocation' && alone)
        throw new InvariantViolation('just-exclusion', `evidence ${key} does not conflict`)
    }
  }

  /** A requester's message leaves. */
  sent(from: PeerId, to: PeerId, message: RequesterMessage | ExecutorMessage, store: SimStore): void {
    if (message.type === 'lease') {
      for (const { unit } of message.leases) {
        if (this.#failedAt.has(`${from}/${unitKey(message.job, unit)}/${to}`)) {
          throw new InvariantViolation(
            'no-relend',
            `unit ${unitKey(message.job, unit)} is lent again to ${to}, which failed at it`,
          )
        }
      }
    } else if (message.type === 'ack') {
      for (const unit of message.units) {
        const acknowledged = { requester: from, executor: to, job: message.job, unit }
        this.#checkDurable(acknowledged, store)
        this.#acknowledged.push(acknowledged)
      }
    }
  }

  #checkDurable({ executor, job, unit }: Acknowledged, store: SimStore): void {
    const key = unitKey(job, unit)
    const kept = store.has(BUCKETS.units, key) || store.has(BUCKETS.votes, `${key}/${executor}`)
    if (kept || store.has(BUCKETS.failures, `${key}/${executor}`)) return
    const record = store.read(BUCKETS.jobs, job)
    const { state, excluded } =
      record === undefined ? { state: { state: 'none' }, excluded: [] } : read(record, jobShape)
    if (excluded.some(({ peer }) => peer === executor)) return
    if (['done', 'cancelled', 'failed'].includes(state.state)) return
    throw new InvariantViolation('acknowledged-durable', `unit ${key} by ${executor} is acknowledged and not durable`)
  }

  /** A peer starts again: everything it had acknowledged must be there, and its requester must know it. */
  restarted(
    requester: PeerId,
    state: { readonly store: SimStore; readonly progress: readonly { job: JobId; accepted: number; failed: number }[] },
  ): void {
    this.#recheck(requester, state.store)
    for (const { job, accepted, failed } of state.progress) {
      const durable = state.store.keys(BUCKETS.units, `${job}/`).length
      if (accepted + failed !== durable) {
        const what = `job ${job.slice(0, 8)} has ${durable} decided units on disk and ${accepted + failed} in mind`
        throw new InvariantViolation('restart-continues', what)
      }
    }
  }

  #recheck(requester: PeerId, store: SimStore): void {
    for (const acknowledged of this.#acknowledged) {
      if (acknowledged.requester === requester) this.#checkDurable(acknowledged, store)
    }
  }

  /** The run is over. */
  finished(stores: ReadonlyMap<PeerId, SimStore>): void {
    for (const [peer, store] of stores) this.#recheck(peer, store)
    for (const { job, requester, spec } of this.#jobs.values()) {
      const store = stores.get(requester)
      const record = store?.read(BUCKETS.jobs, job)
      const state = record === undefined ? 'never stored' : read(record, jobShape).state.state
      const units = store?.keys(BUCKETS.units, `${job}/`) ?? []
      if (state !== 'done' || units.length !== spec.unitCount) {
        throw new InvariantViolation(
          'liveness',
          `job ${job.slice(0, 8)} is ${state} with ${units.length} of ${spec.unitCount} units`,
        )
      }
    }
  }
}
