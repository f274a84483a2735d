/**
 * What metering costs: every kernel with a `bench` input, raw and prepared (gas, depth and NaN bits all on), timed in turns in
 * the same process, lower quartiles compared. Also how fast `prepareModule` is on a module of about a megabyte.
 *
 * In several processes, of which each figure's best counts, for the raw module and the metered one alike: where a process happens to
 * place compiled code can make a loop take twice and more. A loop of four instructions took 1.3 ns an iteration in a quarter of
 * 16 processes and 6.1 ns in the others, on an idle machine, and nothing in between; so with either module of most kernels.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { STACK_BYTES_CEILING } from '../src/core/sandbox/meter-layout.ts'
import { prepareModule } from '../src/core/sandbox/prepare.ts'
import { type BenchLine, benchLine, median, percentile } from './bench-line.ts'
import { type Kernel, loadKernels } from './kernels/kernels.ts'
import { largeModule } from './kernels/large-module.ts'
import { type KernelRunInit, runKernel } from './kernels/run-kernel.ts'

const PROCESSES = 7
/** Makes this script measure in its own process, and print that. */
const CHILD_FLAG = '--one-process'
/** Pairs of timed runs after warming up. Runs take about a millisecond, so that on a busy machine most are not interrupted. */
const PAIRS = 201
/** Untimed pairs, with a pause so that the optimising compiler's background thread can finish. */
const WARM_UP_PAIRS = 8
const WARM_UP_PAUSE_MS = 80
const GAS_MAX = 1n << 40n

/** A program compiled from C with wasi-libc, repeated until it is a megabyte. */
const REAL_PROGRAM = join(import.meta.dirname, '../examples/ray-tracer/ray-tracer.wasm')

interface Timing {
  readonly rawMs: number
  readonly meteredMs: number
}

interface CompileTiming {
  readonly prepareMs: number
  readonly compileMs: number
  readonly rawMs: number
  readonly megabytes: number
}

async function timeKernel(kernel: Kernel, input: Uint8Array): Promise<Timing> {
  const raw = new WebAssembly.Module(kernel.bytes)
  const metered = new WebAssembly.Module(prepareModule(kernel.bytes).bytes)
  const init: KernelRunInit = { metered: true, gasMax: GAS_MAX, stackBytesMax: STACK_BYTES_CEILING }
  // Whoever runs first in a pair is likelier to be interrupted in the middle, so they take turns at that too.
  const pair = (meteredFirst: boolean): [number, number] => {
    const before = meteredFirst ? runKernel(metered, input, init) : null
    const plain = runKernel(raw, input, { metered: false })
    const counted = before ?? runKernel(metered, input, init)
    if (plain.output !== counted.output) throw new Error(`${kernel.name} gives ${counted.output}, raw ${plain.output}`)
    return [plain.durationMs, counted.durationMs]
  }
  for (let i = 0; i < WARM_UP_PAIRS; i++) {
    pair(i % 2 === 0)
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_PAUSE_MS))
  }
  const pairs: [number, number][] = []
  for (let i = 0; i < PAIRS; i++) pairs.push(pair(i % 2 === 0))
  return { rawMs: quartile(pairs.map(([plain]) => plain)), meteredMs: quartile(pairs.map(([, counted]) => counted)) }
}

/** The median of the faster half: on a busy machine the slower one tells of the neighbours. */
function quartile(values: readonly number[]): number {
  return percentile(values, 0.25)
}

function withCustomSection(bytes: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(name)
  const out = new Uint8Array(bytes.length + encoded.length + 3)
  out.set(bytes)
  out.set([0, encoded.length + 1, encoded.length, ...encoded], bytes.length)
  return out
}

/** Time to compile; V8 does most of it lazily, in the background or at the first call, for both alike. */
function timeOf(bytes: Uint8Array<ArrayBuffer>): number {
  const started = performance.now()
  new WebAssembly.Module(bytes)
  return performance.now() - started
}

/** Prepare and compile a module of about 1 MB. */
function timeCompile(): CompileTiming {
  const bytes = largeModule(new Uint8Array(readFileSync(REAL_PROGRAM)), 1_000_000)
  // Engines cache compiled code by content: a custom section makes each round's bytes new.
  const rounds = Array.from({ length: 7 }, (_, i) => withCustomSection(bytes, `raw ${i}`))
  const prepared: Uint8Array<ArrayBuffer>[] = []
  const prepareMs = rounds.map((fresh) => {
    const started = performance.now()
    prepared.push(prepareModule(fresh).bytes)
    return performance.now() - started
  })
  // After all of that: what an engine goes on compiling in its background threads would be measured with the next preparation.
  const compileMs = prepared.map((each, i) => timeOf(withCustomSection(each, `prepared ${i}`)))
  const rawMs = rounds.map(timeOf)
  const megabytes = bytes.length / 1e6
  return { prepareMs: median(prepareMs), compileMs: median(compileMs), rawMs: median(rawMs), megabytes }
}

/** What one process measures and prints; `compile` only where all kernels are asked for. */
interface Measured {
  readonly kernels: Readonly<Record<string, Timing>>
  readonly compile: CompileTiming | null
}

async function measure(names: readonly string[]): Promise<Measured> {
  const kernels: Record<string, Timing> = {}
  for (const kernel of loadKernels()) {
    if (kernel.bench === null || (names.length > 0 && !names.includes(kernel.name))) continue
    kernels[kernel.name] = await timeKernel(kernel, kernel.bench)
  }
  return { kernels, compile: names.length > 0 ? null : timeCompile() }
}

function measureInProcesses(names: readonly string[]): Measured[] {
  return Array.from({ length: PROCESSES }, (_, index) => {
    process.stderr.write(`  process ${index + 1} of ${PROCESSES}\n`)
    const args = [import.meta.filename, CHILD_FLAG, ...names]
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Measured
  })
}

function compileLines(timings: readonly CompileTiming[]): BenchLine[] {
  const best = (of: (timing: CompileTiming) => number): number => Math.min(...timings.map(of))
  const prepareMs = best((timing) => timing.prepareMs)
  const totalMs = best((timing) => timing.prepareMs + timing.compileMs)
  const megabytes = best((timing) => timing.megabytes)
  return [
    benchLine(
      'module.compile',
      totalMs,
      'ms',
      best(({ rawMs }) => rawMs),
    ),
    benchLine('module.compile.per_mb', totalMs / megabytes, 'ms/MB'),
    benchLine('module.prepare', prepareMs, 'ms'),
    benchLine('module.prepare.rate', (megabytes / prepareMs) * 1_000, 'MB/s'),
  ]
}

/**
 * @param names - Kernels to run; all with a `bench` input when empty.
 * @returns One line for each kernel (milliseconds, against the raw module), the geometric mean of the ratios, and the compile
 * figures.
 */
export async function run(names: readonly string[] = []): Promise<BenchLine[]> {
  const measured = measureInProcesses(names)
  const kernels = Object.keys(measured[0]?.kernels ?? {})
  let logarithms = 0
  const lines = kernels.map((kernel) => {
    const best = (of: keyof Timing): number =>
      Math.min(...measured.map(({ kernels: timings }) => timings[kernel]?.[of] ?? Number.NaN))
    const [meteredMs, rawMs] = [best('meteredMs'), best('rawMs')]
    logarithms += Math.log(meteredMs / rawMs)
    return benchLine(`sandbox.metering.${kernel}`, meteredMs, 'ms', rawMs)
  })
  lines.push(benchLine('sandbox.metering', Math.exp(logarithms / lines.length), 'x', 1))
  const compiles = measured.flatMap(({ compile }) => compile ?? [])
  return compiles.length === 0 ? lines : [...lines, ...compileLines(compiles)]
}

if (import.meta.main) {
  const [first, ...rest] = process.argv.slice(2)
  if (first === CHILD_FLAG) process.stdout.write(JSON.stringify(await measure(rest)))
  else for (const line of await run(process.argv.slice(2))) process.stdout.write(`${JSON.stringify(line)}\n`)
}
