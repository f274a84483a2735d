import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from './support/browsers.ts'
import { startRelay, type TestRelay } from './support/relay.ts'
import { openTab, quantile, type Tab, until, untilDialable } from './support/tabs.ts'

describe('mesh of real tabs', () => {
  let browser: Browser
  let relay: TestRelay
  const tabs: Tab[] = []

  const open = async (query = '') => {
    const tab = await openTab(browser, { origin: relay.origin, query })
    tabs.push(tab)
    return tab
  }

  beforeAll(async () => {
    browser = await launchChromium()
    relay = await startRelay()
  })

  afterEach(async () => {
    await Promise.all(tabs.splice(0).map((tab) => tab.close()))
  })

  afterAll(async () => {
    await browser.close()
    await relay.stop()
  })

  it('two tabs find each other, and exchange messages directly and in order', async () => {
    const [a, b] = [await open(), await open()]
    await until(async () => (await a.call('status')).direct === 1, 'a direct link')
    await a.call('sendMany', b.peerId, 500)
    await until(async () => (await b.call('received')).length === 500, 'the messages')
    const received = await b.call('received')
    expect(received.map(({ text }) => text)).toEqual(Array.from({ length: 500 }, (_, index) => String(index)))
    expect(received[0]?.from).toBe(a.peerId)
    await until(async () => {
      await b.call('publish', 'gossip')
      return (await a.call('gossip')).some(({ from, text }) => from === b.peerId && text === 'gossip')
    }, 'gossip')
    const link = (await a.call('connections')).find(({ peer }) => peer === b.peerId)
    expect(link).toMatchObject({ path: 'direct', transport: 'webrtc', relay: false })
    expect(link?.bytesOut).toBeGreaterThan(500)
    expect(await a.call('status')).toMatchObject({ state: 'meshed', reason: 'none', direct: 1 })
  })

  it('of 108 dials between ten tabs, ten at a time, none fails at first try', async () => {
    const meshed: Tab[] = []
    for (let i = 0; i < 10; i++) meshed.push(await open('degree=0'))
    for (const tab of meshed) await untilDialable(tab)
    const pairs = meshed.flatMap((from, i) => meshed.slice(i + 1).map((to) => ({ from, to })))
    const reversed = pairs.map(({ from, to }) => ({ from: to, to: from }))
    const outcomes: { ms: number; error?: string }[] = []
    // Within a round every pair is dialled once; between rounds all links are ended.
    for (const round of [pairs, reversed, pairs.slice(0, 18)]) {
      outcomes.push(...(await dialAll(round, 10)))
      await Promise.all(meshed.map((tab) => tab.call('disconnectAll')))
      for (const tab of meshed) {
        await until(async () => (await tab.call('connections')).every(({ relay }) => relay), 'no links')
      }
    }
    const durations = outcomes.filter(({ error }) => error === undefined).map(({ ms }) => ms)
    console.log(
      `${outcomes.length} dials, ${durations.length} succeeded, p50 ${Math.round(quantile(durations, 0.5))} ms, ` +
        `p95 ${Math.round(quantile(durations, 0.95))} ms, max ${Math.round(Math.max(...durations))} ms`,
    )
    expect(outcomes.flatMap(({ error }) => error ?? [])).toEqual([])
    expect(outcomes.length).toBe(108)
  })
})

async function dialAll(pairs: readonly { from: Tab; to: Tab }[], parallel: number) {
  const queue = [...pairs]
  const outcomes: { ms: number; error?: string }[] = []
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      outcomes.push(await next.from.call('dial', await next.to.address()))
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return outcomes
}
