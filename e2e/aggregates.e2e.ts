import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REFERENCE_KERNEL } from '../src/core/learning/aggregate-reference.ts'
import { createAggregator, directAggregator } from '../src/workers/aggregation/aggregator.ts'
import { spawnAggregator } from '../src/workers/aggregation/spawn.node.ts'
import { type AggregateOutcome, aggregateCases, runAggregates } from './support/aggregates.ts'
import { ENGINES, postedBy } from './support/engines.ts'
import { type SandboxServer, serveSandboxPage } from './support/sandbox-server.ts'

/** An engine without an optimising compiler, on a machine with other work. */
const RUN_MS = 180_000
const CLOSE_MS = 10_000

/**
 * Goal: all peers that have the same updates compute the same bytes, so that nobody needs a leader. Method: every rule on small and large values
 * through the real worker (SIMD) and the plain loops in four engines, each time with the updates in another order; Node's plain loops
 * with the updates as they were made are the reference.
 */
describe('[AG8] aggregates are the same bytes on every engine, in every order', () => {
  let server: SandboxServer
  let reference: readonly AggregateOutcome[]

  beforeAll(async () => {
    server = await serveSandboxPage({
      '/page.js': 'e2e/pages/aggregates.ts',
      '/aggregation-worker.js': 'src/workers/aggregation/worker.ts',
    })
    server.set('/kernel.wasm', readFileSync(new URL('../src/workers/aggregation/kernel.wasm', import.meta.url)))
    reference = await runAggregates(directAggregator(REFERENCE_KERNEL), 1)
  }, RUN_MS)

  afterAll(() => server.close())

  it('covers every rule, and cases that differ', () => {
    const rules = new Set(aggregateCases().map(({ rule }) => rule.rule))
    expect(rules.size).toBe(7)
    expect(reference.some(({ clipped }) => clipped > 0)).toBe(true)
    expect(new Set(reference.map(({ digest }) => digest)).size).toBeGreaterThan(reference.length / 2)
  })

  it('[node]', { timeout: RUN_MS }, async () => {
    const aggregator = createAggregator({ spawn: spawnAggregator })
    expect(await runAggregates(aggregator, 5)).toEqual(reference)
    aggregator.close()
  })

  for (const engine of ENGINES) {
    it.skipIf(!engine.installed)(`[${engine.name}]`, { timeout: RUN_MS }, async () => {
      compare(await postedBy(engine, server, { timeoutMs: RUN_MS - CLOSE_MS }))
    })
  }

  function compare(posted: unknown): void {
    const { kernel, plain, error } = posted as Readonly<Record<'kernel' | 'plain', AggregateOutcome[]>> & {
      readonly error?: string
    }
    expect(error).toBeUndefined()
    expect(kernel).toEqual(reference)
    expect(plain).toEqual(reference)
  }
})
