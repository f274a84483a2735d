import type { JobId, PeerId } from '../codec/ids.ts'
import type { ExclusionReason, UnitFailure } from './job.ts'
import type { JobRun } from './job-run.ts'
import * as limits from './limits.ts'
import type { ReleaseMessage, ReleaseReason } from './messages.ts'
import type { LeaseState, OpenUnit } from './open-unit.ts'
import { recordOps } from './record-codec.ts'
import type { LeaseEnd } from './requester-events.ts'
import { leaseKey, type RequesterState } from './requester-state.ts'
import type { StepOutput } from './step-output.ts'

/** Reasons that say nothing about the executor's ability to run the unit. */
const BLAMELESS: ReadonlySet<ReleaseReason> = new Set(['paused', 'overloaded', 'declined'])

/** A module that runs too long does so everywhere: it does not count against the executor, only against the pair. */
const NO_STRIKE: ReadonlySet<ReleaseReason> = new Set(['wall-limit'])

/** What the end of a lease may lead to. */
export interface LeaseConsequences {
  /** Nobody is left to try the unit. */
  failUnit(run: JobRun, what: { readonly unit: OpenUnit; readonly reason: UnitFailure }, out: StepOutput): void
  /** An executor failed too often. */
  exclude(run: JobRun, what: { readonly peer: PeerId; readonly reason: ExclusionReason }, out: StepOutput): void
}

/** How leases end, and where their units go then. Rules [L1] and [L3]. */
export class LeaseEnds {
  readonly #state: RequesterState
  readonly #consequences: LeaseConsequences

  constructor(state: RequesterState, consequences: LeaseConsequences) {
    this.#state = state
    this.#consequences = consequences
  }

  /** Takes a lease out of the books; its unit goes to others, unless it is over or nobody is left. */
  end(run: JobRun, lease: LeaseState, end: { readonly reason: LeaseEnd | 'result'; readonly out: StepOutput }): void {
    const unit = run.open.get(lease.unit)
    if (unit !== undefined) run.returned(unit, lease)
    else run.leases.delete(lease)
    const executor = this.#state.executors.get(lease.peer)
    if (executor !== undefined) {
      executor.leases.delete(leaseKey(run.job, lease.unit))
      this.#state.markHungry(executor)
    }
    if (end.reason === 'result') return
    end.out.emit({ type: 'leaseEnded', job: run.job, unit: lease.unit, peer: lease.peer, reason: end.reason })
    if (unit === undefined) return
    if (end.reason === 'vanished') unit.vanished++
    if (end.reason === 'cancelled' || this.outOfAttempts(run, unit, end.out)) return
    this.requeue(run, unit, end.out)
  }

  /** Ends the lease of a result, if there is one. */
  settle(
    run: JobRun,
    of: { readonly peer: PeerId; readonly unit: number },
    reason: 'result' | 'cancelled',
    out: StepOutput,
  ): LeaseState | undefined {
    const held = this.#state.executors.get(of.peer)?.leases.get(leaseKey(run.job, of.unit))
    if (held !== undefined) this.end(run, held.lease, { reason, out })
    return held?.lease
  }

  /** Ends a lease by the executor's fault: it never gets this unit again. Rule [L3]. */
  fail(
    run: JobRun,
    lease: LeaseState,
    why: { readonly reason: 'failed' | 'deadline'; readonly strike: boolean; readonly out: StepOutput },
  ): void {
    const unit = run.open.get(lease.unit)
    if (unit !== undefined && !unit.failedBy.has(lease.peer)) {
      unit.failedBy.add(lease.peer)
      why.out.persist(recordOps.failure(run.job, lease.unit, lease.peer))
    }
    this.end(run, lease, { reason: why.reason, out: why.out })
    if (!why.strike) return
    const strikes = (run.strikes.get(lease.peer) ?? 0) + 1
    run.strikes.set(lease.peer, strikes)
    if (strikes >= limits.EXECUTOR_STRIKES_MAX)
      this.#consequences.exclude(run, { peer: lease.peer, reason: 'unreliable' }, why.out)
  }

  /** Fails a unit that was tried often enough. @returns Whether it was. */
  outOfAttempts(run: JobRun, unit: OpenUnit, out: StepOutput): boolean {
    if (unit.leases.size > 0) return false
    const spent = unit.failedBy.size >= limits.UNIT_FAILURES_MAX || unit.vanished >= limits.UNIT_ATTEMPTS_MAX
    if (spent) this.#consequences.failUnit(run, { unit, reason: 'attempts' }, out)
    return spent
  }

  /** An executor gives units back. */
  released(peer: PeerId, message: ReleaseMessage, out: StepOutput): void {
    const executor = this.#state.executors.get(peer)
    for (const { unit, reason } of message.releases) {
      const held = executor?.leases.get(leaseKey(message.job, unit))
      if (held === undefined) {
        if (!BLAMELESS.has(reason)) this.#noteLateFailure(peer, { job: message.job, unit }, out)
        continue
      }
      if (BLAMELESS.has(reason)) this.end(held.run, held.lease, { reason: 'released', out })
      else this.fail(held.run, held.lease, { reason: 'failed', strike: !NO_STRIKE.has(reason), out })
    }
  }

  /** The lease was given up already, but who failed at the unit must be known before it is lent again. */
  #noteLateFailure(peer: PeerId, of: { readonly job: JobId; readonly unit: number }, out: StepOutput): void {
    this.#state.withUnit(of, (run, unit) => {
      if (unit.failedBy.has(peer)) return
      unit.failedBy.add(peer)
      out.persist(recordOps.failure(run.job, of.unit, peer))
    })
  }

  /** Has a unit lent again, if it needs further executors. */
  requeue(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    const result = run.requeue(unit)
    if (result === 'load') this.load(run, unit, out)
    this.#state.mayLend = true
  }

  /** Asks for a unit's input. */
  load(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    if (unit.loading) return
    unit.loading = true
    out.effect({ type: 'loadInputs', job: run.job, units: [unit.unit] })
  }
}
