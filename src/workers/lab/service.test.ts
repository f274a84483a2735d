/**
 * Goal: the lab's contract holds, in this thread and over a real worker. Method: the same cases through both, on the bundled digits.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { REFERENCE_KERNEL } from '../../core/learning/aggregate-reference.ts'
import type { LabSetting } from '../../core/learning/lab-setting.ts'
import { LabClient } from './client.ts'
import type { LabApi, LabMessage, LabReport, LabRequest } from './contract.ts'
import { nodePlatform } from './platform.node.ts'
import { LabService } from './service.ts'
import { spawnLab } from './spawn.node.ts'

const SETTING: LabSetting = {
  peers: 10,
  hostile: 2,
  alpha: null,
  attack: 'inner-product-10',
  rules: ['mean', 'nnm-trimmed-mean'],
  rounds: 40,
  seed: 1,
}

async function reportsOf(api: LabApi, setting: LabSetting): Promise<(readonly LabReport[])[]> {
  const heard: (readonly LabReport[])[] = []
  await api.run(setting, (reports) => heard.push(reports))
  return heard
}

const accuracyOf = (reports: readonly LabReport[] | undefined, rule: string): number =>
  reports?.find((report) => report.rule === rule)?.round?.score?.accuracy ?? Number.NaN

const worker = new LabClient(spawnLab)
afterAll(() => worker.terminate())

for (const [where, api] of [
  ['in this thread', new LabService(nodePlatform)],
  ['in a worker', worker],
] as const) {
  describe(`the lab ${where}`, () => {
    it('trains rules side by side: the mean collapses where a robust rule learns', async () => {
      const heard = await reportsOf(api, SETTING)
      expect(heard).toHaveLength(40)
      expect(heard[0]?.map(({ rule }) => rule)).toEqual(['mean', 'nnm-trimmed-mean'])
      expect(accuracyOf(heard.at(-1), 'mean')).toBeLessThan(0.3)
      expect(accuracyOf(heard.at(-1), 'nnm-trimmed-mean')).toBeGreaterThan(0.75)
    })

    it('gives the same curves again, and others without the attack', async () => {
      const short = { ...SETTING, rounds: 10 }
      const first = await reportsOf(api, short)
      expect(await reportsOf(api, short)).toEqual(first)
      const clean = await reportsOf(api, { ...short, attack: 'none' })
      expect(accuracyOf(clean.at(-1), 'mean')).toBeGreaterThan(accuracyOf(first.at(-1), 'mean') + 0.2)
    })

    it('ends a run that is stopped, and runs the next', async () => {
      let rounds = 0
      const stopped = api.run({ ...SETTING, rounds: 300 }, () => {
        if (++rounds === 3) api.stop()
      })
      await expect(stopped).rejects.toMatchObject({ name: 'LabStoppedError' })
      expect(rounds).toBe(3)
      expect(await reportsOf(api, { ...SETTING, rounds: 10 })).toHaveLength(10)
    })

    it('a new run takes the place of the one under way', async () => {
      const first = api.run({ ...SETTING, rounds: 300 }, () => {})
      const second = reportsOf(api, { ...SETTING, rounds: 10 })
      await expect(first).rejects.toMatchObject({ name: 'LabStoppedError' })
      expect(await second).toHaveLength(10)
    })

    it('refuses a setting that cannot be run', async () => {
      const refused = api.run({ ...SETTING, rules: ['bulyan'], hostile: 3 }, () => {})
      await expect(refused).rejects.toMatchObject({ name: 'InvalidLabSettingError', details: { field: 'rules' } })
    })
  })
}

describe('LabService', () => {
  it('does without the WebAssembly kernel, with the same curves', async () => {
    const plain = new LabService({ ...nodePlatform, kernel: () => Promise.reject(new Error('no WebAssembly')) })
    const short = { ...SETTING, rounds: 10, rules: ['nnm-krum'] }
    expect(await reportsOf(plain, short)).toEqual(await reportsOf(new LabService(nodePlatform), short))
  })

  it('a rule whose model is driven beyond all numbers has no more rounds; the others go on', async () => {
    const kernel = { ...REFERENCE_KERNEL, mean: () => new Int32Array(6_634).fill(2 ** 31 - 1) }
    const service = new LabService({ ...nodePlatform, kernel: () => Promise.resolve(kernel) })
    const heard = await reportsOf(service, { ...SETTING, rules: ['mean', 'median'], rounds: 10 })
    expect(heard.at(-1)?.map(({ round }) => round?.round ?? null)).toEqual([null, 10])
  })

  it('a rule that gets no update it may take has no more rounds either', async () => {
    const kernel = { ...REFERENCE_KERNEL, squaredNorms: (rows: readonly Int32Array[]) => rows.map(() => 2n ** 62n) }
    const service = new LabService({ ...nodePlatform, kernel: () => Promise.resolve(kernel) })
    const heard = await reportsOf(service, { ...SETTING, rounds: 10 })
    expect(heard.at(-1)?.map(({ round }) => round)).toEqual([null, null])
  })

  it('asks for the digits again after they could not be loaded', async () => {
    let asked = 0
    const digits = () => (++asked === 1 ? Promise.reject(new Error('offline')) : nodePlatform.digits())
    const service = new LabService({ ...nodePlatform, digits })
    await expect(service.run(SETTING, () => {})).rejects.toThrow('offline')
    expect(await reportsOf(service, { ...SETTING, rounds: 10 })).toHaveLength(10)
  })
})

describe('LabClient', () => {
  /** A worker that does as the test says. */
  function puppet(silenceMs = 10_000) {
    const posted: LabRequest[] = []
    const spawned: { message(message: LabMessage): void; failed(reason: string): void }[] = []
    const client = new LabClient(
      (events) => {
        spawned.push(events)
        return { post: (request) => posted.push(request), terminate: () => undefined }
      },
      { silenceMs },
    )
    return { client, posted, spawned }
  }

  it('fails the run of a worker that ends, and starts another', async () => {
    const { client, spawned } = puppet()
    const run = client.run(SETTING, () => {})
    spawned[0]?.failed('it crashed')
    await expect(run).rejects.toMatchObject({ name: 'LabUnavailableError' })
    const next = client.run(SETTING, () => {})
    spawned[1]?.message({ type: 'done', id: 1 })
    await next
    expect(spawned).toHaveLength(2)
  })

  it('gives up a worker that says nothing', async () => {
    const { client } = puppet(20)
    await expect(client.run(SETTING, () => {})).rejects.toThrow('said nothing for 20 ms')
  })

  it('does not hear what is left of a stopped run', async () => {
    const { client, spawned, posted } = puppet()
    let heard = 0
    const run = client.run(SETTING, () => heard++)
    client.stop()
    spawned[0]?.message({ type: 'round', id: 0, reports: [] })
    await expect(run).rejects.toMatchObject({ name: 'LabStoppedError' })
    expect(heard).toBe(0)
    expect(posted.map(({ type }) => type)).toEqual(['run', 'stop'])
  })
})
