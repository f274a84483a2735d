import type { JobId, PeerId } from '../codec/ids.ts'
import { ExecutorTrust } from './executor-trust.ts'
import type { JobRun } from './job-run.ts'
import type { LeaseState, OpenUnit } from './open-unit.ts'
import { REQUESTER_RULES, type RequesterRules } from './requester-rules.ts'
import type { Rng } from './rng.ts'

/** An executor as this requester knows it. */
export interface KnownExecutor {
  readonly peer: PeerId
  readonly jobs: Set<JobId>
  slots: number
  workers: number
  lastSeenMs: number
  /** Lease messages sent to it in this session. */
  grant: number
  /** By {@link leaseKey}. */
  readonly leases: Map<string, { readonly run: JobRun; readonly lease: LeaseState }>
}

/** `<job>/<unit>`. */
export const leaseKey = (job: JobId, unit: number): string => `${job}/${unit}`

/** What a requester is made with. */
export interface RequesterInit {
  readonly self: PeerId
  readonly rng: Rng
  readonly rules?: RequesterRules
}

/** What every concern of a requester works on: its open jobs, the executors it knows, and the moment of the step. */
export class RequesterState {
  readonly self: PeerId
  readonly rng: Rng
  readonly rules: RequesterRules
  readonly jobs = new Map<JobId, JobRun>()
  readonly executors = new Map<PeerId, KnownExecutor>()
  /** Executors with free slots. */
  readonly hungry = new Set<KnownExecutor>()
  readonly trust = new ExecutorTrust()
  session = 0
  slotsTotal = 0
  /** Pass of the job served last: a job that could not be served for a while does not make up for it at once. */
  passClock = 0
  /** Whether a unit or a slot became free, so that lending may succeed. */
  mayLend = false
  nowMs = 0

  constructor({ self, rng, rules = REQUESTER_RULES }: RequesterInit) {
    this.self = self
    this.rng = rng
    this.rules = rules
  }

  /** Does something with a job, if it is open. */
  withJob(job: JobId, action: (run: JobRun) => void): void {
    const run = this.jobs.get(job)
    if (run !== undefined) action(run)
  }

  /** Does something with a unit, if it is open. */
  withUnit(of: { readonly job: JobId; readonly unit: number }, action: (run: JobRun, unit: OpenUnit) => void): void {
    const run = this.jobs.get(of.job)
    const unit = run?.open.get(of.unit)
    if (run !== undefined && unit !== undefined) action(run, unit)
  }

  /** Does something with an executor, if it is known. */
  withExecutor(peer: PeerId, action: (executor: KnownExecutor) => void): void {
    const executor = this.executors.get(peer)
    if (executor !== undefined) action(executor)
  }

  /** Whether a job runs or waits, and for whom. */
  updateWait(run: JobRun): void {
    if (run.state.state !== 'running' && run.state.state !== 'waiting') return
    const executors = this.executorsOf(run)
    const needed = run.verification.quorum
    const early = this.nowMs < run.spec.manifest.validFromMs
    const short = executors < needed
    run.shortSinceMs = short ? (run.shortSinceMs ?? this.nowMs) : null
    const reason = early ? 'not-yet-valid' : executors === 0 ? 'no-executors' : 'few-executors'
    run.state = early || short ? { state: 'waiting', reason, executors, needed } : { state: 'running' }
  }

  /** How many executors may be lent units of the job. */
  executorsOf(run: JobRun): number {
    let count = 0
    for (const executor of this.executors.values()) {
      if (executor.slots > 0 && this.mayServe(executor, run)) count++
    }
    return count
  }

  /** Whether units of the job are lent at this moment. */
  isLending(run: JobRun): boolean {
    const { state } = run.state
    return (state === 'running' || state === 'waiting') && this.nowMs >= run.spec.manifest.validFromMs
  }

  /** Whether the job's units may go to this executor. */
  mayServe(executor: KnownExecutor, run: JobRun): boolean {
    if (!executor.jobs.has(run.job) || run.excluded.has(executor.peer)) return false
    if (executor.peer === this.self) return run.spec.executeHere
    return this.trust.mayServe(executor.peer, run.spec.manifest.serviceLevel)
  }

  /** Looks again whether a job waits, after its executors changed. */
  touch(job: JobId): void {
    this.withJob(job, (run) => {
      const before = run.state.state
      this.updateWait(run)
      if (run.state.state !== before) run.changed = true
    })
  }

  /** Writes down whether the executor has free slots. */
  markHungry(executor: KnownExecutor): void {
    if (executor.leases.size < executor.slots) {
      this.hungry.add(executor)
      this.mayLend = true
    } else {
      this.hungry.delete(executor)
    }
  }
}
