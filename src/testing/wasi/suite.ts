import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import type { DirectoryInit, Preopen } from '../../core/wasi/wasi.ts'
import { type ProgramResult, runProgram } from './run-program.ts'

/**
 * What a test of the official suite is to be given and to answer.
 *
 * Source: WebAssembly/wasi-testsuite, `doc/specification.md`; `root` is in its later runners' format.
 */
interface SuiteSpec {
  readonly args?: readonly string[]
  /** Folders beside the test, preopened under the same name. */
  readonly dirs?: readonly string[]
  /** A folder beside the test, preopened as `/`. */
  readonly root?: string
  readonly env?: Readonly<Record<string, string>>
  readonly exit_code?: number
  readonly stdout?: string
  readonly stderr?: string
}

export interface SuiteResult {
  readonly name: string
  /** Empty when the test passed. */
  readonly failures: readonly string[]
}

/** Runs every `*.wasm` of a folder as its `.json`, or the suite's default specification, says; in order of name. */
export function runSuite(folder: string): SuiteResult[] {
  const programs = readdirSync(folder).filter((file) => file.endsWith('.wasm'))
  return programs.sort().map((file) => runTest(folder, file))
}

function runTest(folder: string, file: string): SuiteResult {
  const name = basename(file, '.wasm')
  const spec = readSpec(join(folder, `${name}.json`))
  const result = runProgram(new WebAssembly.Module(readFileSync(join(folder, file))), {
    args: [file, ...(spec.args ?? [])],
    env: Object.entries(spec.env ?? {}),
    preopens: preopens(folder, spec),
  })
  return { name, failures: compare(spec, result) }
}

function readSpec(path: string): SuiteSpec {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SuiteSpec) : {}
}

function preopens(folder: string, spec: SuiteSpec): Preopen[] {
  const named = (spec.dirs ?? []).map((path) => ({ path, directory: load(join(folder, path)) }))
  return spec.root === undefined ? named : [{ path: '/', directory: load(join(folder, spec.root)) }, ...named]
}

/** A folder of this machine as the first content of a preopened directory. */
function load(folder: string): DirectoryInit {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const path = (entry: (typeof entries)[number]) =>
    relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')
  return {
    files: entries
      .filter((entry) => entry.isFile())
      .map((entry) => ({ path: path(entry), content: readFileSync(join(entry.parentPath, entry.name)) })),
    directories: entries.filter((entry) => entry.isDirectory()).map(path),
  }
}

function compare(spec: SuiteSpec, result: ProgramResult): string[] {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  const failures: string[] = []
  const expected = spec.exit_code ?? 0
  if (result.exitCode !== expected) {
    const found = result.exitCode === null ? String(result.error) : String(result.exitCode)
    failures.push(`exit code: expected ${expected}, found ${found}: ${decode(result.stderr).trim()}`)
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const wanted = spec[stream]
    const found = decode(result[stream])
    if (wanted !== undefined && found !== wanted) {
      failures.push(`${stream}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`)
    }
  }
  return failures
}
