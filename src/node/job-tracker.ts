import type { PeerId } from '../core/codec/ids.ts'
import type { AcceptedUnit, JobState as CoreJobState, DecidedUnit } from '../core/tasks/job.ts'
import type { RequesterNotice } from '../core/tasks/requester-events.ts'
import {
  type ExecutorStats,
  type JobCounts,
  type JobProblem,
  type JobState,
  type Reason,
  UNIT_STATE,
  type UnitGrid,
} from './contract.ts'
import { JobProblems } from './job-problems.ts'
import { type Estimate, Throughput } from './throughput.ts'

/** Grid cells name their executor with 16 bits; executors beyond are shown as the last. */
const EXECUTORS_INDEXED_MAX = 65_534

interface Executor {
  inFlight: number
  delivered: number
  accepted: number
  failed: number
  totalMs: number
  costMicro: bigint
  excludedBecause: string | null
}

/** What one job looks like right now: the scheduler's notices, gathered for people. Holds no bytes of results. */
export class JobTracker {
  readonly unitCount: number
  /** Accepted units in the order of acceptance, which is the order results are read in. */
  readonly acceptedOrder: AcceptedUnit[] = []
  readonly #states: Uint8Array
  readonly #executorOf: Uint16Array
  readonly #peers: string[] = []
  readonly #peerIndex = new Map<string, number>()
  readonly #executors = new Map<string, Executor>()
  readonly #byUnit = new Map<number, AcceptedUnit>()
  readonly #counts = new Uint32Array(Object.keys(UNIT_STATE).length)
  readonly #throughput = new Throughput()
  readonly #problems = new JobProblems()
  readonly #changed = new Set<number>()
  #state: CoreJobState
  #verified = 0
  #unsuccessful = 0
  #costMicro = 0n
  #version = 0

  constructor(unitCount: number, state: CoreJobState) {
    this.unitCount = unitCount
    this.#state = state
    this.#states = new Uint8Array(unitCount)
    this.#executorOf = new Uint16Array(unitCount)
    this.#counts[UNIT_STATE.pending] = unitCount
  }

  get version(): number {
    return this.#version
  }

  /** Puts back what was decided before a restart; not counted as throughput. */
  restore(decided: readonly DecidedUnit[]): void {
    for (const each of decided) {
      if (each.verdict === 'accepted') this.#accept(each.accepted)
      else this.#set(each.unit, UNIT_STATE.failed)
    }
    this.#changed.clear()
  }

  /** Takes one notice that names this job. */
  apply(notice: RequesterNotice, nowMs: number): void {
    this.#version++
    switch (notice.type) {
      case 'jobChanged':
        this.#state = notice.progress.state
        return
      case 'unitsLent':
        return this.#lent(notice.peer, notice.units)
      case 'unitAccepted':
        this.#throughput.count(nowMs)
        return this.#accept(notice.accepted)
      case 'unitFailed':
        this.#set(notice.unit, UNIT_STATE.failed)
        return this.#problems.note(notice.reason, nowMs, [], `Unit ${notice.unit}`)
      case 'leaseEnded':
        return this.#leaseEnded(notice, nowMs)
      case 'disagreement':
        return this.#problems.note('disagreement', nowMs, notice.peers, `Unit ${notice.unit}: receipts differ`)
      case 'excluded':
        this.#executor(notice.peer).excludedBecause = notice.reason
        return this.#problems.note(notice.reason, nowMs, [notice.peer], `Executor excluded: ${notice.reason}`)
      default:
        return
    }
  }

  state(): { readonly state: JobState; readonly reason: Reason | null } {
    const core = this.#state
    if (core.state === 'waiting') {
      return { state: 'running', reason: { code: core.reason, detail: `${core.executors}/${core.needed}` } }
    }
    if (core.state === 'failed') return { state: 'failed', reason: { code: core.reason } }
    return { state: core.state, reason: null }
  }

  counts(): JobCounts {
    const of = (state: keyof typeof UNIT_STATE): number => this.#counts[UNIT_STATE[state]] ?? 0
    return {
      units: this.unitCount,
      pending: of('pending'),
      leased: of('leased'),
      verifying: of('verifying'),
      accepted: of('accepted') + of('verified') + of('unsuccessful'),
      verified: this.#verified,
      unsuccessful: this.#unsuccessful,
      failed: of('failed'),
    }
  }

  grid(): UnitGrid {
    return {
      version: this.#version,
      states: this.#states.slice(),
      executors: this.#executorOf.slice(),
      peers: [...this.#peers],
    }
  }

  get peers(): readonly string[] {
    return this.#peers
  }

  /** Units whose cell changed since the last call: triples of unit, state and executor. */
  takeChanges(): Uint32Array {
    const changes = new Uint32Array(this.#changed.size * 3)
    let at = 0
    for (const unit of this.#changed) {
      changes[at++] = unit
      changes[at++] = this.#states[unit] ?? 0
      changes[at++] = this.#executorOf[unit] ?? 0
    }
    this.#changed.clear()
    return changes
  }

  unitState(unit: number): keyof typeof UNIT_STATE {
    const code = this.#states[unit]
    const found = Object.entries(UNIT_STATE).find(([, value]) => value === code)
    return (found?.[0] ?? 'pending') as keyof typeof UNIT_STATE
  }

  accepted(unit: number): AcceptedUnit | undefined {
    return this.#byUnit.get(unit)
  }

  get costMicro(): bigint {
    return this.#costMicro
  }

  /** Executors that delivered at least one result that counted. */
  get executorCount(): number {
    let count = 0
    for (const executor of this.#executors.values()) if (executor.accepted > 0) count++
    return count
  }

  executors(self: PeerId): ExecutorStats[] {
    return [...this.#executors].map(([peerId, each]) => ({
      peerId,
      self: peerId === self,
      inFlight: each.inFlight,
      delivered: each.delivered,
      accepted: each.accepted,
      failed: each.failed,
      meanMs: each.accepted === 0 ? 0 : each.totalMs / each.accepted,
      costMicro: each.costMicro,
      excludedBecause: each.excludedBecause,
    }))
  }

  problems(): JobProblem[] {
    return this.#problems.list()
  }

  throughput(nowMs: number): readonly number[] {
    return this.#throughput.history(nowMs)
  }

  unitsPerSecond(nowMs: number): number {
    return this.#throughput.rate(nowMs)
  }

  estimate(nowMs: number): Estimate | null {
    const { units, accepted, failed } = this.counts()
    return this.#throughput.estimate(nowMs, units - accepted - failed)
  }

  #lent(peer: PeerId, units: readonly number[]): void {
    this.#executor(peer).inFlight += units.length
    for (const unit of units) {
      if ((this.#states[unit] ?? 0) > UNIT_STATE.verifying) continue
      this.#executorOf[unit] = this.#indexOf(peer)
      this.#set(unit, Math.max(UNIT_STATE.leased, this.#states[unit] ?? 0))
    }
  }

  #accept(accepted: AcceptedUnit): void {
    const { unit, executors, audited, exitCode, trap } = accepted
    if (this.#byUnit.has(unit)) return
    this.#byUnit.set(unit, accepted)
    this.acceptedOrder.push(accepted)
    const verified = executors.length >= 2 || audited
    const success = exitCode === 0 && trap === null
    if (verified) this.#verified++
    if (!success) this.#unsuccessful++
    this.#costMicro += accepted.costMicroUnits
    for (const peer of executors) this.#credit(peer, accepted)
    const first = executors[0]
    if (first !== undefined) this.#executorOf[unit] = this.#indexOf(first)
    this.#set(unit, !success ? UNIT_STATE.unsuccessful : verified ? UNIT_STATE.verified : UNIT_STATE.accepted)
  }

  #credit(peer: PeerId, accepted: AcceptedUnit): void {
    const executor = this.#executor(peer)
    executor.delivered++
    executor.accepted++
    executor.inFlight = Math.max(0, executor.inFlight - 1)
    executor.totalMs += accepted.durationUs / 1000
    executor.costMicro += accepted.costMicroUnits / BigInt(accepted.executors.length)
  }

  #leaseEnded({ unit, peer, reason }: Extract<RequesterNotice, { type: 'leaseEnded' }>, nowMs: number): void {
    const executor = this.#executor(peer)
    executor.inFlight = Math.max(0, executor.inFlight - 1)
    if (this.#states[unit] === UNIT_STATE.leased) this.#set(unit, UNIT_STATE.pending)
    if (reason === 'cancelled') return
    if (reason === 'failed') executor.failed++
    this.#problems.note(reason, nowMs, [peer], `Unit ${unit}`)
  }

  #set(unit: number, state: number): void {
    const before = this.#states[unit]
    if (before === undefined) return
    this.#changed.add(unit)
    if (before === state) return
    this.#counts[before] = (this.#counts[before] ?? 0) - 1
    this.#counts[state] = (this.#counts[state] ?? 0) + 1
    this.#states[unit] = state
  }

  #executor(peer: PeerId): Executor {
    let executor = this.#executors.get(peer)
    if (executor === undefined) {
      executor = { inFlight: 0, delivered: 0, accepted: 0, failed: 0, totalMs: 0, costMicro: 0n, excludedBecause: null }
      this.#executors.set(peer, executor)
    }
    return executor
  }

  #indexOf(peer: PeerId): number {
    const known = this.#peerIndex.get(peer)
    if (known !== undefined) return known
    if (this.#peers.length >= EXECUTORS_INDEXED_MAX) return EXECUTORS_INDEXED_MAX
    this.#peers.push(peer)
    this.#peerIndex.set(peer, this.#peers.length)
    return this.#peers.length
  }
}
