import { meterOf } from '../../core/sandbox/meter.ts'
import type { Meter } from '../../core/sandbox/module.ts'
import type { Trap, UnitExecution, UnitFile, UnitInput, UnitOutcome } from '../../core/tasks/unit.ts'
import { OutputLimit, ProcExit } from '../../core/wasi/errors.ts'
import { createWasi, type Wasi } from '../../core/wasi/wasi.ts'
import type { UnitLimits } from './contract.ts'
import { SandboxFaultError } from './errors.ts'
import { FILES_MAX, PAGE_BYTES, STDERR_BYTES_MAX } from './limits.ts'

/** One unit, ready to run. */
export interface UnitRequest {
  /** `argv[0]`. */
  readonly name: string
  readonly input: UnitInput
  readonly limits: UnitLimits
  readonly seed: Uint8Array
}

/** The guest broke its ABI: a pointer outside its memory, a missing export, a wrong type. */
class AbiBreach extends Error {}

interface ModuleShape {
  readonly abi: 'wasi-command' | 'reactor' | null
  readonly usesWasi: boolean
  readonly initializes: boolean
}

const EMPTY = new Uint8Array(0)
const NO_FILES: readonly UnitFile[] = []
const shapes = new WeakMap<WebAssembly.Module, ModuleShape>()

/**
 * Runs one unit in a fresh instance of a prepared module.
 *
 * Deterministic but for `durationMs`: the same module, input, limits and seed give the same outcome, gas and peak memory on
 * every engine, traps included.
 *
 * @param module - Compiled from the bytes of `prepareModule`; anything else is not metered and must not get here.
 * @throws {@link SandboxFaultError} When the machine failed (no memory, native stack exhausted): no outcome, try elsewhere.
 */
export function runUnit(module: WebAssembly.Module, request: UnitRequest): UnitExecution {
  const startedAt = performance.now()
  const run = new UnitRun(module, request)
  const outcome = run.outcome()
  return {
    outcome,
    gas: run.gas(),
    durationMs: performance.now() - startedAt,
    memoryBytesPeak: run.memoryBytes(),
  }
}

class UnitRun {
  readonly #module: WebAssembly.Module
  readonly #request: UnitRequest
  readonly #shape: ModuleShape
  #meter: Meter | null = null
  #memory: WebAssembly.Memory | null = null
  #wasi: Wasi | null = null

  constructor(module: WebAssembly.Module, request: UnitRequest) {
    this.#module = module
    this.#request = request
    this.#shape = shapeOf(module)
  }

  outcome(): UnitOutcome {
    try {
      return this.#runToExit()
    } catch (error) {
      return trapped(this.#trapOf(error))
    }
  }

  gas(): bigint {
    return this.#meter?.gasUsed() ?? 0n
  }

  /** Linear memory only ever grows, so its size at the end is its peak. */
  memoryBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0
  }

  #runToExit(): UnitOutcome {
    try {
      return this.#collect(0, this.#run())
    } catch (error) {
      if (!(error instanceof ProcExit)) throw error
      return this.#collect(error.exitCode, this.#shape.abi === 'reactor' ? EMPTY : null)
    }
  }

  /** @returns What the reactor answered; `null` for a command, whose output is in its streams. */
  #run(): Uint8Array | null {
    const exports = this.#instantiate()
    if (this.#shape.abi === 'reactor') return this.#callReactor(exports)
    if (this.#shape.abi !== 'wasi-command') throw new AbiBreach('neither a WASI command nor a reactor')
    functionOf(exports, '_start')()
    return null
  }

  #instantiate(): WebAssembly.Exports {
    const { limits, input } = this.#request
    const wasi = this.#shape.usesWasi ? this.#createWasi() : null
    this.#wasi = wasi
    const instance = new WebAssembly.Instance(this.#module, wasi === null ? {} : (wasi.imports as WebAssembly.Imports))
    const exports = instance.exports
    const meter = meterOf(exports)
    this.#meter = meter
    if (!(exports.memory instanceof WebAssembly.Memory)) throw new AbiBreach('no memory is exported')
    this.#memory = exports.memory
    wasi?.bind(exports.memory)
    if (this.#shape.abi === 'reactor' && (input.args.length > 0 || input.env.length > 0 || input.files.length > 0)) {
      throw new AbiBreach('a reactor takes no arguments, environment or files')
    }
    const memoryPagesMax = Math.floor(limits.memoryBytesMax / PAGE_BYTES)
    if (this.memoryBytes() > memoryPagesMax * PAGE_BYTES)
      throw new AbiBreach('it starts with more memory than it may use')
    meter.start({ gasMax: limits.gasMax, stackBytesMax: limits.stackBytesMax, memoryPagesMax })
    return exports
  }

  #createWasi(): Wasi {
    const { input, limits, name, seed } = this.#request
    return createWasi({
      args: [name, ...input.args],
      env: input.env,
      // A reactor is handed these bytes as an argument and sees an empty standard input.
      stdin: this.#shape.abi === 'reactor' ? EMPTY : input.stdin,
      files: input.files,
      seed,
      stdoutBytesMax: limits.outputBytesMax,
      stderrBytesMax: Math.min(limits.outputBytesMax, STDERR_BYTES_MAX),
      filesBytesMax: limits.outputBytesMax,
      filesMax: FILES_MAX,
      charge: (gas) => this.#meter?.charge(gas),
    })
  }

  #callReactor(exports: WebAssembly.Exports): Uint8Array {
    if (this.#shape.initializes) functionOf(exports, '_initialize')()
    const { stdin } = this.#request.input
    const allocated = functionOf(exports, 'starling_alloc')(stdin.length)
    if (typeof allocated !== 'number') throw new AbiBreach('starling_alloc returned no i32')
    const pointer = allocated >>> 0
    if (pointer === 0 && stdin.length > 0) throw new AbiBreach('starling_alloc returned null')
    if (pointer + stdin.length > this.memoryBytes()) throw new AbiBreach('starling_alloc points outside of memory')
    new Uint8Array(this.#buffer(), pointer, stdin.length).set(stdin)
    const packed = functionOf(exports, 'starling_run')(allocated, stdin.length)
    if (typeof packed !== 'bigint') throw new AbiBreach('starling_run returned no i64')
    return this.#readOutput(packed)
  }

  #readOutput(packed: bigint): Uint8Array {
    const pointer = Number(BigInt.asUintN(32, packed >> 32n))
    const length = Number(BigInt.asUintN(32, packed))
    if (pointer + length > this.memoryBytes()) throw new AbiBreach('starling_run points outside of memory')
    const { outputBytesMax } = this.#request.limits
    if (length > outputBytesMax) throw new OutputLimit('stdout', length, outputBytesMax)
    // Copied: the instance must not live on in the outcome.
    return new Uint8Array(this.#buffer(), pointer, length).slice()
  }

  #collect(exitCode: number, answer: Uint8Array | null): UnitOutcome {
    const left = this.#wasi?.outcome()
    const stdout = answer ?? left?.stdout ?? EMPTY
    const stderr = left?.stderr ?? EMPTY
    const files = left?.files ?? NO_FILES
    let bytes = stdout.length + stderr.length
    for (const file of files) bytes += file.content.length
    if (bytes > this.#request.limits.outputBytesMax) return trapped('output')
    return { exitCode, trap: null, stdout, stderr, files }
  }

  /**
   * Engines name and word their traps differently; only what all of them agree on may reach the outcome.
   *
   * @throws {@link SandboxFaultError} For what depends on the machine.
   */
  #trapOf(error: unknown): Trap {
    if (this.#meter?.hostFailed() === true) throw new SandboxFaultError('The engine refused memory the unit may use')
    const exhausted = this.#meter?.exhausted() ?? null
    if (exhausted !== null) return exhausted
    if (error instanceof OutputLimit) return 'output'
    if (error instanceof AbiBreach) return 'abi'
    if (error instanceof WebAssembly.RuntimeError) return 'wasm'
    // A host function met a value it cannot take, such as an i64 where the signature says i32: the same on every engine.
    if (error instanceof TypeError) return 'abi'
    // V8 and JavaScriptCore throw RangeError and SpiderMonkey InternalError when memory or the native stack ends.
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new SandboxFaultError(`The engine failed, not the module: ${reason}`, { reason })
  }

  #buffer(): ArrayBuffer {
    // Set before any export is called; shared memories are refused by the rewriter.
    return (this.#memory as WebAssembly.Memory).buffer as ArrayBuffer
  }
}

function trapped(trap: Trap): UnitOutcome {
  return { exitCode: -1, trap, stdout: EMPTY, stderr: EMPTY, files: NO_FILES }
}

function functionOf(exports: WebAssembly.Exports, name: string): (...args: unknown[]) => unknown {
  const value = exports[name]
  if (typeof value !== 'function') throw new AbiBreach(`${name} is not exported as a function`)
  return value as (...args: unknown[]) => unknown
}

function shapeOf(module: WebAssembly.Module): ModuleShape {
  const known = shapes.get(module)
  if (known !== undefined) return known
  const names = new Set(WebAssembly.Module.exports(module).map((item) => item.name))
  const shape: ModuleShape = {
    abi: names.has('starling_run') ? 'reactor' : names.has('_start') ? 'wasi-command' : null,
    usesWasi: WebAssembly.Module.imports(module).length > 0,
    initializes: names.has('_initialize'),
  }
  shapes.set(module, shape)
  return shape
}
