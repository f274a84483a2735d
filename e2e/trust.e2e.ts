/**
 * Trust between real tabs: who works well is remembered, a liar is barred with the evidence, others look for themselves and bar it
 * too, and all of that outlives a reload.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SecurityEvent, TrustEntry } from '../src/node/trust-contract.ts'
import { collatzJob } from './support/collatz.ts'
import { Room, type Tab } from './support/room.ts'
import { until } from './support/until.ts'
import { LIAR } from './support/worker-preludes.ts'

const UNITS = 120
const NUMBERS_PER_UNIT = 2_000
const JOBS_MAX = 5

const entries = ({ page }: Tab): Promise<readonly TrustEntry[]> =>
  page.evaluate(() => globalThis.starling.trustEntries())
const events = ({ page }: Tab, type: string): Promise<readonly SecurityEvent[]> =>
  page.evaluate((which) => globalThis.starling.securityEvents({ types: [which] }), type)
const rootOf = ({ page }: Tab): Promise<string> =>
  page.evaluate(async () => (await globalThis.starling.identity()).rootId)
const entryOf = async (tab: Tab, root: string) => (await entries(tab)).find(({ rootId }) => rootId === root)

async function connected(tab: Tab): Promise<readonly string[]> {
  return await tab.page.evaluate(async () => (await globalThis.starling.peers()).map(({ peerId }) => peerId))
}

describe('trust between tabs', () => {
  let room: Room

  beforeEach(async () => {
    room = await Room.open()
  })
  afterEach(() => room.close())

  it('bars a liar with the evidence, tells others who look for themselves, and remembers it over a reload', async () => {
    const requester = await room.tab({ lend: false })
    const honest = await room.tab()
    const other = await room.tab()
    const liar = await room.tab({ nodeWorkerPrelude: LIAR })
    const [liarRoot, honestRoot] = [await rootOf(liar), await rootOf(honest)]
    for (const tab of [requester, honest, other]) {
      await until('the mesh', async () => (await connected(tab)).includes(liar.peerId))
    }

    const audited = { replicas: 1, quorum: 1, auditPpm: 1_000_000, useOwnWorkers: false }
    // On a slow machine the honest may have done all of a job before the liar gives its first result.
    for (let jobs = 1; (await entryOf(requester, liarRoot))?.blacklisted == null; jobs++) {
      expect(jobs, 'jobs without a lie').toBeLessThanOrEqual(JOBS_MAX)
      const job = await requester.submit(collatzJob(UNITS, NUMBERS_PER_UNIT, audited))
      await until('the job', async () => (await requester.job(job))?.state === 'done')
    }

    const judged = await entryOf(requester, liarRoot)
    expect(judged?.blacklisted).toMatchObject({ by: 'evidence' })
    const [conflict] = await events(requester, 'result-conflict')
    expect(conflict).toMatchObject({ rootId: liarRoot, severity: 'serious' })
    expect(conflict?.evidence.length).toBe(2)
    const good = await entryOf(requester, honestRoot)
    expect(good).toMatchObject({ tasks: { bad: 0 }, blacklisted: null })
    // Work is shared as it comes; below ten tasks there is no score.
    if ((good?.tasks.good ?? 0) >= 10) expect(good?.score).toBeGreaterThan(0.6)
    expect(good?.tasks.good).toBeGreaterThan(0)
    await until('the liar to be gone', async () => !(await connected(requester)).includes(liar.peerId))

    // The others lend, so they run the unit in dispute themselves.
    for (const tab of [honest, other]) {
      await until('others to bar the liar', async () => (await entryOf(tab, liarRoot))?.blacklisted?.by === 'evidence')
      expect((await events(tab, 'evidence-received')).length).toBeGreaterThan(0)
      expect((await entryOf(tab, await rootOf(requester)))?.blacklisted ?? null).toBeNull()
    }

    await requester.reload()
    expect((await entryOf(requester, liarRoot))?.blacklisted).toMatchObject({ by: 'evidence' })
    expect((await events(requester, 'peer-blacklisted')).length).toBeGreaterThan(0)
    const again = await requester.submit(collatzJob(UNITS, NUMBERS_PER_UNIT, { ...audited, auditPpm: 0 }))
    await until('the second job', async () => (await requester.job(again))?.state === 'done')
    const executors = (await requester.job(again))?.executorStats.map(({ peerId }) => peerId)
    expect(executors).not.toContain(liar.peerId)
  })

  it('keeps out whom its owner blacklists, and lets it back', async () => {
    const requester = await room.tab({ lend: false })
    const lender = await room.tab()
    const root = await rootOf(lender)
    await until('the lender', async () => (await connected(requester)).includes(lender.peerId))
    await requester.page.evaluate(
      (rootId) => globalThis.starling.blacklistPeer(rootId, { durationMs: null, reason: 'test' }),
      root,
    )
    await until('the connection to end', async () => !(await connected(requester)).includes(lender.peerId))
    const job = await requester.submit(collatzJob(4, 1_000, { replicas: 1, quorum: 1, useOwnWorkers: false }))
    await new Promise((resolve) => setTimeout(resolve, 8_000))
    expect((await requester.job(job))?.counts.accepted).toBe(0)
    await requester.page.evaluate((rootId) => globalThis.starling.unblacklistPeer(rootId), root)
    await until('the job of the one let back', async () => (await requester.job(job))?.state === 'done')
    expect((await events(requester, 'peer-unblacklisted')).length).toBe(1)
  })
})
