import { expect, it } from 'vitest'
import type { JobId, PeerId } from '../core/codec/ids.ts'
import type { ExecutorControls, Pause } from '../core/tasks/executor-events.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { SandboxPool } from '../workers/sandbox/contract.ts'
import { Lending } from './lending.ts'
import { Settings } from './settings.ts'

const requester = '12D3KooW' as PeerId
const job = 'a'.repeat(64) as JobId

function setUp(store = new MemoryStore()) {
  const told = {
    controls: [] as ExecutorControls[],
    pauses: [] as Pause[],
    resumed: [] as string[],
    configured: [] as unknown[],
  }
  const settings = new Settings(store)
  const make = async (): Promise<Lending> => {
    const lending = new Lending({
      settings,
      chosen: await settings.lending(8),
      // Only what Lending asks of the pool.
      sandbox: {
        configure: (options: unknown) => told.configured.push(options),
        stats: () => ({ active: 0 }),
      } as unknown as SandboxPool,
      switches: {
        controls: (controls) => told.controls.push(controls),
        pause: (pause) => told.pauses.push(pause),
        resume: (reason) => told.resumed.push(reason),
      },
      jobName: () => 'Job',
      now: () => 1_000,
      workersMax: 8,
    })
    await lending.start()
    return lending
  }
  return { told, make, store }
}

it('Lending lends nothing before the owner agreed, and half of the cores after', async () => {
  const { told, make } = setUp()
  const lending = await make()
  expect(told.controls.at(-1)).toMatchObject({ optedIn: false, workers: 4 })
  await lending.set({ optedIn: true, workers: 99, cpuShare: 0.5 })
  expect(told.controls.at(-1)).toMatchObject({ optedIn: true, workers: 8 })
  expect(told.configured.at(-1)).toEqual({ workers: 8, cpuShare: 0.5 })
})

it('Lending refuses a share of the processor that makes no sense, and keeps what was chosen', async () => {
  const { make } = setUp()
  const lending = await make()
  await expect(lending.set({ cpuShare: 0 })).rejects.toThrow()
  expect(lending.state().settings.cpuShare).toBe(1)
})

it('Lending pauses on battery and metered links only when its owner wants that', async () => {
  const { told, make } = setUp()
  const lending = await make()
  lending.tell({ kind: 'battery', charging: false, level: 0.5 })
  expect(told.pauses.at(-1)).toEqual({ reason: 'battery', untilMs: null })
  await lending.set({ pauseOnBattery: false })
  expect(told.resumed.at(-2)).toBe('battery')
  lending.tell({ kind: 'metered', metered: true })
  expect(told.pauses.at(-1)).toEqual({ reason: 'metered', untilMs: null })
})

it('Lending says what is spared, to whoever else would work on this device', async () => {
  const { make } = setUp()
  const lending = await make()
  expect(lending.spares).toBeNull()
  lending.tell({ kind: 'battery', charging: false, level: 0.5 })
  expect(lending.spares).toBe('battery')
  await lending.set({ pauseOnBattery: false })
  expect(lending.spares).toBeNull()
  lending.tell({ kind: 'metered', metered: true })
  expect(lending.spares).toBe('metered')
})

it('Lending keeps choices, pause and totals over a restart', async () => {
  const { told, make } = setUp()
  const lending = await make()
  await lending.set({ optedIn: true, workers: 3 })
  await lending.pause(3_600_000)
  lending.apply({ type: 'unitStarted', job, requester, unit: 1 })
  expect(lending.state().running).toHaveLength(1)
  lending.apply({
    ...{ type: 'unitFinished', job, requester, unit: 1, success: true },
    ...{ durationUs: 2_000, memoryBytesPeak: 65_536, costMicroUnits: 7n },
  })
  lending.apply({ type: 'unitAcknowledged', job, requester, unit: 1 })
  await lending.save()
  told.pauses.length = 0
  const again = await make()
  expect(again.state()).toMatchObject({ unitsDone: 1, unitsDelivered: 1, lentMs: 2, earnedMicro: 7n, running: [] })
  expect(again.state().settings).toMatchObject({ optedIn: true, workers: 3 })
  expect(told.pauses).toEqual([{ reason: 'user', untilMs: 3_601_000 }])
  await again.resume()
  told.pauses.length = 0
  await make()
  expect(told.pauses).toEqual([])
})
