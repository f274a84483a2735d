import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from './support/browsers.ts'
import { startRelay, type TestRelay } from './support/relay.ts'
import { openTab, until, untilDialable } from './support/tabs.ts'

describe('mesh of real tabs', () => {
  let browser: Browser
  let relay: TestRelay

  beforeAll(async () => {
    browser = await launchChromium()
    relay = await startRelay()
  })

  afterAll(async () => {
    await browser.close()
    await relay.stop()
  })

  it('two tabs find each other through the relay and exchange messages directly', async () => {
    const a = await openTab(browser, { origin: relay.origin })
    const b = await openTab(browser, { origin: relay.origin })
    await untilDialable(a)
    await untilDialable(b)
    await until(async () => (await a.call('status')).direct === 1, 'a direct link')
    await a.call('send', b.peerId, 'hello')
    await until(async () => (await b.call('received')).length === 1, 'the message')
    expect((await b.call('received'))[0]).toMatchObject({ from: a.peerId, text: 'hello' })
    console.log(JSON.stringify(await a.call('connections'), null, 1))
    console.log(JSON.stringify(await a.call('status'), null, 1))
    await Promise.all([a.close(), b.close()])
  })
})
