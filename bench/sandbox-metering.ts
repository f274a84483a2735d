/**
 * What metering costs: every kernel with a `bench` input, raw and prepared (gas, depth and NaN bits all on), timed in turns in
 * the same process, medians compared. Also how fast `prepareModule` is on a module of about a megabyte.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { STACK_BYTES_CEILING } from '../src/core/sandbox/meter-layout.ts'
import { prepareModule } from '../src/core/sandbox/prepare.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'
import { type Kernel, loadKernels } from './kernels/kernels.ts'
import { largeModule } from './kernels/large-module.ts'
import { type KernelRunInit, runKernel } from './kernels/run-kernel.ts'

/** Pairs of timed runs after warming up. Runs take a few milliseconds, so that on a busy machine most are not interrupted. */
const PAIRS = 101
/** Untimed pairs, with a pause so that the optimising compiler's background thread can finish. */
const WARM_UP_PAIRS = 4
const WARM_UP_PAUSE_MS = 60
const GAS_MAX = 1n << 40n

/** A program compiled from C with wasi-libc, repeated until it is a megabyte. */
const REAL_PROGRAM = join(import.meta.dirname, '../examples/ray-tracer/ray-tracer.wasm')

interface Timing {
  readonly rawMs: number
  readonly meteredMs: number
}

async function timeKernel(kernel: Kernel, input: Uint8Array): Promise<Timing> {
  const raw = new WebAssembly.Module(kernel.bytes)
  const metered = new WebAssembly.Module(prepareModule(kernel.bytes).bytes)
  const init: KernelRunInit = { metered: true, gasMax: GAS_MAX, stackBytesMax: STACK_BYTES_CEILING }
  const pair = (): [number, number] => {
    const first = runKernel(raw, input, { metered: false })
    const second = runKernel(metered, input, init)
    if (first.output !== second.output) throw new Error(`${kernel.name} gives ${second.output}, raw ${first.output}`)
    return [first.durationMs, second.durationMs]
  }
  for (let i = 0; i < WARM_UP_PAIRS; i++) {
    pair()
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_PAUSE_MS))
  }
  const pairs: [number, number][] = []
  for (let i = 0; i < PAIRS; i++) pairs.push(pair())
  return { rawMs: median(pairs.map(([first]) => first)), meteredMs: median(pairs.map(([, second]) => second)) }
}

function withCustomSection(bytes: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(name)
  return new Uint8Array([...bytes, 0, encoded.length + 1, encoded.length, ...encoded])
}

/** Prepare and compile a module of about 1 MB. */
function timeCompile(): BenchLine[] {
  const bytes = largeModule(new Uint8Array(readFileSync(REAL_PROGRAM)), 1_000_000)
  const prepareMs: number[] = []
  const compileMs: number[] = []
  const rawMs: number[] = []
  for (let i = 0; i < 7; i++) {
    // Engines cache compiled code by content: a custom section makes each round's bytes new.
    const fresh = withCustomSection(bytes, `raw ${i}`)
    const started = performance.now()
    const prepared = prepareModule(fresh).bytes
    const between = performance.now()
    new WebAssembly.Module(withCustomSection(prepared, `prepared ${i}`))
    const compiled = performance.now()
    new WebAssembly.Module(fresh)
    rawMs.push(performance.now() - compiled)
    prepareMs.push(between - started)
    compileMs.push(compiled - between)
  }
  const megabytes = bytes.length / 1e6
  const total = median(prepareMs) + median(compileMs)
  return [
    benchLine('module.compile', total, 'ms', median(rawMs)),
    benchLine('module.compile.per_mb', total / megabytes, 'ms/MB'),
    benchLine('module.prepare', median(prepareMs), 'ms'),
    benchLine('module.prepare.rate', (megabytes / median(prepareMs)) * 1_000, 'MB/s'),
  ]
}

/**
 * @param names - Kernels to run; all with a `bench` input when empty.
 * @returns One line for each kernel (milliseconds, against the raw module), the geometric mean of the ratios, and the compile
 * figures.
 */
export async function run(names: readonly string[] = []): Promise<BenchLine[]> {
  const lines: BenchLine[] = []
  let logarithms = 0
  for (const kernel of loadKernels()) {
    if (kernel.bench === null || (names.length > 0 && !names.includes(kernel.name))) continue
    const { rawMs, meteredMs } = await timeKernel(kernel, kernel.bench)
    logarithms += Math.log(meteredMs / rawMs)
    lines.push(benchLine(`sandbox.metering.${kernel.name}`, meteredMs, 'ms', rawMs))
  }
  lines.push(benchLine('sandbox.metering', Math.exp(logarithms / lines.length), 'x', 1))
  return names.length > 0 ? lines : [...lines, ...timeCompile()]
}

if (import.meta.main)
  for (const line of await run(process.argv.slice(2))) process.stdout.write(`${JSON.stringify(line)}\n`)
