import { LimitExceededError } from '../../core/codec/errors.ts'
import { GAS_MAX } from '../../core/sandbox/limits.ts'
import { STACK_BYTES_CEILING } from '../../core/sandbox/meter-layout.ts'
import type { ModuleReport } from '../../core/sandbox/module.ts'
import type { UnitExecution, UnitInput } from '../../core/tasks/unit.ts'
import type {
  ExecuteInit,
  ExecutionRecord,
  ExecutionStatus,
  SandboxPool,
  SandboxStats,
  SpawnSandboxWorker,
  UnitMessage,
} from './contract.ts'
import {
  ExecutionCancelledError,
  ModuleNotPreparedError,
  SandboxClosedError,
  SandboxFaultError,
  WallClockError,
} from './errors.ts'
import {
  ATTEMPTS_MAX,
  CPU_SHARE_MIN,
  DURATION_WEIGHT,
  EXECUTIONS_QUEUED_MAX,
  INPUT_BYTES_MAX,
  MEMORY_BYTES_DEFAULT,
  MEMORY_BYTES_MAX,
  OUTPUT_BYTES_MAX,
  PAGE_BYTES,
  PIPELINE_TARGET_MS,
  PIPELINE_UNIT_MS_MAX,
  PIPELINE_UNITS_MAX,
  PIPELINE_UNITS_MIN,
  SPAWN_FAILURES_MAX,
  SPAWN_RETRY_MS,
  WALL_MS_MAX,
  WORKERS_MAX,
} from './limits.ts'
import { ModuleCache } from './module-cache.ts'
import { type Prepared, Preparer } from './preparer.ts'
import { type Entry, Slot, type SlotEnd } from './slot.ts'

export interface PoolInit {
  readonly spawn: SpawnSandboxWorker
  /** @default 1 */
  readonly workers?: number
  /** @default 1 */
  readonly cpuShare?: number
  /** Called once for each execution that ended. */
  readonly observe?: (record: ExecutionRecord) => void
}

/** Makes the pool of sandbox workers; browsers and Node differ in `spawn` alone. */
export function createPool(init: PoolInit): SandboxPool {
  return new Pool(init)
}

interface PendingEntry extends Entry {
  readonly resolve: (execution: UnitExecution) => void
  readonly reject: (error: Error) => void
  readonly unlisten: () => void
}

class Pool implements SandboxPool {
  readonly #init: PoolInit
  readonly #preparer: Preparer
  readonly #preparing = new Map<string, Promise<Prepared>>()
  readonly #modules = new ModuleCache((key) => this.#forget(key))
  readonly #slots = new Set<Slot>()
  /** Not yet handed over, in order. What a stalled or dead worker gives back goes to the front. */
  readonly #queue: PendingEntry[] = []
  readonly #pending = new Set<PendingEntry>()
  readonly #executions: Record<ExecutionStatus, number> = {
    success: 0,
    failure: 0,
    trap: 0,
    timeout: 0,
    cancelled: 0,
    crashed: 0,
  }
  #workers: number
  #cpuShare: number
  #nextId = 0
  #workersReplaced = 0
  #spawnFailures = 0
  #spawnBlocked = false
  #dispatchDue = false
  #held = false
  #closed = false

  constructor(init: PoolInit) {
    this.#init = init
    this.#preparer = new Preparer(init.spawn)
    this.#workers = clampWorkers(init.workers ?? 1)
    this.#cpuShare = clampShare(init.cpuShare ?? 1)
  }

  configure(options: { readonly workers?: number; readonly cpuShare?: number }): void {
    if (options.workers !== undefined) this.#workers = clampWorkers(options.workers)
    if (options.cpuShare !== undefined) {
      this.#cpuShare = clampShare(options.cpuShare)
      for (const slot of this.#slots) slot.configure(this.#cpuShare)
    }
    this.#spawnFailures = 0
    this.#trim()
    this.#dispatchSoon()
  }

  async prepare(
    cid: string,
    bytes: Uint8Array,
    options: { readonly memoryBytesMax?: number; readonly signal?: AbortSignal } = {},
  ): Promise<ModuleReport> {
    this.#assertOpen()
    const pages = pagesOf(options.memoryBytesMax ?? MEMORY_BYTES_DEFAULT)
    const key = keyOf(cid, pages)
    const known = this.#modules.use(key)
    if (known !== undefined) return known.report
    let preparing = this.#preparing.get(key)
    if (preparing === undefined) {
      preparing = this.#preparer.prepare(bytes, pages).finally(() => this.#preparing.delete(key))
      this.#preparing.set(key, preparing)
    }
    const { report, module } = await unlessAborted(preparing, options.signal)
    if (!this.#modules.has(key)) this.#modules.add({ key, cid, module, report, users: 0, unitMs: null })
    return report
  }

  prepared(cid: string, memoryBytesMax = MEMORY_BYTES_DEFAULT): boolean {
    return this.#modules.has(keyOf(cid, pagesOf(memoryBytesMax)))
  }

  async execute(init: ExecuteInit): Promise<UnitExecution> {
    this.#assertOpen()
    assertWithin('pending executions', this.#pending.size + 1, EXECUTIONS_QUEUED_MAX)
    assertLimits(init)
    const module = this.#modules.use(keyOf(init.module, pagesOf(init.limits.memoryBytesMax)))
    if (module === undefined) {
      const { memoryBytesMax } = init.limits
      throw new ModuleNotPreparedError(`Module ${init.module} is not prepared for ${memoryBytesMax} bytes of memory`, {
        module: init.module,
        memoryBytesMax,
      })
    }
    if (init.signal?.aborted) throw cancelled()
    const { name = 'unit', input, limits, seed, signal } = init
    const unit: UnitMessage = { id: this.#nextId++, module: module.key, name, input, limits, seed }
    module.users += 1
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#cancel(entry)
      const unlisten = (): void => signal?.removeEventListener('abort', onAbort)
      const entry: PendingEntry = { unit, module, attempts: 0, settled: false, handedAt: 0, resolve, reject, unlisten }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#pending.add(entry)
      this.#queue.push(entry)
      this.#dispatchSoon()
    })
  }

  stats(): SandboxStats {
    const workers = [...this.#slots].map((slot) => slot.stats())
    return {
      workers,
      active: workers.filter((worker) => worker.units > 0).length,
      queued: this.#queue.length,
      executions: { ...this.#executions },
      modulesCached: this.#modules.size,
      workersReplaced: this.#workersReplaced,
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#preparer.close()
    for (const slot of this.#slots) slot.close()
    this.#slots.clear()
    this.#rejectAll(new SandboxClosedError('The sandbox was closed'))
  }

  // --- handing units over

  /** Collects what one turn brings, so that many `execute` calls in it become one message to each worker. */
  #dispatchSoon(): void {
    if (this.#dispatchDue) return
    this.#dispatchDue = true
    queueMicrotask(() => {
      this.#dispatchDue = false
      if (!this.#closed) this.#dispatch()
    })
  }

  #dispatch(): void {
    this.#spawnMissing()
    // Topped up only when half is gone: a message for some units at a time instead of one for each.
    const filling = new Set(
      [...this.#slots].filter(
        (slot) => slot.backlogMs() < PIPELINE_TARGET_MS / 2 && slot.load <= PIPELINE_UNITS_MAX / 2,
      ),
    )
    for (let entry = this.#queue[0]; entry !== undefined; entry = this.#queue[0]) {
      if (!entry.settled) {
        const slot = this.#roomiest(entry, filling)
        if (slot === null) break
        slot.stage(entry)
      }
      this.#queue.shift()
    }
    for (const slot of this.#slots) slot.flush()
    this.#holdWhileBusy()
  }

  /** The worker that would come to this unit first, if any may take one more. */
  #roomiest(entry: Entry, filling: ReadonlySet<Slot>): Slot | null {
    let best: Slot | null = null
    let bestBacklogMs = Number.POSITIVE_INFINITY
    for (const slot of this.#slots) {
      if (!slot.ready || slot.leaving || slot.holds(entry)) continue
      const backlogMs = slot.backlogMs()
      if (!hasRoom(slot.load, backlogMs, entry.module.unitMs, filling.has(slot))) continue
      // An empty worker goes first even if estimates say nothing yet.
      const rank = slot.load === 0 ? -1 : backlogMs
      if (rank < bestBacklogMs) {
        best = slot
        bestBacklogMs = rank
      }
    }
    return best
  }

  #holdWhileBusy(): void {
    const busy = this.#pending.size > 0
    if (busy === this.#held) return
    this.#held = busy
    for (const slot of this.#slots) slot.hold(busy)
  }

  // --- workers

  #spawnMissing(): void {
    if (this.#queue.length === 0 || this.#spawnBlocked) return
    let staying = 0
    let idle = 0
    for (const slot of this.#slots) {
      if (slot.leaving) continue
      staying += 1
      if (slot.load === 0) idle += 1
    }
    const wanted = Math.min(this.#workers, staying + this.#queue.length - idle)
    for (; staying < wanted; staying += 1) this.#addSlot()
  }

  #addSlot(): void {
    const slot = new Slot(this.#init.spawn, {
      ready: () => {
        this.#spawnFailures = 0
        this.#dispatchSoon()
      },
      done: (from, entry, execution) => this.#done(from, entry as PendingEntry, execution),
      fault: (from, entry, error) => {
        this.#retire(from)
        this.#retry(entry as PendingEntry, error.message)
      },
      stalled: (_, waiting) => this.#giveBack(waiting),
      ended: (from, end, rest) => this.#ended(from, end, rest),
    })
    this.#slots.add(slot)
    slot.hold(this.#held)
    if (this.#cpuShare < 1) slot.configure(this.#cpuShare)
  }

  /** Lets the workers above the wanted number go when they have finished what they hold. */
  #trim(): void {
    let staying = 0
    // Those that stay are the ones with the most work, so that the others are gone sooner.
    for (const slot of [...this.#slots].sort((a, b) => b.load - a.load)) {
      slot.leaving = staying >= this.#workers
      if (!slot.leaving) staying += 1
      else if (slot.load === 0) this.#remove(slot)
    }
  }

  #remove(slot: Slot): readonly Entry[] {
    this.#slots.delete(slot)
    return slot.close()
  }

  /** Replaces a worker whose memory may be exhausted. */
  #retire(slot: Slot): void {
    this.#workersReplaced += 1
    this.#giveBack(this.#remove(slot))
  }

  #ended(slot: Slot, end: SlotEnd, rest: readonly Entry[]): void {
    this.#slots.delete(slot)
    this.#workersReplaced += 1
    this.#giveBack(rest)
    if (end.cause === 'timeout') this.#timeOut(end.culprit as PendingEntry)
    if (end.cause === 'crashed') {
      if (end.culprit !== null) this.#retry(end.culprit as PendingEntry, end.reason)
      if (!end.wasReady) this.#spawnFailed(end.reason)
    }
    this.#dispatchSoon()
  }

  #spawnFailed(reason: string): void {
    this.#spawnFailures += 1
    if (this.#spawnFailures >= SPAWN_FAILURES_MAX) {
      const error = new SandboxClosedError(`No sandbox worker could be started: ${reason}`, { reason })
      this.#spawnFailures = 0
      this.#rejectAll(error)
      return
    }
    this.#spawnBlocked = true
    const delayMs = SPAWN_RETRY_MS * 2 ** (this.#spawnFailures - 1)
    setTimeout(() => {
      this.#spawnBlocked = false
      if (!this.#closed) this.#dispatchSoon()
    }, delayMs)
  }

  #forget(key: string): void {
    for (const slot of this.#slots) slot.forget(key)
  }

  // --- ends of executions

  #done(slot: Slot, entry: PendingEntry, execution: UnitExecution): void {
    const { durationMs } = execution
    const { module } = entry
    module.unitMs = module.unitMs === null ? durationMs : module.unitMs + (durationMs - module.unitMs) * DURATION_WEIGHT
    if (this.#settle(entry, statusOf(execution), durationMs, execution.memoryBytesPeak)) entry.resolve(execution)
    if (slot.leaving && slot.load === 0) this.#remove(slot)
    this.#dispatchSoon()
  }

  #timeOut(entry: PendingEntry): void {
    const { wallMsMax } = entry.unit.limits
    if (!this.#settle(entry, 'timeout', performance.now() - entry.handedAt)) return
    entry.reject(
      new WallClockError(`The unit ran longer than ${wallMsMax} ms`, { field: 'wallMsMax', limit: wallMsMax }),
    )
  }

  #cancel(entry: PendingEntry): void {
    if (!this.#settle(entry, 'cancelled', entry.handedAt === 0 ? 0 : performance.now() - entry.handedAt)) return
    const at = this.#queue.indexOf(entry)
    if (at >= 0) this.#queue.splice(at, 1)
    for (const slot of this.#slots) if (slot.holds(entry)) slot.noticeSettled()
    entry.reject(cancelled())
    this.#dispatchSoon()
  }

  #retry(entry: PendingEntry, reason: string): void {
    if (entry.settled) return
    entry.attempts += 1
    if (entry.attempts < ATTEMPTS_MAX) return this.#giveBack([entry])
    this.#settle(entry, 'crashed', performance.now() - entry.handedAt)
    entry.reject(
      new SandboxFaultError(`The sandbox failed under this unit ${entry.attempts} times: ${reason}`, { reason }),
    )
  }

  #giveBack(entries: readonly Entry[]): void {
    const open = (entries as readonly PendingEntry[]).filter((entry) => !entry.settled && !this.#queue.includes(entry))
    this.#queue.unshift(...open)
    this.#dispatchSoon()
  }

  /** @returns `false` when it had ended before. */
  #settle(entry: PendingEntry, status: ExecutionStatus, durationMs: number, memoryBytesPeak = 0): boolean {
    if (entry.settled) return false
    entry.settled = true
    entry.unlisten()
    entry.module.users -= 1
    this.#pending.delete(entry)
    this.#executions[status] += 1
    this.#init.observe?.({ module: entry.module.cid, status, durationMs, memoryBytesPeak })
    return true
  }

  #rejectAll(error: Error): void {
    this.#queue.length = 0
    for (const entry of [...this.#pending]) {
      this.#settle(entry, 'crashed', 0)
      entry.reject(error)
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new SandboxClosedError('The sandbox was closed')
  }
}

function hasRoom(load: number, backlogMs: number, unitMs: number | null, filling: boolean): boolean {
  if (load === 0) return true
  if (unitMs === null || unitMs > PIPELINE_UNIT_MS_MAX) return false
  return load < PIPELINE_UNITS_MIN || (filling && load < PIPELINE_UNITS_MAX && backlogMs < PIPELINE_TARGET_MS)
}

function statusOf({ outcome }: UnitExecution): ExecutionStatus {
  if (outcome.trap !== null) return 'trap'
  return outcome.exitCode === 0 ? 'success' : 'failure'
}

function assertLimits({ input, limits, seed }: ExecuteInit): void {
  assertWithin('wallMsMax', limits.wallMsMax, WALL_MS_MAX)
  assertWithin('memoryBytesMax', limits.memoryBytesMax, MEMORY_BYTES_MAX)
  assertWithin('stackBytesMax', limits.stackBytesMax, STACK_BYTES_CEILING)
  if (limits.gasMax < 0n || limits.gasMax > GAS_MAX) {
    const [field, value, limit] = ['gasMax', limits.gasMax, GAS_MAX]
    throw new LimitExceededError(`${field} is ${value}, the limit is ${limit}`, { field, value, limit })
  }
  assertWithin('outputBytesMax', limits.outputBytesMax, OUTPUT_BYTES_MAX)
  assertWithin('input bytes', inputBytes(input), INPUT_BYTES_MAX)
  if (seed.length !== 32) throw new LimitExceededError(`seed has ${seed.length} bytes instead of 32`, { field: 'seed' })
}

function inputBytes(input: UnitInput): number {
  let bytes = input.stdin.length
  for (const file of input.files) bytes += file.content.length
  return bytes
}

function assertWithin(field: string, value: number, limit: number): void {
  if (value >= 0 && value <= limit) return
  throw new LimitExceededError(`${field} is ${value}, the limit is ${limit}`, { field, value, limit })
}

function cancelled(): ExecutionCancelledError {
  return new ExecutionCancelledError('The execution was cancelled')
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(cancelled())
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function keyOf(cid: string, pages: number): string {
  return `${cid}:${pages}`
}

/** Pages a module is prepared for: the meter holds lower limits, so that units with different ones share the module. */
function pagesOf(memoryBytesMax: number): number {
  return Math.floor(Math.max(MEMORY_BYTES_DEFAULT, Math.min(memoryBytesMax, MEMORY_BYTES_MAX)) / PAGE_BYTES)
}

function clampWorkers(workers: number): number {
  return Math.max(0, Math.min(WORKERS_MAX, Math.floor(workers)))
}

function clampShare(cpuShare: number): number {
  return Math.max(CPU_SHARE_MIN, Math.min(1, cpuShare))
}
