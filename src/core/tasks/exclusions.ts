import type { PeerId } from '../codec/ids.ts'
import type { ExclusionReason } from './job.ts'
import type { JobRun } from './job-run.ts'
import type { LeaseEnds } from './lease-ends.ts'
import type { OpenUnit } from './open-unit.ts'
import { recordOps } from './record-codec.ts'
import type { RequesterState } from './requester-state.ts'
import type { StepOutput } from './step-output.ts'
import type { Leader, Vote } from './tally.ts'

/** Who lied or failed too often gets nothing more of a job, and its word is taken back. Rule [V5]. */
export class Exclusions {
  readonly #state: RequesterState
  readonly #leases: LeaseEnds

  constructor(state: RequesterState, leases: LeaseEnds) {
    this.#state = state
    this.#leases = leases
  }

  /** Whoever stated another outcome than the accepted one lied, if at least two or this peer itself know better. Rule [V5]. */
  judgeMinority(run: JobRun, what: { readonly unit: OpenUnit; readonly leader: Leader }, out: StepOutput): void {
    const { unit, leader } = what
    const others = [...unit.votes.values()].filter((vote) => vote.key !== leader.key)
    if (others.length === 0) return
    out.emit({ type: 'disagreement', job: run.job, unit: unit.unit, peers: [...unit.votes.keys()] })
    if (leader.votes.length < 2 && unit.verdict === null) return
    const witness = leader.votes[0] ?? null
    for (const vote of others) this.accuse(run, { against: vote, by: witness, reason: 'wrong-result' }, out)
  }

  accuse(
    run: JobRun,
    what: { readonly against: Vote; readonly by: Vote | null; readonly reason: 'wrong-result' | 'equivocation' },
    out: StepOutput,
  ): void {
    const { against, by, reason } = what
    // Without a second receipt (this peer could not sign its own) the liar's is kept all the same.
    out.persist(recordOps.evidence(run.job, against.peer, [against.signed, (by ?? against).signed]))
    this.exclude(run, { peer: against.peer, reason }, out)
  }

  exclude(run: JobRun, what: { readonly peer: PeerId; readonly reason: ExclusionReason }, out: StepOutput): void {
    const { peer, reason } = what
    if (run.excluded.has(peer)) return
    run.excluded.set(peer, reason)
    run.changed = true
    this.#state.updateWait(run)
    out.persist(recordOps.job(run.record()))
    out.emit({ type: 'excluded', job: run.job, peer, reason })
    if (reason !== 'unreliable') this.#dropVotes(run, peer, out)
    for (const { run: leased, lease } of [...(this.#state.executors.get(peer)?.leases.values() ?? [])]) {
      if (leased !== run) continue
      out.cancel(peer, run.job, lease.unit)
      this.#leases.end(run, lease, { reason: 'lost', out })
    }
  }

  /** Takes an excluded executor's word back wherever it was not yet accepted. Rare, so it may look at every open unit. */
  #dropVotes(run: JobRun, peer: PeerId, out: StepOutput): void {
    for (const unit of [...run.open.values()]) {
      if (!unit.votes.delete(peer)) continue
      if (unit.recorded.delete(peer)) out.persist(recordOps.dropVote(run.job, unit.unit, peer))
      if (unit.owed.delete(peer)) out.ack(peer, run.job, unit.unit)
      this.#leases.requeue(run, unit, out)
    }
  }
}
