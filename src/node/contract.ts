/**
 * What a page, the SDK and the CLI may ask of a running peer. In a browser this object is reached through Comlink (the node
 * lives in a worker); in Node it is the peer itself. Plain data only: everything here survives structured cloning.
 */
import type { ModuleReport } from '../core/sandbox/module.ts'
import type { Trap, UnitInput, UnitOutcome } from '../core/tasks/unit.ts'
import type { AdmissionApi, AdmissionInfo } from './admission-contract.ts'
import type { IdentityApi } from './identity-contract.ts'
import type { LearningApi, LearningEvent } from './learning-contract.ts'
import type { TrustApi } from './trust-contract.ts'

/** Codes a person's sentence is made from; `detail` holds the varying part (an address, seconds, a count). */
export interface Reason {
  readonly code: string
  readonly detail?: string
  /** When the reason ends by itself, ms since epoch. */
  readonly until?: number
}

// ---------------------------------------------------------------- lending

export interface LendingSettings {
  /** Nothing of others runs here before the owner of the tab agreed. */
  readonly optedIn: boolean
  /** Units computed at once; at most `hardwareConcurrency`. */
  readonly workers: number
  /** 0.1 to 1: the part of each worker's time that units may use. */
  readonly cpuShare: number
  readonly pauseOnBattery: boolean
  readonly pauseOnMetered: boolean
}

export interface LendingState {
  readonly settings: LendingSettings
  readonly workersMax: number
  readonly active: number
  /** Empty while lending. */
  readonly pausedBecause: readonly Reason[]
  /** Why nothing runs although lending is on: no offers, none that fit, … `null` while something runs. */
  readonly idleBecause: Reason | null
  readonly running: readonly RunningUnit[]
  readonly queued: number
  readonly unitsDone: number
  /** Of these, acknowledged by who asked for them. Whether they were right is the requester's to say. */
  readonly unitsDelivered: number
  readonly unitsFailed: number
  readonly lentMs: number
  /** Micro-units earned by receipts so far (not yet paid by anyone). */
  readonly earnedMicro: bigint
  /** Micro-units per second over the last minute. */
  readonly earningMicroPerSecond: number
}

export interface RunningUnit {
  readonly jobId: string
  readonly jobName: string
  readonly unit: number
  readonly requester: string
  readonly startedAt: number
}

// ---------------------------------------------------------------- network

export type NetworkState = 'starting' | 'offline' | 'connecting' | 'relayed' | 'meshed' | 'stopped'

export interface NetworkSummary {
  readonly state: NetworkState
  readonly reason: Reason | null
  readonly peers: number
  readonly direct: number
  readonly relayed: number
  readonly relays: readonly RelayInfo[]
  readonly multiaddrs: readonly string[]
  readonly rtcConnectionsUsed: number
  readonly rtcConnectionsMax: number
}

export interface RelayInfo {
  readonly peerId: string
  readonly multiaddr: string
  readonly state: 'connecting' | 'connected' | 'reserved' | 'full' | 'unreachable'
  readonly reservationExpiresAt: number | null
  readonly rttMs: number | null
  readonly lastError: string | null
}

export interface PeerInfo {
  readonly peerId: string
  readonly kind: 'direct' | 'relayed' | 'relay'
  readonly transport: string
  readonly remoteAddress: string
  readonly rttMs: number | null
  readonly bytesIn: number
  readonly bytesOut: number
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
  readonly connectedAt: number
  readonly agent: string | null
  /** Units this peer did for us, and of those how many were accepted as right. */
  readonly unitsDone: number
  readonly unitsVerified: number
  readonly unitsFailed: number
  readonly excludedBecause: string | null
  readonly lastError: string | null
}

// ---------------------------------------------------------------- jobs

export type JobState = 'running' | 'paused' | 'done' | 'cancelled' | 'failed'

export interface JobOptions {
  readonly replicas: number
  readonly quorum: number
  /** 0 to 1,000,000: parts per million of units recomputed by the requester. */
  readonly auditPpm: number
  /** May the requester's own workers compute units of it too. */
  readonly useOwnWorkers: boolean
  readonly priority: number
  readonly memoryBytesMax: number
  readonly gasMax: bigint
  readonly wallMsMax: number
  readonly stackBytesMax: number
  readonly outputBytesMax: number
  readonly pricePerSecondMicro: bigint
  readonly pricePerMebibyteMicro: bigint
  readonly priceMaxMicro: bigint
}

/** How results are best looked at. `tiles`: each outcome's stdout is RGBA bytes of one tile of a picture. */
export type ResultView =
  | {
      readonly kind: 'tiles'
      readonly columns: number
      readonly rows: number
      readonly tileWidth: number
      readonly tileHeight: number
    }
  | { readonly kind: 'image-files' }
  | { readonly kind: 'table' }
  | { readonly kind: 'text' }
  | { readonly kind: 'none' }

export interface JobSpec {
  readonly name: string
  readonly abi: 'wasi-command' | 'reactor'
  readonly module: Uint8Array
  readonly inputs: readonly UnitInput[]
  /** Files every unit sees under `/in`, sent to each executor once. */
  readonly sharedFiles: readonly { readonly path: string; readonly content: Uint8Array }[]
  readonly view: ResultView
  readonly options?: Partial<JobOptions>
}

export interface JobCounts {
  readonly units: number
  readonly pending: number
  readonly leased: number
  /** Waiting for a further receipt or an audit. */
  readonly verifying: number
  readonly accepted: number
  /** Accepted with at least two executors' agreeing receipts, or audited here. */
  readonly verified: number
  /** Of the accepted: ended with a trap or a non-zero exit code. */
  readonly unsuccessful: number
  readonly failed: number
}

export interface JobSummary {
  readonly jobId: string
  readonly name: string
  readonly state: JobState
  readonly reason: Reason | null
  readonly counts: JobCounts
  readonly createdAt: number
  readonly finishedAt: number | null
  /** Executors that delivered at least one receipt. */
  readonly executors: number
  readonly unitsPerSecond: number
  /** Middle estimate and its spread, ms from now; `null` before anything is known. */
  readonly etaMs: { readonly low: number; readonly middle: number; readonly high: number } | null
  readonly costMicro: bigint
  readonly costMaxMicro: bigint
  readonly view: ResultView
}

export interface JobDetail extends JobSummary {
  readonly manifestHash: string
  readonly module: string
  readonly abi: 'wasi-command' | 'reactor'
  readonly options: JobOptions
  readonly executorStats: readonly ExecutorStats[]
  /** What went wrong, grouped: each cause once, with what happened then. */
  readonly problems: readonly JobProblem[]
  /** Units finished per second, one figure per `throughputStepMs`, oldest first. */
  readonly throughput: readonly number[]
  readonly throughputStepMs: number
}

export interface ExecutorStats {
  readonly peerId: string
  readonly self: boolean
  readonly inFlight: number
  readonly delivered: number
  readonly accepted: number
  readonly failed: number
  readonly meanMs: number
  readonly costMicro: bigint
  readonly excludedBecause: string | null
}

export interface JobProblem {
  readonly code: string
  readonly count: number
  readonly peers: readonly string[]
  readonly example: string
  readonly consequence: string
  readonly lastAt: number
}

/** State of one unit, as one byte of {@link UnitGrid.states}. */
export const UNIT_STATE = {
  pending: 0,
  leased: 1,
  verifying: 2,
  accepted: 3,
  verified: 4,
  unsuccessful: 5,
  failed: 6,
} as const

/** Packed so that thousands of units cost one transfer. */
export interface UnitGrid {
  readonly version: number
  readonly states: Uint8Array
  /** Index into `peers` plus one of the (first) executor of each unit; 0 while there is none. */
  readonly executors: Uint16Array
  readonly peers: readonly string[]
}

export interface UnitDetail {
  readonly unit: number
  readonly state: keyof typeof UNIT_STATE
  readonly input: UnitInput
  readonly outcome: UnitOutcome | null
  readonly receipts: readonly ReceiptInfo[]
  readonly audited: boolean
  readonly conflicts: number
}

export interface ReceiptInfo {
  /** The signed receipt as it travels; `verifyReceipt` takes it. */
  readonly bytes: Uint8Array
  readonly executor: string
  readonly manifestHash: string
  readonly unit: number
  readonly inputHash: string
  readonly outputHash: string
  readonly success: boolean
  readonly exitCode: number
  readonly trap: Trap | null
  readonly gas: bigint
  readonly durationMs: number
  readonly memoryBytesPeak: number
  readonly startedAt: number
  readonly costMicro: bigint
  readonly attestations: readonly string[]
  /** Whether it agrees with what was accepted. */
  readonly agrees: boolean
}

export type ReceiptVerdict =
  | { readonly valid: true; readonly receipt: ReceiptInfo }
  | { readonly valid: false; readonly error: string }

export interface DryRun {
  readonly report: ModuleReport
  readonly outcome: UnitOutcome
  readonly gas: bigint
  readonly durationMs: number
  readonly memoryBytesPeak: number
  readonly prepareMs: number
}

export interface ResultItem {
  readonly unit: number
  readonly outcome: UnitOutcome
  readonly executor: string
  readonly agreeing: number
}

// ---------------------------------------------------------------- diagnostics

export interface MetricSample {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface LogEntry {
  readonly at: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly scope: string
  readonly message: string
}

export interface NetworkCheckStep {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly detail: string
  readonly advice: string | null
  readonly durationMs: number
}

export interface Diagnostics {
  readonly versions: Readonly<Record<string, string>>
  readonly storage: {
    readonly usedBytes: number
    readonly quotaBytes: number | null
    readonly persisted: boolean | null
  }
  readonly clockOffsetMs: number | null
  readonly channelTransfer: 'transferred' | 'forwarded' | 'native' | null
  readonly network: NetworkSummary
  readonly crossOriginIsolated: boolean
}

// ---------------------------------------------------------------- the node

export interface NodeSnapshot {
  readonly peerId: string
  readonly networkId: string
  readonly startedAt: number
  readonly network: NetworkSummary
  readonly lending: LendingState
  readonly jobs: readonly JobSummary[]
  readonly admission: AdmissionInfo
  /** Link others open to join this room; `null` until a relay is known. */
  readonly inviteUrl: string | null
}

/** Coalesced by the node to at most a few per second for each kind and job. */
export type NodeEvent =
  | { readonly type: 'snapshot'; readonly snapshot: NodeSnapshot }
  | { readonly type: 'job'; readonly jobId: string; readonly summary: JobSummary }
  /** `changes`: triples of unit, state (see {@link UNIT_STATE}) and executor (see {@link UnitGrid}). */
  | { readonly type: 'units'; readonly jobId: string; readonly changes: Uint32Array; readonly peers: readonly string[] }
  | { readonly type: 'log'; readonly entries: readonly LogEntry[] }
  | LearningEvent

export type PlatformFact =
  | { readonly kind: 'battery'; readonly charging: boolean; readonly level: number }
  | { readonly kind: 'metered'; readonly metered: boolean }
  | { readonly kind: 'online'; readonly online: boolean }
  | { readonly kind: 'visible'; readonly visible: boolean }

export interface NodeApi extends IdentityApi, AdmissionApi, TrustApi, LearningApi {
  snapshot(): Promise<NodeSnapshot>
  /** Calls `listener` until {@link NodeApi.unsubscribe}; pass `proxy(listener)` through Comlink. */
  subscribe(listener: (event: NodeEvent) => void): Promise<number>
  unsubscribe(subscription: number): Promise<void>

  setLending(settings: Partial<LendingSettings>): Promise<LendingState>
  /** `durationMs: null` pauses until {@link NodeApi.resume}. */
  pause(durationMs: number | null): Promise<void>
  resume(): Promise<void>
  /** What only the window can see: battery, metered link, network loss. */
  tell(fact: PlatformFact): Promise<void>

  inspectModule(module: Uint8Array): Promise<ModuleReport>
  dryRun(spec: JobSpec, unit: number): Promise<DryRun>
  submitJob(spec: JobSpec): Promise<string>
  pauseJob(jobId: string): Promise<void>
  resumeJob(jobId: string): Promise<void>
  /** Leases are cancelled; what was accepted stays. */
  cancelJob(jobId: string): Promise<void>
  /** Deletes a finished or cancelled job and its results. */
  removeJob(jobId: string): Promise<void>
  job(jobId: string): Promise<JobDetail | null>
  unitGrid(jobId: string): Promise<UnitGrid | null>
  unit(jobId: string, unit: number): Promise<UnitDetail | null>
  /** Accepted outcomes in the order of acceptance, from position `cursor`; at most `max` of them. */
  results(jobId: string, cursor: number, max: number): Promise<readonly ResultItem[]>
  /** Every signed receipt of the job with its attestations, one CBOR sequence: the evidence to keep. */
  exportReceipts(jobId: string): Promise<Uint8Array>
  verifyReceipt(bytes: Uint8Array): Promise<ReceiptVerdict>

  peers(): Promise<readonly PeerInfo[]>
  dial(target: string): Promise<void>
  diagnostics(): Promise<Diagnostics>
  networkCheck(): Promise<readonly NetworkCheckStep[]>
  metrics(): Promise<readonly MetricSample[]>
  logs(): Promise<readonly LogEntry[]>

  stop(): Promise<void>
}
