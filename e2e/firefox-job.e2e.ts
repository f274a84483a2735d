import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { firefoxPath, launchFirefox } from './support/browsers.ts'
import { collatzJob, expectedSteps, stepsOf } from './support/collatz.ts'
import { Room } from './support/room.ts'
import { until } from './support/until.ts'

const UNITS = 40
const NUMBERS_PER_UNIT = 2_000

// Counted as skipped where there is no Firefox; `npm test` installs one where it can.
describe.skipIf(firefoxPath() === undefined)('Firefox and Chromium', () => {
  let room: Room
  let firefox: Browser
  beforeAll(async () => {
    room = await Room.open()
    firefox = await launchFirefox()
  })
  afterAll(async () => {
    await firefox?.close()
    await room?.close()
  })

  it('mesh, and finish one job together with equal gas and bytes', async () => {
    const requester = await room.tab({ lend: false })
    const chromium = await room.tab()
    const page = await firefox.newPage()
    await page.goto(room.url)
    await page.waitForFunction('globalThis.starling !== undefined', { timeout: 60_000 })
    const firefoxId = (await page.evaluate(async () => {
      await globalThis.starling.setLending({ optedIn: true, workers: 1 })
      return (await globalThis.starling.snapshot()).peerId
    })) as string

    // Two replicas of every unit: each is computed by both engines, and accepted only where they agree.
    const options = { replicas: 2, quorum: 2, useOwnWorkers: false }
    const id = await requester.submit(collatzJob(UNITS, NUMBERS_PER_UNIT, options))
    await until('the job', async () => (await requester.job(id))?.state === 'done')
    const detail = await requester.job(id)
    expect(detail?.counts.verified).toBe(UNITS)
    expect(detail?.problems.filter(({ code }) => code === 'disagreement')).toEqual([])
    const executors = new Set(detail?.executorStats.filter(({ accepted }) => accepted > 0).map(({ peerId }) => peerId))
    expect(executors).toEqual(new Set([chromium.peerId, firefoxId]))
    for (const [unit, stdout] of await requester.results(id)) {
      expect(stepsOf(stdout), `unit ${unit}`).toBe(expectedSteps(unit, NUMBERS_PER_UNIT))
    }
    const direct = await requester.page.evaluate(async () => await globalThis.starling.peers())
    expect(direct.find(({ peerId }) => peerId === firefoxId)?.kind).toBe('direct')
  })
})
