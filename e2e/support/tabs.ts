import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { NetworkStatus, PeerConnection } from '../../src/net/network.ts'

/** What the test page's worker answers, by method. */
interface Answers {
  peerId: string
  status: NetworkStatus
  connections: PeerConnection[]
  multiaddrs: string[]
  received: { from: string; text: string; at: number }[]
  gossip: { from: string; text: string }[]
  problems: { name: string; message: string; peer?: string }[]
  events: { event: 'connect' | 'disconnect'; peer: string; at: number }[]
  directAfterMs: number[]
  dial: { ms: number; error?: string }
  makeBlock: string
  fetchBlock: number
}

/** Anything that can run a function in a page: Playwright's page and Puppeteer's alike. */
export interface PageLike {
  evaluate<A, R>(body: (argument: A) => R | Promise<R>, argument: A): Promise<R>
}

/** One tab with a peer. */
export class Tab {
  readonly page: PageLike
  readonly context: BrowserContext | undefined
  peerId = ''

  constructor(page: PageLike, context?: BrowserContext) {
    this.page = page
    this.context = context
  }

  call<M extends string>(method: M, ...args: unknown[]): Promise<M extends keyof Answers ? Answers[M] : unknown> {
    const body = ([name, values]: readonly [string, readonly unknown[]]) =>
      (globalThis as unknown as { peer(name: string, ...values: unknown[]): Promise<unknown> }).peer(name, ...values)
    return this.page.evaluate(body, [method, args] as const) as Promise<M extends keyof Answers ? Answers[M] : unknown>
  }

  /** The address at which others dial this tab. */
  async address(): Promise<string> {
    const addresses = await this.call('multiaddrs')
    const address = addresses.find((candidate) => candidate.includes('/webrtc/'))
    if (address === undefined) throw new Error(`The tab has no WebRTC address: ${addresses.join()}`)
    return address
  }

  async close(): Promise<void> {
    await this.context?.close()
  }
}

export interface OpenTabInit {
  readonly origin: string
  /** Query of the page: `degree=0` keeps it from dialling by itself. */
  readonly query?: string
}

/** Opens a tab of its own browser context, so that tabs share nothing. */
export async function openTab(browser: Browser, { origin, query = '' }: OpenTabInit): Promise<Tab> {
  const context = await browser.newContext()
  const page: Page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error') console.error('page console:', message.text())
  })
  page.on('pageerror', (error) => console.error('page error:', error.message))
  await page.goto(`${origin}/mesh.html?${query}`)
  const tab = new Tab(page as unknown as PageLike, context)
  await untilRunning(tab)
  return tab
}

/** Waits until the tab's worker answers, and learns its peer id. */
export async function untilRunning(tab: Tab): Promise<void> {
  await until(async () => {
    tab.peerId = await tab.call('peerId').catch(() => '')
    return tab.peerId !== ''
  }, 'the worker runs')
}

/** Waits on state, not on time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<number> {
  const start = Date.now()
  while (!(await condition())) {
    if (Date.now() - start > timeoutMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return Date.now() - start
}

/** Waits until a tab holds a reservation, and so can be dialled. */
export async function untilDialable(tab: Tab, timeoutMs = 30_000): Promise<void> {
  await until(
    async () => (await tab.call('multiaddrs')).some((address) => address.includes('/webrtc/')),
    'the tab is dialable',
    timeoutMs,
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await tab.call('status'))}`)
  })
}

/** The value below which a share of the sorted values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
