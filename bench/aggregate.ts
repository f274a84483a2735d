/**
 * `aggregate.krum`, `aggregate.median`, `aggregate.trimmed`: whole aggregations a second with the SIMD kernel, beside the same with the plain
 * typed-array loops, in turns in one process. `aggregate.floor` is how often this machine can read the updates once, in the same spans: no
 * rule can be faster.
 */
import type { PeerId } from '../src/core/codec/ids.ts'
import { aggregate } from '../src/core/learning/aggregate.ts'
import type { AggregationKernel } from '../src/core/learning/aggregate-kernel.ts'
import { REFERENCE_KERNEL } from '../src/core/learning/aggregate-reference.ts'
import { normal } from '../src/core/learning/attacks.ts'
import { type AggregationRule, initialState, type PeerUpdate } from '../src/core/learning/rules.ts'
import { seededRng } from '../src/core/tasks/rng.ts'
import { TILE_COORDINATES } from '../src/workers/aggregation/limits.ts'
import { loadKernel } from '../src/workers/aggregation/load.node.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'

const SIZES = [
  { n: 20, f: 4, d: 100_000, rounds: 7 },
  { n: 50, f: 10, d: 1_000_000, rounds: 3 },
] as const

/** Values of an update: normal, of this deviation in units of I16F16, 0.01; what one step of training changes is smaller. */
const DEVIATION = 655

const RULES: Readonly<Record<string, (f: number) => AggregationRule>> = {
  'aggregate.krum': (byzantineMax) => ({ rule: 'krum', byzantineMax }),
  'aggregate.median': (byzantineMax) => ({ rule: 'median', byzantineMax }),
  'aggregate.trimmed': (byzantineMax) => ({ rule: 'trimmed-mean', byzantineMax }),
}

export async function run(): Promise<BenchLine[]> {
  const kernel = await loadKernel()
  const lines: BenchLine[] = []
  for (const { n, f, d, rounds } of SIZES) {
    const updates = updatesOf(n, d)
    const size = `n${n}.d${d}`
    for (const [name, ruleOf] of Object.entries(RULES)) {
      const aggregated = (each: AggregationKernel) => aggregate(updates, ruleOf(f), initialState(d), each)
      const [simd, plain] = inTurns(rounds, [() => aggregated(kernel), () => aggregated(REFERENCE_KERNEL)])
      lines.push(perSecond(`${name}.${size}`, simd, plain))
    }
    const [floor] = inTurns(rounds, [() => readOnce(updates)])
    lines.push(perSecond(`aggregate.floor.${size}`, floor))
  }
  return lines
}

function perSecond(name: string, ms = Number.NaN, referenceMs?: number): BenchLine {
  return benchLine(name, 1000 / ms, 'aggregations/s', referenceMs === undefined ? null : 1000 / referenceMs)
}

/** Middle times of each, in milliseconds, after one run that does not count. */
function inTurns(rounds: number, runs: readonly (() => unknown)[]): number[] {
  const times = runs.map((): number[] => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [at, each] of runs.entries()) {
      const started = performance.now()
      each()
      if (round > 0) times[at]?.push(performance.now() - started)
    }
  }
  return times.map(median)
}

function updatesOf(n: number, d: number): PeerUpdate[] {
  const rng = seededRng(n)
  // Drawing fifty million normal values would take longer than the bench.
  const drawn = Int32Array.from({ length: 65_536 }, () => Math.round(DEVIATION * normal(rng)))
  return Array.from({ length: n }, (_, i) => {
    const values = new Int32Array(d)
    for (let at = 0; at < d; at++) values[at] = drawn[rng.below(65_536)] as number
    return { peer: `peer-${String(i).padStart(3, '0')}` as PeerId, values }
  })
}

const scratch = new Int32Array(TILE_COORDINATES)

/** Copies every span of every update to the same small place. */
function readOnce(updates: readonly PeerUpdate[]): void {
  for (const { values } of updates)
    for (let at = 0; at < values.length; at += TILE_COORDINATES) scratch.set(values.subarray(at, at + TILE_COORDINATES))
}

if (import.meta.main) for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
