import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPool } from '../src/workers/sandbox/pool.ts'
import { spawnSandboxWorker } from '../src/workers/sandbox/spawn.node.ts'
import { type CorpusResult, runCorpus } from './support/corpus.ts'
import { allUnits, type CorpusFiles } from './support/corpus-units.ts'
import { ENGINES, postedBy } from './support/engines.ts'
import { type SandboxServer, serveSandboxPage } from './support/sandbox-server.ts'

/** An engine without an optimising compiler, on a machine with other work. */
const RUN_MS = 240_000

/** What is left for closing the browser when no result came. */
const CLOSE_MS = 10_000

interface Report {
  readonly results?: readonly CorpusResult[]
  readonly workersReplaced?: number
  readonly hang?: { readonly error: string; readonly others: number }
  readonly error?: string
}

/**
 * Goal: two honest peers never disagree, whatever engines they have. Method: the same modules and inputs through the real worker
 * in four engines; Node's results are the reference that the others must equal to the byte, gas and peak memory included.
 */
describe('the sandbox gives the same outcome on every engine', () => {
  let files: CorpusFiles
  let server: SandboxServer
  let reference: readonly CorpusResult[]

  beforeAll(async () => {
    files = await allUnits()
    server = await serveSandboxPage({
      '/page.js': 'e2e/pages/determinism.ts',
      '/sandbox-worker.js': 'src/workers/sandbox/worker.ts',
    })
    server.set('/corpus.json', JSON.stringify(files.corpus))
    for (const [id, bytes] of files.bytes) server.set(`/module/${encodeURIComponent(id)}`, bytes)
    const pool = createPool({ spawn: spawnSandboxWorker, workers: 2 })
    reference = await runCorpus(pool, files.corpus, async (module) => files.bytes.get(module) ?? new Uint8Array(0))
    pool.close()
  }, RUN_MS)

  afterAll(() => server.close())

  it('covers examples, kernels, floating point and every kind of trap', () => {
    expect(reference.filter(({ error }) => error !== null)).toEqual([])
    const kernels = new Set(files.corpus.modules.filter((id) => id.startsWith('kernel-')))
    expect(kernels.size).toBeGreaterThanOrEqual(20)
    expect(new Set(reference.map(({ trap }) => trap))).toEqual(new Set([null, 'gas', 'stack', 'wasm', 'output', 'abi']))
    expect(new Set(reference.map(({ outputHash }) => outputHash)).size).toBeGreaterThan(reference.length / 2)
  })

  for (const engine of ENGINES) {
    it.skipIf(!engine.installed)(`[${engine.name}]`, { timeout: RUN_MS }, async () => {
      compare(await postedBy(engine, server, { timeoutMs: RUN_MS - CLOSE_MS }))
    })
  }

  function compare(posted: unknown): void {
    const report = posted as Report
    expect(report.error).toBeUndefined()
    expect(report.results).toHaveLength(reference.length)
    const differing = reference.flatMap((expected, i) => {
      const got = report.results?.[i]
      return JSON.stringify(got) === JSON.stringify(expected) ? [] : [{ expected, got }]
    })
    expect(differing.slice(0, 5), `${differing.length} of ${reference.length} units differ`).toEqual([])
    expect(report.workersReplaced).toBe(0)
    // Nothing ends this unit but its wall clock, and it takes nobody along.
    expect(report.hang).toEqual({ error: expect.stringMatching(/^WallClockError: /), others: 20 })
  }
})
