import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium, launchFirefox } from './support/browsers.ts'
import { startRelay, type TestRelay } from './support/relay.ts'
import { openTab, type PageLike, quantile, Tab, until, untilDialable, untilRunning } from './support/tabs.ts'

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

describe('a room that opens at once', () => {
  it('twelve tabs all become dialable, and each finds three direct peers', async () => {
    const browser = await launchChromium()
    const relay = await startRelay()
    try {
      const tabs = await Promise.all(Array.from({ length: 12 }, () => openTab(browser, { origin: relay.origin })))
      await Promise.all(tabs.map((tab) => untilDialable(tab, 60_000)))
      await Promise.all(
        tabs.map((tab) => until(async () => (await tab.call('status')).direct >= 3, 'three direct peers', 60_000)),
      )
      const joins = await Promise.all(tabs.map(async (tab) => (await tab.call('directAfterMs'))[2] ?? Number.NaN))
      const dials = (await Promise.all(tabs.map((tab) => tab.call('status')))).map((status) => status.dials)
      const sum = (pick: (one: (typeof dials)[number]) => number) => dials.reduce((all, one) => all + pick(one), 0)
      console.log(
        `navigation to three direct peers: p50 ${quantile(joins, 0.5)} ms, p95 ${quantile(joins, 0.95)} ms; ` +
          `dials ${sum(({ started }) => started)}, failed ${sum(({ failed }) => failed)}`,
      )
      expect(joins.every((ms) => ms > 0)).toBe(true)
      for (const tab of tabs) {
        const others = (await tab.call('connections')).filter(({ relay: isRelay }) => !isRelay)
        expect(others.length).toBeLessThanOrEqual(20)
      }
    } finally {
      await browser.close()
      await relay.stop()
    }
  })
})

describe('engines', () => {
  it('a Firefox tab and Chromium tabs mesh, and exchange messages and blocks both ways', async () => {
    const chromium = await launchChromium()
    const firefox = await launchFirefox()
    const relay = await startRelay()
    try {
      const page = await firefox.newPage()
      await page.goto(`${relay.origin}/mesh.html`)
      // Puppeteer's page has what a tab needs of it, under types of its own.
      const fox = new Tab(page as unknown as PageLike)
      await untilRunning(fox)
      const tabs = [await openTab(chromium, relay), await openTab(chromium, relay)]
      for (const tab of [fox, ...tabs]) {
        await until(async () => (await tab.call('status')).direct === 2, 'linked', 60_000)
      }
      for (const tab of tabs) {
        await tab.call('send', fox.peerId, 'to Firefox')
        await fox.call('send', tab.peerId, 'from Firefox')
        await until(async () => (await tab.call('received')).length === 1, 'the message from Firefox')
      }
      await until(async () => (await fox.call('received')).length === 2, 'the messages to Firefox')
      const [tab] = tabs as [Tab]
      for (const [from, to] of [
        [fox, tab],
        [tab, fox],
      ] as const) {
        const cid = await from.call('makeBlock', 2_000_000)
        const ms = await to.call('fetchBlock', cid, [from.peerId])
        console.log(`2 MB ${from === fox ? 'from' : 'to'} Firefox: ${(2_000 / ms).toFixed(1)} MB/s`)
      }
      expect((await fox.call('status')).rtc.channels).toBe('transferred')
    } finally {
      await firefox.close()
      await chromium.close()
      await relay.stop()
    }
  })
})

describe('faults', () => {
  let browser: Browser
  const tabs: Tab[] = []

  beforeAll(async () => {
    browser = await launchChromium()
  })

  afterEach(async () => {
    await Promise.all(tabs.splice(0).map((tab) => tab.close()))
  })

  afterAll(() => browser.close())

  it('links outlive the relay; after its restart reservations are back within 15 s and a new tab joins', async () => {
    let relay = await startRelay()
    const { identity, origin } = relay
    const port = Number(new URL(origin).port)
    for (let i = 0; i < 4; i++) tabs.push(await openTab(browser, { origin }))
    for (const tab of tabs) await until(async () => (await tab.call('status')).direct === 3, 'all linked')
    await relay.stop()
    const [a, b] = tabs as [Tab, Tab]
    await until(async () => (await a.call('status')).relays.every(({ state }) => state !== 'reserved'), 'relay lost')
    await a.call('send', b.peerId, 'while the relay is dead')
    await until(async () => (await b.call('received')).length === 1, 'the message')
    // Long enough for every keepalive to have found a dead link, had there been one.
    await new Promise((resolve) => setTimeout(resolve, 12_000))
    for (const tab of tabs) expect((await tab.call('status')).direct).toBe(3)
    expect(await a.call('status')).toMatchObject({ state: 'meshed', reason: 'relay-lost' })

    relay = await startRelay({ identity, port })
    const restarted = Date.now()
    try {
      for (const tab of tabs) {
        await until(async () => (await tab.call('status')).relays.some(({ state }) => state === 'reserved'), 'reserved')
      }
      const backMs = Date.now() - restarted
      console.log(`reservations back after ${backMs} ms`)
      expect(backMs).toBeLessThan(15_000)
      const newcomer = await openTab(browser, { origin })
      tabs.push(newcomer)
      await untilDialable(newcomer)
      await until(async () => (await newcomer.call('status')).direct >= 3, 'the newcomer is linked')
      await a.call('send', newcomer.peerId, 'welcome')
      await until(async () => (await newcomer.call('received')).length === 1, 'the welcome')
    } finally {
      await relay.stop()
    }
  })

  it('a tab starts while the relay is down, and joins when it is up', async () => {
    const first = await startRelay()
    const { identity, origin, pages } = first
    const port = Number(new URL(origin).port)
    const address = first.host.multiaddrs()[0] ?? ''
    await first.host.stop()
    const tab = await openTab(browser, { origin, query: `relays=${address}` })
    tabs.push(tab)
    await until(async () => (await tab.call('status')).relays.some(({ state }) => state === 'failed'), 'relay fails')
    expect(await tab.call('status')).toMatchObject({ state: 'connecting-relay', reason: 'relay-unreachable' })
    await pages.close()
    const relay = await startRelay({ identity, port })
    try {
      await untilDialable(tab)
    } finally {
      await relay.stop()
    }
  })

  it('a relay that is full is left for the next', async () => {
    const full = await startRelay({ reservationsMax: 1 })
    const spare = await startRelay()
    try {
      const relays = [full, spare].map(({ host }) => host.multiaddrs()[0]).join()
      // The first takes the only place before the second comes; whichever relay answers sooner.
      for (const [i, expected] of [/^reserved/, /^full,reserved$/].entries()) {
        tabs.push(await openTab(browser, { origin: full.origin, query: `relays=${relays}` }))
        const states = async () => (await tabs[i]?.call('status'))?.relays.map(({ state }) => state).join() ?? ''
        await until(async () => expected.test(await states()), `relays of tab ${i} to be ${expected}`)
      }
      await until(async () => (await tabs[1]?.call('status'))?.direct === 1, 'linked through the spare relay')
    } finally {
      await full.stop()
      await spare.stop()
    }
  })

  it('a closed tab, and a killed one, are noticed within ten seconds', async () => {
    const relay = await startRelay()
    const doomed = await launchChromium()
    try {
      const [a, b] = [await openTab(browser, relay), await openTab(browser, relay)]
      tabs.push(a)
      const c = await openTab(doomed, relay)
      for (const tab of [a, b, c]) await until(async () => (await tab.call('status')).direct === 2, 'linked')
      const closedMs = await untilGone(a, b.peerId, () => b.close())
      const killedMs = await untilGone(a, c.peerId, () => killRenderer(c))
      console.log(`noticed: closed tab after ${closedMs} ms, killed renderer after ${killedMs} ms`)
      expect(closedMs).toBeLessThan(10_000)
      expect(killedMs).toBeLessThan(10_000)
      // Nothing else was disturbed.
      expect((await a.call('status')).relays.some(({ state }) => state === 'reserved')).toBe(true)
    } finally {
      await doomed.close()
      await relay.stop()
    }
  })
})

async function untilGone(watcher: Tab, peer: string, end: () => Promise<void>): Promise<number> {
  const start = Date.now()
  await end()
  await until(
    async () => (await watcher.call('connections')).every((connection) => connection.peer !== peer),
    'the peer is gone',
  )
  return Date.now() - start
}

/** As a crash: nothing is closed, nothing is said. */
async function killRenderer(tab: Tab): Promise<void> {
  // Tabs are typed for Puppeteer too; those with a context are Playwright's.
  const session = await tab.context?.newCDPSession(tab.page as unknown as Page)
  void session?.send('Page.crash').catch(() => {})
}

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
