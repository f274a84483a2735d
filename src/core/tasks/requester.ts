import type { JobId, PeerId } from '../codec/ids.ts'
import { Countersigning } from './countersigning.ts'
import { Exclusions } from './exclusions.ts'
import { ExecutorDesk } from './executor-desk.ts'
import type { JobSpec, JobState } from './job.ts'
import { JobRun } from './job-run.ts'
import { LeaseEnds } from './lease-ends.ts'
import * as limits from './limits.ts'
import type { AttestationMessage, ExecutorMessage, Offer } from './messages.ts'
import { recordOps } from './record-codec.ts'
import type { RequesterEffect, RequesterEvent } from './requester-events.ts'
import { type RequesterInit, RequesterState } from './requester-state.ts'
import { ResultIntake } from './result-intake.ts'
import { StepOutput } from './step-output.ts'
import { voteOf } from './tally.ts'
import { UnitLending } from './unit-lending.ts'
import { UnitVerdicts } from './unit-verdicts.ts'

/**
 * The requesting side of the scheduler: lends units to executors, gathers their signed results until enough agree, and accepts
 * each unit exactly once. Deterministic: the same events and the same random numbers give the same effects. Rules [L1] to [L9],
 * [V1] to [V5] of docs/PROTOCOL.md.
 *
 * Here are its jobs, its offers and its time; each other concern has a class of its own, and all share one {@link RequesterState}.
 *
 * @example
 * const requester = new Requester({ self, rng })
 * for (const effect of requester.step({ type: 'submit', nowMs, job, spec })) perform(effect)
 */
export class Requester {
  readonly #state: RequesterState
  readonly #leases: LeaseEnds
  readonly #lending: UnitLending
  readonly #executors: ExecutorDesk
  readonly #results: ResultIntake
  readonly #verdicts: UnitVerdicts
  readonly #countersigning = new Countersigning()
  #nextOfferAtMs = 0
  #wakeAtMs: number | null = null

  constructor(init: RequesterInit) {
    const state = new RequesterState(init)
    const leases = new LeaseEnds(state, {
      failUnit: (run, what, out) => verdicts.failUnit(run, what, out),
      exclude: (run, what, out) => exclusions.exclude(run, what, out),
    })
    const exclusions = new Exclusions(state, leases)
    const lending = new UnitLending(state)
    const verdicts = new UnitVerdicts(state, { leases, exclusions, countersigning: this.#countersigning })
    const executors = new ExecutorDesk(state, { leases, lending, exclusions })
    this.#state = state
    this.#leases = leases
    this.#lending = lending
    this.#executors = executors
    this.#verdicts = verdicts
    this.#results = new ResultIntake(state, { leases, executors, verdicts, exclusions })
  }

  /** Moves on by one event. */
  step(event: RequesterEvent): RequesterEffect[] {
    const out = new StepOutput()
    this.#state.nowMs = event.nowMs
    this.#handle(event, out)
    this.#lending.refill(out)
    this.#lending.lendAll(out)
    for (const run of this.#state.jobs.values()) if (run.changed) this.#refresh(run, out)
    const effects = out.finish()
    const wake = this.#wake(event.type === 'tick')
    if (wake !== null) effects.push(wake)
    return effects
  }

  /** Open jobs, for a first look; changes come as notices. */
  progress() {
    return [...this.#state.jobs.values()].map((run) => run.progress(this.#state.executorsOf(run)))
  }

  #handle(event: RequesterEvent, out: StepOutput): void {
    switch (event.type) {
      case 'start':
        return this.#start(event, out)
      case 'tick':
        return this.#tick(out)
      case 'submit':
        return this.#submit(event.job, event.spec, out)
      case 'cancelJob':
        return this.#state.withJob(event.job, (run) => this.#end(run, { state: 'cancelled' }, out))
      case 'pauseJob':
        return this.#state.withJob(event.job, (run) => this.#setState(run, { state: 'paused' }, out))
      case 'resumeJob':
        return this.#state.withJob(event.job, (run) => this.#setState(run, { state: 'running' }, out))
      case 'peerConnected':
        return this.#offerTo(event.peer, out)
      case 'peerDisconnected':
        return this.#state.withExecutor(event.peer, (executor) =>
          this.#executors.dismiss(executor, 'disconnected', out),
        )
      case 'badMessage':
        return this.#executors.sawBadMessage(event.from, out)
      case 'trust':
        this.#state.trust.set(event.policy)
        this.#state.mayLend = true
        return
      case 'message':
        return this.#message(event.from, event.message, out)
      case 'inputsLoaded':
        return this.#state.withJob(event.job, (run) => this.#verdicts.inputsLoaded(run, event.inputs, out))
      case 'inputFailed':
        return this.#state.withUnit(event, (run, unit) => this.#verdicts.failUnit(run, { unit, reason: 'input' }, out))
      case 'outcomeFetched':
        return this.#state.withUnit(event, (run, unit) =>
          this.#verdicts.outcomeFetched(run, unit, event.outputHash, out),
        )
      case 'outcomeUnavailable':
        return this.#state.withUnit(event, (run, unit) => this.#verdicts.outcomeUnavailable(run, unit, out))
      case 'executedLocally':
        return this.#state.withUnit(event, (run, unit) =>
          this.#verdicts.verdict(run, { unit, key: event.key, own: event.signed ?? null }, out),
        )
    }
  }

  #message(from: PeerId, message: ExecutorMessage, out: StepOutput): void {
    if (this.#executors.isBanned(from)) return
    const executor = this.#state.executors.get(from)
    if (executor !== undefined) executor.lastSeenMs = this.#state.nowMs
    switch (message.type) {
      case 'bid':
        return this.#executors.bid(from, message, out)
      case 'results':
        return this.#results.take(from, message, out)
      case 'release':
        return this.#leases.released(from, message, out)
      case 'attestation':
        return this.#attested(from, message, out)
    }
  }

  // Jobs

  /** Comes back to where the records end. What was in flight is in nobody's books any more; executors tell of it in their bids. */
  #start({ session, records }: Extract<RequesterEvent, { type: 'start' }>, out: StepOutput): void {
    this.#state.session = session
    for (const record of records.jobs) {
      const run = new JobRun(record, this.#state.rules)
      for (const { peer, reason } of record.excluded) run.excluded.set(peer, reason)
      this.#state.jobs.set(record.job, run)
      this.#state.updateWait(run)
    }
    for (const { job, decided } of records.decided) this.#state.jobs.get(job)?.decide(decided)
    for (const { job, vote, outcomeStored } of records.votes) {
      const run = this.#state.jobs.get(job)
      if (run === undefined || run.isDecided(vote.receipt.unit) || vote.receipt.unit >= run.spec.unitCount) continue
      const unit = run.unit(vote.receipt.unit)
      unit.votes.set(vote.executor, voteOf(vote))
      unit.recorded.add(vote.executor)
      if (outcomeStored) unit.outcomes.add(vote.receipt.outputHash)
      else unit.owed.add(vote.executor)
    }
    for (const { job, unit, peer } of records.failures) {
      const run = this.#state.jobs.get(job)
      if (run !== undefined && !run.isDecided(unit)) run.unit(unit).failedBy.add(peer)
    }
    for (const run of this.#state.jobs.values()) {
      // With their inputs they are counted again, and lent on or accepted.
      const units = [...run.open.values()].map((unit) => unit.unit)
      for (const unit of run.open.values()) unit.loading = true
      if (units.length > 0) out.effect({ type: 'loadInputs', job: run.job, units })
    }
  }

  #submit(job: JobId, spec: JobSpec, out: StepOutput): void {
    if (this.#state.jobs.has(job)) return
    const run = new JobRun(
      { job, spec, state: { state: 'running' }, createdAtMs: this.#state.nowMs },
      this.#state.rules,
    )
    run.pass = this.#state.passClock
    this.#state.jobs.set(job, run)
    this.#state.updateWait(run)
    out.persist(recordOps.job(run.record()))
    this.#broadcastOffers(out)
    this.#offerTo(this.#state.self, out)
    this.#state.mayLend = true
  }

  #setState(run: JobRun, state: JobState, out: StepOutput): void {
    run.state = state
    run.changed = true
    this.#state.updateWait(run)
    out.persist(recordOps.job(run.record()))
    this.#state.mayLend = true
    if (state.state === 'running') this.#broadcastOffers(out)
  }

  /** Ends a job for good: whoever still works for it is told to stop. */
  #end(run: JobRun, state: JobState, out: StepOutput): void {
    for (const lease of [...run.leases]) this.#leases.end(run, lease, { reason: 'cancelled', out })
    for (const executor of this.#state.executors.values()) {
      if (executor.jobs.has(run.job)) out.send(executor.peer, { type: 'cancel', job: run.job, units: [] })
    }
    run.state = state
    this.#state.jobs.delete(run.job)
    this.#countersigning.finish(run.job, out)
    out.persist(recordOps.job(run.record()))
    out.emit({ type: 'jobChanged', progress: run.progress(this.#state.executorsOf(run)) })
  }

  /** Tells of changes, and sees whether the job is done or lacks executors. */
  #refresh(run: JobRun, out: StepOutput): void {
    if (run.decidedCount === run.spec.unitCount) {
      this.#end(run, { state: 'done' }, out)
      return
    }
    const stateChanged = run.state.state !== run.shown.state
    if (!stateChanged && this.#state.nowMs - run.shown.atMs < limits.PROGRESS_INTERVAL_MS) return
    run.changed = false
    run.shown = { state: run.state.state, atMs: this.#state.nowMs }
    out.emit({ type: 'jobChanged', progress: run.progress(this.#state.executorsOf(run)) })
  }

  // Offers

  #offersFor(peer: PeerId | null): Offer[] {
    const offers: Offer[] = []
    for (const run of this.#state.jobs.values()) {
      if (offers.length === limits.OFFERS_PER_MESSAGE_MAX) break
      if (run.state.state === 'paused' || (peer === this.#state.self && !run.spec.executeHere)) continue
      if (peer !== null && run.excluded.has(peer)) continue
      const { manifest, manifestCid, unitCount } = run.spec
      const { module, abi, payment, resources, serviceLevel, priority, validUntilMs } = manifest
      const unitsLeft = unitCount - run.decidedCount
      const terms = { abi, payment, resources, serviceLevel, priority, validUntilMs }
      offers.push({ job: run.job, manifestCid, moduleCid: module, unitsLeft, ...terms })
    }
    return offers
  }

  #offerTo(peer: PeerId, out: StepOutput): void {
    if (this.#executors.isBanned(peer)) return
    const offers = this.#offersFor(peer)
    if (offers.length > 0) out.send(peer, { type: 'offer', offers })
  }

  #broadcastOffers(out: StepOutput): void {
    this.#nextOfferAtMs = this.#state.nowMs + limits.OFFER_INTERVAL_MS
    const offers = this.#offersFor(null)
    if (offers.length > 0) out.effect({ type: 'broadcast', message: { type: 'offer', offers } })
  }

  // Time

  #tick(out: StepOutput): void {
    this.#wakeAtMs = null
    for (const executor of [...this.#state.executors.values()]) {
      const silentMs = this.#state.nowMs - executor.lastSeenMs
      if (silentMs > limits.HEARTBEAT_TIMEOUT_MS) this.#executors.dismiss(executor, 'silent', out)
    }
    for (const run of [...this.#state.jobs.values()]) this.#tickJob(run, out)
    this.#countersigning.tick(this.#state.nowMs, out)
    if (this.#state.jobs.size > 0 && this.#state.nowMs >= this.#nextOfferAtMs) {
      this.#broadcastOffers(out)
      this.#offerTo(this.#state.self, out)
    }
    // Whoever found nothing before may find something now: time alone makes units slow.
    this.#state.mayLend = true
  }

  #tickJob(run: JobRun, out: StepOutput): void {
    const { validUntilMs } = run.spec.manifest
    const { shortage } = run.spec
    if (this.#state.nowMs >= validUntilMs) return this.#end(run, { state: 'failed', reason: 'expired' }, out)
    const shortMs = run.shortSinceMs === null ? 0 : this.#state.nowMs - run.shortSinceMs
    if (shortage.policy === 'fail' && run.shortSinceMs !== null && shortMs >= shortage.afterMs) {
      return this.#end(run, { state: 'failed', reason: 'few-executors' }, out)
    }
    for (const lease of run.leases) {
      if (lease.deadlineAtMs > this.#state.nowMs) break
      out.cancel(lease.peer, run.job, lease.unit)
      this.#leases.fail(run, lease, { reason: 'deadline', strike: true, out })
    }
    this.#lending.speculate(run, out)
    const before = run.state.state
    this.#state.updateWait(run)
    if (run.state.state !== before) run.changed = true
  }

  #wake(ticked: boolean): RequesterEffect | null {
    if (this.#state.jobs.size === 0 && !this.#countersigning.pending) return null
    const tail = [...this.#state.jobs.values()].some((run) => run.inTail && run.leases.size > 0)
    const atMs = this.#state.nowMs + (tail ? limits.TAIL_TICK_INTERVAL_MS : limits.TICK_INTERVAL_MS)
    // An earlier wish stands: pushing it on with every event would keep a busy requester from ever ticking.
    if (!ticked && this.#wakeAtMs !== null && this.#wakeAtMs <= atMs && this.#wakeAtMs > this.#state.nowMs) return null
    this.#wakeAtMs = atMs
    return { type: 'wakeAt', atMs }
  }

  #attested(peer: PeerId, message: AttestationMessage, out: StepOutput): void {
    const covers = this.#countersigning.answered(peer, message.attestation)
    if (covers.length > 0) out.persist(...recordOps.attestation(message.job, message.attestation, covers))
  }
}
