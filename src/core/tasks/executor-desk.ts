import type { JobId, PeerId } from '../codec/ids.ts'
import type { Exclusions } from './exclusions.ts'
import type { LeaseEnds } from './lease-ends.ts'
import * as limits from './limits.ts'
import type { BidMessage } from './messages.ts'
import { type KnownExecutor, leaseKey, type RequesterState } from './requester-state.ts'
import type { StepOutput } from './step-output.ts'
import type { UnitLending } from './unit-lending.ts'

/** Executors come, say what they hold, and go. */
export class ExecutorDesk {
  readonly #state: RequesterState
  readonly #leases: LeaseEnds
  readonly #lending: UnitLending
  readonly #exclusions: Exclusions
  readonly #banned = new Set<PeerId>()
  readonly #badMessages = new Map<PeerId, number>()

  constructor(
    state: RequesterState,
    concerns: { readonly leases: LeaseEnds; readonly lending: UnitLending; readonly exclusions: Exclusions },
  ) {
    this.#state = state
    this.#leases = concerns.leases
    this.#lending = concerns.lending
    this.#exclusions = concerns.exclusions
  }

  /** Nothing is taken from it any more, and nothing sent to it. */
  isBanned(peer: PeerId): boolean {
    return this.#banned.has(peer)
  }

  /** An executor says what it offers and holds. */
  bid(peer: PeerId, bid: BidMessage, out: StepOutput): void {
    const known = this.#state.executors.get(peer)
    if (known === undefined && (bid.slots === 0 || this.#state.executors.size >= limits.EXECUTORS_MAX)) return
    const executor = known ?? this.#admit(peer)
    this.#updateOffer(executor, bid)
    this.#reconcile(executor, bid, out)
    if (bid.slots === 0 && executor.leases.size === 0) return this.dismiss(executor, 'goodbye', out)
    if (known === undefined) out.emit({ type: 'executorJoined', peer, slots: bid.slots })
    this.#state.markHungry(executor)
  }

  #admit(peer: PeerId): KnownExecutor {
    const executor = {
      peer,
      jobs: new Set<JobId>(),
      slots: 0,
      workers: 0,
      lastSeenMs: this.#state.nowMs,
      grant: 0,
      leases: new Map(),
    }
    this.#state.executors.set(peer, executor)
    return executor
  }

  /** Jobs gain and lose an executor by its bid; those may begin or cease to wait. */
  #updateOffer(executor: KnownExecutor, bid: BidMessage): void {
    const wasServing = executor.slots > 0
    const touched = bid.jobs.filter((job) => !executor.jobs.has(job))
    if (wasServing !== bid.slots > 0) touched.push(...bid.jobs)
    if (executor.jobs.size + touched.length > bid.jobs.length) touched.push(...executor.jobs)
    this.#state.slotsTotal += bid.slots - executor.slots
    executor.slots = bid.slots
    executor.workers = bid.workers
    executor.jobs.clear()
    for (const job of bid.jobs) executor.jobs.add(job)
    for (const job of touched) this.#state.touch(job)
  }

  /** Compares what an executor says it holds with what it was lent. Rule [L4]. */
  #reconcile(executor: KnownExecutor, bid: BidMessage, out: StepOutput): void {
    const held = new Set<string>()
    for (const { job, queued, running, done } of bid.held) {
      for (const unit of [...queued, ...running]) {
        held.add(leaseKey(job, unit))
        if (!executor.leases.has(leaseKey(job, unit)) && !this.#adopt(executor, { job, unit })) {
          out.cancel(executor.peer, job, unit)
        }
      }
      for (const unit of done) {
        held.add(leaseKey(job, unit))
        const run = this.#state.jobs.get(job)
        if (run === undefined || run.isDecided(unit)) out.ack(executor.peer, job, unit)
      }
    }
    const seen = bid.session === this.#state.session ? bid.grant : 0
    for (const [key, { run, lease }] of executor.leases) {
      // Sent, and arrived no later than what did arrive, or long ago: it is lost, or was given back in a message that is.
      const due = lease.grant <= seen || this.#state.nowMs - lease.grantedAtMs > limits.LEASE_LOST_AFTER_MS
      if (due && !held.has(key)) this.#leases.end(run, lease, { reason: 'lost', out })
    }
  }

  /** Takes a unit that an executor works at into the books again, after this requester's restart or a false alarm. */
  #adopt(executor: KnownExecutor, of: { readonly job: JobId; readonly unit: number }): boolean {
    const run = this.#state.jobs.get(of.job)
    if (run === undefined || of.unit >= run.spec.unitCount || run.isDecided(of.unit)) return false
    if (run.excluded.has(executor.peer) || run.state.state === 'paused') return false
    // More than it bid for is not believed: it could hold a whole job hostage.
    if (executor.leases.size >= executor.slots) return false
    const unit = run.unit(of.unit)
    if (run.wanted(unit) === 0 || !this.#state.rules.mayLend(unit, executor.peer)) return false
    this.#lending.book(executor, { run, unit, grant: 0 })
    return true
  }

  /** Forgets an executor; its units go to others. */
  dismiss(executor: KnownExecutor, reason: 'goodbye' | 'disconnected' | 'silent', out: StepOutput): void {
    for (const { run, lease } of [...executor.leases.values()])
      this.#leases.end(run, lease, { reason: 'vanished', out })
    this.#state.executors.delete(executor.peer)
    this.#state.hungry.delete(executor)
    this.#state.slotsTotal -= executor.slots
    for (const job of executor.jobs) this.#state.touch(job)
    out.emit({ type: 'executorLeft', peer: executor.peer, reason })
  }

  /** Counts what no honest peer sends; too much of it bars the peer. */
  sawBadMessage(peer: PeerId, out: StepOutput): void {
    const count = (this.#badMessages.get(peer) ?? 0) + 1
    if (this.#badMessages.size >= limits.BANNED_PEERS_MAX) this.#badMessages.clear()
    this.#badMessages.set(peer, count)
    if (count < limits.BAD_MESSAGES_MAX || this.#banned.size >= limits.BANNED_PEERS_MAX) return
    this.#banned.add(peer)
    this.#state.withExecutor(peer, (executor) => {
      for (const run of this.#state.jobs.values()) this.#exclusions.exclude(run, { peer, reason: 'bad-messages' }, out)
      this.dismiss(executor, 'goodbye', out)
    })
  }
}
