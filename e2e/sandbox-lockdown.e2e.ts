import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALLOWED_GLOBALS, HARMLESS_REMNANTS } from '../src/workers/sandbox/lockdown.ts'
import { ENGINES, postedBy } from './support/engines.ts'
import { type SandboxServer, serveSandboxPage } from './support/sandbox-server.ts'

const RUN_MS = 50_000

/** What is left for closing the browser when no result came. */
const CLOSE_MS = 10_000

interface Probe {
  readonly remnants: readonly string[]
  readonly outcomes: Readonly<Record<string, string>>
  readonly globals: readonly string[]
  readonly extra: readonly string[]
}

interface Report {
  readonly open: Probe
  readonly policy: Probe
  readonly locked: Probe
  readonly error?: string
}

/** What only the removal of globals can refuse: a policy governs loading and connecting. */
const BEYOND_POLICY = new Set([
  ...['BroadcastChannel', 'indexedDB', 'caches', 'storage', 'locks', 'crypto', 'location', 'setTimeout', 'postMessage'],
  ...['importScripts', 'prototype of the scope', 'a new global', 'another realm'],
])

/**
 * Goal: code that broke out of WebAssembly finds nothing. Method: the same attempts in a free worker (where they must work, or
 * they would prove nothing), under the policy alone, and in a locked worker.
 */
describe('the sandbox worker is locked down', () => {
  let server: SandboxServer

  beforeAll(async () => {
    server = await serveSandboxPage({
      '/page.js': 'e2e/pages/sandbox-probe-page.ts',
      '/probe.js': 'e2e/pages/sandbox-probe.ts',
      '/sandbox-worker-probe.js': 'e2e/pages/sandbox-probe.ts',
    })
    server.set('/module.js', 'export default 1')
    server.set('/talking-worker.js', 'postMessage(1)')
  })

  afterAll(() => server.close())

  for (const engine of ENGINES) {
    it.skipIf(!engine.installed)(`[${engine.name}]`, { timeout: RUN_MS }, async () => {
      check((await postedBy(engine, server, { timeoutMs: RUN_MS - CLOSE_MS })) as Report)
    })
  }

  function check({ open, policy, locked, error }: Report): void {
    expect(error).toBeUndefined()
    expect(locked.remnants).toEqual([])
    const allowed = new Set([...ALLOWED_GLOBALS, ...HARMLESS_REMNANTS])
    expect(locked.globals.filter((name) => !allowed.has(name))).toEqual([])
    expect(locked.globals).toContain('WebAssembly')
    expect(escapedFrom(locked)).toEqual([])
    // The attempts are real: without the walls they succeed, and the policy by itself stops what it is for.
    expect(escapedFrom(open)).toEqual(
      expect.arrayContaining(['fetch', 'XMLHttpRequest', 'import of a file', 'eval', 'indexedDB']),
    )
    expect(open.globals.length).toBeGreaterThan(200)
    expect(escapedFrom(policy).filter((name) => !BEYOND_POLICY.has(name))).toEqual([])
  }
})

function escapedFrom({ outcomes }: Probe): readonly string[] {
  return Object.entries(outcomes).flatMap(([name, outcome]) => (outcome === 'escaped' ? [name] : []))
}
