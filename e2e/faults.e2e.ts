import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collatzJob, expectedSteps, stepsOf } from './support/collatz.ts'
import { Room, type Tab } from './support/room.ts'
import { until } from './support/until.ts'
import { LIAR } from './support/worker-preludes.ts'

/** Enough work for a few tens of milliseconds each, so that a fault falls into the middle of a job. */
const NUMBERS_PER_UNIT = 4_000
const UNITS = 120

/** Takes units and never answers. */
const HANGING = `{
  const Honest = self.Worker
  self.Worker = class extends Honest {
    set onmessage(listen) {
      super.onmessage = (event) => { if (event.data?.type !== 'done') listen.call(this, event) }
    }
  }
}`

async function expectComplete(requester: Tab, jobId: string): Promise<void> {
  await until(`job of ${UNITS} units`, async () => {
    const job = await requester.job(jobId)
    return job?.state === 'done' && job.counts.accepted === UNITS
  })
  const results = await requester.results(jobId)
  expect(results.size).toBe(UNITS)
  for (const [unit, stdout] of results) {
    expect(stepsOf(stdout), `unit ${unit}`).toBe(expectedSteps(unit, NUMBERS_PER_UNIT))
  }
}

async function halfway(requester: Tab, jobId: string): Promise<void> {
  await until('the middle of the job', async () => ((await requester.job(jobId))?.counts.accepted ?? 0) >= UNITS / 4)
}

const options = { replicas: 2, quorum: 2, useOwnWorkers: false, wallMsMax: 5_000 }
const job = (more = {}) => collatzJob(UNITS, NUMBERS_PER_UNIT, { ...options, ...more })

describe('a job in real tabs survives', () => {
  let room: Room
  beforeEach(async () => {
    room = await Room.open()
  })
  afterEach(() => room.close())

  it('an executor that is closed in the middle', async () => {
    const requester = await room.tab({ lend: false })
    const executors = [await room.tab(), await room.tab(), await room.tab()]
    const id = await requester.submit(job())
    await halfway(requester, id)
    await executors[0]?.close()
    await expectComplete(requester, id)
  })

  it('an executor that lies, which is excluded with the evidence kept', async () => {
    const requester = await room.tab({ lend: false })
    const liar = await room.tab({ nodeWorkerPrelude: LIAR })
    await room.tab()
    await room.tab()
    // The job may be over before a tab that is not linked yet has any part in it.
    await until('direct links', async () => (await requester.snapshot()).network.direct >= 3)
    const id = await requester.submit(job())
    await expectComplete(requester, id)
    const detail = await requester.job(id)
    expect(detail?.executorStats.find(({ peerId }) => peerId === liar.peerId)?.excludedBecause).toBe('wrong-result')
    const conflicts = await requester.page.evaluate(
      async ({ jobId, units }) => {
        let found = 0
        for (let unit = 0; unit < units; unit++) found += (await starling.unit(jobId, unit))?.conflicts ?? 0
        return found
      },
      { jobId: id, units: UNITS },
    )
    expect(conflicts).toBeGreaterThan(0)
  })

  it('an executor that hangs', async () => {
    const requester = await room.tab({ lend: false })
    await room.tab({ nodeWorkerPrelude: HANGING })
    await room.tab()
    await room.tab()
    await expectComplete(requester, await requester.submit(job()))
  })

  it('the death of the relay: links go on, reservations come back, a new tab joins', async () => {
    const requester = await room.tab({ lend: false })
    const executors = [await room.tab(), await room.tab()]
    await until('direct links', async () => (await requester.snapshot()).network.direct >= 2)
    const id = await requester.submit(job())
    await halfway(requester, id)
    await room.restartRelay(() => expectComplete(requester, id))
    const restarted = performance.now()
    await until('reservations', async () => {
      const all = await Promise.all([requester, ...executors].map((tab) => tab.snapshot()))
      return all.every(({ network }) => network.relays.some(({ state }) => state === 'reserved'))
    })
    const backMs = performance.now() - restarted
    console.log(`reservations back after ${Math.round(backMs)} ms`)
    expect(backMs).toBeLessThan(15_000)
    const late = await room.tab()
    await until('the new tab in the mesh', async () => (await late.snapshot()).network.direct >= 1)
  })

  it('a reload of the requester in the middle', async () => {
    const requester = await room.tab({ lend: false })
    await room.tab()
    await room.tab()
    const id = await requester.submit(job())
    await halfway(requester, id)
    const before = (await requester.job(id))?.counts.accepted ?? 0
    const { peerId } = await requester.snapshot()
    await requester.reload()
    expect((await requester.snapshot()).peerId).toBe(peerId)
    expect((await requester.job(id))?.counts.accepted).toBeGreaterThanOrEqual(before)
    await expectComplete(requester, id)
  })

  it('a reload of an executor, which is linked anew, once, and works on', async () => {
    const requester = await room.tab({ lend: false })
    const [executor, other] = [await room.tab(), await room.tab()]
    const tabs = [requester, executor, other]
    const linked = async () => (await Promise.all(tabs.map(linksOf))).every((links) => links.size === tabs.length - 1)
    await until('all to be linked', linked)
    const before = (await linksOf(requester)).get(executor.peerId)
    const id = await requester.submit(job())
    await halfway(requester, id)
    await executor.reload()
    await expectComplete(requester, id)
    await until('all to be linked again', linked)
    await until('the new link', async () => (await linksOf(requester)).get(executor.peerId) !== before)
    const after = await Promise.all(tabs.map(linksOf))
    // Longer than any patience with a link that does not answer.
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    expect(await Promise.all(tabs.map(linksOf))).toEqual(after)
    // With the other gone, everything is up to the one that was reloaded.
    await other.close()
    await expectComplete(requester, await requester.submit(job({ replicas: 1, quorum: 1 })))
  })
})

/** Since when each directly linked peer is linked. */
async function linksOf({ page }: Tab): Promise<ReadonlyMap<string, number>> {
  const peers = await page.evaluate(() => globalThis.starling.peers())
  const direct = peers.filter(({ kind }) => kind === 'direct')
  return new Map(direct.map(({ peerId, connectedAt }) => [peerId, connectedAt]))
}
