import type { ModuleReport } from '../../core/sandbox/module.ts'
import type { UnitExecution, UnitInput } from '../../core/tasks/unit.ts'
import type { PlainError } from './errors.ts'

/** What one unit may use. All but the wall clock are deterministic: every honest executor meets them at the same point. */
export interface UnitLimits {
  readonly gasMax: bigint
  readonly stackBytesMax: number
  /** Linear memory; rounded down to whole 64 KiB pages. */
  readonly memoryBytesMax: number
  readonly wallMsMax: number
  /** stdout, stderr and files together. */
  readonly outputBytesMax: number
}

/** One unit as {@link SandboxPool.execute} takes it. */
export interface ExecuteInit {
  /** The id under which the module was prepared, normally its CID. */
  readonly module: string
  /** `argv[0]`: the manifest's name. @default 'unit' */
  readonly name?: string
  readonly input: UnitInput
  readonly limits: UnitLimits
  /** 32 bytes, SHA-256 of (manifest hash, unit index): the guest's clock and randomness come from it. */
  readonly seed: Uint8Array
  readonly signal?: AbortSignal
}

/** How an execution ended, as the metrics label it. */
export type ExecutionStatus = 'success' | 'failure' | 'trap' | 'timeout' | 'cancelled' | 'crashed'

/** Told once for each execution that ended: what histograms are made of. */
export interface ExecutionRecord {
  readonly module: string
  readonly status: ExecutionStatus
  /** As measured in the worker; for executions that never ended, since they were handed to it. */
  readonly durationMs: number
  /** 0 when unknown. */
  readonly memoryBytesPeak: number
}

/** What one worker does now. */
export interface SandboxWorkerStats {
  readonly state: 'starting' | 'idle' | 'running' | 'leaving'
  readonly module: string | null
  /** Units handed over, the running one included. */
  readonly units: number
  /** Since the running unit was begun. */
  readonly runningMs: number
}

export interface SandboxStats {
  readonly workers: readonly SandboxWorkerStats[]
  /** Units a worker runs this moment. */
  readonly active: number
  /** Units not yet handed to a worker. */
  readonly queued: number
  readonly executions: Readonly<Record<ExecutionStatus, number>>
  readonly modulesCached: number
  readonly workersReplaced: number
}

/** Runs units of untrusted modules in workers of its own. */
export interface SandboxPool {
  /** `workers: 0` pauses: running units end, waiting ones stay. `cpuShare` in (0, 1] of each worker's core. */
  configure(options: { readonly workers?: number; readonly cpuShare?: number }): void
  /**
   * Parses, rewrites and compiles a module away from this thread and keeps the result under `cid`.
   *
   * @param options.memoryBytesMax - The most any unit of it will be allowed. Up to the default one compiled module serves all;
   *   beyond it, one for each limit. @default 128 MiB
   * @throws `InvalidModuleError` (by `name`) When the module is refused.
   */
  prepare(
    cid: string,
    bytes: Uint8Array,
    options?: { readonly memoryBytesMax?: number; readonly signal?: AbortSignal },
  ): Promise<ModuleReport>
  /** Whether {@link execute} would find the module. */
  prepared(cid: string, memoryBytesMax?: number): boolean
  /**
   * @throws {@link ModuleNotPreparedError}, {@link WallClockError}, {@link ExecutionCancelledError},
   *   {@link SandboxFaultError}, {@link SandboxClosedError}, `LimitExceededError`.
   */
  execute(init: ExecuteInit): Promise<UnitExecution>
  stats(): SandboxStats
  close(): void
}

/** One unit as a worker is given it. */
export interface UnitMessage {
  readonly id: number
  readonly module: string
  readonly name: string
  readonly input: UnitInput
  readonly limits: UnitLimits
  readonly seed: Uint8Array
}

export type PoolToWorker =
  | { readonly type: 'configure'; readonly cpuShare: number }
  | { readonly type: 'prepare'; readonly id: number; readonly bytes: Uint8Array; readonly memoryPagesMax: number }
  | { readonly type: 'module'; readonly key: string; readonly module: WebAssembly.Module }
  | { readonly type: 'forget'; readonly key: string }
  | { readonly type: 'run'; readonly units: readonly UnitMessage[] }

export type WorkerToPool =
  | { readonly type: 'ready' }
  | {
      readonly type: 'prepared'
      readonly id: number
      readonly report: ModuleReport
      readonly module: WebAssembly.Module
    }
  | { readonly type: 'refused'; readonly id: number; readonly error: PlainError }
  | {
      readonly type: 'done'
      readonly id: number
      readonly execution: UnitExecution
      /** How long the worker idles before its next unit, to keep its share. */
      readonly idleMs: number
    }
  | { readonly type: 'fault'; readonly id: number; readonly error: PlainError }

/** A running worker as the pool sees it, in a browser or in Node. */
export interface SandboxWorker {
  post(message: PoolToWorker): void
  /** Whether it has work: Node keeps the process alive for a busy worker and not for an idle one. */
  hold(busy: boolean): void
  /** Ends it at once, in the middle of whatever it does. */
  terminate(): void
}

/** What a worker reports; nothing is told after `terminate`. */
export interface SandboxWorkerEvents {
  message(message: WorkerToPool): void
  /** It died, or its script could not be loaded. */
  failed(reason: string): void
}

/** Starts one worker: all that differs between browsers and Node. */
export type SpawnSandboxWorker = (events: SandboxWorkerEvents) => SandboxWorker
