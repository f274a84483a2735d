import { refuse } from '../../core/sandbox/errors.ts'
import { MODULE_LIMITS } from '../../core/sandbox/limits.ts'
import type { ModuleReport } from '../../core/sandbox/module.ts'
import { prepareModule } from '../../core/sandbox/prepare.ts'
import type { UnitExecution } from '../../core/tasks/unit.ts'
import type { PoolToWorker, UnitMessage, WorkerToPool } from './contract.ts'
import { toPlainError } from './errors.ts'
import { IDLE_MS_MIN, TRANSFER_BYTES_MIN } from './limits.ts'
import { runUnit } from './run-unit.ts'

/** What a sandbox worker needs of its surroundings, taken before everything else is removed. */
export interface SandboxHost {
  post(message: WorkerToPool, transfer: ArrayBuffer[]): void
  listen(receive: (message: PoolToWorker) => void): void
  setTimer(callback: () => void, delayMs: number): void
}

/** The body of a sandbox worker: prepares modules, runs units one after the other, answers each as soon as it is done. */
export function serveSandbox(host: SandboxHost): void {
  const modules = new Map<string, WebAssembly.Module>()
  const waiting: UnitMessage[] = []
  let cpuShare = 1
  let idleOwedMs = 0
  let idling = false

  host.listen((message) => {
    switch (message.type) {
      case 'configure':
        cpuShare = message.cpuShare
        return
      case 'module':
        modules.set(message.key, message.module)
        return
      case 'forget':
        modules.delete(message.key)
        return
      case 'prepare':
        prepare(message.id, message.bytes, message.memoryPagesMax)
        return
      case 'run':
        waiting.push(...message.units)
        if (!idling) pump()
    }
  })
  host.post({ type: 'ready' }, [])

  function prepare(id: number, bytes: Uint8Array, memoryPagesMax: number): void {
    try {
      const prepared = compile(bytes, memoryPagesMax)
      host.post({ type: 'prepared', id, ...prepared }, [])
    } catch (error) {
      host.post({ type: 'refused', id, error: toPlainError(error) }, [])
    }
  }

  /** Runs what waits until nothing is left or idle time is due. */
  function pump(): void {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      runOne(unit)
      if (idling) return
    }
  }

  function runOne(unit: UnitMessage): void {
    const startedAt = performance.now()
    let execution: UnitExecution
    try {
      const module = modules.get(unit.module)
      if (module === undefined) throw new Error(`Module ${unit.module} never reached this worker`)
      execution = runUnit(module, unit)
    } catch (error) {
      host.post({ type: 'fault', id: unit.id, error: toPlainError(error) }, [])
      return
    }
    const idleMs = idleAfter(performance.now() - startedAt)
    host.post({ type: 'done', id: unit.id, execution, idleMs }, transferables(execution))
    if (idleMs === 0) return
    idling = true
    host.setTimer(() => {
      idling = false
      pump()
    }, idleMs)
  }

  /** Work of `d` ms at share `s` owes `d·(1-s)/s` ms of rest; short rests are saved up. */
  function idleAfter(workedMs: number): number {
    idleOwedMs = cpuShare >= 1 ? 0 : idleOwedMs + (workedMs * (1 - cpuShare)) / cpuShare
    if (idleOwedMs < IDLE_MS_MIN) return 0
    const idleMs = idleOwedMs
    idleOwedMs = 0
    return idleMs
  }
}

function compile(bytes: Uint8Array, memoryPagesMax: number): { report: ModuleReport; module: WebAssembly.Module } {
  const prepared = prepareModule(bytes, { ...MODULE_LIMITS, memoryPagesMax })
  // The rewriter reads structure and limits; that every instruction has the operands it needs is the engine's to check,
  // and of the bytes that were signed, not of ours.
  if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) refuse('code', -1, 'not valid WebAssembly')
  return { report: prepared.report, module: new WebAssembly.Module(prepared.bytes) }
}

/** Buffers that belong to the outcome alone and are worth moving. */
function transferables(execution: UnitExecution): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  const { stdout, stderr, files } = execution.outcome
  for (const view of [stdout, stderr, ...files.map((file) => file.content)]) {
    const whole = view.byteLength === view.buffer.byteLength
    if (whole && view.byteLength >= TRANSFER_BYTES_MIN) buffers.add(view.buffer as ArrayBuffer)
  }
  return [...buffers]
}
