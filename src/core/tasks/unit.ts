/**
 * A *unit* is the smallest piece of a job that one executor runs: one fresh instance of the module, one input, one outcome.
 */

/** One read-only file of a unit, under `/in` of the guest. */
export interface UnitFile {
  /** Relative, `/`-separated, no empty, `.` or `..` segment. */
  readonly path: string
  readonly content: Uint8Array
}

/**
 * What one unit reads. For the `wasi-command` ABI all four fields reach the program; for the `reactor` ABI only
 * `stdin` does, as the argument of `starling_run`, and the other three must be empty.
 */
export interface UnitInput {
  /** `argv[1..]`; `argv[0]` is the manifest's name. */
  readonly args: readonly string[]
  /** `[name, value]` pairs in the order the program sees them. */
  readonly env: readonly (readonly [string, string])[]
  readonly stdin: Uint8Array
  readonly files: readonly UnitFile[]
}

/**
 * Why a unit stopped before its end. Each is deterministic: two honest peers see the same one with the same gas. Engines word
 * their traps differently, so every trap the engine itself raises is one kind, `wasm`.
 */
export type Trap = 'gas' | 'stack' | 'wasm' | 'output' | 'abi'

/**
 * What one unit produced; its canonical encoding is what the output hash of a receipt covers. `success` of a receipt is
 * `trap === null && exitCode === 0`. After a trap `stdout`, `stderr` and `files` are empty, `exitCode` is -1.
 */
export interface UnitOutcome {
  readonly exitCode: number
  readonly trap: Trap | null
  /** For the reactor ABI: the bytes `starling_run` returned. */
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** Files the program left under `/out`, sorted by path (UTF-8 byte order); path relative to `/out`. */
  readonly files: readonly UnitFile[]
}

/** An outcome and what producing it cost. Gas is agreed on by all executors; the other two are the executor's own. */
export interface UnitExecution {
  readonly outcome: UnitOutcome
  readonly gas: bigint
  readonly durationMs: number
  /** Highest linear memory size reached, bytes (a multiple of 64 KiB). */
  readonly memoryBytesPeak: number
}
