import { ProcExit } from '../../core/wasi/errors.ts'
import { createWasi, type HostFunction, type Wasi, type WasiInit, type WasiOutput } from '../../core/wasi/wasi.ts'

/** How one run of a program ended, and what it left. */
export interface ProgramResult extends WasiOutput {
  /** `null` when the program did not end by itself; `error` says how then. */
  readonly exitCode: number | null
  readonly error: unknown
}

/** Bounds no well-behaved program of a test reaches. */
const BOUNDS = { stdoutBytesMax: 1 << 20, stderrBytesMax: 1 << 20, filesBytesMax: 1 << 26, filesMax: 10_000 }

/** Told each call that returned, and what it returned. */
export type Observe = (name: string, errno: number) => void

/** Runs a WASI command once, with nothing but what `init` gives it. */
export function runProgram(
  module: WebAssembly.Module,
  init: Partial<WasiInit> = {},
  observe: Observe = () => {},
): ProgramResult {
  const wasi = createWasi({
    args: ['program'],
    env: [],
    stdin: new Uint8Array(0),
    files: [],
    seed: new Uint8Array(32).fill(7),
    ...BOUNDS,
    ...init,
  })
  let exitCode: number | null = 0
  let error: unknown
  try {
    const { exports } = new WebAssembly.Instance(module, observed(wasi, observe))
    // A WASI command exports both, or is none and fails here.
    wasi.bind(exports.memory as WebAssembly.Memory)
    ;(exports._start as () => void)()
  } catch (thrown) {
    if (thrown instanceof ProcExit) {
      exitCode = thrown.exitCode
    } else {
      exitCode = null
      error = thrown
    }
  }
  return { ...wasi.outcome(), exitCode, error }
}

function observed(wasi: Wasi, observe: Observe): WebAssembly.Imports {
  const calls = Object.entries(wasi.imports.wasi_snapshot_preview1)
  const wrap =
    (name: string, call: HostFunction) =>
    (...params: never[]) => {
      const errno = call(...params)
      observe(name, errno)
      return errno
    }
  return { wasi_snapshot_preview1: Object.fromEntries(calls.map(([name, call]) => [name, wrap(name, call)])) }
}
