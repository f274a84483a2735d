import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { NodeApi } from '../node/contract.ts'
import { ensureChromium, launchChromium } from './chromium.ts'
import { NetworkUnavailableError } from './errors.ts'
import type { Lifetime } from './lifetime.ts'
import { TAB_START_TIMEOUT_MS, TABS_AT_ONCE } from './limits.ts'
import type { Terminal } from './terminal.ts'

/** What one local tab does, as its own page would show it. */
export interface TabState {
  readonly peerId: string
  readonly peers: number
  readonly direct: number
  readonly active: number
  readonly unitsDone: number
}

export interface LocalTabs {
  readonly count: number
  /** Of each tab that still runs. */
  states(): Promise<TabState[]>
}

type WithStarling = { starling?: NodeApi }

/**
 * Opens `count` headless tabs at a page, each in a browser context of its own (so each is a peer of its own), and lends them.
 *
 * @throws {@link BrowserMissingError} Without a Chromium, {@link NetworkUnavailableError} when a tab's node does not start.
 */
export async function openTabs(
  url: string,
  count: number,
  { lifetime, terminal }: { readonly lifetime: Lifetime; readonly terminal: Terminal },
): Promise<LocalTabs> {
  const executable = ensureChromium((line) => terminal.say(line))
  const browser = await lifetime.unlessInterrupted(launchChromium(executable))
  const contexts: BrowserContext[] = []
  const pages: Page[] = []
  await lifetime.add('the browser', () => closeBrowser(browser, contexts))
  let next = 0
  let ready = 0
  const opener = async (): Promise<void> => {
    while (next < count) {
      const number = ++next
      const page = await openTab(browser, url, { number, contexts, terminal })
      pages.push(page)
      terminal.progress(`Starting local tabs: ${++ready} of ${count}`)
    }
  }
  await lifetime.unlessInterrupted(Promise.all(Array.from({ length: Math.min(TABS_AT_ONCE, count) }, opener)))
  terminal.endProgress()
  return {
    count,
    states: async () => {
      const states = await Promise.allSettled(pages.filter((page) => !page.isClosed()).map(stateOf))
      return states.flatMap((state) => (state.status === 'fulfilled' ? [state.value] : []))
    },
  }
}

async function openTab(
  browser: Browser,
  url: string,
  { number, contexts, terminal }: { number: number; contexts: BrowserContext[]; terminal: Terminal },
): Promise<Page> {
  // The relay's own certificate is not one that any browser trusts; these tabs are ours and meet only our relay. They never work offline,
  // and the copies of the page that twelve of them keep for that are a third of what it costs to start them.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, serviceWorkers: 'block' })
  contexts.push(context)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('crash', () => terminal.complain(`Local tab ${number} crashed`))
  try {
    await page.goto(url, { timeout: TAB_START_TIMEOUT_MS })
    await page.waitForFunction(() => (globalThis as WithStarling).starling !== undefined, undefined, {
      timeout: TAB_START_TIMEOUT_MS,
    })
    await page.evaluate(async () => {
      await (globalThis as WithStarling).starling?.setLending({
        optedIn: true,
        pauseOnBattery: false,
        pauseOnMetered: false,
      })
    })
    return page
  } catch (error) {
    const said = errors.length === 0 ? '' : `; the page said: ${errors.slice(0, 3).join(' | ')}`
    const [first] = (error as Error).message.split('\n')
    throw new NetworkUnavailableError(`Local tab ${number} at ${url} did not start: ${first}${said}`, {
      field: 'tab',
      value: number,
    })
  }
}

async function stateOf(page: Page): Promise<TabState> {
  return await page.evaluate(async () => {
    const node = (globalThis as WithStarling).starling
    if (node === undefined) throw new Error('The page has no node')
    const { peerId, network, lending } = await node.snapshot()
    return {
      peerId,
      peers: network.peers,
      direct: network.direct,
      active: lending.active,
      unitsDone: lending.unitsDone,
    }
  })
}

/** Closing the contexts first lets each page say goodbye; the browser's process goes with the browser. */
async function closeBrowser(browser: Browser, contexts: readonly BrowserContext[]): Promise<void> {
  await Promise.allSettled(contexts.map((context) => context.close()))
  await browser.close()
}
