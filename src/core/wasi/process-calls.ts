import { SIGNAL, SIGNAL_MAX } from './abi.ts'
import { CLOCK_STEP_NS } from './clock.ts'
import { ProcExit } from './errors.ts'
import { fail } from './fault.ts'
import { RANDOM_BYTE_GAS } from './gas.ts'
import type { Call, Host } from './host.ts'

const ENCODER = new TextEncoder()

/** A signal's default action by POSIX, where it is not to end the process. */
const SIGNALS_IGNORED: ReadonlySet<number> = new Set([SIGNAL.none, SIGNAL.chld, SIGNAL.cont, SIGNAL.urg, SIGNAL.winch])
const SIGNALS_STOPPING: ReadonlySet<number> = new Set([SIGNAL.stop, SIGNAL.tstp, SIGNAL.ttin, SIGNAL.ttou])

/** What a shell reports for a process ended by signal `n`: 128 + `n`. */
const SIGNAL_EXIT_CODE = 128

/** Arguments, environment, clocks, randomness and the process itself. */
export const PROCESS_CALLS = {
  args_get: (host, pointers: number, buffer: number) => writeStrings(host, host.args, { pointers, buffer }),
  args_sizes_get: (host, count: number, size: number) => writeSizes(host, host.args, { count, size }),
  environ_get: (host, pointers: number, buffer: number) => writeStrings(host, host.environ, { pointers, buffer }),
  environ_sizes_get: (host, count: number, size: number) => writeSizes(host, host.environ, { count, size }),

  clock_res_get: (host, id: number, result: number) => {
    host.clock.peek(id)
    host.memory.setU64(result, CLOCK_STEP_NS)
  },

  // The precision asked for is a hint; the answer is exact anyway.
  clock_time_get: (host, id: number, _precision: bigint, result: number) => {
    host.memory.check(result, 8)
    host.memory.setU64(result, host.clock.read(id))
  },

  random_get: (host, buffer: number, length: number) => {
    const target = host.memory.bytes(buffer, length)
    host.budget.spendFor(target.length, RANDOM_BYTE_GAS)
    host.random.fill(target)
  },

  sched_yield: () => {},

  proc_exit: (_host, code: number) => {
    throw new ProcExit(code >>> 0)
  },

  // There is nobody to handle a signal, so each has its default action; nobody could continue a stopped process either.
  proc_raise: (_host, signal: number) => {
    if (signal < 0 || signal > SIGNAL_MAX) fail('inval')
    if (SIGNALS_IGNORED.has(signal)) return
    if (SIGNALS_STOPPING.has(signal)) fail('notsup')
    throw new ProcExit(SIGNAL_EXIT_CODE + signal)
  },
} satisfies Record<string, Call>

/** Bytes a list takes, each string with its final NUL. */
function encode(strings: readonly string[]): Uint8Array[] {
  return strings.map((text) => ENCODER.encode(`${text}\0`))
}

function writeSizes(host: Host, strings: readonly string[], to: { count: number; size: number }): void {
  const size = encode(strings).reduce((sum, bytes) => sum + bytes.length, 0)
  host.budget.spendBytes(size)
  host.memory.check(to.count, 4)
  host.memory.check(to.size, 4)
  host.memory.setU32(to.count, strings.length)
  host.memory.setU32(to.size, size)
}

function writeStrings(host: Host, strings: readonly string[], to: { pointers: number; buffer: number }): void {
  const encoded = encode(strings)
  const size = encoded.reduce((sum, bytes) => sum + bytes.length, 0)
  host.budget.spendBytes(size + strings.length * 4)
  const pointers = host.memory.check(to.pointers, strings.length * 4)
  let at = host.memory.check(to.buffer, size)
  encoded.forEach((bytes, i) => {
    host.memory.setU32(pointers + i * 4, at)
    host.memory.bytes(at, bytes.length).set(bytes)
    at += bytes.length
  })
}
