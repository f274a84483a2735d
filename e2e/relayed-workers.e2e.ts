import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENGINES, postedBy } from './support/engines.ts'
import { type SandboxServer, serveSandboxPage } from './support/sandbox-server.ts'

const RUN_MS = 60_000
const CLOSE_MS = 10_000
const WORKERS = 40

/**
 * Goal: a worker that makes workers never stops for it, whatever the window does meanwhile. Method: one that makes and ends forty, one
 * after the other, beside a window that is busy; by the window's hand, and by its own for comparison, which stops for good in Firefox.
 */
describe('workers that the window makes for a worker', () => {
  let server: SandboxServer

  beforeAll(async () => {
    server = await serveSandboxPage({
      '/page.js': 'e2e/pages/relayed-workers.ts',
      '/maker.js': 'e2e/pages/relayed-maker.ts',
      '/echo.js': 'e2e/pages/relayed-echo.ts',
    })
  })
  afterAll(() => server.close())

  for (const engine of ENGINES) {
    it.skipIf(!engine.installed)(`[${engine.name}]`, { timeout: RUN_MS }, async () => {
      const { relayed, nested } = (await postedBy(engine, server, { timeoutMs: RUN_MS - CLOSE_MS })) as Record<
        'relayed' | 'nested',
        unknown
      >
      const all = Array.from({ length: WORKERS }, (_, index) => index)
      expect(relayed).toEqual({ answers: all, movedBytesLeft: 0, failure: 'error', afterEnd: 0 })
      // Reported, not required: it is the browser's to mend.
      if (nested === 'stuck') console.log(`${engine.name}: a worker that makes workers by itself stopped for good`)
      else expect(nested).toEqual(relayed)
    })
  }
})
