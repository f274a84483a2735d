import type { JobId, PeerId } from '../codec/ids.ts'
import type { DecidedUnit, ExclusionReason, JobProgress, JobSpec, JobState } from './job.ts'
import {
  INPUTS_AHEAD_MAX,
  INPUTS_AHEAD_MIN,
  LEASE_SLACK_MS,
  LEASE_WALL_FACTOR,
  SPECULATION_FACTOR,
  SPECULATION_MS_MIN,
  TAKE_SCAN_MAX,
  TURNAROUND_SAMPLES,
  UNITS_LENT_OPEN_MIN,
} from './limits.ts'
import { type LeaseState, leasesWanted, type OpenUnit, openUnit } from './open-unit.ts'
import { Queue } from './queue.ts'
import type { JobRecord } from './records.ts'
import type { RequesterRules } from './requester-rules.ts'

/** Fewer turnarounds than this say nothing about what is slow. */
const TURNAROUNDS_FOR_MEDIAN = 3

/** One job of a requester while it runs: which units are fresh, lent, to be lent again, and decided. */
export class JobRun {
  readonly job: JobId
  readonly spec: JobSpec
  readonly createdAtMs: number
  state: JobState
  /** Weighted work granted so far; the job with the least goes next. */
  pass = 0
  readonly excluded = new Map<PeerId, ExclusionReason>()
  readonly strikes = new Map<PeerId, number>()
  readonly open = new Map<number, OpenUnit>()
  /** In the order they were granted, which is the order of their deadlines too. */
  readonly leases = new Set<LeaseState>()
  accepted = 0
  succeeded = 0
  failed = 0
  costMicroUnits = 0n
  /** Since when it has too few executors; `null` while it has enough. */
  shortSinceMs: number | null = null
  /** Whether anything that a progress notice shows has changed. */
  changed = true
  /** What the last progress notice said of the state, and when. */
  shown: { readonly state: JobState['state'] | null; readonly atMs: number } = { state: null, atMs: 0 }
  readonly #rules: RequesterRules
  readonly #decided: Uint8Array
  #durationUs = 0
  #timedUnits = 0
  readonly #fresh = new Queue<number>()
  readonly #again = new Queue<number>()
  #nextFresh = 0
  #loadingFresh = 0
  #lentOpen = 0
  readonly #turnaroundsMs: number[] = []
  #turnaroundCount = 0

  constructor(init: Omit<JobRecord, 'excluded'>, rules: RequesterRules) {
    this.job = init.job
    this.spec = init.spec
    this.state = init.state
    this.createdAtMs = init.createdAtMs
    this.#rules = rules
    this.#decided = new Uint8Array(init.spec.unitCount)
  }

  get verification() {
    return this.spec.manifest.verification
  }

  get decidedCount(): number {
    return this.accepted + this.failed
  }

  /** Leases that what is undecided may still take when nothing goes wrong, those in flight among them; at most. */
  get leasesLeft(): number {
    const { replicas, quorum } = this.verification
    return (this.spec.unitCount - this.decidedCount) * Math.max(replicas, quorum)
  }

  /** Mean length of the accepted units so far, milliseconds; `null` before the first. */
  get meanUnitMs(): number | null {
    return this.#timedUnits === 0 ? null : this.#durationUs / this.#timedUnits / 1_000
  }

  /** From a lease until its unit goes to others. */
  get leaseMs(): number {
    return this.spec.manifest.resources.wallMsMax * LEASE_WALL_FACTOR + LEASE_SLACK_MS
  }

  isDecided(unit: number): boolean {
    return this.#decided[unit] === 1
  }

  /** Whether every unit was lent at least once and none waits to be lent again: what is left is in flight. */
  get inTail(): boolean {
    const allLent = this.#nextFresh >= this.spec.unitCount && this.#loadingFresh === 0 && this.#fresh.size === 0
    return allLent && this.#again.size === 0
  }

  /** Finds or makes the state of an undecided unit. */
  unit(index: number): OpenUnit {
    const unit = this.open.get(index) ?? openUnit(index)
    this.open.set(index, unit)
    return unit
  }

  wanted(unit: OpenUnit): number {
    return this.isDecided(unit.unit) ? 0 : leasesWanted(unit, this.verification)
  }

  /** Writes down what became of a unit, and forgets how it came to it. */
  decide(decided: DecidedUnit): void {
    const index = decided.verdict === 'accepted' ? decided.accepted.unit : decided.unit
    this.#decided[index] = 1
    if (decided.verdict === 'accepted') {
      this.accepted++
      if (decided.accepted.exitCode === 0) this.succeeded++
      this.costMicroUnits += decided.accepted.costMicroUnits
      this.#durationUs += decided.accepted.durationUs
      this.#timedUnits++
    } else {
      this.failed++
    }
    this.changed = true
    const open = this.open.get(index)
    if (open === undefined) return
    this.open.delete(index)
    if (open.prefetched) this.#loadingFresh--
    if (open.attempts > 0) this.#lentOpen--
  }

  /** Picks fresh units whose inputs should be read now, so that about `slotsTotal` twice over are ready. */
  unitsToLoad(slotsTotal: number): number[] {
    const target = Math.min(INPUTS_AHEAD_MAX, Math.max(INPUTS_AHEAD_MIN, slotsTotal * 2))
    const ahead = this.#fresh.size + this.#loadingFresh
    const units: number[] = []
    if (ahead > target / 2) return units
    while (ahead + units.length < target && this.#nextFresh < this.spec.unitCount) {
      const index = this.#nextFresh++
      // What is open already was restored or adopted, and is loaded on that way.
      if (this.isDecided(index) || this.open.has(index)) continue
      const unit = this.unit(index)
      unit.loading = true
      unit.prefetched = true
      units.push(index)
    }
    this.#loadingFresh += units.length
    return units
  }

  /** Takes note that an input was read, or could not be. With its input the unit can be lent from now on. */
  loaded(unit: OpenUnit): void {
    unit.loading = false
    if (unit.prefetched) this.#loadingFresh--
    const fresh = unit.prefetched && unit.attempts === 0
    unit.prefetched = false
    if (unit.input === null) return
    if (fresh) this.#fresh.push(unit.unit)
    else this.requeue(unit)
  }

  /** Puts a unit where the next free executor finds it, if it should be lent again. @returns Whether its input must be read first. */
  requeue(unit: OpenUnit): 'load' | 'queued' | 'no' {
    if (this.wanted(unit) === 0 || unit.queued) return 'no'
    if (unit.input === null) return unit.loading ? 'no' : 'load'
    unit.queued = true
    this.#again.push(unit.unit)
    return 'queued'
  }

  /** Finds a unit that this executor may take: one to be lent again first, else a fresh one. Rules [L2] and [L3]. */
  take(peer: PeerId, slotsTotal: number): OpenUnit | undefined {
    return this.#takeAgain(peer) ?? this.#takeFresh(peer, slotsTotal)
  }

  #takeAgain(peer: PeerId): OpenUnit | undefined {
    // What this executor may not take goes to the end: the next search begins elsewhere.
    for (let scans = Math.min(this.#again.size, TAKE_SCAN_MAX); scans > 0; scans--) {
      const index = this.#again.shift()
      const unit = index === undefined ? undefined : this.open.get(index)
      if (unit === undefined) continue
      const wanted = this.wanted(unit)
      unit.queued = false
      if (wanted === 0) continue
      const fits = this.#rules.mayLend(unit, peer)
      if (!fits || wanted > 1) this.requeue(unit)
      if (fits) return unit
    }
    return undefined
  }

  #takeFresh(peer: PeerId, slotsTotal: number): OpenUnit | undefined {
    if (this.#lentOpen >= Math.max(UNITS_LENT_OPEN_MIN, slotsTotal * 4)) return undefined
    while (this.#fresh.size > 0) {
      const index = this.#fresh.shift()
      const unit = index === undefined ? undefined : this.open.get(index)
      if (unit === undefined || this.wanted(unit) === 0) continue
      if (this.#rules.mayLend(unit, peer)) {
        if (this.wanted(unit) > 1) this.requeue(unit)
        return unit
      }
      this.requeue(unit)
    }
    return undefined
  }

  lent(unit: OpenUnit, lease: LeaseState): void {
    if (unit.attempts === 0) this.#lentOpen++
    unit.attempts++
    unit.leases.set(lease.peer, lease)
    this.leases.add(lease)
    this.changed = true
  }

  returned(unit: OpenUnit, lease: LeaseState): void {
    unit.leases.delete(lease.peer)
    this.leases.delete(lease)
    this.changed = true
  }

  /** Remembers how long a lease took to come back with a result. */
  sawTurnaround(ms: number): void {
    this.#turnaroundsMs[this.#turnaroundCount++ % TURNAROUND_SAMPLES] = ms
  }

  /** Age from which a lease counts as slow; `null` when too little is known. Rule [L5]. */
  slowAfterMs(): number | null {
    if (this.#turnaroundCount < TURNAROUNDS_FOR_MEDIAN) return null
    const sorted = [...this.#turnaroundsMs].sort((a, b) => a - b)
    // The list is not empty.
    const median = sorted[Math.floor(sorted.length / 2)] as number
    return Math.max(SPECULATION_MS_MIN, median * SPECULATION_FACTOR)
  }

  record(): JobRecord {
    const excluded = [...this.excluded].map(([peer, reason]) => ({ peer, reason }))
    const state: JobState = this.state.state === 'waiting' ? { state: 'running' } : this.state
    return { job: this.job, spec: this.spec, state, createdAtMs: this.createdAtMs, excluded }
  }

  progress(executors: number): JobProgress {
    return {
      job: this.job,
      state: this.state,
      unitCount: this.spec.unitCount,
      accepted: this.accepted,
      succeeded: this.succeeded,
      failed: this.failed,
      inFlight: this.leases.size,
      executors,
      costMicroUnits: this.costMicroUnits,
    }
  }
}
