/**
 * What the sandbox adds to a call: a fresh instance through `runUnit` against instantiating and calling the raw module, in turns
 * in one process; and how much of a worker's time goes into units of about a millisecond that the pool hands over.
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

/** Units of about a millisecond that one worker is given. */
const PIPELINE_UNITS = 400
const PIPELINE_SPIN = 1_000_000

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

/** Units handed to a pool of one worker; the ratio is the share of the time that the worker spends inside units. */
async function timePipeline(): Promise<BenchLine> {
  const pool = createPool({ spawn: spawnSandboxWorker, workers: 1 })
  await pool.prepare('fixture', fixtureBytes())
  const unit = { module: 'fixture', input: reactorInput('spin', PIPELINE_SPIN), limits: LIMITS, seed: SEED }
  const round = async (): Promise<{ readonly busyMs: number; readonly wallMs: number }> => {
    const startedAt = performance.now()
    const done = await Promise.all(Array.from({ length: PIPELINE_UNITS }, () => pool.execute(unit)))
    const busyMs = done.reduce((sum, { durationMs }) => sum + durationMs, 0)
    return { busyMs, wallMs: performance.now() - startedAt }
  }
  await round()
  const rounds = [await round(), await round(), await round(), await round(), await round()]
  pool.close()
  const busyMs = median(rounds.map((one) => one.busyMs))
  return benchLine('sandbox.pipeline', busyMs, 'ms', median(rounds.map((one) => one.wallMs)))
}

export async function run(): Promise<BenchLine[]> {
  return [...timeInstantiate(), await timePipeline()]
}

if (import.meta.main) for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
