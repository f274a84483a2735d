import { invariant } from '../codec/errors.ts'
import type { JobRun } from './job-run.ts'
import * as limits from './limits.ts'
import type { OpenUnit } from './open-unit.ts'
import { type KnownExecutor, leaseKey, type RequesterState } from './requester-state.ts'
import type { StepOutput } from './step-output.ts'

/** Gives units out: to whom, in what shares, and how many. Rules [L1], [L2], [L5], [L7] and [L10]. */
export class UnitLending {
  readonly #state: RequesterState

  constructor(state: RequesterState) {
    this.#state = state
  }

  /** Reads inputs ahead, while anybody is there to take them. */
  refill(out: StepOutput): void {
    if (this.#state.slotsTotal === 0) return
    for (const run of this.#state.jobs.values()) {
      if (!this.#state.isLending(run)) continue
      const units = run.unitsToLoad(this.#state.slotsTotal)
      if (units.length > 0) out.effect({ type: 'loadInputs', job: run.job, units })
    }
  }

  /** Fills every free slot that can be filled. */
  lendAll(out: StepOutput): void {
    if (!this.#state.mayLend) return
    this.#state.mayLend = false
    const loads = [...this.#state.hungry].map((executor) => ({
      executor,
      peer: executor.peer,
      slots: executor.slots,
      held: executor.leases.size,
    }))
    const own = loads.filter(({ peer }) => peer === this.#state.self)
    const others = this.#state.trust.order(
      loads.filter(({ peer }) => peer !== this.#state.self),
      this.#state.rng,
    )
    for (const { executor } of [...own, ...others]) this.#feed(executor, out)
  }

  /** Fills one executor's free slots from its jobs, in the order of their weighted shares. Rule [L7]. */
  #feed(executor: KnownExecutor, out: StepOutput): void {
    const picked = new Map<JobRun, OpenUnit[]>()
    const runs = [...executor.jobs].flatMap((job) => this.#state.jobs.get(job) ?? [])
    const able = runs.filter((run) => this.#state.isLending(run) && this.#state.mayServe(executor, run))
    for (const run of able) run.pass = Math.max(run.pass, this.#state.passClock - 1)
    const grant = executor.grant + 1
    let free = Math.min(executor.slots, this.#share(executor, able)) - executor.leases.size
    let allowed = this.#allowance(executor, able, free)
    while (free > 0 && allowed > 0) {
      if (able.length > 1) able.sort((a, b) => a.pass - b.pass)
      const next = firstOf(able, (run) => run.take(executor.peer, this.#state.slotsTotal))
      if (next === undefined) break
      const { run, found } = next
      // Twice the share for each step of priority: nothing starves, and a step is felt.
      this.#state.passClock = run.pass
      run.pass += 1 / 2 ** run.spec.manifest.priority
      const units = picked.get(run) ?? []
      picked.set(run, units)
      units.push(found)
      // Booked at once, so that the next search sees it.
      this.book(executor, { run, unit: found, grant })
      free--
      allowed--
    }
    if (picked.size > 0) executor.grant = grant
    for (const [run, units] of picked) this.#sendLeases(executor, { run, units }, out)
  }

  /**
   * Units that an executor may hold so that all come to their end at about the same time: its part of half of what is left, as in guided
   * self-scheduling (Polychronopoulos and Kuck, IEEE Trans. Comp. C-36(12), 1987). Rule [L10].
   */
  #share(executor: KnownExecutor, runs: readonly JobRun[]): number {
    const left = runs.reduce((sum, run) => sum + run.leasesLeft, 0)
    const unitMs = longestUnitMs(runs)
    const ahead = unitMs === null ? 0 : Math.floor(limits.TAIL_PIPELINE_MS / Math.max(unitMs, 1e-3))
    const fewest = Math.max(1, executor.workers) * (1 + ahead)
    return Math.max(fewest, Math.ceil((left * executor.slots) / (2 * this.#state.slotsTotal)))
  }

  /** What the executor's quota leaves, counted in units of the longest kind among its jobs. */
  #allowance(executor: KnownExecutor, runs: readonly JobRun[], free: number): number {
    if (executor.peer === this.#state.self) return free
    const unitMs = longestUnitMs(runs)
    return this.#state.trust.allowance(executor.peer, { unitMs, held: executor.leases.size, free })
  }

  #lend(
    executor: KnownExecutor,
    what: { readonly run: JobRun; readonly units: readonly OpenUnit[] },
    out: StepOutput,
  ): void {
    executor.grant++
    for (const unit of what.units) this.book(executor, { run: what.run, unit, grant: executor.grant })
    this.#sendLeases(executor, what, out)
  }

  /** Writes a lease down. `grant` 0 stands for one that no message of this session carried. */
  book(executor: KnownExecutor, what: { readonly run: JobRun; readonly unit: OpenUnit; readonly grant: number }): void {
    const { run, unit, grant } = what
    const deadlineAtMs = this.#state.nowMs + run.leaseMs
    const lease = { unit: unit.unit, peer: executor.peer, grantedAtMs: this.#state.nowMs, deadlineAtMs, grant }
    run.lent(unit, lease)
    executor.leases.set(leaseKey(run.job, unit.unit), { run, lease })
    if (executor.leases.size >= executor.slots) this.#state.hungry.delete(executor)
  }

  #sendLeases(
    executor: KnownExecutor,
    what: { readonly run: JobRun; readonly units: readonly OpenUnit[] },
    out: StepOutput,
  ): void {
    const { run } = what
    for (const units of batches(what.units)) {
      const leases = units.map(({ unit, attempts, input }) => {
        invariant(input !== null, 'only a unit with its input is lent')
        return {
          unit,
          attempt: Math.min(attempts, limits.ATTEMPT_NUMBER_MAX),
          inputHash: input.hash,
          inputBytes: input.bytes,
          input: input.inline,
        }
      })
      const { grant } = executor
      const head = { job: run.job, session: this.#state.session, grant, deadlineMs: run.leaseMs }
      out.send(executor.peer, { type: 'lease', ...head, leases })
    }
    out.emit({ type: 'unitsLent', job: run.job, peer: executor.peer, units: what.units.map((unit) => unit.unit) })
  }

  /** Lends slow units a further time when nothing else is left to lend. Rule [L5]. */
  speculate(run: JobRun, out: StepOutput): void {
    if (!run.verification.speculation || !run.inTail || !this.#state.isLending(run)) return
    const slowAfterMs = run.slowAfterMs()
    if (slowAfterMs === null) return
    let scans = limits.SPECULATION_SCAN_MAX
    const slow: OpenUnit[] = []
    for (const lease of run.leases) {
      if (scans-- === 0 || this.#state.nowMs - lease.grantedAtMs < slowAfterMs) break
      const unit = run.open.get(lease.unit)
      // One spare is enough: a unit that has a lease younger than the threshold has it already.
      const fresh =
        unit && [...unit.leases.values()].some((other) => this.#state.nowMs - other.grantedAtMs < slowAfterMs)
      if (unit !== undefined && unit.input !== null && !fresh) slow.push(unit)
    }
    for (const unit of new Set(slow)) {
      const taker = [...this.#state.hungry].find((executor) => this.#canTake(executor, run, unit))
      if (taker === undefined) continue
      this.#lend(taker, { run, units: [unit] }, out)
    }
  }

  #canTake(executor: KnownExecutor, run: JobRun, unit: OpenUnit): boolean {
    const free = executor.leases.size < executor.slots
    if (!free || !this.#state.mayServe(executor, run) || this.#allowance(executor, [run], 1) === 0) return false
    return this.#state.rules.mayLend(unit, executor.peer)
  }
}

/** `null` while nothing is known of one of them. */
function longestUnitMs(runs: readonly JobRun[]): number | null {
  const known = runs.map((run) => run.meanUnitMs)
  return known.includes(null) ? null : Math.max(0, ...known.map((ms) => ms ?? 0))
}

function firstOf<R, T>(runs: readonly R[], find: (run: R) => T | undefined): { run: R; found: T } | undefined {
  for (const run of runs) {
    const found = find(run)
    if (found !== undefined) return { run, found }
  }
  return undefined
}

/** Splits leases so that no message has too many of them or too many bytes. */
function* batches(units: readonly OpenUnit[]): Generator<OpenUnit[]> {
  let batch: OpenUnit[] = []
  let bytes = 0
  for (const unit of units) {
    const size = unit.input?.inline?.length ?? 0
    if (batch.length === limits.LEASES_PER_MESSAGE_MAX || bytes + size > limits.LEASE_INPUT_BYTES_MAX) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(unit)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
