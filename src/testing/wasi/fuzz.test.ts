/**
 * Goal: no arguments and no memory, however wrong, make a call throw, or change memory when it fails, or store more than the
 * unit may. Method: random calls with parameters from the edges of their ranges, over memory strewn with paths and records,
 * in which enough succeed that descriptors, files and links come about. A failure prints the seed and the shortest sequence.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProcExit } from '../../core/wasi/errors.ts'
import { createWasi } from '../../core/wasi/wasi.ts'

/** Not a whole page, so that keeping a copy for every call is cheap. */
const MEMORY_BYTES = 8192
const BYTES_MAX = 20_000
const OUTPUT_BYTES_MAX = 2_000_000

/**
 * Parameters of each call, in order: d descriptor, p pointer, l length, s pointer and length of a path, v pointer and count of
 * buffers, f flags, w 64-bit number, r rights.
 */
const SIGNATURES = {
  args_get: 'pp',
  args_sizes_get: 'pp',
  environ_get: 'pp',
  environ_sizes_get: 'pp',
  clock_res_get: 'fp',
  clock_time_get: 'fwp',
  fd_advise: 'dwwf',
  fd_allocate: 'dww',
  fd_close: 'd',
  fd_datasync: 'd',
  fd_fdstat_get: 'dp',
  fd_fdstat_set_flags: 'df',
  fd_fdstat_set_rights: 'drr',
  fd_filestat_get: 'dp',
  fd_filestat_set_size: 'dw',
  fd_filestat_set_times: 'dwwf',
  fd_pread: 'dvwp',
  fd_prestat_get: 'dp',
  fd_prestat_dir_name: 'dpl',
  fd_pwrite: 'dvwp',
  fd_read: 'dvp',
  fd_readdir: 'dplwp',
  fd_renumber: 'dd',
  fd_seek: 'dwfp',
  fd_sync: 'd',
  fd_tell: 'dp',
  fd_write: 'dvp',
  path_create_directory: 'ds',
  path_filestat_get: 'dfsp',
  path_filestat_set_times: 'dfswwf',
  path_link: 'dfsds',
  path_open: 'dfsfrrfp',
  path_readlink: 'dsplp',
  path_remove_directory: 'ds',
  path_rename: 'dsds',
  path_symlink: 'sds',
  path_unlink_file: 'ds',
  poll_oneoff: 'pplp',
  proc_exit: 'f',
  proc_raise: 'f',
  random_get: 'pl',
  sched_yield: '',
  sock_accept: 'dfp',
  sock_recv: 'dvfpp',
  sock_send: 'dvfp',
  sock_shutdown: 'df',
} as const

/** What memory is strewn with, at multiples of 64. */
const TEXTS = [
  'a',
  'b',
  'c',
  'a/b',
  'b/c',
  'a/../b',
  '.',
  '..',
  '/',
  'a/',
  'b/./a',
  'in',
  'x',
  '\0',
  '\ud83d\udc26',
  '',
]

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const one = {
  d: fc.oneof({ arbitrary: fc.nat(9), weight: 8 }, { arbitrary: fc.constantFrom(6, 6, 5, 7), weight: 12 }, int),
  p: fc.oneof(
    { arbitrary: fc.nat(TEXTS.length * 4 - 1).map((i) => i * 64), weight: 12 },
    { arbitrary: fc.nat(MEMORY_BYTES), weight: 4 },
    { arbitrary: fc.integer({ min: MEMORY_BYTES - 70, max: MEMORY_BYTES + 2 }), weight: 1 },
    int,
  ),
  l: fc.oneof({ arbitrary: fc.nat(8), weight: 12 }, { arbitrary: fc.nat(MEMORY_BYTES + 10), weight: 2 }, int),
  f: fc.oneof({ arbitrary: fc.constantFrom(0, 1), weight: 6 }, { arbitrary: fc.nat(40), weight: 2 }, int),
  w: fc.oneof(
    { arbitrary: fc.bigInt({ min: 0n, max: 50n }), weight: 6 },
    { arbitrary: fc.bigInt({ min: -30n, max: 30_000n }), weight: 2 },
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  r: fc.oneof(
    { arbitrary: fc.constantFrom(0n, -1n, 2n ** 30n - 1n, 66n, ~64n), weight: 6 },
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
}

/** Pointer and length together, mostly those of a text; pointer and count together, mostly those of a buffer record. */
const pairs = {
  s: fc.oneof(
    { arbitrary: fc.nat(TEXTS.length * 4 - 1).map((i) => [i * 64, lengthOf(i)]), weight: 8 },
    fc.tuple(one.p, one.l),
  ),
  v: fc.oneof(
    { arbitrary: fc.tuple(fc.nat(TEXTS.length * 4 - 1), fc.nat(2)).map(([i, n]) => [i * 64 + 16, n]), weight: 8 },
    fc.tuple(one.p, one.l),
  ),
}

function parameters(kind: string): fc.Arbitrary<(number | bigint)[]> {
  if (kind === 's' || kind === 'v') return pairs[kind]
  // Signatures have no other letters.
  return (one[kind as keyof typeof one] as fc.Arbitrary<number | bigint>).map((value) => [value])
}

type Step = readonly [name: string, params: readonly (number | bigint)[]]

const names = Object.keys(SIGNATURES) as (keyof typeof SIGNATURES)[]
/** What works on paths, and opens them, comes more often than the rest. */
const weighted: readonly (keyof typeof SIGNATURES)[] = [
  ...names,
  ...names.filter((name) => name.startsWith('path_')),
  ...new Array(10).fill('path_open'),
]
const step: fc.Arbitrary<Step> = fc.constantFrom(...weighted).chain((name) =>
  fc.tuple(
    fc.constant(name),
    fc.tuple(...[...SIGNATURES[name]].map(parameters)).map((params) => params.flat()),
  ),
)

function lengthOf(index: number): number {
  return new TextEncoder().encode(TEXTS[index % TEXTS.length]).length
}

function strewn(noise: readonly number[]): ArrayBuffer {
  const buffer = new ArrayBuffer(MEMORY_BYTES)
  const bytes = new Uint8Array(buffer)
  for (let i = 0; i < MEMORY_BYTES; i++) bytes[i] = noise[i % noise.length] ?? 0
  for (let i = 0; i < TEXTS.length * 4; i++) {
    bytes.fill(0, i * 64, i * 64 + 64)
    bytes.set(new TextEncoder().encode(TEXTS[i % TEXTS.length]), i * 64)
    // Behind the text a buffer record: 40 bytes on, 30 bytes long.
    new DataView(buffer).setUint32(i * 64 + 16, i * 64 + 40, true)
    new DataView(buffer).setUint32(i * 64 + 20, 30, true)
  }
  return buffer
}

function perform(noise: readonly number[], steps: readonly Step[]) {
  const wasi = createWasi({
    args: ['x', 'y'],
    env: [['A', 'B']],
    stdin: new Uint8Array(100),
    files: [{ path: 'a/b', content: new Uint8Array(50) }],
    seed: new Uint8Array(32),
    stdoutBytesMax: OUTPUT_BYTES_MAX,
    stderrBytesMax: OUTPUT_BYTES_MAX,
    filesBytesMax: BYTES_MAX,
    filesMax: 30,
  })
  const memory = { buffer: strewn(noise) }
  wasi.bind(memory)
  const calls = wasi.imports.wasi_snapshot_preview1 as unknown as Record<string, (...p: unknown[]) => number>
  const errnos: number[] = []
  // Something to begin with: a file `a` and a directory `b` in /tmp.
  calls.path_open?.(6, 0, 0, 1, 1, 66n, 0n, 0, 5000)
  calls.path_create_directory?.(6, 64, 1)
  for (const [name, params] of steps) {
    const before = new Uint8Array(memory.buffer.slice(0))
    let errno = 0
    try {
      errno = calls[name]?.(...params) ?? -1
    } catch (error) {
      if (!(error instanceof ProcExit)) throw error
      errno = 1000
    }
    if (errno !== 0 && !Buffer.from(before.buffer).equals(Buffer.from(memory.buffer))) {
      throw new Error(`${name} failed with ${errno} and changed memory`)
    }
    errnos.push(errno)
  }
  return { errnos, memory: Buffer.from(memory.buffer), outcome: wasi.outcome() }
}

test('no call throws, or changes memory when it fails, or stores too much, or differs the second time', () => {
  const errnosSeen = new Set<number>()
  const done = new Set<string>()
  fc.assert(
    fc.property(
      fc.array(fc.nat(255), { minLength: 1, maxLength: 300 }),
      fc.array(step, { minLength: 20, maxLength: 250, size: 'max' }),
      (noise, steps) => {
        const first = perform(noise, steps)
        const total = first.outcome.files.reduce((sum, { content }) => sum + content.length, 0)
        if (total > BYTES_MAX) throw new Error(`${total} bytes in files`)
        const second = perform(noise, steps)
        if (!first.memory.equals(second.memory)) throw new Error('Memory differs the second time')
        expect(second.errnos).toEqual(first.errnos)
        expect(second.outcome).toEqual(first.outcome)
        first.errnos.forEach((errno, i) => {
          errnosSeen.add(errno)
          if (errno === 0) done.add(steps[i]?.[0] ?? '')
        })
      },
    ),
    { numRuns: 120 },
  )
  // The sequences are worth something: most calls succeeded at some point, and failures were of many kinds.
  expect(done.size).toBeGreaterThan(32)
  expect(errnosSeen.size).toBeGreaterThan(12)
})
