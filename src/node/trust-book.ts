import type { Policy } from '../core/admission/policy.ts'
import { StarlingError } from '../core/codec/errors.ts'
import type { JobId, PeerId, RootId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import type { TrustPolicy } from '../core/tasks/executor-trust.ts'
import type { RequesterNotice } from '../core/tasks/requester-events.ts'
import { unitSharePpm } from '../core/trust/assignment.ts'
import { verifyTrustAttestation } from '../core/trust/attestation.ts'
import { verifyConflict } from '../core/trust/conflict.ts'
import { ATTESTATIONS_TOLD_MAX, CONFLICTS_TOLD_MAX, TASK_MS } from '../core/trust/limits.ts'
import { RecomputationBudget } from '../core/trust/recomputation-budget.ts'
import { tierQuotas } from '../core/trust/tier.ts'
import { decodeTrustArchive, encodeTrustArchive } from '../core/trust/trust-archive.ts'
import { noteProof } from '../core/trust/trust-record.ts'
import { type TrustChange, type TrustEvent, TrustState } from '../core/trust/trust-state.ts'
import type { Network } from '../net/network.ts'
import { type ConflictDesk, evidenceBytes } from './conflict-desk.ts'
import type { BackupLuggage } from './identity-unlockers.ts'
import type { SampledGauge } from './metrics.ts'
import { MisconductDesk } from './misconduct-desk.ts'
import type { NodePorts } from './ports.ts'
import type { SecurityLog } from './security-log.ts'
import { describe } from './task-link.ts'
import type {
  BlacklistEntry,
  SecurityEvent,
  SecurityFilter,
  TrustApi,
  TrustEntry,
  TrustHistory,
} from './trust-contract.ts'
import { TrustExchange } from './trust-exchange.ts'
import { TrustMetrics } from './trust-metrics.ts'
import type { TrustStore } from './trust-store.ts'
import { attestationsOf, causeWords, entryOf, historyPoints, reasonWords } from './trust-view.ts'
import type { WordGiver } from './word-giver.ts'

/** Bars run out and attestations grow old by the minute. */
const TICK_INTERVAL_MS = 60_000
/** The scheduler hears of changed opinions this often; of a bar at once. */
const POLICY_INTERVAL_MS = 1_000
/** Devices whose root is remembered after they left. */
const ROOTS_KNOWN_MAX = 4_096

const REASON_CHARS_MAX = 200
/** Sums of a thousand tasks stay whole numbers. */
const COST_MICRO_MAX = 2 ** 42

/** What was given is no root id. */
export class UnknownRootError extends StarlingError {
  override readonly name = 'UnknownRootError'
}

type EventBody = TrustEvent extends infer E ? (E extends unknown ? Omit<E, 'nowMs' | 'root'> : never) : never

export interface TrustBookInit {
  readonly ports: NodePorts
  readonly network: Network
  readonly log: SecurityLog
  readonly self: RootId
  readonly preTrusted: readonly RootId[]
  readonly store: TrustStore
  readonly desk: ConflictDesk
  readonly words: WordGiver
  /** The root of a device that is connected and admitted; `null` for guests and strangers. */
  readonly rootOf: (peer: PeerId) => RootId | null
  /** Address prefix of a connected peer. */
  readonly subnetOf: (peer: PeerId) => string | null
  /** Name of a job's kind of work, by which scores are told apart. */
  readonly categoryOf: (job: JobId) => string
  /** Whether units of others may run here now to settle a quarrel. */
  readonly mayRecompute: (wallMsMax: number) => boolean
  readonly onPolicy: (policy: TrustPolicy) => void
}

/**
 * Whom this peer trusts, and why: fed by what its own jobs came to and by what others show, kept over restarts, and told to the
 * scheduler. Rules [T2] to [T24] of docs/PROTOCOL.md.
 */
export class TrustBook implements TrustApi {
  readonly #init: TrustBookInit
  readonly #state: TrustState
  readonly #exchange: TrustExchange
  readonly #metrics = new TrustMetrics()
  readonly #budget = new RecomputationBudget()
  readonly #misconduct: MisconductDesk
  readonly #roots = new Map<PeerId, RootId>()
  /** Conflicts to show to whoever connects, newest last. */
  #conflicts: readonly Uint8Array[] = []
  readonly #stops: (() => void)[] = []
  #policyTimer: ReturnType<typeof setTimeout> | null = null
  /** This peer's own root: another after a restore. */
  #self: RootId

  private constructor(init: TrustBookInit, state: TrustState) {
    this.#init = init
    this.#self = init.self
    this.#state = state
    this.#exchange = new TrustExchange({
      network: init.network,
      now: init.ports.now,
      mayTell: (peer) => !this.isBarred(peer) && this.#rootOf(peer) !== null,
      onAttestation: (_, attestation) => this.#hearAttestation(attestation),
      onConflict: (from, conflict) => this.#hearConflict(from, conflict),
      onSecurityEvent: (report) => init.log.add(report),
    })
    this.#misconduct = new MisconductDesk({
      network: init.network,
      log: init.log,
      now: init.ports.now,
      self: init.ports.self,
      rootOf: (peer) => this.#rootOf(peer),
      convict: (peer, root) => {
        // So that this device is let go with the others that are known of it.
        this.#step({ type: 'seen', peer, subnet: null })
        this.#changes(root, this.#state.convictMisconduct(root, init.ports.now()))
      },
    })
  }

  /** Comes back with what was kept. */
  static async open(init: TrustBookInit): Promise<TrustBook> {
    const { records, attestations, conflicts } = await init.store.load()
    const { self, preTrusted } = init
    const state = new TrustState({ self, preTrusted, quotas: false, records })
    for (const heard of attestations) state.attestations.add(heard)
    const book = new TrustBook(init, state)
    book.#conflicts = conflicts
    for (const { root, devices } of records) for (const device of devices) book.#roots.set(device, root)
    return book
  }

  start(): void {
    const { network } = this.#init
    network.keepOut((peer) => this.isBarred(peer))
    this.#misconduct.start()
    const timer = setInterval(() => this.#tick(), TICK_INTERVAL_MS)
    this.#stops.push(
      this.#exchange.start(),
      network.on('peer:connect', ({ peer }) => this.#connected(peer)),
      () => clearInterval(timer),
    )
    this.#tick()
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop()
    if (this.#policyTimer !== null) clearTimeout(this.#policyTimer)
    await this.#init.store.flush()
  }

  /** This peer has another identity now; its judgement of others is kept. */
  become(self: RootId): void {
    if (self === this.#self) return
    this.#self = self
    if (this.#state.become(self)) this.#init.store.forgotten(self)
    this.#tellPolicy(0)
  }

  /** What a backup carries of it, and takes back. Rule [T27]. */
  readonly luggage: BackupLuggage = {
    pack: () => encodeTrustArchive(this.#state.roots, this.#init.ports.now()),
    unpack: (bytes) => {
      for (const record of decodeTrustArchive(bytes)) {
        for (const device of record.devices) this.#remember(device, record.root)
        this.#changes(record.root, this.#state.adopt(record, this.#init.ports.now()))
      }
      void this.#init.store.flush()
      for (const { peer, relay } of this.#init.network.connections()) {
        if (!relay && isPeerId(peer) && this.isBarred(peer)) this.#turnAway(peer)
      }
    },
  }

  /** Whether the network's policy has quotas, trials and tiers. */
  enforce({ quotas, parameters }: Pick<Policy, 'quotas' | 'parameters'>): void {
    this.#state.enforce(quotas, tierQuotas(parameters))
    this.#tellPolicy(0)
  }

  /** Whether a device is to be kept out; for whoever dials, accepts or listens. */
  isBarred(peer: string): boolean {
    if (!isPeerId(peer)) return false
    // Also of a guest that has shown an identity since.
    if (this.#misconduct.isKeptOut(peer)) return true
    const root = this.#rootOf(peer)
    return root !== null && this.#state.isBarred(root, this.#init.ports.now())
  }

  /** A device was admitted, or is known to speak for this root. */
  identified(peer: PeerId, root: RootId): void {
    this.#remember(peer, root)
    this.#step({ type: 'seen', peer, subnet: this.#init.subnetOf(peer) })
    if (this.isBarred(peer)) this.#turnAway(peer)
    else if (this.#hasTooMany(peer, root)) return
    else this.#greet(peer)
    this.#tellPolicy(0)
  }

  // ---------------------------------------------------------------- own dealings

  /** Learns from what the scheduler says of executors. */
  apply(notice: RequesterNotice): void {
    switch (notice.type) {
      case 'executorJoined':
        this.#step({ type: 'seen', peer: notice.peer, subnet: this.#init.subnetOf(notice.peer) })
        return this.#tellPolicy(0)
      case 'unitAccepted':
        for (const peer of notice.accepted.executors) this.#accepted(peer, notice)
        return
      case 'leaseEnded':
        // Who vanished or was told to stop did nothing wrong: tabs are closed.
        if (notice.reason === 'failed' || notice.reason === 'deadline') this.#failed(notice)
        return
      case 'excluded':
        return void this.#excluded(notice).catch((error: unknown) => this.#problem('Evidence cannot be read', error))
      default:
        return
    }
  }

  /** Learns from an update of a shared model: whether it made the model better. Rule [T5]. */
  judgeUpdate(peer: PeerId, good: boolean): void {
    this.#step({ type: 'model', peer, good })
  }

  #accepted(peer: PeerId, { job, accepted }: Extract<RequesterNotice, { type: 'unitAccepted' }>): void {
    const { durationUs, gas, costMicroUnits, executors, unit } = accepted
    const sharePpm = unitSharePpm(durationUs / 1_000)
    const measure = {
      durationUs,
      // What each asked for is in its receipt; the mean is near enough for a score and costs no reading.
      costMicro: Math.min(Math.floor(Number(costMicroUnits) / executors.length), COST_MICRO_MAX),
      megagas: Number(gas / 1_000_000n),
    }
    const root = this.#step({ type: 'good', peer, category: this.#init.categoryOf(job), measure, sharePpm })
    if (root === null) return
    this.#metrics.executed(root, true)
    this.#state.charge(root, this.#init.ports.now(), sharePpm)
    const record = this.#state.record(root)
    if (record !== undefined) noteProof(record, { job, unit })
  }

  #failed({ job, peer, reason }: Extract<RequesterNotice, { type: 'leaseEnded' }>): void {
    const sharePpm = unitSharePpm(TASK_MS)
    const root = this.#step({ type: 'failed', peer, category: this.#init.categoryOf(job), sharePpm, cause: reason })
    if (root === null) return
    this.#metrics.executed(root, false)
    this.#state.charge(root, this.#init.ports.now(), sharePpm)
  }

  async #excluded({ job, peer, reason }: Extract<RequesterNotice, { type: 'excluded' }>): Promise<void> {
    const root = this.#rootOf(peer)
    const who = { peerId: peer, rootId: root }
    if (reason === 'unreliable' || reason === 'bad-messages') {
      const type = reason === 'unreliable' ? 'work-failed' : 'result-refused'
      this.#init.log.add({ type, ...who, message: `Excluded from job ${job.slice(0, 8)}: ${reason}` })
      return
    }
    const found = await this.#init.desk.find(job, peer)
    const proof = found?.proof ?? (reason === 'equivocation' ? 'equivocation' : 'outvoted')
    const evidence = found === null ? [] : evidenceBytes(found)
    const type = reason === 'equivocation' ? 'result-equivocation' : 'result-conflict'
    const message = `Unit of job ${job.slice(0, 8)} was ${causeWords(proof)}; it gets no more units of that job`
    this.#init.log.add({ type, ...who, message, evidence })
    if (root !== null) this.#metrics.executed(root, false)
    this.#step({ type: 'wrong', peer, category: this.#init.categoryOf(job), proof })
    const conflict = found === null ? null : await this.#init.desk.statementOf(found)
    if (conflict !== null) this.#tellConflict(conflict)
  }

  // ---------------------------------------------------------------- others' word

  async #hearAttestation(bytes: Uint8Array): Promise<void> {
    const { networkId: network, verifier, now } = this.#init.ports
    const nowMs = now()
    const heard = await verifyTrustAttestation(bytes, {
      network,
      nowMs,
      verifier,
      rootOf: (peer) => this.#rootOf(peer),
    })
    if (heard.subject === this.#self || heard.attester === this.#self) return
    if (this.#state.attestations.add(heard)) this.#init.store.heard(heard)
  }

  async #hearConflict(from: PeerId, bytes: Uint8Array): Promise<void> {
    const { networkId: network, verifier, now } = this.#init.ports
    const conflict = await verifyConflict(bytes, { network, verifier })
    const { accused, witness, author } = conflict
    const [root, accuser] = [this.#rootOf(accused.executor), this.#rootOf(author)]
    const who = { peerId: accused.executor, rootId: root }
    // Nothing follows for somebody who was never seen here.
    if (root === null || root === this.#self || this.#state.isBarred(root, now())) return
    if (conflict.equivocation) {
      const message = 'Another peer showed two receipts of it that contradict each other'
      this.#init.log.add({ type: 'result-equivocation', ...who, message, evidence: [accused.bytes, witness.bytes] })
      this.#changes(root, this.#state.convictEquivocator(root, now()))
      this.#tellConflict(bytes, from)
      return
    }
    if (accuser === null) return
    const message = `${author.slice(-6)} showed a receipt of it that another contradicts; its work is checked until that is settled`
    this.#init.log.add({ type: 'evidence-received', ...who, message, evidence: [accused.bytes, witness.bytes] })
    const credible = this.#state.credibility(accuser, now()) > 0
    this.#changes(root, this.#state.accuse(root, { accuser, nowMs: now() }))
    if (!this.#init.mayRecompute(conflict.manifest.resources.wallMsMax)) return
    if (!this.#budget.take(accuser, { nowMs: now(), credible })) return
    const verdict = await this.#init.desk.look(conflict).catch((error: unknown) => {
      this.#problem('A unit in dispute cannot be recomputed here', error)
      return null
    })
    if (verdict === null) return
    const parties = { accused: root, accuser, witness: this.#rootOf(witness.executor) }
    this.#changes(root, this.#state.settle(parties, { ...verdict, nowMs: now() }))
    if (verdict.accusedWrong) this.#tellConflict(bytes, from)
  }

  #tellConflict(conflict: Uint8Array, except?: string): void {
    const before = this.#conflicts
    this.#conflicts = [...before, conflict].slice(-CONFLICTS_TOLD_MAX)
    this.#init.store.conflicts(before, this.#conflicts)
    this.#exchange.tellConflict(conflict, except)
  }

  #connected(peer: string): void {
    if (!isPeerId(peer)) return
    const root = this.#rootOf(peer)
    if (root !== null) this.identified(peer, root)
  }

  /** Tells a peer what this one knows of others. */
  #greet(peer: PeerId): void {
    for (const conflict of this.#conflicts) this.#exchange.tellConflictTo(peer, conflict)
    void this.#init.words
      .attestations(this.#state)
      .then((own) => {
        const heard = [...this.#state.attestations.all()].map(({ bytes }) => bytes)
        this.#exchange.tellAttestations(peer, [...own, ...heard].slice(0, ATTESTATIONS_TOLD_MAX))
      })
      .catch((error: unknown) => this.#problem('Attestations cannot be signed', error))
  }

  /** One identity's devices are no more of this peer's neighbours than its tier allows; the last to come is let go. Rule [T7]. */
  #hasTooMany(peer: PeerId, root: RootId): boolean {
    const { network, log } = this.#init
    const limit = this.#state.connectionsMax(root)
    const linked = network.connections().filter((each) => {
      return !each.relay && isPeerId(each.peer) && (each.peer === peer || this.#rootOf(each.peer) === root)
    })
    if (linked.length <= limit) return false
    const message = `Devices of one identity linked here are ${linked.length}, limit ${limit} by its tier; the last was let go`
    log.add({ type: 'connection-refused', peerId: peer, rootId: root, message })
    network.disconnect(peer)
    return true
  }

  #turnAway(peer: PeerId): void {
    const rootId = this.#rootOf(peer)
    this.#init.log.add({ type: 'peer-refused', peerId: peer, rootId, message: 'Blacklisted; its connection was ended' })
    this.#init.network.disconnect(peer)
  }

  // ---------------------------------------------------------------- contract

  async trustEntries(): Promise<readonly TrustEntry[]> {
    const nowMs = this.#init.ports.now()
    const entries = [...this.#state.roots].map((record) => entryOf(this.#state, record, nowMs))
    const rank = ({ blended, standing }: TrustEntry): number => (blended ?? 0.5) * 10_000 + standing
    return entries.sort((a, b) => rank(b) - rank(a))
  }

  async trustHistory(rootId: string): Promise<TrustHistory | null> {
    const record = this.#state.record(rootId as RootId)
    if (record === undefined) return null
    const nowMs = this.#init.ports.now()
    return {
      entry: entryOf(this.#state, record, nowMs),
      points: historyPoints(record),
      attestations: attestationsOf(this.#state, record.root, nowMs),
      evidence: this.#init.log.list({ peer: rootId, limit: 50 }).filter(({ evidence }) => evidence.length > 0),
    }
  }

  async blacklist(): Promise<readonly BlacklistEntry[]> {
    return (await this.trustEntries()).flatMap(({ blacklisted }) => blacklisted ?? [])
  }

  async blacklistPeer(
    rootId: string,
    options: { readonly durationMs: number | null; readonly reason: string },
  ): Promise<void> {
    const root = this.#named(rootId)
    const nowMs = this.#init.ports.now()
    const untilMs = options.durationMs === null ? null : nowMs + options.durationMs
    this.#changes(root, this.#state.block(root, { nowMs, untilMs, reason: options.reason.slice(0, REASON_CHARS_MAX) }))
    await this.#init.store.flush()
  }

  async unblacklistPeer(rootId: string): Promise<void> {
    const root = this.#named(rootId)
    this.#changes(root, this.#state.unblock(root, this.#init.ports.now()))
    await this.#init.store.flush()
  }

  async securityEvents(filter: SecurityFilter): Promise<readonly SecurityEvent[]> {
    return this.#init.log.list(filter)
  }

  async exportSecurityEvents(filter: SecurityFilter): Promise<Uint8Array> {
    return this.#init.log.export(filter)
  }

  /** For the metrics. */
  samples(): readonly SampledGauge[] {
    const samples = this.#metrics.samples(this.#state, this.#init.ports.now())
    return [...samples, ...this.#init.log.samples()]
  }

  // ---------------------------------------------------------------- inside

  #rootOf(peer: PeerId): RootId | null {
    const { ports, rootOf } = this.#init
    if (peer === ports.self) return this.#self
    const known = rootOf(peer)
    if (known !== null) this.#remember(peer, known)
    return known ?? this.#roots.get(peer) ?? null
  }

  #remember(peer: PeerId, root: RootId): void {
    if (this.#roots.get(peer) === root) return
    this.#roots.delete(peer)
    this.#roots.set(peer, root)
    const [oldest] = this.#roots.keys()
    if (this.#roots.size > ROOTS_KNOWN_MAX && oldest !== undefined) this.#roots.delete(oldest)
  }

  #step(event: EventBody): RootId | null {
    const root = this.#rootOf(event.peer)
    if (root === null || root === this.#self) return null
    // The event is the body, the root and the time: the union is closed under adding them.
    this.#changes(root, this.#state.step({ ...event, root, nowMs: this.#init.ports.now() } as TrustEvent))
    return root
  }

  /** Logs, stores and acts upon what changed. */
  #changes(root: RootId, changes: readonly TrustChange[]): void {
    const record = this.#state.record(root)
    if (record !== undefined) this.#init.store.changed(record)
    let urgent = false
    for (const change of changes) urgent = this.#act(change) || urgent
    this.#tellPolicy(urgent ? 0 : POLICY_INTERVAL_MS)
  }

  /** @returns Whether the scheduler must know at once. */
  #act(change: TrustChange): boolean {
    const { log, store, network } = this.#init
    switch (change.type) {
      case 'blacklisted': {
        const { barred } = change
        const record = this.#state.record(barred.root)
        if (record !== undefined) store.changed(record)
        // A bar must outlive a reload in the next moment.
        void store.flush()
        log.add({ type: 'peer-blacklisted', rootId: barred.root, message: reasonWords(barred) })
        for (const device of record?.devices ?? []) network.disconnect(device)
        return true
      }
      case 'unblacklisted': {
        const type = change.by === 'owner' ? 'peer-unblacklisted' : 'blacklist-expired'
        const how = change.by === 'owner' ? 'Taken off the blacklist by hand' : 'Its time on the blacklist is over'
        log.add({ type, rootId: change.root, message: `${how}; it begins with checked trials` })
        return true
      }
      case 'tier':
        log.add({ type: 'tier-changed', rootId: change.root, message: `From ${change.from} to ${change.to}` })
        return false
      case 'slandered': {
        const accused = change.root
        const message = `Accused ${accused.slice(-6)} falsely; its word counts for nothing now`
        log.add({ type: 'peer-slandered', rootId: change.accuser, message })
        const record = this.#state.record(change.accuser)
        if (record !== undefined) store.changed(record)
        return false
      }
      case 'forgotten':
        store.forgotten(change.root)
        return false
      case 'suspected':
        return true
    }
  }

  #tick(): void {
    const nowMs = this.#init.ports.now()
    for (const change of this.#state.tick(nowMs)) {
      if (change.type === 'unblacklisted') this.#changes(change.root, [change])
    }
    this.#tellPolicy(0)
  }

  #tellPolicy(delayMs: number): void {
    if (this.#policyTimer !== null) {
      if (delayMs > 0) return
      clearTimeout(this.#policyTimer)
    }
    this.#policyTimer = setTimeout(() => {
      this.#policyTimer = null
      this.#init.onPolicy(this.#policy())
    }, delayMs)
  }

  #policy(): TrustPolicy {
    const nowMs = this.#init.ports.now()
    const views = this.#init.network
      .connections()
      .flatMap(({ peer, relay }) => (relay || !isPeerId(peer) ? [] : [peer]))
      .map((peer) => this.#state.view(peer, this.#rootOf(peer), nowMs))
    return { views, enforced: this.#state.enforced }
  }

  #named(rootId: string): RootId {
    if (isPeerId(rootId)) return rootId as string as RootId
    throw new UnknownRootError(`rootId is "${rootId.slice(0, 80)}", limit a root id in base58`, { field: 'rootId' })
  }

  #problem(what: string, error: unknown): void {
    this.#init.ports.log.write('warn', 'trust', `${what}: ${describe(error)}`)
  }
}
