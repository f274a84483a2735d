import type { PeerId } from '../codec/ids.ts'
import type { Exclusions } from './exclusions.ts'
import type { ExecutorDesk } from './executor-desk.ts'
import type { JobRun } from './job-run.ts'
import type { LeaseEnds } from './lease-ends.ts'
import * as limits from './limits.ts'
import type { ResultsMessage, UnitResult } from './messages.ts'
import type { OpenUnit } from './open-unit.ts'
import { checkAgainstManifest } from './receipt-codec.ts'
import { recordOps } from './record-codec.ts'
import type { RequesterState } from './requester-state.ts'
import type { StepOutput } from './step-output.ts'
import { type Vote, voteOf } from './tally.ts'
import type { UnitVerdicts } from './unit-verdicts.ts'

/** What a result touches. */
interface IntakeConcerns {
  readonly leases: LeaseEnds
  readonly executors: ExecutorDesk
  readonly verdicts: UnitVerdicts
  readonly exclusions: Exclusions
}

/** Takes results in: checks them against their terms, and makes votes of them. Rules [L6] and [L8]. */
export class ResultIntake {
  readonly #state: RequesterState
  readonly #leases: LeaseEnds
  readonly #executors: ExecutorDesk
  readonly #verdicts: UnitVerdicts
  readonly #exclusions: Exclusions

  constructor(state: RequesterState, concerns: IntakeConcerns) {
    this.#state = state
    this.#leases = concerns.leases
    this.#executors = concerns.executors
    this.#verdicts = concerns.verdicts
    this.#exclusions = concerns.exclusions
  }

  /** An executor reports units. */
  take(peer: PeerId, message: ResultsMessage, out: StepOutput): void {
    const run = this.#state.jobs.get(message.job)
    for (const result of message.results) {
      const { unit } = result.receipt.receipt
      if (run === undefined || run.excluded.has(peer)) {
        if (run !== undefined) this.#leases.settle(run, { peer, unit }, 'cancelled', out)
        out.ack(peer, message.job, unit)
      } else {
        this.#result(run, { peer, result }, out)
      }
    }
  }

  #result(run: JobRun, what: { readonly peer: PeerId; readonly result: UnitResult }, out: StepOutput): void {
    const { peer, result } = what
    const signed = result.receipt
    const index = signed.receipt.unit
    if (index >= run.spec.unitCount) return this.#executors.sawBadMessage(peer, out)
    const decided = run.isDecided(index)
    if (!this.#state.rules.takesResults(decided)) {
      this.#leases.settle(run, { peer, unit: index }, 'result', out)
      out.ack(peer, run.job, index)
      return
    }
    // Results nobody asked for are welcome after a restart, but may not fill the memory.
    if (!run.open.has(index) && run.open.size >= limits.OPEN_UNITS_MAX) return
    const unit = run.unit(index)
    // Without the input there is nothing to compare the receipt's input hash with; the executor will send it again.
    if (unit.input === null) return this.#leases.load(run, unit, out)
    const lease = this.#leases.settle(run, { peer, unit: index }, 'result', out)
    if (lease !== undefined && lease.grant > 0) run.sawTurnaround(this.#state.nowMs - lease.grantedAtMs)
    if (signed.receipt.inputHash !== unit.input.hash || !this.#fitsTerms(run, result)) {
      this.#refuse(run, { peer, unit }, out)
      return
    }
    this.#vote(run, { unit, vote: voteOf(signed), outcome: result.outcome }, out)
  }

  #fitsTerms(run: JobRun, result: UnitResult): boolean {
    try {
      checkAgainstManifest(result.receipt.receipt, { manifest: run.spec.manifest, job: run.job })
      return true
    } catch {
      // Every error of the check is the executor's; which field it was is in the receipt that we do not keep.
      return false
    }
  }

  /** A receipt that contradicts the terms it was made under is worth no more than none. */
  #refuse(run: JobRun, of: { readonly peer: PeerId; readonly unit: OpenUnit }, out: StepOutput): void {
    of.unit.failedBy.add(of.peer)
    out.persist(recordOps.failure(run.job, of.unit.unit, of.peer))
    out.ack(of.peer, run.job, of.unit.unit)
    this.#executors.sawBadMessage(of.peer, out)
    if (!this.#leases.outOfAttempts(run, of.unit, out)) this.#leases.requeue(run, of.unit, out)
  }

  #vote(
    run: JobRun,
    what: { readonly unit: OpenUnit; readonly vote: Vote; readonly outcome: Uint8Array | null },
    out: StepOutput,
  ): void {
    const { unit, vote, outcome } = what
    const before = unit.votes.get(vote.peer)
    if (before !== undefined && before.key !== vote.key) {
      out.ack(vote.peer, run.job, unit.unit)
      this.#exclusions.accuse(run, { against: before, by: vote, reason: 'equivocation' }, out)
      return
    }
    const { outputHash } = vote.signed.receipt
    if (outcome !== null && !unit.outcomes.has(outputHash)) {
      unit.outcomes.add(outputHash)
      out.persist(recordOps.outcome(run.job, unit.unit, { hash: outputHash, encoded: outcome }))
    }
    if (before === undefined) {
      run.strikes.delete(vote.peer)
      unit.votes.set(vote.peer, vote)
    }
    const stored = unit.outcomes.has(outputHash)
    // Until somebody's outcome is here, whoever has it must keep it.
    if (stored) out.ack(vote.peer, run.job, unit.unit)
    else unit.owed.add(vote.peer)
    this.#verdicts.decide(run, unit, out)
    if (run.open.get(unit.unit) !== unit || unit.recorded.has(vote.peer) || !unit.votes.has(vote.peer)) return
    // Not decided yet: the receipt must survive on its own, before it is acknowledged.
    unit.recorded.add(vote.peer)
    out.persist(recordOps.vote(run.job, vote.signed, stored))
  }
}
