/**
 * Goal: what programs cannot see of the host: what it costs, what it copies, what it refuses to return, and how it is set up.
 * What programs can see is tested by the programs in `src/testing/wasi`.
 */
import { describe, expect, test } from 'vitest'
import { Guest } from '../../testing/wasi/guest.ts'
import { ERRNO, RIGHT, RIGHTS_FILE } from './abi.ts'
import { CALL_GAS } from './gas.ts'
import { LINKS_MAX, PATH_BYTES_MAX } from './limits.ts'
import { createWasi, type WasiInit } from './wasi.ts'

const ROOT = 3
const IN = 4
const OUT = 5
const TMP = 6
const CREAT = 1
const FILE = BigInt(RIGHTS_FILE)
const bytes = (text: string) => new TextEncoder().encode(text)

describe('charge', () => {
  /** Gas that `act` costs. */
  function cost(act: (guest: Guest) => void, prepare: (guest: Guest) => void = () => {}): bigint {
    let gas = 0n
    const guest = new Guest({ charge: (amount) => (gas += amount) })
    prepare(guest)
    gas = 0n
    act(guest)
    return gas
  }

  test('is told every call, also one that fails', () => {
    expect(cost((guest) => guest.call('sched_yield'))).toBe(CALL_GAS)
    expect(cost((guest) => guest.call('fd_close', 99))).toBe(CALL_GAS)
  })

  test('grows with the bytes moved', () => {
    const make = (guest: Guest) => guest.open(TMP, 'f', { oflags: CREAT, rights: FILE })
    const fd = 7
    const small = cost((guest) => guest.write(fd, new Uint8Array(400)), make)
    const large = cost((guest) => guest.write(fd, new Uint8Array(40_000)), make)
    // 39,600 bytes more at four for one gas, and once more for the buffer they need.
    expect(large - small).toBeGreaterThanOrEqual(9_900n)
    expect(large - small).toBeLessThan(30_000n)
    expect(cost((guest) => guest.call('random_get', 0, 50_000))).toBeGreaterThan(400_000n)
    const resized = cost((guest) => guest.call('fd_filestat_set_size', fd, 1_000_000n), make)
    expect(resized).toBeGreaterThan(250_000n)
  })

  test('grows with the length of a path, links followed included', () => {
    const dots = cost((guest) => guest.stat(TMP, './'.repeat(1000)))
    expect(dots).toBeGreaterThan(100_000n)
    const followed = cost(
      (guest) => guest.stat(TMP, 'l', true),
      (guest) => guest.symlink('./'.repeat(1000), TMP, 'l'),
    )
    expect(followed).toBeGreaterThan(100_000n)
  })

  test('ends the call by throwing, before anything is done, and passes through', () => {
    class OutOfGas extends Error {}
    let left = 1_000_000n
    const guest = new Guest({
      charge: (gas) => {
        left -= gas
        if (left < 0n) throw new OutOfGas()
      },
    })
    const fd = guest.open(TMP, 'f', { oflags: CREAT, rights: FILE })
    expect(() => guest.call('fd_filestat_set_size', fd, 1_048_576n * 4n)).not.toThrow()
    left = 100_000n
    expect(() => guest.call('fd_filestat_set_size', fd, 1_000_000n)).toThrow(OutOfGas)
    left = 1_000_000n
    expect(guest.stat(TMP, 'f')).toMatchObject({ size: 0 })
  })
})

describe('files', () => {
  test('of /in are read from where they are, and never changed', () => {
    const content = bytes('original')
    const guest = new Guest({ files: [{ path: 'd/f', content }] })
    const fd = guest.open(IN, 'd/f', { rights: BigInt(RIGHT.fdRead | RIGHT.fdSeek) })
    content[0] = 'O'.charCodeAt(0)
    expect(guest.read(fd, 100, 0)).toEqual(bytes('Original'))
    expect(guest.open(IN, 'd/f', { rights: FILE })).toBe(0 - ERRNO.rofs)
    expect(guest.wasi.outcome().files).toEqual([])
  })

  test('of a writable preopen are copied when they are first changed', () => {
    const content = bytes('original')
    const guest = new Guest({ preopens: [{ path: '/out', directory: { files: [{ path: 'f', content }] } }] })
    const fd = guest.open(3, 'f', { rights: FILE })
    guest.write(fd, bytes('O'))
    expect(guest.call('fd_filestat_set_size', fd, 4n)).toBe(0)
    expect(content).toEqual(bytes('original'))
    expect(guest.wasi.outcome().files).toEqual([{ path: 'f', content: bytes('Orig') }])
  })

  test('left with several names count each time they are returned', () => {
    const guest = new Guest({ filesBytesMax: 1000 })
    const fd = guest.open(OUT, 'a', { oflags: CREAT, rights: FILE })
    guest.write(fd, new Uint8Array(400))
    guest.two('path_link', OUT, 'a', 'b')
    expect(guest.wasi.outcome().files.map(({ path }) => path)).toEqual(['a', 'b'])
    guest.two('path_link', OUT, 'a', 'c')
    expect(() => guest.wasi.outcome()).toThrow('Output files of 1200 bytes exceeds the limit of 1000 bytes')
  })

  test('left deeper than a path can name are refused', () => {
    const guest = new Guest()
    const name = 'n'.repeat(250)
    let fd = OUT
    for (let depth = 0; depth * 251 <= PATH_BYTES_MAX; depth++) {
      expect(guest.path('path_create_directory', fd, name)).toBe(0)
      const rights = 2n ** 30n - 1n - BigInt(RIGHT.fdWrite)
      fd = guest.open(fd, name, { oflags: 2, rights })
      expect(fd).toBeGreaterThan(0)
    }
    expect(() => guest.wasi.outcome()).toThrow('Output path of 4266 bytes exceeds the limit of 4096 bytes')
  })

  test('have at most so many names', () => {
    const guest = new Guest({ filesMax: LINKS_MAX + 10 })
    guest.open(TMP, 'f', { oflags: CREAT })
    for (let i = 1; i < LINKS_MAX; i++) guest.two('path_link', TMP, 'f', `l${i}`)
    expect(guest.stat(TMP, 'f')).toMatchObject({ links: LINKS_MAX })
    expect(guest.two('path_link', TMP, 'f', 'more')).toBe(0 - ERRNO.mlink)
  })

  test('that are written in small pieces do not cost more with every piece', () => {
    let gas = 0n
    const guest = new Guest({ filesBytesMax: 1 << 22, charge: (amount) => (gas += amount) })
    const fd = guest.open(TMP, 'f', { oflags: CREAT, rights: FILE })
    const write = (times: number) => {
      const before = gas
      for (let i = 0; i < times; i++) guest.write(fd, new Uint8Array(100))
      return gas - before
    }
    const first = write(2000)
    const second = write(2000)
    expect(second).toBeLessThan((first * 3n) / 2n)
    expect(guest.stat(TMP, 'f')).toMatchObject({ size: 400_000 })
  })
})

describe('output', () => {
  test.each(['stdout', 'stderr'] as const)('beyond the bound of %s ends the program, up to it does not', (field) => {
    const guest = new Guest({ [`${field}BytesMax`]: 10 })
    const fd = field === 'stdout' ? 1 : 2
    expect(guest.write(fd, bytes('0123456789'))).toBe(10)
    expect(guest.write(fd, new Uint8Array(0))).toBe(0)
    expect(() => guest.write(fd, bytes('x'))).toThrow(`Output ${field} of 11 bytes exceeds the limit of 10 bytes`)
    expect(guest.wasi.outcome()[field]).toEqual(bytes('0123456789'))
  })
})

describe('memory', () => {
  const init: WasiInit = {
    args: [],
    env: [],
    stdin: bytes(''),
    files: [],
    seed: new Uint8Array(32),
    stdoutBytesMax: 0,
    stderrBytesMax: 0,
    filesBytesMax: 0,
    filesMax: 0,
  }

  test('is nowhere before it is bound', () => {
    const calls = createWasi(init).imports.wasi_snapshot_preview1 as Record<string, (...params: unknown[]) => number>
    expect(calls.random_get?.(0, 1)).toBe(ERRNO.fault)
    expect(calls.clock_time_get?.(0, 0n, 0)).toBe(ERRNO.fault)
    expect(calls.sched_yield?.()).toBe(0)
  })

  test('that grew is found by every kind of access', () => {
    const guest = new Guest({ args: ['a'], stdin: bytes('abc') }, 1)
    const calls: [string, ...(number | bigint)[]][] = [
      ['clock_res_get', 0, 0],
      ['fd_write', 1, 0, 0, 8],
      ['args_sizes_get', 0, 4],
      ['fd_fdstat_get', 0, 0],
      ['fd_filestat_get', 0, 0],
      ['random_get', 0, 8],
      ['fd_prestat_get', 3, 0],
      ['fd_prestat_dir_name', 3, 0, 1],
    ]
    for (const [name, ...params] of calls) {
      guest.grow(1)
      expect([name, guest.call(name, ...params)]).toEqual([name, 0])
    }
    expect(guest.stat(ROOT, 'in')).toMatchObject({ filetype: 3 })
  })

  test('is found at its very end, and not one byte further', () => {
    const guest = new Guest({}, 1)
    expect(guest.call('clock_res_get', 0, 65_528)).toBe(0)
    expect(guest.call('clock_res_get', 0, 65_529)).toBe(ERRNO.fault)
    expect(guest.call('clock_res_get', 0, -8)).toBe(ERRNO.fault)
    expect(guest.call('random_get', 65_536, 0)).toBe(0)
    expect(guest.call('random_get', 65_537, 0)).toBe(ERRNO.fault)
  })
})

describe('preopens', () => {
  test('can be named, filled and limited by the caller', () => {
    const guest = new Guest({
      preopens: [
        { path: 'data.dir', directory: { files: [{ path: 'x/y', content: bytes('z') }], directories: ['x/e', 'w/v'] } },
        { path: '/ro', directory: { files: [], readOnly: true } },
        {
          path: '/narrow',
          directory: { files: [{ path: 'f', content: bytes('f') }] },
          rights: { base: RIGHT.pathOpen, inheriting: RIGHT.fdRead },
        },
      ],
    })
    expect(guest.stat(3, 'x/e')).toMatchObject({ filetype: 3, links: 2 })
    expect(guest.stat(3, 'w/v')).toMatchObject({ filetype: 3 })
    expect(guest.stat(3, 'x')).toMatchObject({ links: 3 })
    expect(guest.path('path_create_directory', 4, 'd')).toBe(0 - ERRNO.rofs)
    expect(guest.open(5, 'f', { rights: BigInt(RIGHT.fdRead) })).toBe(6)
    expect(guest.open(5, 'f', { rights: BigInt(RIGHT.fdWrite) })).toBe(0 - ERRNO.notcapable)
    expect(guest.open(5, 'new', { oflags: CREAT })).toBe(0 - ERRNO.notcapable)
    expect(guest.call('fd_prestat_get', 6, 0)).toBe(ERRNO.badf)
    expect(guest.wasi.outcome().files).toEqual([])
  })
})

test('startTimeMs is what the realtime clock starts at', () => {
  const guest = new Guest({ startTimeMs: 1_700_000_000_123 })
  guest.call('clock_time_get', 0, 0n, 0)
  const time = new DataView(guest.memory.buffer).getBigUint64(0, true)
  expect(time / 1_000_000n).toBe(1_700_000_000_123n)
})

test('two hosts share nothing that can change', () => {
  const one = new Guest()
  const other = new Guest()
  one.open(OUT, 'f', { oflags: CREAT })
  one.call('random_get', 0, 100)
  one.call('clock_time_get', 1, 0n, 200)
  other.call('random_get', 0, 100)
  other.call('clock_time_get', 1, 0n, 200)
  expect(new Uint8Array(other.memory.buffer, 0, 100)).toEqual(new Uint8Array(one.memory.buffer, 0, 100))
  expect(other.stat(OUT, 'f')).toBe(0 - ERRNO.noent)
})
