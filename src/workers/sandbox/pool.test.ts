import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import {
  commandInput,
  fixtureBytes,
  GAS_ENDLESS,
  LIMITS,
  numberOf,
  programBytes,
  reactorInput,
  SEED,
} from '../../testing/sandbox/modules.ts'
import type { ExecuteInit, ExecutionRecord, SandboxPool, SpawnSandboxWorker } from './contract.ts'
import { EXECUTIONS_QUEUED_MAX, MODULES_CACHED_MAX, WALL_MS_MAX } from './limits.ts'
import { createPool, type PoolInit } from './pool.ts'
import { spawnSandboxWorker } from './spawn.node.ts'

const open: SandboxPool[] = []

afterEach(() => {
  for (const pool of open.splice(0)) pool.close()
})

/** A pool of real worker threads with the fixture prepared. */
async function poolOf(init: Partial<PoolInit> = {}): Promise<SandboxPool> {
  const pool = createPool({ spawn: spawnSandboxWorker, ...init })
  open.push(pool)
  await pool.prepare('fixture', fixtureBytes(), { memoryBytesMax: LIMITS.memoryBytesMax })
  return pool
}

function unit(input: ExecuteInit['input'], rest: Partial<ExecuteInit> = {}): ExecuteInit {
  return { module: 'fixture', input, limits: LIMITS, seed: SEED, ...rest }
}

/** A unit that only the wall clock ends. */
function endless(wallMsMax: number, rest: Partial<ExecuteInit> = {}): ExecuteInit {
  return unit(reactorInput('loop'), { limits: { ...LIMITS, gasMax: GAS_ENDLESS, wallMsMax }, ...rest })
}

describe('SandboxPool prepare', () => {
  it('reports on a module, and refuses a broken one by name', async () => {
    const pool = await poolOf()
    const report = await pool.prepare('program', programBytes())
    expect(report).toMatchObject({ abi: 'wasi-command', memoryPagesMax: expect.any(Number) })
    expect(pool.prepared('program')).toBe(true)
    expect(pool.prepared('program', 65_536)).toBe(true)
    expect(pool.prepared('program', 256 * 1_048_576)).toBe(false)
    const broken = pool.prepare('broken', programBytes().slice(0, 5_000))
    await expect(broken).rejects.toMatchObject({ name: 'InvalidModuleError' })
    expect(pool.prepared('broken')).toBe(false)
  })

  it('drops the least recently used module beyond its bound, and says so when it is asked for', async () => {
    const pool = await poolOf()
    for (let i = 0; i < MODULES_CACHED_MAX; i++) await pool.prepare(`copy-${i}`, fixtureBytes())
    expect(pool.stats().modulesCached).toBe(MODULES_CACHED_MAX)
    expect(pool.prepared('fixture', LIMITS.memoryBytesMax)).toBe(false)
    await expect(pool.execute(unit(reactorInput('echo')))).rejects.toMatchObject({ name: 'ModuleNotPreparedError' })
  })
})

describe('SandboxPool execute', () => {
  it('runs commands and reactors', async () => {
    const pool = await poolOf()
    const echoed = await pool.execute(unit(reactorInput('echo', 99)))
    expect(echoed.outcome.stdout).toEqual(reactorInput('echo', 99).stdin)
    await pool.prepare('program', programBytes(), { memoryBytesMax: LIMITS.memoryBytesMax })
    const left = await pool.execute(unit(commandInput(['exit', '3']), { module: 'program', name: 'job' }))
    expect(left.outcome.exitCode).toBe(3)
    expect(new TextDecoder().decode(left.outcome.stderr)).toBe('job leaves with 3\n')
  })

  it('answers each of many units with its own result, over several workers', async () => {
    const pool = await poolOf({ workers: 2 })
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) => pool.execute(unit(reactorInput('echo', i)))),
    )
    answers.forEach(({ outcome }, i) => {
      expect(new DataView(outcome.stdout.buffer).getUint32(1, true)).toBe(i)
    })
    expect(pool.stats()).toMatchObject({ executions: { success: 300 }, queued: 0, active: 0, workersReplaced: 0 })
    expect(pool.stats().workers).toHaveLength(2)
  })

  it('ends a unit at its wall clock, replaces the worker and disturbs nobody', async () => {
    const pool = await poolOf({ workers: 2 })
    const hung = pool.execute(endless(400))
    const others = Promise.all(Array.from({ length: 50 }, () => pool.execute(unit(reactorInput('spin', 200_000)))))
    await expect(hung).rejects.toMatchObject({ name: 'WallClockError', details: { limit: 400 } })
    expect((await others).every(({ outcome }) => outcome.trap === null)).toBe(true)
    expect(pool.stats()).toMatchObject({ executions: { timeout: 1, success: 50 }, workersReplaced: 1 })
    await expect(pool.execute(unit(reactorInput('echo')))).resolves.toBeDefined()
  })

  it('gives units that wait behind a hung one to another worker', async () => {
    const pool = await poolOf({ workers: 2 })
    // Known to be short, so that several are handed over at once, one of them behind the hung one.
    await Promise.all(Array.from({ length: 20 }, () => pool.execute(unit(reactorInput('spin', 10_000)))))
    const hung = pool.execute(endless(10_000)).catch((error: Error) => error)
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: 20 }, () => pool.execute(unit(reactorInput('spin', 10_000)))))
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    pool.close()
    expect(await hung).toMatchObject({ name: 'SandboxClosedError' })
  })

  it('cancels what waits and what runs', async () => {
    const pool = await poolOf()
    const controller = new AbortController()
    const running = pool.execute(endless(60_000, { signal: controller.signal }))
    const waiting = pool.execute(endless(60_000, { signal: controller.signal }))
    const after = pool.execute(unit(reactorInput('echo')))
    await delay(200)
    controller.abort()
    await expect(running).rejects.toMatchObject({ name: 'ExecutionCancelledError' })
    await expect(waiting).rejects.toMatchObject({ name: 'ExecutionCancelledError' })
    await expect(after).resolves.toMatchObject({ outcome: { trap: null } })
    await expect(pool.execute(endless(1_000, { signal: controller.signal }))).rejects.toThrow('cancelled')
  })

  it('goes on after a worker died, and gives a unit up that kills them', async () => {
    let spawned = 0
    const spawn: SpawnSandboxWorker = (events) => {
      spawned += 1
      const number = spawned
      const worker = spawnSandboxWorker(events)
      return {
        ...worker,
        post(message) {
          const deadly = message.type === 'run' && message.units.some((one) => one.name === 'deadly')
          if (!deadly) return worker.post(message)
          worker.terminate()
          queueMicrotask(() => events.failed(`worker ${number} died`))
        },
      }
    }
    const pool = await poolOf({ spawn })
    const killer = pool.execute(unit(reactorInput('echo'), { name: 'deadly' }))
    const after = pool.execute(unit(reactorInput('echo', 5)))
    await expect(killer).rejects.toMatchObject({ name: 'SandboxFaultError' })
    await expect(after).resolves.toMatchObject({ outcome: { trap: null } })
    expect(pool.stats()).toMatchObject({ executions: { crashed: 1, success: 1 }, workersReplaced: 2 })
  })

  it('says so when no worker can be started', async () => {
    const pool = await poolOf()
    const dead = createPool({
      spawn: (events) => {
        queueMicrotask(() => events.failed('there is no such file'))
        return { post() {}, hold() {}, terminate() {} }
      },
    })
    open.push(dead)
    await expect(dead.prepare('fixture', fixtureBytes())).rejects.toMatchObject({ name: 'SandboxFaultError' })
    expect(pool.prepared('fixture', LIMITS.memoryBytesMax)).toBe(true)
  })

  it('refuses one unit more than its queue holds, and limits beyond its own', async () => {
    const pool = await poolOf({ workers: 0 })
    const waiting = Array.from({ length: EXECUTIONS_QUEUED_MAX }, () => pool.execute(unit(reactorInput('echo'))))
    const all = Promise.allSettled(waiting)
    await expect(pool.execute(unit(reactorInput('echo')))).rejects.toMatchObject({ name: 'LimitExceededError' })
    await expect(pool.execute(endless(WALL_MS_MAX + 1))).rejects.toMatchObject({ name: 'LimitExceededError' })
    pool.close()
    expect((await all).every(({ status }) => status === 'rejected')).toBe(true)
  })
})

describe('SandboxPool configure', () => {
  it('pauses with no workers and goes on with some', async () => {
    const pool = await poolOf({ workers: 0 })
    const result = pool.execute(unit(reactorInput('echo')))
    await delay(100)
    expect(pool.stats()).toMatchObject({ queued: 1, active: 0 })
    pool.configure({ workers: 1 })
    await expect(result).resolves.toBeDefined()
    pool.configure({ workers: 0 })
    expect(pool.stats().workers).toHaveLength(0)
  })

  it('keeps its share of the core', async () => {
    const pool = await poolOf()
    const spin = () => pool.execute(unit(reactorInput('spin', 4_000_000)))
    await Promise.all(Array.from({ length: 4 }, spin))
    pool.configure({ cpuShare: 0.25 })
    const startedAt = performance.now()
    const runs = await Promise.all(Array.from({ length: 12 }, spin))
    const wallMs = performance.now() - startedAt
    const busyMs = runs.reduce((sum, { durationMs }) => sum + durationMs, 0)
    // The rest after the last unit is not waited for, and timers are late rather than early.
    expect(busyMs / wallMs).toBeLessThan(0.4)
    expect(busyMs / wallMs).toBeGreaterThan(0.05)
  })

  it('tells every end once', async () => {
    const records: ExecutionRecord[] = []
    const pool = await poolOf({ observe: (record) => records.push(record) })
    await pool.execute(unit(reactorInput('echo')))
    await pool.execute(unit(reactorInput('trap')))
    await pool.execute(endless(200)).catch(() => {})
    expect(records.map(({ status }) => status)).toEqual(['success', 'trap', 'timeout'])
    expect(records[0]).toMatchObject({ module: 'fixture', memoryBytesPeak: 65_536 })
    expect(numberOf((await pool.execute(unit(reactorInput('countCalls')))).outcome.stdout)).toBe(1)
  })
})
