import type { ModuleReport } from '../../core/sandbox/module.ts'
import type { SandboxWorker, SpawnSandboxWorker, WorkerToPool } from './contract.ts'
import { fromPlainError, SandboxClosedError, SandboxFaultError, WallClockError } from './errors.ts'
import { PREPARE_WALL_MS, PREPARER_IDLE_MS } from './limits.ts'

export interface Prepared {
  readonly module: WebAssembly.Module
  readonly report: ModuleReport
}

interface PrepareJob {
  readonly id: number
  readonly bytes: Uint8Array
  readonly memoryPagesMax: number
  readonly resolve: (prepared: Prepared) => void
  readonly reject: (error: Error) => void
}

/** Prepares modules one after the other in a worker of its own, so that neither this thread nor a running unit waits. */
export class Preparer {
  readonly #spawn: SpawnSandboxWorker
  readonly #jobs: PrepareJob[] = []
  #worker: SandboxWorker | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #nextId = 0
  #closed = false

  constructor(spawn: SpawnSandboxWorker) {
    this.#spawn = spawn
  }

  prepare(bytes: Uint8Array, memoryPagesMax: number): Promise<Prepared> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new SandboxClosedError('The sandbox was closed'))
      this.#jobs.push({ id: this.#nextId++, bytes, memoryPagesMax, resolve, reject })
      if (this.#jobs.length === 1) this.#begin()
    })
  }

  close(): void {
    this.#closed = true
    this.#endWorker()
    for (const job of this.#jobs.splice(0)) job.reject(new SandboxClosedError('The sandbox was closed'))
  }

  #begin(): void {
    const job = this.#jobs[0]
    if (job === undefined) return this.#rest()
    this.#worker ??= this.#spawn({
      message: (message) => this.#receive(message),
      failed: (reason) =>
        this.#fail(new SandboxFaultError(`The worker died while preparing a module: ${reason}`, { reason })),
    })
    this.#worker.hold(true)
    this.#setTimer(PREPARE_WALL_MS, () => {
      this.#fail(new WallClockError(`Preparing took longer than ${PREPARE_WALL_MS} ms`, { limit: PREPARE_WALL_MS }))
    })
    const { id, bytes, memoryPagesMax } = job
    this.#worker.post({ type: 'prepare', id, bytes, memoryPagesMax })
  }

  #receive(message: WorkerToPool): void {
    if (message.type !== 'prepared' && message.type !== 'refused') return
    const job = this.#jobs[0]
    if (job === undefined || job.id !== message.id) return
    this.#jobs.shift()
    if (message.type === 'prepared') job.resolve({ module: message.module, report: message.report })
    else job.reject(fromPlainError(message.error))
    this.#begin()
  }

  /** The worker is stuck or dead: this job is refused, the next ones get a new worker. */
  #fail(error: Error): void {
    this.#endWorker()
    this.#jobs.shift()?.reject(error)
    if (this.#jobs.length > 0) this.#begin()
  }

  #rest(): void {
    this.#worker?.hold(false)
    this.#setTimer(PREPARER_IDLE_MS, () => this.#endWorker())
    // In Node an idle preparer must not keep the process alive.
    const timer: unknown = this.#timer
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
      timer.unref()
  }

  #setTimer(delayMs: number, callback: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(callback, delayMs)
  }

  #endWorker(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#worker?.terminate()
    this.#worker = null
  }
}
