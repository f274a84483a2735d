import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { ALLOWED_GLOBALS } from './lockdown.ts'

interface Probe {
  readonly remnants: readonly string[]
  readonly outcomes: Readonly<Record<string, string>>
  readonly globals: readonly string[]
}

// Browsers are tried by e2e/sandbox-lockdown.e2e.ts.
describe('lockdown under Node', () => {
  it('leaves the language alone and no way out', async () => {
    const worker = new Worker(new URL('../../testing/sandbox/node-probe.ts', import.meta.url), {
      env: {},
      execArgv: [],
    })
    // What the probe posts is this.
    const [probe] = (await once(worker, 'message')) as [Probe]
    await worker.terminate()
    expect(probe.remnants).toEqual([])
    expect(probe.globals.filter((name) => !ALLOWED_GLOBALS.has(name))).toEqual([])
    expect(Object.entries(probe.outcomes).filter(([, outcome]) => outcome === 'escaped')).toEqual([])
    expect(Object.keys(probe.outcomes)).toHaveLength(14)
  })
})
