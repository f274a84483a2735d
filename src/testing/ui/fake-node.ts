import type { ModuleReport } from '../../core/sandbox/module.ts'
import type { AdmissionInfo } from '../../node/admission-contract.ts'
import type {
  Diagnostics,
  JobSpec,
  LendingState,
  LogEntry,
  MetricSample,
  NetworkCheckStep,
  NetworkSummary,
  NodeApi,
  NodeEvent,
  NodeSnapshot,
  PeerInfo,
  ReceiptInfo,
} from '../../node/contract.ts'
import { FakeAdmission } from './fake-admission.ts'
import { FakeJob } from './fake-job.ts'
import { PEERS, RELAY, SELF } from './fake-peers.ts'
import { FakeTrust } from './fake-trust.ts'

/** States of the interface that are hard to bring about with a real node. */
export type Scenario = 'first-visit' | 'room' | 'alone' | 'offline' | 'refusing' | 'failing'

const TICK_MS = 250

/** A node of made-up figures, for tests and the harness of the interface; it never reaches the product. */
export class FakeNode extends FakeTrust implements NodeApi {
  readonly #scenario: Scenario
  readonly #jobs = new Map<string, FakeJob>()
  readonly #listeners = new Map<number, (event: NodeEvent) => void>()
  readonly #startedAt = Date.now()
  #subscriptions = 0
  #lending: LendingState
  readonly #admission: FakeAdmission

  constructor(scenario: Scenario) {
    super()
    this.#scenario = scenario
    if (scenario === 'first-visit' || scenario === 'alone' || scenario === 'offline') this.setLearning('none')
    if (scenario === 'failing') this.setLearning('failing')
    this.#admission = new FakeAdmission(scenario === 'refusing')
    this.#lending = lending(scenario)
    setInterval(() => this.#tick(), TICK_MS)
  }

  #tick(): void {
    for (const [jobId, job] of this.#jobs) {
      const changes = job.step()
      if (changes === null) continue
      this.#tell({ type: 'units', jobId, changes, peers: PEERS })
      this.#tell({ type: 'job', jobId, summary: job.summary() })
    }
    void this.snapshot().then((snapshot) => this.#tell({ type: 'snapshot', snapshot }))
  }

  #tell(event: NodeEvent): void {
    for (const listener of this.#listeners.values()) listener(structuredClone(event))
  }

  #refuse(): void {
    if (this.#scenario === 'failing') throw new Error('The store is closed')
  }

  async snapshot(): Promise<NodeSnapshot> {
    return {
      peerId: SELF,
      networkId: 'fake',
      startedAt: this.#startedAt,
      network: network(this.#scenario),
      lending: this.#lending,
      jobs: [...this.#jobs.values()].map((job) => job.summary()),
      admission: this.#admission.info(),
      inviteUrl: this.#scenario === 'offline' ? null : 'https://starling.example/#room=fake',
    }
  }

  async subscribe(listener: (event: NodeEvent) => void): Promise<number> {
    this.#listeners.set(++this.#subscriptions, listener)
    return this.#subscriptions
  }

  async unsubscribe(subscription: number): Promise<void> {
    this.#listeners.delete(subscription)
  }

  async setLending(change: Partial<LendingState['settings']>): Promise<LendingState> {
    this.#refuse()
    const settings = { ...this.#lending.settings, ...change }
    const pausedBecause = settings.optedIn ? [] : [{ code: 'not-opted-in' }]
    this.#lending = { ...this.#lending, settings, pausedBecause }
    return this.#lending
  }

  async pause(durationMs: number | null): Promise<void> {
    const until = durationMs === null ? {} : { until: Date.now() + durationMs }
    this.#lending = { ...this.#lending, pausedBecause: [{ code: 'user', ...until }], running: [] }
  }

  async resume(): Promise<void> {
    this.#lending = { ...this.#lending, pausedBecause: [] }
  }

  async tell(): Promise<void> {}

  async inspectModule(module: Uint8Array): Promise<ModuleReport> {
    if (this.#scenario === 'refusing') throw new Error('memory.minimum is 70000 pages, limit 2048')
    return report(module)
  }

  async dryRun(
    spec: JobSpec,
    unit: number,
  ): Promise<ReturnType<NodeApi['dryRun']> extends Promise<infer T> ? T : never> {
    this.#refuse()
    const job = new FakeJob('dry', spec)
    return {
      report: report(spec.module),
      outcome: job.outcome(unit),
      gas: 12_345_678n,
      durationMs: 41.7,
      memoryBytesPeak: 2 * 65_536,
      prepareMs: 12.3,
    }
  }

  async submitJob(spec: JobSpec): Promise<string> {
    this.#refuse()
    const jobId = `fake${this.#jobs.size}`.padEnd(64, '0')
    this.#jobs.set(jobId, new FakeJob(jobId, spec))
    return jobId
  }

  async pauseJob(jobId: string): Promise<void> {
    this.#jobs.get(jobId)?.set('paused')
  }

  async resumeJob(jobId: string): Promise<void> {
    this.#jobs.get(jobId)?.set('running')
  }

  async cancelJob(jobId: string): Promise<void> {
    this.#jobs.get(jobId)?.set('cancelled')
  }

  async removeJob(jobId: string): Promise<void> {
    this.#jobs.delete(jobId)
  }

  async job(jobId: string): ReturnType<NodeApi['job']> {
    return this.#jobs.get(jobId)?.detail() ?? null
  }

  async unitGrid(jobId: string): ReturnType<NodeApi['unitGrid']> {
    return structuredClone(this.#jobs.get(jobId)?.grid() ?? null)
  }

  async unit(jobId: string, unit: number): ReturnType<NodeApi['unit']> {
    return this.#jobs.get(jobId)?.unit(unit) ?? null
  }

  async results(jobId: string, cursor: number, max: number): ReturnType<NodeApi['results']> {
    return this.#jobs.get(jobId)?.results(cursor, max) ?? []
  }

  async exportReceipts(): Promise<Uint8Array> {
    return new Uint8Array(16)
  }

  async verifyReceipt(bytes: Uint8Array): ReturnType<NodeApi['verifyReceipt']> {
    if (bytes[0] === 0) return { valid: false, error: 'receipt.signature does not fit its author' }
    return { valid: true, receipt: {} as ReceiptInfo }
  }

  async peers(): Promise<readonly PeerInfo[]> {
    if (this.#scenario === 'failing') throw new Error('The network is stopped')
    if (this.#scenario === 'offline') return []
    const relay = peer(RELAY, 0, 'relay')
    return this.#scenario === 'alone'
      ? [relay]
      : [relay, ...PEERS.map((id, i) => peer(id, i, i < 4 ? 'direct' : 'relayed'))]
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

  useInvite(): Promise<AdmissionInfo> {
    return this.#admission.useInvite()
  }

  async dial(target: string): Promise<void> {
    throw new Error(`${target} does not answer within 10 s`)
  }

  async diagnostics(): Promise<Diagnostics> {
    return {
      versions: { starling: '0.1.0', libp2p: '3.3.11' },
      storage: { usedBytes: 12_345_678, quotaBytes: 2_000_000_000, persisted: false },
      clockOffsetMs: 42,
      channelTransfer: 'transferred',
      network: network(this.#scenario),
      crossOriginIsolated: true,
    }
  }

  async networkCheck(): Promise<readonly NetworkCheckStep[]> {
    return [
      { name: 'Relay answers', state: 'ok', detail: 'Answers over HTTP in 4 ms', advice: null, durationMs: 4.2 },
      {
        name: 'Direct connections',
        state: 'warning',
        detail: 'None yet',
        advice: 'Open the link in another tab',
        durationMs: 0.1,
      },
      { name: 'Storage', state: 'failed', detail: 'Writing failed', advice: 'Free some space', durationMs: 1 },
    ]
  }

  async metrics(): Promise<readonly MetricSample[]> {
    const at = (Date.now() - this.#startedAt) / 1000
    return [
      {
        name: 'wasm_executions_total',
        help: 'Units executed here, by how they ended',
        type: 'counter',
        labels: { status: 'ok' },
        value: Math.round(at * 7),
      },
      {
        name: 'wasm_executions_total',
        help: 'Units executed here, by how they ended',
        type: 'counter',
        labels: { status: 'trap' },
        value: Math.round(at),
      },
      { name: 'network_peers', help: 'Connected peers', type: 'gauge', labels: {}, value: 7 },
    ]
  }

  async logs(): Promise<readonly LogEntry[]> {
    const levels = ['debug', 'info', 'warn', 'error'] as const
    return levels.map((level, i) => ({
      at: this.#startedAt + i,
      level,
      scope: 'network',
      message: `A line of level ${level}`,
    }))
  }

  async stop(): Promise<void> {}
}

function lending(scenario: Scenario): LendingState {
  const optedIn = scenario !== 'first-visit'
  return {
    settings: { optedIn, workers: 2, cpuShare: 1, pauseOnBattery: true, pauseOnMetered: true },
    workersMax: 8,
    active: 2,
    pausedBecause: optedIn ? (scenario === 'offline' ? [{ code: 'offline' }] : []) : [{ code: 'not-opted-in' }],
    idleBecause: scenario === 'alone' ? { code: 'no-offers' } : null,
    running:
      scenario === 'room'
        ? [11, 12].map((unit) => ({
            jobId: 'x',
            jobName: 'Ray tracer',
            unit,
            requester: PEERS[0] ?? '',
            startedAt: Date.now() - 1500,
          }))
        : [],
    queued: scenario === 'room' ? 3 : 0,
    unitsDone: 143,
    unitsDelivered: 143,
    unitsFailed: 2,
    lentMs: 252_000,
    earnedMicro: 12_345n,
    earningMicroPerSecond: 12.3,
  }
}

function network(scenario: Scenario): NetworkSummary {
  const some = scenario === 'room' || scenario === 'refusing' || scenario === 'failing'
  return {
    state: scenario === 'offline' ? 'connecting' : some ? 'meshed' : 'relayed',
    reason:
      scenario === 'offline'
        ? { code: 'relay-unreachable', detail: String(Date.now() - 12_000) }
        : some
          ? null
          : { code: 'no-other-peer' },
    peers: some ? 7 : 0,
    direct: some ? 4 : 0,
    relayed: some ? 3 : 0,
    relays: [
      {
        peerId: RELAY,
        multiaddr: '/ip4/127.0.0.1/tcp/7460/ws/p2p/12D3KooWFakeRelay',
        state: scenario === 'offline' ? 'unreachable' : 'reserved',
        reservationExpiresAt: scenario === 'offline' ? null : Date.now() + 3_600_000,
        rttMs: 3.4,
        lastError: scenario === 'offline' ? 'Connection refused' : null,
      },
    ],
    multiaddrs: ['/ip4/127.0.0.1/tcp/7460/ws/p2p/12D3KooWFakeRelay/p2p-circuit/p2p/12D3KooWFakeSelf'],
    rtcConnectionsUsed: 12,
    rtcConnectionsMax: 500,
  }
}

function peer(peerId: string, i: number, kind: PeerInfo['kind']): PeerInfo {
  return {
    peerId,
    kind,
    transport: kind === 'direct' ? 'webrtc' : 'websocket',
    remoteAddress: `/ip4/127.0.0.1/udp/${4000 + i}/webrtc/p2p/${peerId}`,
    rttMs: i === 3 ? null : 1.2 + i * 7.1,
    bytesIn: 1_000_000 * i,
    bytesOut: 2_000_000 * i,
    bytesInPerSecond: 10 ** i,
    bytesOutPerSecond: 100 * i,
    connectedAt: Date.now() - i * 60_000,
    agent: 'starling/0.1.0',
    unitsDone: i * 10,
    unitsVerified: i * 9,
    unitsFailed: i,
    excludedBecause: i === 5 ? 'wrong-result' : null,
    lastError: i === 4 ? 'The direct dial failed: timed out after 10 s' : null,
  }
}

function report(module: Uint8Array): ModuleReport {
  return {
    bytes: module.length,
    preparedBytes: Math.round(module.length * 1.4),
    functions: 87,
    imports: [{ module: 'wasi_snapshot_preview1', name: 'fd_write', kind: 'function' }],
    exports: ['_start', 'memory'],
    abi: 'wasi-command',
    memoryPagesMin: 2,
    memoryPagesMax: 2048,
    features: ['bulk-memory', 'sign-extension'],
  }
}
