/**
 * Goal: every call of the interface, and every errno this host can give, checked from inside WebAssembly. Each program checks
 * itself and says on standard error which line failed; the rest of what it leaves is compared here.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ERRNO } from '../../core/wasi/abi.ts'
import { createWasi, type WasiInit } from '../../core/wasi/wasi.ts'
import { type ProgramResult, runProgram } from './run-program.ts'

const PROGRAMS = join(import.meta.dirname, 'programs')
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (content: Uint8Array) => new TextDecoder().decode(content)

interface Case {
  readonly init?: Partial<WasiInit>
  /** @default 0 */
  readonly exitCode?: number | null
  readonly stdout?: string
  readonly stderr?: string
  readonly files?: Readonly<Record<string, string>>
  /** Name of the error that ended the program. */
  readonly error?: string
}

const INPUTS = [
  { path: 'data/a.txt', content: bytes('abc') },
  { path: 'b', content: bytes('bb') },
]

const CASES: Readonly<Record<string, Case>> = {
  directories: {
    // U+FFFD comes before U+1F426 as UTF-8 and after it as UTF-16.
    files: { a: 'Z', 'sub.a': '', 'sub/b': 'B', z: 'Z', '\ufffd': '', '\u{1f426}': '' },
  },
  entries: { init: { filesMax: 10 }, files: { l0: '', l1: '', l2: '' } },
  flood: { init: { stdoutBytesMax: 4500 }, exitCode: null, error: 'OutputLimit', stdout: '\0'.repeat(4000) },
  libc: {
    init: {
      args: ['libc', 'one two'],
      env: [['LANG', 'C']],
      stdin: bytes('first\nsecond\n'),
      files: [{ path: 'data/numbers.txt', content: bytes('10 20\n30\n') }],
    },
    exitCode: 3,
    stdout: '. .. in out tmp f400927857aaf64114f561baacb37970',
    stderr: 'first\nsecond\n',
    files: { 'result.txt': 'sum 60\n' },
  },
  links: { init: { files: INPUTS } },
  opening: {},
  paths: {},
  polling: { init: { stdin: bytes('abc') } },
  preopens: { init: { files: INPUTS }, files: { left: '', moved: '', still: '' } },
  process: {
    init: {
      args: ['process', '', 'h\u00e9 b'],
      env: [
        ['A', '1'],
        ['B', '='],
      ],
    },
    exitCode: 42,
    stdout: 'done\n',
  },
  raise: { exitCode: 134 },
  renaming: {},
  stdio: { init: { stdin: bytes('0123456789') }, stdout: '0123456789', stderr: 'to stderr' },
  times: { init: { files: INPUTS } },
  transfer: { init: { filesBytesMax: 65_536 }, files: { other: 'x' } },
}

const modules = new Map(
  readdirSync(PROGRAMS)
    .filter((file) => file.endsWith('.wasm'))
    .map((file) => [file.slice(0, -5), new WebAssembly.Module(readFileSync(join(PROGRAMS, file)))] as const),
)

function run(
  name: string,
  init: Partial<WasiInit> = {},
  observe?: (call: string, errno: number) => void,
): ProgramResult {
  // Cases name exactly the programs; the first test holds that.
  return runProgram(modules.get(name) as WebAssembly.Module, { args: [name], ...CASES[name]?.init, ...init }, observe)
}

test('programs and cases and sources are the same', () => {
  const sources = readdirSync(PROGRAMS).filter((file) => file.endsWith('.c'))
  expect([...modules.keys()].sort()).toEqual(Object.keys(CASES).sort())
  expect(sources.map((file) => file.slice(0, -2)).sort()).toEqual(Object.keys(CASES).sort())
})

describe.each(Object.entries(CASES))('%s', (name, wanted) => {
  test('ends and leaves what it should', () => {
    const result = run(name)
    expect(text(result.stderr)).toBe(wanted.stderr ?? '')
    expect(result.exitCode).toBe(wanted.exitCode === undefined ? 0 : wanted.exitCode)
    expect((result.error as Error | undefined)?.name).toBe(wanted.error)
    expect(text(result.stdout)).toBe(wanted.stdout ?? '')
    const files = Object.fromEntries(result.files.map((file) => [file.path, text(file.content)]))
    if (wanted.files !== undefined) expect(files).toEqual(wanted.files)
    // In the order of the case, which is that of UTF-8.
    if (wanted.files !== undefined) expect(Object.keys(files)).toEqual(Object.keys(wanted.files))
  })

  test('does the same again, for the same gas', () => {
    const trace = () => {
      const events: unknown[] = []
      const result = run(name, { charge: (gas) => events.push(gas) }, (call, errno) => events.push([call, errno]))
      return { events, result }
    }
    expect(trace()).toEqual(trace())
  })
})

test('every call is made, and every errno given', () => {
  const calls = new Set<string>()
  const errnos = new Set<number>()
  for (const name of modules.keys()) {
    run(name, {}, (call, errno) => {
      calls.add(call)
      errnos.add(errno)
    })
  }
  const all = Object.keys(
    createWasi({
      args: [],
      env: [],
      stdin: bytes(''),
      files: [],
      seed: new Uint8Array(32),
      stdoutBytesMax: 0,
      stderrBytesMax: 0,
      filesBytesMax: 0,
      filesMax: 0,
    }).imports.wasi_snapshot_preview1,
  )
  expect(all).toHaveLength(46)
  // It never returns, so nobody sees it return.
  expect([...calls, 'proc_exit'].sort()).toEqual(all.sort())
  // A file of 65,000 names needs more entries than these runs allow; see tree.test.ts.
  expect([...errnos, ERRNO.mlink].sort()).toEqual(Object.values(ERRNO).sort())
})

test('another seed gives other random bytes and nothing else', () => {
  const one = text(run('libc').stdout)
  const other = text(run('libc', { seed: new Uint8Array(32).fill(8) }).stdout)
  expect(other).not.toBe(one)
  expect(other.slice(0, 16)).toBe(one.slice(0, 16))
})
