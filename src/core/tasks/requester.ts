import { invariant } from '../codec/errors.ts'
import type { JobId, PeerId } from '../codec/ids.ts'
import { Countersigning } from './countersigning.ts'
import { ExecutorTrust } from './executor-trust.ts'
import type { AcceptedUnit, ExclusionReason, JobSpec, JobState, UnitFailure } from './job.ts'
import { JobRun } from './job-run.ts'
import * as limits from './limits.ts'
import type {
  AttestationMessage,
  BidMessage,
  ExecutorMessage,
  Offer,
  ReleaseMessage,
  ReleaseReason,
  ResultsMessage,
  UnitResult,
} from './messages.ts'
import { type LeaseState, leaderIn, type OpenUnit } from './open-unit.ts'
import type { SignedReceipt } from './receipt.ts'
import { checkAgainstManifest } from './receipt-codec.ts'
import { recordOps } from './record-codec.ts'
import type { LeaseEnd, LoadedInput, OutcomeKey, RequesterEffect, RequesterEvent } from './requester-events.ts'
import { REQUESTER_RULES, type RequesterRules } from './requester-rules.ts'
import type { Rng } from './rng.ts'
import { StepOutput } from './step-output.ts'
import { keyText, type Leader, type Vote } from './tally.ts'

/** An executor as this requester knows it. */
interface Executor {
  readonly peer: PeerId
  readonly jobs: Set<JobId>
  slots: number
  lastSeenMs: number
  /** Lease messages sent to it in this session. */
  grant: number
  /** By `<job>/<unit>`. */
  readonly leases: Map<string, { readonly run: JobRun; readonly lease: LeaseState }>
}

/** Reasons that say nothing about the executor's ability to run the unit. */
const BLAMELESS: ReadonlySet<ReleaseReason> = new Set(['paused', 'overloaded', 'declined'])

/** A module that runs too long does so everywhere: it does not count against the executor, only against the pair. */
const NO_STRIKE: ReadonlySet<ReleaseReason> = new Set(['wall-limit'])

const leaseKey = (job: JobId, unit: number) => `${job}/${unit}`

/**
 * The requesting side of the scheduler: lends units to executors, gathers their signed results until enough agree, and accepts
 * each unit exactly once. Deterministic: the same events and the same random numbers give the same effects. Rules [L1] to [L9],
 * [V1] to [V6] of docs/PROTOCOL.md.
 *
 * @example
 * const requester = new Requester({ self, rng })
 * for (const effect of requester.step({ type: 'submit', nowMs, job, spec })) perform(effect)
 */
export class Requester {
  readonly #self: PeerId
  readonly #rng: Rng
  readonly #rules: RequesterRules
  #session = 0
  readonly #jobs = new Map<JobId, JobRun>()
  readonly #executors = new Map<PeerId, Executor>()
  /** Executors with free slots. */
  readonly #hungry = new Set<Executor>()
  readonly #banned = new Set<PeerId>()
  readonly #badMessages = new Map<PeerId, number>()
  readonly #countersigning = new Countersigning()
  readonly #trust = new ExecutorTrust()
  #slotsTotal = 0
  /** Pass of the job served last: a job that could not be served for a while does not make up for it at once. */
  #passClock = 0
  #nextOfferAtMs = 0
  #wakeAtMs: number | null = null
  /** Whether a unit or a slot became free, so that lending may succeed. */
  #mayLend = false
  #nowMs = 0

  constructor(init: { readonly self: PeerId; readonly rng: Rng; readonly rules?: RequesterRules }) {
    this.#self = init.self
    this.#rng = init.rng
    this.#rules = init.rules ?? REQUESTER_RULES
  }

  /** Moves on by one event. */
  step(event: RequesterEvent): RequesterEffect[] {
    const out = new StepOutput()
    this.#nowMs = event.nowMs
    this.#handle(event, out)
    this.#refill(out)
    this.#lendAll(out)
    for (const run of this.#jobs.values()) if (run.changed) this.#refresh(run, out)
    const effects = out.finish()
    const wake = this.#wake(event.type === 'tick')
    if (wake !== null) effects.push(wake)
    return effects
  }

  /** Open jobs, for a first look; changes come as notices. */
  progress() {
    return [...this.#jobs.values()].map((run) => run.progress(this.#executorsOf(run)))
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
        return this.#withJob(event.job, (run) => this.#end(run, { state: 'cancelled' }, out))
      case 'pauseJob':
        return this.#withJob(event.job, (run) => this.#setState(run, { state: 'paused' }, out))
      case 'resumeJob':
        return this.#withJob(event.job, (run) => this.#setState(run, { state: 'running' }, out))
      case 'peerConnected':
        return this.#offerTo(event.peer, out)
      case 'peerDisconnected':
        return this.#withExecutor(event.peer, (executor) => this.#dismiss(executor, 'disconnected', out))
      case 'badMessage':
        return this.#sawBadMessage(event.from, out)
      case 'trust':
        this.#trust.set(event.policy)
        this.#mayLend = true
        return
      case 'message':
        return this.#message(event.from, event.message, out)
      case 'inputsLoaded':
        return this.#withJob(event.job, (run) => this.#inputsLoaded(run, event.inputs, out))
      case 'inputFailed':
        return this.#withUnit(event, (run, unit) => this.#failUnit(run, { unit, reason: 'input' }, out))
      case 'outcomeFetched':
        return this.#withUnit(event, (run, unit) => {
          unit.fetching = false
          unit.outcomes.add(event.outputHash)
          this.#decide(run, unit, out)
        })
      case 'outcomeUnavailable':
        return this.#withUnit(event, (run, unit) => this.#outcomeUnavailable(run, unit, out))
      case 'executedLocally':
        return this.#withUnit(event, (run, unit) =>
          this.#verdict(run, { unit, key: event.key, own: event.signed ?? null }, out),
        )
    }
  }

  #withJob(job: JobId, action: (run: JobRun) => void): void {
    const run = this.#jobs.get(job)
    if (run !== undefined) action(run)
  }

  #withUnit(of: { readonly job: JobId; readonly unit: number }, action: (run: JobRun, unit: OpenUnit) => void): void {
    const run = this.#jobs.get(of.job)
    const unit = run?.open.get(of.unit)
    if (run !== undefined && unit !== undefined) action(run, unit)
  }

  #withExecutor(peer: PeerId, action: (executor: Executor) => void): void {
    const executor = this.#executors.get(peer)
    if (executor !== undefined) action(executor)
  }

  // Jobs

  /** Comes back to where the records end. What was in flight is in nobody's books any more; executors tell of it in their bids. */
  #start({ session, records }: Extract<RequesterEvent, { type: 'start' }>, out: StepOutput): void {
    this.#session = session
    for (const record of records.jobs) {
      const run = new JobRun(record, this.#rules)
      for (const { peer, reason } of record.excluded) run.excluded.set(peer, reason)
      this.#jobs.set(record.job, run)
      this.#updateWait(run)
    }
    for (const { job, decided } of records.decided) this.#jobs.get(job)?.decide(decided)
    for (const { job, vote, outcomeStored } of records.votes) {
      const run = this.#jobs.get(job)
      if (run === undefined || run.isDecided(vote.receipt.unit) || vote.receipt.unit >= run.spec.unitCount) continue
      const unit = run.unit(vote.receipt.unit)
      unit.votes.set(vote.executor, asVote(vote))
      unit.recorded.add(vote.executor)
      if (outcomeStored) unit.outcomes.add(vote.receipt.outputHash)
      else unit.owed.add(vote.executor)
    }
    for (const { job, unit, peer } of records.failures) {
      const run = this.#jobs.get(job)
      if (run !== undefined && !run.isDecided(unit)) run.unit(unit).failedBy.add(peer)
    }
    for (const run of this.#jobs.values()) {
      // With their inputs they are counted again, and lent on or accepted.
      const units = [...run.open.values()].map((unit) => unit.unit)
      for (const unit of run.open.values()) unit.loading = true
      if (units.length > 0) out.effect({ type: 'loadInputs', job: run.job, units })
    }
  }

  #submit(job: JobId, spec: JobSpec, out: StepOutput): void {
    if (this.#jobs.has(job)) return
    const run = new JobRun({ job, spec, state: { state: 'running' }, createdAtMs: this.#nowMs }, this.#rules)
    run.pass = this.#passClock
    this.#jobs.set(job, run)
    this.#updateWait(run)
    out.persist(recordOps.job(run.record()))
    this.#broadcastOffers(out)
    this.#offerTo(this.#self, out)
    this.#mayLend = true
  }

  #setState(run: JobRun, state: JobState, out: StepOutput): void {
    run.state = state
    run.changed = true
    this.#updateWait(run)
    out.persist(recordOps.job(run.record()))
    this.#mayLend = true
    if (state.state === 'running') this.#broadcastOffers(out)
  }

  /** Ends a job for good: whoever still works for it is told to stop. */
  #end(run: JobRun, state: JobState, out: StepOutput): void {
    for (const lease of [...run.leases]) this.#endLease(run, lease, { reason: 'cancelled', out })
    for (const executor of this.#executors.values()) {
      if (executor.jobs.has(run.job)) out.send(executor.peer, { type: 'cancel', job: run.job, units: [] })
    }
    run.state = state
    this.#jobs.delete(run.job)
    this.#countersigning.finish(run.job, out)
    out.persist(recordOps.job(run.record()))
    out.emit({ type: 'jobChanged', progress: run.progress(this.#executorsOf(run)) })
  }

  /** Tells of changes, and sees whether the job is done or lacks executors. */
  #refresh(run: JobRun, out: StepOutput): void {
    if (run.decidedCount === run.spec.unitCount) {
      this.#end(run, { state: 'done' }, out)
      return
    }
    const stateChanged = run.state.state !== run.shown.state
    if (!stateChanged && this.#nowMs - run.shown.atMs < limits.PROGRESS_INTERVAL_MS) return
    run.changed = false
    run.shown = { state: run.state.state, atMs: this.#nowMs }
    out.emit({ type: 'jobChanged', progress: run.progress(this.#executorsOf(run)) })
  }

  #updateWait(run: JobRun): void {
    if (run.state.state !== 'running' && run.state.state !== 'waiting') return
    const executors = this.#executorsOf(run)
    const needed = run.verification.quorum
    const early = this.#nowMs < run.spec.manifest.validFromMs
    const short = executors < needed
    run.shortSinceMs = short ? (run.shortSinceMs ?? this.#nowMs) : null
    const reason = early ? 'not-yet-valid' : executors === 0 ? 'no-executors' : 'few-executors'
    run.state = early || short ? { state: 'waiting', reason, executors, needed } : { state: 'running' }
  }

  #executorsOf(run: JobRun): number {
    let count = 0
    for (const executor of this.#executors.values()) {
      if (executor.slots > 0 && this.#mayServe(executor, run)) count++
    }
    return count
  }

  // Offers

  #offersFor(peer: PeerId | null): Offer[] {
    const offers: Offer[] = []
    for (const run of this.#jobs.values()) {
      if (offers.length === limits.OFFERS_PER_MESSAGE_MAX) break
      if (run.state.state === 'paused' || (peer === this.#self && !run.spec.executeHere)) continue
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
    if (this.#banned.has(peer)) return
    const offers = this.#offersFor(peer)
    if (offers.length > 0) out.send(peer, { type: 'offer', offers })
  }

  #broadcastOffers(out: StepOutput): void {
    this.#nextOfferAtMs = this.#nowMs + limits.OFFER_INTERVAL_MS
    const offers = this.#offersFor(null)
    if (offers.length > 0) out.effect({ type: 'broadcast', message: { type: 'offer', offers } })
  }

  // Time

  #tick(out: StepOutput): void {
    this.#wakeAtMs = null
    for (const executor of [...this.#executors.values()]) {
      const silentMs = this.#nowMs - executor.lastSeenMs
      if (silentMs > limits.HEARTBEAT_TIMEOUT_MS) this.#dismiss(executor, 'silent', out)
    }
    for (const run of [...this.#jobs.values()]) this.#tickJob(run, out)
    this.#countersigning.tick(this.#nowMs, out)
    if (this.#jobs.size > 0 && this.#nowMs >= this.#nextOfferAtMs) {
      this.#broadcastOffers(out)
      this.#offerTo(this.#self, out)
    }
    // Whoever found nothing before may find something now: time alone makes units slow.
    this.#mayLend = true
  }

  #tickJob(run: JobRun, out: StepOutput): void {
    const { validUntilMs } = run.spec.manifest
    const { shortage } = run.spec
    if (this.#nowMs >= validUntilMs) return this.#end(run, { state: 'failed', reason: 'expired' }, out)
    const shortMs = run.shortSinceMs === null ? 0 : this.#nowMs - run.shortSinceMs
    if (shortage.policy === 'fail' && run.shortSinceMs !== null && shortMs >= shortage.afterMs) {
      return this.#end(run, { state: 'failed', reason: 'few-executors' }, out)
    }
    for (const lease of run.leases) {
      if (lease.deadlineAtMs > this.#nowMs) break
      out.cancel(lease.peer, run.job, lease.unit)
      this.#fail(run, lease, { reason: 'deadline', strike: true, out })
    }
    this.#speculate(run, out)
    const before = run.state.state
    this.#updateWait(run)
    if (run.state.state !== before) run.changed = true
  }

  /** Lends slow units a further time when nothing else is left to lend. Rule [L5]. */
  #speculate(run: JobRun, out: StepOutput): void {
    if (!run.verification.speculation || !run.inTail || !this.#isLending(run)) return
    const slowAfterMs = run.slowAfterMs()
    if (slowAfterMs === null) return
    let scans = limits.SPECULATION_SCAN_MAX
    const slow: OpenUnit[] = []
    for (const lease of run.leases) {
      if (scans-- === 0 || this.#nowMs - lease.grantedAtMs < slowAfterMs) break
      const unit = run.open.get(lease.unit)
      // One spare is enough: a unit that has a lease younger than the threshold has it already.
      const fresh = unit && [...unit.leases.values()].some((other) => this.#nowMs - other.grantedAtMs < slowAfterMs)
      if (unit !== undefined && unit.input !== null && !fresh) slow.push(unit)
    }
    for (const unit of new Set(slow)) {
      const taker = [...this.#hungry].find((executor) => this.#canTake(executor, run, unit))
      if (taker === undefined) continue
      this.#lend(taker, { run, units: [unit] }, out)
    }
  }

  #canTake(executor: Executor, run: JobRun, unit: OpenUnit): boolean {
    const free = executor.leases.size < executor.slots
    if (!free || !this.#mayServe(executor, run) || this.#allowance(executor, [run], 1) === 0) return false
    return this.#rules.mayLend(unit, executor.peer)
  }

  #wake(ticked: boolean): RequesterEffect | null {
    if (this.#jobs.size === 0 && !this.#countersigning.pending) return null
    const tail = [...this.#jobs.values()].some((run) => run.inTail && run.leases.size > 0)
    const atMs = this.#nowMs + (tail ? limits.TAIL_TICK_INTERVAL_MS : limits.TICK_INTERVAL_MS)
    // An earlier wish stands: pushing it on with every event would keep a busy requester from ever ticking.
    if (!ticked && this.#wakeAtMs !== null && this.#wakeAtMs <= atMs && this.#wakeAtMs > this.#nowMs) return null
    this.#wakeAtMs = atMs
    return { type: 'wakeAt', atMs }
  }

  // Executors

  #message(from: PeerId, message: ExecutorMessage, out: StepOutput): void {
    if (this.#banned.has(from)) return
    const executor = this.#executors.get(from)
    if (executor !== undefined) executor.lastSeenMs = this.#nowMs
    switch (message.type) {
      case 'bid':
        return this.#bid(from, message, out)
      case 'results':
        return this.#results(from, message, out)
      case 'release':
        return this.#released(from, message, out)
      case 'attestation':
        return this.#attested(from, message, out)
    }
  }

  #bid(peer: PeerId, bid: BidMessage, out: StepOutput): void {
    const known = this.#executors.get(peer)
    if (known === undefined && (bid.slots === 0 || this.#executors.size >= limits.EXECUTORS_MAX)) return
    const executor = known ?? this.#admit(peer)
    this.#updateOffer(executor, bid)
    this.#reconcile(executor, bid, out)
    if (bid.slots === 0 && executor.leases.size === 0) return this.#dismiss(executor, 'goodbye', out)
    if (known === undefined) out.emit({ type: 'executorJoined', peer, slots: bid.slots })
    this.#markHungry(executor)
  }

  #admit(peer: PeerId): Executor {
    const executor = { peer, jobs: new Set<JobId>(), slots: 0, lastSeenMs: this.#nowMs, grant: 0, leases: new Map() }
    this.#executors.set(peer, executor)
    return executor
  }

  /** Jobs gain and lose an executor by its bid; those may begin or cease to wait. */
  #updateOffer(executor: Executor, bid: BidMessage): void {
    const wasServing = executor.slots > 0
    const touched = bid.jobs.filter((job) => !executor.jobs.has(job))
    if (wasServing !== bid.slots > 0) touched.push(...bid.jobs)
    if (executor.jobs.size + touched.length > bid.jobs.length) touched.push(...executor.jobs)
    this.#slotsTotal += bid.slots - executor.slots
    executor.slots = bid.slots
    executor.jobs.clear()
    for (const job of bid.jobs) executor.jobs.add(job)
    for (const job of touched) this.#touch(job)
  }

  #touch(job: JobId): void {
    this.#withJob(job, (run) => {
      const before = run.state.state
      this.#updateWait(run)
      if (run.state.state !== before) run.changed = true
    })
  }

  /** Compares what an executor says it holds with what it was lent. Rule [L4]. */
  #reconcile(executor: Executor, bid: BidMessage, out: StepOutput): void {
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
        const run = this.#jobs.get(job)
        if (run === undefined || run.isDecided(unit)) out.ack(executor.peer, job, unit)
      }
    }
    const seen = bid.session === this.#session ? bid.grant : 0
    for (const [key, { run, lease }] of executor.leases) {
      // Sent, and arrived no later than what did arrive, or long ago: it is lost, or was given back in a message that is.
      const due = lease.grant <= seen || this.#nowMs - lease.grantedAtMs > limits.LEASE_LOST_AFTER_MS
      if (due && !held.has(key)) this.#endLease(run, lease, { reason: 'lost', out })
    }
  }

  /** Takes a unit that an executor works at into the books again, after this requester's restart or a false alarm. */
  #adopt(executor: Executor, of: { readonly job: JobId; readonly unit: number }): boolean {
    const run = this.#jobs.get(of.job)
    if (run === undefined || of.unit >= run.spec.unitCount || run.isDecided(of.unit)) return false
    if (run.excluded.has(executor.peer) || run.state.state === 'paused') return false
    // More than it bid for is not believed: it could hold a whole job hostage.
    if (executor.leases.size >= executor.slots) return false
    const unit = run.unit(of.unit)
    if (run.wanted(unit) === 0 || !this.#rules.mayLend(unit, executor.peer)) return false
    this.#book(executor, { run, unit, grant: 0 })
    return true
  }

  #markHungry(executor: Executor): void {
    if (executor.leases.size < executor.slots) {
      this.#hungry.add(executor)
      this.#mayLend = true
    } else {
      this.#hungry.delete(executor)
    }
  }

  #dismiss(executor: Executor, reason: 'goodbye' | 'disconnected' | 'silent', out: StepOutput): void {
    for (const { run, lease } of [...executor.leases.values()]) this.#endLease(run, lease, { reason: 'vanished', out })
    this.#executors.delete(executor.peer)
    this.#hungry.delete(executor)
    this.#slotsTotal -= executor.slots
    for (const job of executor.jobs) this.#touch(job)
    out.emit({ type: 'executorLeft', peer: executor.peer, reason })
  }

  #sawBadMessage(peer: PeerId, out: StepOutput): void {
    const count = (this.#badMessages.get(peer) ?? 0) + 1
    if (this.#badMessages.size >= limits.BANNED_PEERS_MAX) this.#badMessages.clear()
    this.#badMessages.set(peer, count)
    if (count < limits.BAD_MESSAGES_MAX || this.#banned.size >= limits.BANNED_PEERS_MAX) return
    this.#banned.add(peer)
    this.#withExecutor(peer, (executor) => {
      for (const run of this.#jobs.values()) this.#exclude(run, { peer, reason: 'bad-messages' }, out)
      this.#dismiss(executor, 'goodbye', out)
    })
  }

  // Lending

  #isLending(run: JobRun): boolean {
    const { state } = run.state
    return (state === 'running' || state === 'waiting') && this.#nowMs >= run.spec.manifest.validFromMs
  }

  #mayServe(executor: Executor, run: JobRun): boolean {
    if (!executor.jobs.has(run.job) || run.excluded.has(executor.peer)) return false
    if (executor.peer === this.#self) return run.spec.executeHere
    return this.#trust.mayServe(executor.peer, run.spec.manifest.serviceLevel)
  }

  /** Reads inputs ahead, while anybody is there to take them. */
  #refill(out: StepOutput): void {
    if (this.#slotsTotal === 0) return
    for (const run of this.#jobs.values()) {
      if (!this.#isLending(run)) continue
      const units = run.unitsToLoad(this.#slotsTotal)
      if (units.length > 0) out.effect({ type: 'loadInputs', job: run.job, units })
    }
  }

  #lendAll(out: StepOutput): void {
    if (!this.#mayLend) return
    this.#mayLend = false
    const loads = [...this.#hungry].map((executor) => ({
      executor,
      peer: executor.peer,
      slots: executor.slots,
      held: executor.leases.size,
    }))
    const own = loads.filter(({ peer }) => peer === this.#self)
    const others = this.#trust.order(
      loads.filter(({ peer }) => peer !== this.#self),
      this.#rng,
    )
    for (const { executor } of [...own, ...others]) this.#feed(executor, out)
  }

  /** Fills one executor's free slots from its jobs, in the order of their weighted shares. Rule [L7]. */
  #feed(executor: Executor, out: StepOutput): void {
    const picked = new Map<JobRun, OpenUnit[]>()
    const runs = [...executor.jobs].flatMap((job) => this.#jobs.get(job) ?? [])
    const able = runs.filter((run) => this.#isLending(run) && this.#mayServe(executor, run))
    for (const run of able) run.pass = Math.max(run.pass, this.#passClock - 1)
    const grant = executor.grant + 1
    let free = executor.slots - executor.leases.size
    let allowed = this.#allowance(executor, able, free)
    while (free > 0 && allowed > 0) {
      if (able.length > 1) able.sort((a, b) => a.pass - b.pass)
      const next = firstOf(able, (run) => run.take(executor.peer, this.#slotsTotal))
      if (next === undefined) break
      const { run, found } = next
      // Twice the share for each step of priority: nothing starves, and a step is felt.
      this.#passClock = run.pass
      run.pass += 1 / 2 ** run.spec.manifest.priority
      const units = picked.get(run) ?? []
      picked.set(run, units)
      units.push(found)
      // Booked at once, so that the next search sees it.
      this.#book(executor, { run, unit: found, grant })
      free--
      allowed--
    }
    if (picked.size > 0) executor.grant = grant
    for (const [run, units] of picked) this.#sendLeases(executor, { run, units }, out)
    if (free === 0) this.#hungry.delete(executor)
  }

  /** What the executor's quota leaves, counted in units of the longest kind among its jobs. */
  #allowance(executor: Executor, runs: readonly JobRun[], free: number): number {
    if (executor.peer === this.#self) return free
    const known = runs.map((run) => run.meanUnitMs)
    const unitMs = known.includes(null) ? null : Math.max(0, ...known.map((ms) => ms ?? 0))
    return this.#trust.allowance(executor.peer, { unitMs, held: executor.leases.size, free })
  }

  #lend(
    executor: Executor,
    what: { readonly run: JobRun; readonly units: readonly OpenUnit[] },
    out: StepOutput,
  ): void {
    executor.grant++
    for (const unit of what.units) this.#book(executor, { run: what.run, unit, grant: executor.grant })
    this.#sendLeases(executor, what, out)
  }

  /** Writes a lease down. `grant` 0 stands for one that no message of this session carried. */
  #book(executor: Executor, what: { readonly run: JobRun; readonly unit: OpenUnit; readonly grant: number }): void {
    const { run, unit, grant } = what
    const deadlineAtMs = this.#nowMs + run.leaseMs
    const lease = { unit: unit.unit, peer: executor.peer, grantedAtMs: this.#nowMs, deadlineAtMs, grant }
    run.lent(unit, lease)
    executor.leases.set(leaseKey(run.job, unit.unit), { run, lease })
    if (executor.leases.size >= executor.slots) this.#hungry.delete(executor)
  }

  #sendLeases(
    executor: Executor,
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
      const head = { job: run.job, session: this.#session, grant, deadlineMs: run.leaseMs }
      out.send(executor.peer, { type: 'lease', ...head, leases })
    }
    out.emit({ type: 'unitsLent', job: run.job, peer: executor.peer, units: what.units.map((unit) => unit.unit) })
  }

  #inputsLoaded(run: JobRun, inputs: readonly LoadedInput[], out: StepOutput): void {
    for (const input of inputs) {
      const unit = run.open.get(input.unit)
      if (unit === undefined || unit.input !== null) continue
      unit.input = input
      run.loaded(unit)
      // Votes restored from records are counted now.
      if (unit.votes.size > 0) this.#decide(run, unit, out)
    }
    this.#mayLend = true
  }

  #requeue(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    const result = run.requeue(unit)
    if (result === 'load') this.#load(run, unit, out)
    this.#mayLend = true
  }

  #load(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    if (unit.loading) return
    unit.loading = true
    out.effect({ type: 'loadInputs', job: run.job, units: [unit.unit] })
  }

  #endLease(
    run: JobRun,
    lease: LeaseState,
    end: { readonly reason: LeaseEnd | 'result'; readonly out: StepOutput },
  ): void {
    const unit = run.open.get(lease.unit)
    if (unit !== undefined) run.returned(unit, lease)
    else run.leases.delete(lease)
    const executor = this.#executors.get(lease.peer)
    if (executor !== undefined) {
      executor.leases.delete(leaseKey(run.job, lease.unit))
      this.#markHungry(executor)
    }
    if (end.reason === 'result') return
    end.out.emit({ type: 'leaseEnded', job: run.job, unit: lease.unit, peer: lease.peer, reason: end.reason })
    if (unit === undefined) return
    if (end.reason === 'vanished') unit.vanished++
    if (end.reason === 'cancelled' || this.#outOfAttempts(run, unit, end.out)) return
    this.#requeue(run, unit, end.out)
  }

  /** Ends a lease by the executor's fault: it never gets this unit again. Rule [L3]. */
  #fail(
    run: JobRun,
    lease: LeaseState,
    why: { readonly reason: 'failed' | 'deadline'; readonly strike: boolean; readonly out: StepOutput },
  ): void {
    const unit = run.open.get(lease.unit)
    if (unit !== undefined && !unit.failedBy.has(lease.peer)) {
      unit.failedBy.add(lease.peer)
      why.out.persist(recordOps.failure(run.job, lease.unit, lease.peer))
    }
    this.#endLease(run, lease, { reason: why.reason, out: why.out })
    if (!why.strike) return
    const strikes = (run.strikes.get(lease.peer) ?? 0) + 1
    run.strikes.set(lease.peer, strikes)
    if (strikes >= limits.EXECUTOR_STRIKES_MAX) this.#exclude(run, { peer: lease.peer, reason: 'unreliable' }, why.out)
  }

  #outOfAttempts(run: JobRun, unit: OpenUnit, out: StepOutput): boolean {
    if (unit.leases.size > 0) return false
    const spent = unit.failedBy.size >= limits.UNIT_FAILURES_MAX || unit.vanished >= limits.UNIT_ATTEMPTS_MAX
    if (spent) this.#failUnit(run, { unit, reason: 'attempts' }, out)
    return spent
  }

  #released(peer: PeerId, message: ReleaseMessage, out: StepOutput): void {
    const executor = this.#executors.get(peer)
    for (const { unit, reason } of message.releases) {
      const held = executor?.leases.get(leaseKey(message.job, unit))
      if (held === undefined) {
        if (!BLAMELESS.has(reason)) this.#noteLateFailure(peer, { job: message.job, unit }, out)
        continue
      }
      if (BLAMELESS.has(reason)) this.#endLease(held.run, held.lease, { reason: 'released', out })
      else this.#fail(held.run, held.lease, { reason: 'failed', strike: !NO_STRIKE.has(reason), out })
    }
  }

  /** The lease was given up already, but who failed at the unit must be known before it is lent again. */
  #noteLateFailure(peer: PeerId, of: { readonly job: JobId; readonly unit: number }, out: StepOutput): void {
    this.#withUnit(of, (run, unit) => {
      if (unit.failedBy.has(peer)) return
      unit.failedBy.add(peer)
      out.persist(recordOps.failure(run.job, of.unit, peer))
    })
  }

  // Results

  #results(peer: PeerId, message: ResultsMessage, out: StepOutput): void {
    const run = this.#jobs.get(message.job)
    for (const result of message.results) {
      const { unit } = result.receipt.receipt
      if (run === undefined || run.excluded.has(peer)) {
        if (run !== undefined) this.#settleLease(run, { peer, unit }, 'cancelled', out)
        out.ack(peer, message.job, unit)
      } else {
        this.#result(run, { peer, result }, out)
      }
    }
  }

  #settleLease(
    run: JobRun,
    of: { readonly peer: PeerId; readonly unit: number },
    reason: 'result' | 'cancelled',
    out: StepOutput,
  ): LeaseState | undefined {
    const held = this.#executors.get(of.peer)?.leases.get(leaseKey(run.job, of.unit))
    if (held !== undefined) this.#endLease(run, held.lease, { reason, out })
    return held?.lease
  }

  #result(run: JobRun, what: { readonly peer: PeerId; readonly result: UnitResult }, out: StepOutput): void {
    const { peer, result } = what
    const signed = result.receipt
    const index = signed.receipt.unit
    if (index >= run.spec.unitCount) return this.#sawBadMessage(peer, out)
    const decided = run.isDecided(index)
    if (!this.#rules.takesResults(decided)) {
      this.#settleLease(run, { peer, unit: index }, 'result', out)
      out.ack(peer, run.job, index)
      return
    }
    // Results nobody asked for are welcome after a restart, but may not fill the memory.
    if (!run.open.has(index) && run.open.size >= limits.OPEN_UNITS_MAX) return
    const unit = run.unit(index)
    // Without the input there is nothing to compare the receipt's input hash with; the executor will send it again.
    if (unit.input === null) return this.#load(run, unit, out)
    const lease = this.#settleLease(run, { peer, unit: index }, 'result', out)
    if (lease !== undefined && lease.grant > 0) run.sawTurnaround(this.#nowMs - lease.grantedAtMs)
    if (signed.receipt.inputHash !== unit.input.hash || !this.#fitsTerms(run, result)) {
      this.#refuseResult(run, { peer, unit }, out)
      return
    }
    this.#vote(run, { unit, vote: asVote(signed), outcome: result.outcome }, out)
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
  #refuseResult(run: JobRun, of: { readonly peer: PeerId; readonly unit: OpenUnit }, out: StepOutput): void {
    of.unit.failedBy.add(of.peer)
    out.persist(recordOps.failure(run.job, of.unit.unit, of.peer))
    out.ack(of.peer, run.job, of.unit.unit)
    this.#sawBadMessage(of.peer, out)
    if (!this.#outOfAttempts(run, of.unit, out)) this.#requeue(run, of.unit, out)
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
      this.#accuse(run, { against: before, by: vote, reason: 'equivocation' }, out)
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
    this.#decide(run, unit, out)
    if (run.open.get(unit.unit) !== unit || unit.recorded.has(vote.peer) || !unit.votes.has(vote.peer)) return
    // Not decided yet: the receipt must survive on its own, before it is acknowledged.
    unit.recorded.add(vote.peer)
    out.persist(recordOps.vote(run.job, vote.signed, stored))
  }

  /** Accepts the unit if enough agree; otherwise asks for whatever is missing. Rules [V2] to [V4]. */
  #decide(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    if (unit.audit === 'asked' || unit.fetching) return
    const leader = leaderIn(unit)
    if (leader !== undefined && this.#rules.quorumReached(leader.votes.length, run.verification.quorum)) {
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
    this.#requeue(run, unit, out)
  }

  #drawAudit(run: JobRun, leader: Leader): boolean {
    const others = leader.votes.flatMap(({ peer }) => (peer === this.#self ? [] : [peer]))
    return this.#trust.auditDue(others, run.verification, this.#rng)
  }

  #askVerdict(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    unit.audit = 'asked'
    out.effect({ type: 'executeLocally', job: run.job, unit: unit.unit })
  }

  /** What this peer computed itself decides who lied; the unit still needs its quorum of others. Rule [V4]. */
  #verdict(
    run: JobRun,
    what: { readonly unit: OpenUnit; readonly key: OutcomeKey | null; readonly own: SignedReceipt | null },
    out: StepOutput,
  ): void {
    const { unit, key, own } = what
    unit.audit = 'settled'
    if (key !== null) {
      unit.verdict = keyText(key)
      const by = own && { peer: this.#self, signed: own, key: unit.verdict }
      for (const vote of [...unit.votes.values()]) {
        if (vote.key !== unit.verdict) this.#accuse(run, { against: vote, by, reason: 'wrong-result' }, out)
      }
    } else if (unit.votes.size >= run.verification.replicas + limits.EXTRA_REPLICAS_MAX) {
      return this.#failUnit(run, { unit, reason: 'attempts' }, out)
    }
    this.#decide(run, unit, out)
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
    this.#judgeMinority(run, { unit, leader }, out)
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
      this.#endLease(run, lease, { reason: 'cancelled', out })
    }
  }

  /** Whoever stated another outcome than the accepted one lied, if at least two or this peer itself know better. Rule [V5]. */
  #judgeMinority(run: JobRun, what: { readonly unit: OpenUnit; readonly leader: Leader }, out: StepOutput): void {
    const { unit, leader } = what
    const others = [...unit.votes.values()].filter((vote) => vote.key !== leader.key)
    if (others.length === 0) return
    out.emit({ type: 'disagreement', job: run.job, unit: unit.unit, peers: [...unit.votes.keys()] })
    if (leader.votes.length < 2 && unit.verdict === null) return
    const witness = leader.votes[0] ?? null
    for (const vote of others) this.#accuse(run, { against: vote, by: witness, reason: 'wrong-result' }, out)
  }

  #accuse(
    run: JobRun,
    what: { readonly against: Vote; readonly by: Vote | null; readonly reason: 'wrong-result' | 'equivocation' },
    out: StepOutput,
  ): void {
    const { against, by, reason } = what
    // Without a second receipt (this peer could not sign its own) the liar's is kept all the same.
    out.persist(recordOps.evidence(run.job, against.peer, [against.signed, (by ?? against).signed]))
    this.#exclude(run, { peer: against.peer, reason }, out)
  }

  #exclude(run: JobRun, what: { readonly peer: PeerId; readonly reason: ExclusionReason }, out: StepOutput): void {
    const { peer, reason } = what
    if (run.excluded.has(peer)) return
    run.excluded.set(peer, reason)
    run.changed = true
    this.#updateWait(run)
    out.persist(recordOps.job(run.record()))
    out.emit({ type: 'excluded', job: run.job, peer, reason })
    if (reason !== 'unreliable') this.#dropVotes(run, peer, out)
    for (const { run: leased, lease } of [...(this.#executors.get(peer)?.leases.values() ?? [])]) {
      if (leased !== run) continue
      out.cancel(peer, run.job, lease.unit)
      this.#endLease(run, lease, { reason: 'lost', out })
    }
  }

  /** Takes an excluded executor's word back wherever it was not yet accepted. Rare, so it may look at every open unit. */
  #dropVotes(run: JobRun, peer: PeerId, out: StepOutput): void {
    for (const unit of [...run.open.values()]) {
      if (!unit.votes.delete(peer)) continue
      if (unit.recorded.delete(peer)) out.persist(recordOps.dropVote(run.job, unit.unit, peer))
      if (unit.owed.delete(peer)) out.ack(peer, run.job, unit.unit)
      this.#requeue(run, unit, out)
    }
  }

  #outcomeUnavailable(run: JobRun, unit: OpenUnit, out: StepOutput): void {
    unit.fetching = false
    for (const peer of [...unit.owed]) {
      unit.owed.delete(peer)
      unit.votes.delete(peer)
      unit.failedBy.add(peer)
      if (unit.recorded.delete(peer)) out.persist(recordOps.dropVote(run.job, unit.unit, peer))
      out.persist(recordOps.failure(run.job, unit.unit, peer))
      out.ack(peer, run.job, unit.unit)
    }
    if (!this.#outOfAttempts(run, unit, out)) this.#decide(run, unit, out)
  }

  #failUnit(run: JobRun, what: { readonly unit: OpenUnit; readonly reason: UnitFailure }, out: StepOutput): void {
    const { unit, reason } = what
    if (run.isDecided(unit.unit)) return
    const decided = { verdict: 'failed', unit: unit.unit, reason } as const
    out.persist(recordOps.decided(run.job, decided))
    this.#closeUnit(run, { unit, keep: null }, out)
    run.decide(decided)
    out.emit({ type: 'unitFailed', job: run.job, unit: unit.unit, reason })
  }

  #attested(peer: PeerId, message: AttestationMessage, out: StepOutput): void {
    const covers = this.#countersigning.answered(peer, message.attestation)
    if (covers.length > 0) out.persist(...recordOps.attestation(message.job, message.attestation, covers))
  }
}

function asVote(signed: UnitResult['receipt']): Vote {
  const { exitCode, trap, outputHash, gas } = signed.receipt
  return { peer: signed.executor, signed, key: keyText({ exitCode, trap, outputHash, gas }) }
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
