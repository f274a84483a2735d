/**
 * What the sandbox adds to a call: a fresh instance through `runUnit` against instantiating and calling the raw module, in turns
 * in one process; and what handing a unit of about a millisecond to a worker adds to it.
 */
import { MODULE_LIMITS } from '../src/core/sandbox/limits.ts'
import { prepareModule } from '../src/core/sandbox/prepare.ts'
import type { UnitInput } from '../src/core/tasks/unit.ts'
import { commandInput, fixtureBytes, LIMITS, programBytes, reactorInput, SEED } from '../src/testing/sandbox/modules.ts'
import { createPool } from '../src/workers/sandbox/pool.ts'
import { runUnit } from '../src/workers/sandbox/run-unit.ts'
import { spawnSandboxWorker } from '../src/workers/sandbox/spawn.node.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'

/** Calls timed together: a clock's step must be small against them. */
const CALLS = 20
const PAIRS = 150
/** Enough for the optimising compiler to be done with this file. */
const WARM_UP_PAIRS = 50

/** Units of about a millisecond. */
const POOL_UNITS = 300
const POOL_SPIN = 1_000_000
const POOL_ROUNDS = 5

interface ReactorExports {
  readonly memory: WebAssembly.Memory
  starling_alloc(length: number): number
  starling_run(pointer: number, length: number): bigint
}

function callRaw(module: WebAssembly.Module, { stdin }: UnitInput): Uint8Array {
  const exports = new WebAssembly.Instance(module, {}).exports as unknown as ReactorExports // the fixture has this ABI
  const pointer = exports.starling_alloc(stdin.length)
  new Uint8Array(exports.memory.buffer, pointer, stdin.length).set(stdin)
  const packed = exports.starling_run(pointer, stdin.length)
  return new Uint8Array(exports.memory.buffer, Number(packed >> 32n), Number(packed & 0xffff_ffffn)).slice()
}

function callPrepared(module: WebAssembly.Module, input: UnitInput, limits = LIMITS): Uint8Array {
  const { outcome } = runUnit(module, { name: 'bench', input, limits, seed: SEED })
  if (outcome.trap !== null) throw new Error(`The bench trapped: ${outcome.trap}`)
  return outcome.stdout
}

function microseconds(call: () => unknown): number {
  const startedAt = performance.now()
  for (let i = 0; i < CALLS; i++) call()
  return ((performance.now() - startedAt) / CALLS) * 1000
}

function prepared(bytes: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(prepareModule(bytes, MODULE_LIMITS).bytes)
}

function timeInstantiate(): BenchLine[] {
  const bytes = fixtureBytes()
  const raw = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const metered = prepared(bytes)
  const command = prepared(programBytes())
  const input = reactorInput('echo', 1)
  const exit = commandInput(['exit', '0'])
  const times: { raw: number[]; metered: number[]; command: number[] } = { raw: [], metered: [], command: [] }
  for (let pair = -WARM_UP_PAIRS; pair < PAIRS; pair++) {
    const measured = {
      raw: microseconds(() => callRaw(raw, input)),
      metered: microseconds(() => callPrepared(metered, input)),
      command: microseconds(() => callPrepared(command, exit)),
    }
    if (pair < 0) continue
    times.raw.push(measured.raw)
    times.metered.push(measured.metered)
    times.command.push(measured.command)
  }
  return [
    benchLine('sandbox.instantiate', median(times.metered), 'µs', median(times.raw)),
    benchLine('sandbox.instantiate.command', median(times.command), 'µs'),
  ]
}

/** Processor time of one unit through a pool of one worker, both threads together, against the same unit run here. */
async function timePool(): Promise<BenchLine> {
  const module = prepared(fixtureBytes())
  const pool = createPool({ spawn: spawnSandboxWorker, workers: 1 })
  await pool.prepare('fixture', fixtureBytes())
  const input = reactorInput('spin', POOL_SPIN)
  const unit = { module: 'fixture', input, limits: LIMITS, seed: SEED }
  const pooled = () => Promise.all(Array.from({ length: POOL_UNITS }, () => pool.execute(unit)))
  const here = async (): Promise<void> => {
    for (let i = 0; i < POOL_UNITS; i++) callPrepared(module, input)
  }
  const times: { pooled: number[]; here: number[] } = { pooled: [], here: [] }
  for (let round = -1; round < POOL_ROUNDS; round++) {
    const measured = { pooled: await processorMs(pooled), here: await processorMs(here) }
    if (round < 0) continue
    times.pooled.push(measured.pooled)
    times.here.push(measured.here)
  }
  pool.close()
  return benchLine('sandbox.pool', median(times.pooled), 'ms', median(times.here))
}

/** Processor time rather than the wall clock: two threads on a busy machine wait for each other's turn. */
async function processorMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / POOL_UNITS
}

export async function run(): Promise<BenchLine[]> {
  return [...timeInstantiate(), await timePool()]
}

if (import.meta.main) for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
