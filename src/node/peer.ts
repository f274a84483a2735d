import type { FoundedNetwork } from '../core/admission/policy.ts'
import { cidOfDigest } from '../core/codec/cid.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import type { ModuleReport } from '../core/sandbox/module.ts'
import type { ExecutorNotice } from '../core/tasks/executor-events.ts'
import { verifyReceipt } from '../core/tasks/receipt-codec.ts'
import type { RequesterNotice } from '../core/tasks/requester-events.ts'
import { MISCONDUCT_EVENTS, type SecurityReport } from '../core/trust/security-event.ts'
import type { Network, NetworkProblem } from '../net/network.ts'
import type { Admission } from './admission.ts'
import type { AdmissionInfo } from './admission-contract.ts'
import { inviteLink } from './capability.ts'
import { ChangeFeed } from './change-feed.ts'
import type {
  Diagnostics,
  DryRun,
  JobDetail,
  JobSpec,
  LendingSettings,
  LendingState,
  LogEntry,
  MetricSample,
  NetworkCheckStep,
  NodeApi,
  NodeEvent,
  NodeSnapshot,
  PeerInfo,
  PlatformFact,
  ReceiptVerdict,
  ResultItem,
  UnitDetail,
  UnitGrid,
} from './contract.ts'
import { ExecutorDriver } from './executor-driver.ts'
import type { IdentityApi, IdentityInfo, PasskeyUnlocker } from './identity-contract.ts'
import { InputStore } from './input-store.ts'
import { JobBook } from './job-book.ts'
import { receiptInfo } from './job-records.ts'
import { LearningBook } from './learning-book.ts'
import type { LearningApi } from './learning-contract.ts'
import type { LearningWorkers } from './learning-worker.ts'
import { Lending } from './lending.ts'
import { createMachines, readRecords } from './machines.ts'
import type { Metrics } from './metrics.ts'
import { checkNetwork } from './network-check.ts'
import { nodeSamples } from './node-samples.ts'
import { openTrust } from './open-trust.ts'
import { ownCapability } from './own-capability.ts'
import { networkSummary, PeerTable } from './peer-table.ts'
import { type NodePorts, sha256 } from './ports.ts'
import { RequesterDriver } from './requester-driver.ts'
import type { Settings } from './settings.ts'
import { describe, TaskLink } from './task-link.ts'
import type { TrustBook } from './trust-book.ts'
import type { BlacklistEntry, SecurityEvent, SecurityFilter, TrustEntry, TrustHistory } from './trust-contract.ts'
import { UnitRunner } from './unit-runner.ts'

/** How often listeners are told of what changed: four times a second is live to the eye and cheap for the page. */
const EVENT_INTERVAL_MS = 250
/** Counters for people: what a crash may lose of them. */
const SAVE_INTERVAL_MS = 1_000

/** Names of others' jobs that are remembered for display; a flood of offers must not fill the memory. */
const JOB_NAMES_MAX = 4_096

/** What only the platform knows. */
export interface Platform {
  readonly workersMax: number
  readonly pageUrl: string | null
  readonly versions: Readonly<Record<string, string>>
  readonly crossOriginIsolated: boolean
  storage(): Promise<Diagnostics['storage']>
  /** Resolves with the milliseconds a round trip over HTTP to the relay took. */
  probeRelay?(): Promise<number>
}

export interface PeerInit {
  readonly ports: NodePorts
  readonly network: Network
  readonly metrics: Metrics
  readonly settings: Settings
  readonly platform: Platform
  readonly admission: Admission
  readonly founded: FoundedNetwork
  readonly learning: LearningWorkers
}

/** A running peer: gives the cores their ports, drives them, and answers the contract. */
export class Peer implements NodeApi {
  readonly #ports: NodePorts
  readonly #network: Network
  readonly #metrics: Metrics
  readonly #settings: Settings
  readonly #platform: Platform
  readonly #admission: Admission
  readonly #link: TaskLink
  readonly #requester: RequesterDriver
  readonly #executor: ExecutorDriver
  readonly #book: JobBook
  readonly #learning: LearningBook
  readonly #peers: PeerTable
  readonly #jobNames = new Map<string, string>()
  readonly #startedAt: number
  readonly #feed: ChangeFeed
  readonly #stops: (() => void)[] = []
  readonly #founded: FoundedNetwork
  readonly #runner: UnitRunner
  readonly #inputs: InputStore
  #lending!: Lending
  #trust!: TrustBook

  private constructor(init: PeerInit) {
    const { ports, network } = init
    this.#ports = ports
    this.#network = network
    this.#metrics = init.metrics
    this.#settings = init.settings
    this.#platform = init.platform
    this.#admission = init.admission
    this.#startedAt = ports.now()
    this.#peers = new PeerTable(network)
    this.#founded = init.founded
    this.#runner = new UnitRunner(ports)
    this.#inputs = new InputStore(ports.store, ports.blocks)
    const [runner, inputs] = [this.#runner, this.#inputs]
    const machines = createMachines(ports, ownCapability(init.platform.workersMax))
    const shared = { ports, runner, link: () => this.#link, onStorageRefused: (error: unknown) => this.#refused(error) }
    this.#requester = new RequesterDriver({
      ...shared,
      machine: machines.requester,
      inputs,
      manifestOf: (job) => this.#book.manifestOf(job),
      onNotice: (notice) => this.#requesterNotice(notice),
    })
    this.#executor = new ExecutorDriver({
      ...shared,
      machine: machines.executor,
      onNotice: (notice) => this.#executorNotice(notice),
      onManifest: (job, manifest) => this.#nameJob(job, manifest.name),
    })
    this.#book = new JobBook(ports, inputs, {
      submit: (job, spec) =>
        this.#requester.step({ type: 'submit', job, spec: { ...spec, shortage: { policy: 'wait' } } }),
      forget: (job) => runner.forget(job),
    })
    this.#learning = new LearningBook({
      ports,
      network,
      workers: init.learning,
      isBarred: (peer) => this.#trust.isBarred(peer),
      onModelUpdate: (peer, good) => this.#trust.judgeUpdate(peer, good),
    })
    this.#feed = new ChangeFeed({
      now: () => ports.now(),
      snapshot: () => this.#snapshot(),
      takeEvents: () => [...this.#book.takeEvents(), ...this.#learning.takeEvents()],
    })
    this.#link = new TaskLink(ports, network, {
      toExecutor: (from, message) => {
        if (!this.#trust.isBarred(from)) this.#executor.step({ type: 'message', from, message })
      },
      toRequester: (from, message) => {
        if (!this.#trust.isBarred(from)) this.#requester.step({ type: 'message', from, message })
      },
      refused: (from) => this.#requester.step({ type: 'badMessage', from }),
    })
  }

  /** Starts a peer from what its store holds. */
  static async start(init: PeerInit): Promise<Peer> {
    const peer = new Peer(init)
    await peer.#start()
    return peer
  }

  async #start(): Promise<void> {
    const { store, sandbox, now } = this.#ports
    const records = await readRecords(store)
    for (const { bucket, key, error } of records.damaged) {
      this.#ports.log.write('error', 'storage', `Damaged record ${bucket}/${key} is left alone: ${describe(error)}`)
    }
    await this.#book.restore(records.jobs)
    this.#lending = new Lending({
      settings: this.#settings,
      chosen: await this.#settings.lending(this.#platform.workersMax),
      sandbox,
      switches: {
        controls: (controls) => this.#executor.step({ type: 'controls', controls }),
        pause: (pause) => this.#executor.step({ type: 'pause', pause }),
        resume: (reason) => this.#executor.step({ type: 'resume', reason }),
      },
      jobName: (job) => this.#jobNames.get(job) ?? '',
      now,
      workersMax: this.#platform.workersMax,
    })
    this.#trust = await openTrust({
      ports: this.#ports,
      network: this.#network,
      founded: this.#founded,
      book: this.#book,
      inputs: this.#inputs,
      runner: this.#runner,
      lending: () => this.#lending.state(),
      onPolicy: (policy) => this.#requester.step({ type: 'trust', policy }),
    })
    this.#executor.step({ type: 'start', outbox: records.outbox })
    await this.#lending.start()
    this.#requester.step({ type: 'start', session: now(), records: records.requester })
    this.#link.start()
    this.#trust.start()
    await this.#admission.start({
      lent: () => ({ ...this.#lending.state().settings, spares: this.#lending.spares }),
      onAdmitted: (peer, root) => {
        if (root !== null) this.#trust.identified(peer, root)
        this.#requester.step({ type: root === null ? 'peerDisconnected' : 'peerConnected', peer })
        if (root === null) this.#executor.step({ type: 'peerDisconnected', peer })
        this.#feed.changed()
      },
      onChange: () => this.#feed.changed(),
    })
    await this.#learning.start()
    this.#watchNetwork()
    this.#watchMetrics()
    this.#every(EVENT_INTERVAL_MS, () => this.#feed.tell())
    this.#every(SAVE_INTERVAL_MS, () => void this.#lending.save().catch(() => undefined))
    this.#stops.push(this.#ports.log.listen((entry) => this.#feed.logged(entry)))
    await this.#network.start()
  }

  // ---------------------------------------------------------------- contract

  async snapshot(): Promise<NodeSnapshot> {
    return this.#snapshot()
  }

  async subscribe(listener: (event: NodeEvent) => void): Promise<number> {
    return this.#feed.add(listener)
  }

  async unsubscribe(subscription: number): Promise<void> {
    this.#feed.remove(subscription)
  }

  async setLending(settings: Partial<LendingSettings>): Promise<LendingState> {
    await this.#lending.set(settings)
    this.#feed.changed()
    return this.#lending.state()
  }

  async pause(durationMs: number | null): Promise<void> {
    await this.#lending.pause(durationMs)
    this.#feed.changed()
  }

  async resume(): Promise<void> {
    await this.#lending.resume()
    this.#feed.changed()
  }

  async tell(fact: PlatformFact): Promise<void> {
    if (fact.kind === 'online') this.#network.hint(fact.online ? 'online' : 'offline')
    else if (fact.kind === 'visible') {
      if (fact.visible) this.#network.hint('visible')
    } else this.#lending.tell(fact)
  }

  async inspectModule(module: Uint8Array): Promise<ModuleReport> {
    return await this.#ports.sandbox.prepare(cidOfDigest(await sha256(module), 'raw'), module)
  }

  dryRun(spec: JobSpec, unit: number): Promise<DryRun> {
    return this.#book.dryRun(spec, unit)
  }

  async submitJob(spec: JobSpec): Promise<string> {
    const id = await this.#book.submit(spec)
    this.#feed.changed()
    return id
  }

  async pauseJob(jobId: string): Promise<void> {
    this.#requester.step({ type: 'pauseJob', job: this.#book.id(jobId) })
  }

  async resumeJob(jobId: string): Promise<void> {
    this.#requester.step({ type: 'resumeJob', job: this.#book.id(jobId) })
  }

  async cancelJob(jobId: string): Promise<void> {
    this.#requester.step({ type: 'cancelJob', job: this.#book.id(jobId) })
  }

  async removeJob(jobId: string): Promise<void> {
    await this.#book.remove(jobId)
    this.#feed.changed()
  }

  async job(jobId: string): Promise<JobDetail | null> {
    return this.#book.detail(jobId)
  }

  async unitGrid(jobId: string): Promise<UnitGrid | null> {
    return this.#book.grid(jobId)
  }

  unit(jobId: string, unit: number): Promise<UnitDetail | null> {
    return this.#book.unit(jobId, unit)
  }

  results(jobId: string, cursor: number, max: number): Promise<readonly ResultItem[]> {
    return this.#book.results(jobId, cursor, max)
  }

  exportReceipts(jobId: string): Promise<Uint8Array> {
    return this.#book.exportReceipts(jobId)
  }

  async verifyReceipt(bytes: Uint8Array): Promise<ReceiptVerdict> {
    try {
      const { executor, receipt, hash, attesters } = await verifyReceipt(bytes, { verifier: this.#ports.verifier })
      const signed = { executor, receipt, hash, bytes }
      return { valid: true, receipt: receiptInfo(signed, { bytes, attestations: attesters, agrees: true }) }
    } catch (error) {
      return { valid: false, error: describe(error) }
    }
  }

  async peers(): Promise<readonly PeerInfo[]> {
    return this.#peers.list()
  }

  dial(target: string): Promise<void> {
    return this.#network.dial(target)
  }

  admission(): Promise<AdmissionInfo> {
    return this.#admission.admission()
  }

  startMining(): Promise<void> {
    return this.#admission.startMining()
  }

  pauseMining(): Promise<void> {
    return this.#admission.pauseMining()
  }

  useInvite(invite: string): Promise<AdmissionInfo> {
    return this.#admission.useInvite(invite)
  }

  async diagnostics(): Promise<Diagnostics> {
    const { clockOffsetMs, rtc } = this.#network.status()
    return {
      versions: this.#platform.versions,
      storage: await this.#platform.storage(),
      clockOffsetMs: clockOffsetMs ?? null,
      channelTransfer: rtc.channels,
      network: networkSummary(this.#network),
      crossOriginIsolated: this.#platform.crossOriginIsolated,
    }
  }

  networkCheck(): Promise<readonly NetworkCheckStep[]> {
    return checkNetwork(this.#network, this.#ports.store, this.#platform)
  }

  metrics(): Promise<readonly MetricSample[]> {
    return this.#metrics.samples()
  }

  async logs(): Promise<readonly LogEntry[]> {
    return this.#ports.log.entries()
  }

  learningTasks(): ReturnType<LearningApi['learningTasks']> {
    return this.#learning.learningTasks()
  }

  learningTask(...args: Parameters<LearningApi['learningTask']>): ReturnType<LearningApi['learningTask']> {
    return this.#learning.learningTask(...args)
  }

  learningOptions(...args: Parameters<LearningApi['learningOptions']>): ReturnType<LearningApi['learningOptions']> {
    return this.#learning.learningOptions(...args)
  }

  createLearningTask(
    ...args: Parameters<LearningApi['createLearningTask']>
  ): ReturnType<LearningApi['createLearningTask']> {
    return this.#learning.createLearningTask(...args)
  }

  inspectLearningData(
    ...args: Parameters<LearningApi['inspectLearningData']>
  ): ReturnType<LearningApi['inspectLearningData']> {
    return this.#learning.inspectLearningData(...args)
  }

  previewLearning(...args: Parameters<LearningApi['previewLearning']>): ReturnType<LearningApi['previewLearning']> {
    return this.#learning.previewLearning(...args)
  }

  joinLearning(...args: Parameters<LearningApi['joinLearning']>): ReturnType<LearningApi['joinLearning']> {
    return this.#learning.joinLearning(...args)
  }

  leaveLearning(...args: Parameters<LearningApi['leaveLearning']>): ReturnType<LearningApi['leaveLearning']> {
    return this.#learning.leaveLearning(...args)
  }

  pauseLearning(...args: Parameters<LearningApi['pauseLearning']>): ReturnType<LearningApi['pauseLearning']> {
    return this.#learning.pauseLearning(...args)
  }

  resumeLearning(...args: Parameters<LearningApi['resumeLearning']>): ReturnType<LearningApi['resumeLearning']> {
    return this.#learning.resumeLearning(...args)
  }

  removeLearning(...args: Parameters<LearningApi['removeLearning']>): ReturnType<LearningApi['removeLearning']> {
    return this.#learning.removeLearning(...args)
  }

  learningConfusion(
    ...args: Parameters<LearningApi['learningConfusion']>
  ): ReturnType<LearningApi['learningConfusion']> {
    return this.#learning.learningConfusion(...args)
  }

  learningPredict(...args: Parameters<LearningApi['learningPredict']>): ReturnType<LearningApi['learningPredict']> {
    return this.#learning.learningPredict(...args)
  }

  exportLearningModel(
    ...args: Parameters<LearningApi['exportLearningModel']>
  ): ReturnType<LearningApi['exportLearningModel']> {
    return this.#learning.exportLearningModel(...args)
  }

  identity(): Promise<IdentityInfo> {
    return this.#ports.identity.identity()
  }

  createBackup(passphrase: string): Promise<Uint8Array> {
    return this.#ports.identity.createBackup(passphrase)
  }

  proveBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo> {
    return this.#ports.identity.proveBackup(file, passphrase)
  }

  addPasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo> {
    return this.#ports.identity.addPasskey(passkey)
  }

  provePasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo> {
    return this.#ports.identity.provePasskey(passkey)
  }

  passkeyFile(): Promise<Uint8Array> {
    return this.#ports.identity.passkeyFile()
  }

  protectIdentity(): Promise<IdentityInfo> {
    return this.#ports.identity.protectIdentity()
  }

  restoreFromBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo> {
    return this.#ports.identity.restoreFromBackup(file, passphrase)
  }

  restoreFromPasskey(passkey: PasskeyUnlocker, file: Uint8Array | null): Promise<IdentityInfo> {
    return this.#ports.identity.restoreFromPasskey(passkey, file)
  }

  rotateIdentity(options: Parameters<IdentityApi['rotateIdentity']>[0]): Promise<IdentityInfo> {
    return this.#ports.identity.rotateIdentity(options)
  }

  revokeDevice(peerId: string): Promise<IdentityInfo> {
    return this.#ports.identity.revokeDevice(peerId)
  }

  renameDevice(peerId: string, name: string): Promise<IdentityInfo> {
    return this.#ports.identity.renameDevice(peerId, name)
  }

  revokeIdentity(): Promise<IdentityInfo> {
    return this.#ports.identity.revokeIdentity()
  }

  exportIdentity(): Promise<Uint8Array> {
    return this.#ports.identity.exportIdentity()
  }

  trustEntries(): Promise<readonly TrustEntry[]> {
    return this.#trust.trustEntries()
  }

  trustHistory(rootId: string): Promise<TrustHistory | null> {
    return this.#trust.trustHistory(rootId)
  }

  blacklist(): Promise<readonly BlacklistEntry[]> {
    return this.#trust.blacklist()
  }

  blacklistPeer(rootId: string, options: { durationMs: number | null; reason: string }): Promise<void> {
    return this.#trust.blacklistPeer(rootId, options)
  }

  unblacklistPeer(rootId: string): Promise<void> {
    return this.#trust.unblacklistPeer(rootId)
  }

  securityEvents(filter: SecurityFilter): Promise<readonly SecurityEvent[]> {
    return this.#trust.securityEvents(filter)
  }

  exportSecurityEvents(filter: SecurityFilter): Promise<Uint8Array> {
    return this.#trust.exportSecurityEvents(filter)
  }

  /** Says goodbye, stops everything, and closes the store. */
  async stop(): Promise<void> {
    this.#executor.step({ type: 'pause', pause: { reason: 'stopping', untilMs: null } })
    await this.#lending.save().catch(() => undefined)
    for (const stop of this.#stops.splice(0)) stop()
    this.#link.stop()
    this.#learning.stop()
    this.#executor.stop()
    this.#requester.stop()
    await this.#admission.stop()
    this.#ports.sandbox.close()
    await this.#network.stop()
    await this.#ports.identity.close()
    await this.#trust.stop()
    await this.#ports.security.flush()
    await this.#ports.store.close()
  }

  // ---------------------------------------------------------------- inside

  #requesterNotice(notice: RequesterNotice): void {
    this.#book.apply(notice)
    this.#peers.apply(notice)
    this.#trust.apply(notice)
    this.#feed.changed()
  }

  #executorNotice(notice: ExecutorNotice): void {
    this.#lending.apply(notice)
    this.#feed.changed()
  }

  #nameJob(job: string, name: string): void {
    if (this.#jobNames.size >= JOB_NAMES_MAX) this.#jobNames.clear()
    this.#jobNames.set(job, name)
  }

  #watchNetwork(): void {
    this.#stops.push(
      this.#network.on('status', () => this.#feed.changed()),
      this.#network.on('error', (problem) => {
        const { name, message, peer, refused } = problem
        if (refused !== undefined) this.#ports.statements.count(refused.reason, refused.kind)
        if (name === 'ClockImplausibleError') this.#ports.security.add({ type: 'clock-off', message })
        const report = misconductReport(problem)
        if (report !== null) this.#ports.security.add(report)
        const who = peer === undefined ? '' : ` (${peer.slice(-6)})`
        this.#ports.log.write('warn', 'network', `${name}: ${message}${who}`)
      }),
      this.#network.serveBlocks((cid) => this.#ports.blocks.get(cid as Parameters<NodePorts['blocks']['get']>[0])),
    )
  }

  #watchMetrics(): void {
    this.#metrics.sample(() => this.#network.metrics())
    this.#metrics.sample(() => this.#ports.statements.samples())
    this.#metrics.sample(() => this.#trust.samples())
    this.#metrics.sample(() => this.#learning.samples())
    this.#metrics.sample(() => nodeSamples(this.#ports.sandbox.stats(), this.#book.summaries()))
  }

  #snapshot(): NodeSnapshot {
    const { self, networkId } = this.#ports
    return {
      peerId: self,
      networkId,
      startedAt: this.#startedAt,
      network: networkSummary(this.#network),
      lending: this.#lending.state(),
      jobs: this.#book.summaries(),
      admission: this.#admission.info(),
      inviteUrl: this.#platform.pageUrl && inviteLink(this.#platform.pageUrl, this.#admission.invite),
    }
  }

  #refused(error: unknown): void {
    this.#ports.log.write('error', 'storage', `Storage refused a write; nothing more is accepted: ${describe(error)}`)
    this.#executor.step({ type: 'pause', pause: { reason: 'storage-full', untilMs: null } })
    this.#feed.changed()
  }

  #every(intervalMs: number, work: () => void): void {
    const timer = setInterval(work, intervalMs)
    this.#stops.push(() => clearInterval(timer))
  }
}

/** What the network refused because of whoever sent it; `null` for all that may happen to anyone. */
function misconductReport({ peer, message, misconduct, evidence }: NetworkProblem): SecurityReport | null {
  if (misconduct === undefined || peer === undefined || !isPeerId(peer)) return null
  return {
    type: MISCONDUCT_EVENTS[misconduct],
    peerId: peer,
    message,
    misconduct,
    ...(evidence === undefined ? {} : { evidence: [evidence] }),
  }
}
