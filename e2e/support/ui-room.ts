import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { ensureChromium, launchChromium } from '../../src/cli/chromium.ts'
import { RelayProcess } from './relay-process.ts'
import { until } from './until.ts'

/** Another build may be tried without disturbing the usual one. */
const DIST = process.env.STARLING_DIST ?? fileURLToPath(new URL('../../dist/', import.meta.url))

export const SIZES = {
  wide: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const

const NODE_START_TIMEOUT_MS = 60_000

/** A relay, tabs that lend, and pages of any size to look at the interface with. */
export class UiRoom {
  readonly relay: RelayProcess
  readonly browser: Browser
  /** What pages wrote to their consoles as errors, and what they threw. */
  readonly complaints: string[] = []
  readonly #contexts: BrowserContext[] = []

  private constructor(relay: RelayProcess, browser: Browser) {
    this.relay = relay
    this.browser = browser
  }

  static async open(): Promise<UiRoom> {
    if (!existsSync(join(DIST, 'index.html'))) throw new Error('There is no built page: run `npm run build` first')
    const dataDir = mkdtempSync(join(tmpdir(), 'starling-ui-'))
    const relay = await RelayProcess.start({ DATA_DIR: dataDir, DIST_DIR: DIST })
    return new UiRoom(relay, await launchChromium(ensureChromium(() => undefined)))
  }

  get url(): string {
    return this.relay.url
  }

  /** A page in a context of its own: a peer of its own. */
  async page(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ serviceWorkers: 'block', viewport: SIZES.wide, ...options })
    this.#contexts.push(context)
    // The clock of a test is the reader's: texts are compared in English.
    const page = await context.newPage()
    page.on('pageerror', (error) => this.complaints.push(`${error.message}\n${error.stack ?? ''}`))
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text())
    })
    await page.goto(this.relay.link(path))
    return page
  }

  /** Tabs that lend one core each and are connected to each other. */
  async lenders(count: number): Promise<Page[]> {
    const pages: Page[] = []
    for (let i = 0; i < count; i++) {
      const page = await this.page()
      await nodeIsUp(page)
      await page.evaluate(() =>
        globalThis.starling?.setLending({ optedIn: true, workers: 1, pauseOnBattery: false, pauseOnMetered: false }),
      )
      pages.push(page)
    }
    return pages
  }

  async close(): Promise<void> {
    for (const context of this.#contexts) await context.close().catch(() => undefined)
    await this.browser.close()
    this.relay.kill()
  }
}

export async function nodeIsUp(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.starling !== undefined, null, { timeout: NODE_START_TIMEOUT_MS })
}

/** Resolves when the page's node has at least `count` peers. */
export function peersAre(page: Page, count: number, timeoutMs = 60_000): Promise<void> {
  const peers = (): Promise<number> =>
    page.evaluate(async () => (await globalThis.starling?.snapshot())?.network.peers ?? 0)
  return until(`${count} peers`, async () => (await peers()) >= count, timeoutMs)
}
