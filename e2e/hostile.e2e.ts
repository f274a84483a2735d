import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BadModule, badModules } from '../src/testing/modules/bad-modules.ts'
import { HEADER, leb } from '../src/testing/modules/module-bytes.ts'
import { collatzJob, expectedSteps, stepsOf } from './support/collatz.ts'
import { Room, type Tab } from './support/room.ts'
import { until } from './support/until.ts'

const EXPORT_SECTION = 7
const RUN = [3, ...new TextEncoder().encode('run')]
const START = [6, ...new TextEncoder().encode('_start')]

/** The same module as a WASI command: its export `run` becomes `_start`. */
function asCommand(module: Uint8Array): Uint8Array {
  const out: number[] = [...HEADER]
  for (let at = HEADER.length; at < module.length; ) {
    const id = module[at++] ?? 0
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++] ?? 0
      size |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    let content = [...module.subarray(at, at + size)]
    at += size
    const found = content.findIndex((_, start) => RUN.every((byte, offset) => content[start + offset] === byte))
    if (id === EXPORT_SECTION && found >= 0) {
      content = [...content.slice(0, found), ...START, ...content.slice(found + RUN.length)]
    }
    out.push(id, ...leb(content.length))
    for (const byte of content) out.push(byte)
  }
  return Uint8Array.from(out)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** What the tab's node says of a module: the error's name and message, or how one unit of it ended. */
function judge(tab: Tab, { bytes, expect: expected }: BadModule): Promise<string> {
  if ('refused' in expected) {
    return tab.page.evaluate(async (encoded) => {
      const module = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
      try {
        await starling.inspectModule(module)
        return 'taken'
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`
      }
    }, base64(bytes))
  }
  return tab.page.evaluate(
    async (encoded) => {
      const module = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
      const input = { args: [], env: [], stdin: new Uint8Array(), files: [] }
      const options = { gasMax: 100_000_000n, wallMsMax: 20_000 }
      const spec = { name: 'Bad', abi: 'wasi-command', module, inputs: [input], sharedFiles: [], options } as const
      const { outcome } = await starling.dryRun({ ...spec, view: { kind: 'none' } }, 0)
      return outcome.trap ?? 'normally'
    },
    base64(asCommand(bytes)),
  )
}

describe('a tab under attack', () => {
  let room: Room
  beforeAll(async () => {
    room = await Room.open()
  })
  afterAll(() => room?.close())

  it('refuses or ends every bad module, stays alive, and its own job is not disturbed', {
    timeout: 400_000,
  }, async () => {
    const tab = await room.tab()
    await room.tab()
    const id = await tab.submit(collatzJob(60, 4_000, { replicas: 1, quorum: 1, useOwnWorkers: true }))
    const modules = badModules()
    expect(modules.length).toBeGreaterThanOrEqual(60)
    for (const module of modules) {
      const verdict = await judge(tab, module)
      if ('refused' in module.expect) {
        expect(verdict, module.name).toMatch(/^InvalidModuleError: /)
        expect(verdict, module.name).toContain(module.expect.refused)
      } else {
        expect(verdict, module.name).toBe(module.expect.ends)
      }
    }
    await until('the job', async () => (await tab.job(id))?.state === 'done')
    for (const [unit, stdout] of await tab.results(id))
      expect(stepsOf(stdout), `unit ${unit}`).toBe(expectedSteps(unit, 4_000))
    expect((await tab.job(id))?.counts.accepted).toBe(60)
    const replaced = await tab.page.evaluate(async () =>
      (await starling.metrics()).find(({ name }) => name === 'wasm_workers_replaced'),
    )
    expect(replaced?.value).toBe(0)
  })
})
