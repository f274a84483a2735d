import { expect, it } from 'vitest'
import { sha256Hex } from '../core/codec/hash.ts'
import type { Manifest } from '../core/tasks/manifest.ts'
import { manifestHash } from '../core/tasks/manifest-schema.ts'
import type { UnitOutcome } from '../core/tasks/unit.ts'
import { encodeInput, encodeOutcome } from '../core/tasks/unit-data.ts'
import { testManifest } from '../testing/task-fixtures.ts'
import type { ExecuteInit } from '../workers/sandbox/contract.ts'
import { UnitRunner } from './unit-runner.ts'

const NOTHING = new Uint8Array(0)
const INPUT = encodeInput({ args: [], env: [], stdin: new Uint8Array(20), files: [] })
const wrote = (bytes: number): UnitOutcome => ({
  exitCode: 0,
  trap: null,
  stdout: new Uint8Array(bytes),
  stderr: NOTHING,
  files: [],
})

/** A manifest whose schemas state these bytes. */
function manifestWith(bounds: { input?: [number, number]; output?: [number, number] }): Manifest {
  const data = (bytes: [number, number] = [0, 1_000]) => ({
    mediaType: 'text/plain',
    bytesMin: bytes[0],
    bytesMax: bytes[1],
    description: '',
  })
  return testManifest({ input: data(bounds.input), output: data(bounds.output) })
}

/** Runs one unit on a sandbox that gives `outcome`; `executions` are what it was asked for. */
async function run(manifest: Manifest, outcome: UnitOutcome) {
  const executions: ExecuteInit[] = []
  const runner = new UnitRunner({
    now: () => 5,
    blocks: { hold: () => expect.fail('nothing here is large') },
    source: { fetch: async () => expect.fail('everything is inline') },
    sandbox: {
      prepared: () => true,
      prepare: async () => expect.fail('the module is prepared'),
      execute: async (init) => {
        executions.push(init)
        return { outcome, gas: 9n, durationMs: 1, memoryBytesPeak: 65_536 }
      },
    },
  })
  const work = { job: manifestHash(manifest), manifest, unit: 0, inputHash: sha256Hex(INPUT), input: INPUT, from: [] }
  return { executed: await runner.run(work), executions }
}

it('[U5] the sandbox is given the most bytes that the output’s schema states', async () => {
  const { executions } = await run(manifestWith({ output: [0, 321] }), wrote(4))
  expect(executions.map(({ limits }) => limits.outputBytesMax)).toEqual([321])
})

it('[U5] fewer bytes than the output’s schema states are the trap `output`, in what is signed too', async () => {
  const manifest = manifestWith({ output: [5, 321] })
  const enough = wrote(5)
  expect((await run(manifest, enough)).executed).toMatchObject({ trap: null, outcome: encodeOutcome(enough) })
  const trapped: UnitOutcome = { exitCode: -1, trap: 'output', stdout: NOTHING, stderr: NOTHING, files: [] }
  const { executed } = await run(manifest, wrote(4))
  expect(executed).toMatchObject({ exitCode: -1, trap: 'output', gas: 9n })
  expect(executed.outcome).toEqual(encodeOutcome(trapped))
  expect(executed.outputHash).toBe(sha256Hex(encodeOutcome(trapped)))
})

it.each([
  ['fewer', [INPUT.length + 1, 1_000], INPUT.length + 1],
  ['more', [0, INPUT.length - 1], INPUT.length - 1],
] as const)('[U5] an input of %s bytes than its schema states does not run', async (_, [least, most], limit) => {
  await expect(run(manifestWith({ input: [least, most] }), wrote(4))).rejects.toMatchObject({
    name: 'InvalidMessageError',
    details: { field: 'lease.input', value: INPUT.length, limit },
  })
})
