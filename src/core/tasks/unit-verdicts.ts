import { invariant } from '../codec/errors.ts'
import type { Hash } from '../codec/ids.ts'
import type { Countersigning } from './countersigning.ts'
import type { Exclusions } from './exclusions.ts'
import type { AcceptedUnit, UnitFailure } from './job.ts'
import type { JobRun } from './job-run.ts'
import type { LeaseEnds } from './lease-ends.ts'
import * as limits from './limits.ts'
import { leaderIn, type OpenUnit } from './open-unit.ts'
import type { SignedReceipt } from './receipt.ts'
import { recordOps } from './record-codec.ts'
import type { LoadedInput, OutcomeKey } from './requester-events.ts'
import type { RequesterState } from './requester-state.ts'
import type { StepOutput } from './step-output.ts'
import { keyText, type Leader } from './tally.ts'

/** Decides units: enough agree, this peer recomputes, or nobody is left to ask. Rules [V2] to [V4]. */
export class UnitVerdicts {
  readonly #state: RequesterState
  readonly #leases: LeaseEnds
  readonly #exclusions: Exclusions
  readonly #countersigning: Countersigning

  constructor(
    state: RequesterState,
    concerns: {
      readonly leases: LeaseEnds
      readonly exclusions: Exclusions
      readonly countersigning: Countersigning
    },
  ) {
    this.#state = state
    this.#leases = concerns.leases
    this.#exclusions = concerns.exclusions
    this.#countersigning = concerns.countersigning
  }

  /** Inputs were read; votes that waited for them are counted. */
  inputsLoaded(run: JobRun, inputs: readonly LoadedInput[], out: StepOutput): void {
    for (const input of inputs) {
      const unit = run.open.get(input.unit)
      if (unit === undefined || unit.input !== null) continue
      unit.input = input
      run.loaded(unit)
      // Votes restored from records are counted now.
      if (unit.votes.size > 0) this.decide(run, unit, out)
    }
    this.#state.mayLend = true
  }

  /** An outcome that voters held is here. */
  outcomeFetched(run: JobRun, unit: OpenUnit, outputHash: Hash, out: StepOutput): void {
    unit.fetching = false
    unit.outcomes.add(outputHash)
    this.decide(run, unit, out)
  }

  /** Nobody gave the outcome: those who stated it have lost their vote. */
  outcomeUnavailable(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    unit.fetching = false
    for (const peer of [...unit.owed]) {
      unit.owed.delete(peer)
      unit.votes.delete(peer)
      unit.failedBy.add(peer)
      if (unit.recorded.delete(peer)) out.persist(recordOps.dropVote(run.job, unit.unit, peer))
      out.persist(recordOps.failure(run.job, unit.unit, peer))
      out.ack(peer, run.job, unit.unit)
    }
    if (!this.#leases.outOfAttempts(run, unit, out)) this.decide(run, unit, out)
  }

  /** Accepts the unit if enough agree; otherwise asks for whatever is missing. Rules [V2] to [V4]. */
  decide(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    if (unit.audit === 'asked' || unit.fetching) return
    const leader = leaderIn(unit)
    if (leader !== undefined && this.#state.rules.quorumReached(leader.votes.length, run.verification.quorum)) {
      if (unit.audit === 'open' && this.#drawAudit(run, leader)) return this.#askVerdict(run, unit, out)
      unit.audit = 'settled'
      if (unit.outcomes.has(leader.outputHash)) return this.#accept(run, { unit, leader }, out)
      unit.fetching = true
      const from = leader.votes.map((vote) => vote.peer)
      out.effect({ type: 'fetchOutcome', job: run.job, unit: unit.unit, outputHash: leader.outputHash, from })
      return
    }
    const votes = unit.votes.size
    const quarrel = leader !== undefined && unit.verdict === null && leader.votes.length < votes
    if (quarrel && votes >= run.verification.replicas + limits.EXTRA_REPLICAS_MAX) {
      out.emit({ type: 'disagreement', job: run.job, unit: unit.unit, peers: [...unit.votes.keys()] })
      return this.#askVerdict(run, unit, out)
    }
    this.#leases.requeue(run, unit, out)
  }

  #drawAudit(run: JobRun, leader: Leader): boolean {
    const others = leader.votes.flatMap(({ peer }) => (peer === this.#state.self ? [] : [peer]))
    return this.#state.trust.auditDue(others, run.verification, this.#state.rng)
  }

  #askVerdict(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    unit.audit = 'asked'
    out.effect({ type: 'executeLocally', job: run.job, unit: unit.unit })
  }

  /** What this peer computed itself decides who lied; the unit still needs its quorum of others. Rule [V4]. */
  verdict(
    run: JobRun,
    what: { readonly unit: OpenUnit; readonly key: OutcomeKey | null; readonly own: SignedReceipt | null },
    out: StepOutput,
  ): void {
    const { unit, key, own } = what
    unit.audit = 'settled'
    if (key !== null) {
      unit.verdict = keyText(key)
      const by = own && { peer: this.#state.self, signed: own, key: unit.verdict }
      for (const vote of [...unit.votes.values()]) {
        if (vote.key !== unit.verdict) this.#exclusions.accuse(run, { against: vote, by, reason: 'wrong-result' }, out)
      }
    } else if (unit.votes.size >= run.verification.replicas + limits.EXTRA_REPLICAS_MAX) {
      return this.failUnit(run, { unit, reason: 'attempts' }, out)
    }
    this.decide(run, unit, out)
  }

  #accept(run: JobRun, what: { readonly unit: OpenUnit; readonly leader: Leader }, out: StepOutput): void {
    const { unit, leader } = what
    const index = unit.unit
    const signed = leader.votes.map((vote) => vote.signed)
    const first = signed[0]
    invariant(first !== undefined, 'a leader has a vote')
    const { outputHash, exitCode, trap, gas, durationUs } = first.receipt
    const accepted: AcceptedUnit = {
      unit: index,
      outputHash,
      exitCode,
      trap,
      gas,
      durationUs,
      costMicroUnits: signed.reduce((sum, { receipt }) => sum + receipt.costMicroUnits, 0n),
      executors: leader.votes.map((vote) => vote.peer),
      audited: unit.verdict !== null,
    }
    out.persist(
      recordOps.decided(run.job, { verdict: 'accepted', accepted }),
      recordOps.receipts(run.job, index, signed),
    )
    this.#closeUnit(run, { unit, keep: outputHash }, out)
    run.decide({ verdict: 'accepted', accepted })
    out.emit({ type: 'unitAccepted', job: run.job, accepted })
    if (signed.length > 1) this.#countersigning.add(run.job, signed, out)
    this.#exclusions.judgeMinority(run, { unit, leader }, out)
  }

  /** Clears records and leases that a decided unit leaves behind. */
  #closeUnit(run: JobRun, what: { readonly unit: OpenUnit; readonly keep: string | null }, out: StepOutput): void {
    const { unit, keep } = what
    for (const peer of unit.recorded) out.persist(recordOps.dropVote(run.job, unit.unit, peer))
    for (const peer of unit.failedBy) out.persist(recordOps.dropFailure(run.job, unit.unit, peer))
    for (const held of unit.outcomes) {
      if (held !== keep) out.persist(recordOps.dropOutcome(run.job, unit.unit, held))
    }
    for (const peer of unit.owed) out.ack(peer, run.job, unit.unit)
    for (const lease of [...unit.leases.values()]) {
      out.cancel(lease.peer, run.job, unit.unit)
      this.#leases.end(run, lease, { reason: 'cancelled', out })
    }
  }

  /** Gives a unit up for good. */
  failUnit(run: JobRun, what: { readonly unit: OpenUnit; readonly reason: UnitFailure }, out: StepOutput): void {
    const { unit, reason } = what
    if (run.isDecided(unit.unit)) return
    const decided = { verdict: 'failed', unit: unit.unit, reason } as const
    out.persist(recordOps.decided(run.job, decided))
    this.#closeUnit(run, { unit, keep: null }, out)
    run.decide(decided)
    out.emit({ type: 'unitFailed', job: run.job, unit: unit.unit, reason })
  }
}
