import { createPool } from '../../src/workers/sandbox/pool.ts'
import { superviseWebWorker } from '../../src/workers/sandbox/spawn.ts'

const WORKERS = 2
const LIMITS = {
  gasMax: 1n << 40n,
  stackBytesMax: 262_144,
  memoryBytesMax: 64 * 1024 * 1024,
  wallMsMax: 30_000,
  outputBytesMax: 65_536,
}

/** What a page can do with no network: the sandbox's own pool of two workers. */
export interface PoolBench {
  /** Runs a unit for each input, all handed over at once; resolves with the milliseconds until the last was done. */
  run(inputs: readonly string[]): Promise<number>
}

const pool = createPool({
  spawn: (events) => superviseWebWorker(new Worker('/sandbox-worker.js', { type: 'module' }), events),
  workers: WORKERS,
})
const module = new Uint8Array(await (await fetch('/module.wasm')).arrayBuffer())
await pool.prepare('module', module)
const encoder = new TextEncoder()

const poolBench: PoolBench = {
  async run(inputs) {
    const started = performance.now()
    const units = inputs.map((input) =>
      pool.execute({
        module: 'module',
        input: { args: [], env: [], stdin: encoder.encode(input), files: [] },
        limits: LIMITS,
        seed: new Uint8Array(32),
      }),
    )
    const bad = (await Promise.all(units)).find(({ outcome }) => outcome.trap !== null || outcome.exitCode !== 0)
    if (bad !== undefined) throw new Error(`A unit ended with ${bad.outcome.trap ?? bad.outcome.exitCode}`)
    return performance.now() - started
  },
}
Object.assign(globalThis, { poolBench })
