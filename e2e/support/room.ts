import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { ensureChromium, launchChromium } from '../../src/cli/chromium.ts'
import type { JobDetail, JobOptions, NodeApi, NodeSnapshot } from '../../src/node/contract.ts'
import { RelayProcess } from './relay-process.ts'

/** Another build may be tried without disturbing the usual one. */
const DIST = process.env.STARLING_DIST ?? fileURLToPath(new URL('../../dist/', import.meta.url))

/** Starting a browser tab costs about a second of CPU; on a loaded machine several wait for each other. */
const TAB_START_TIMEOUT_MS = 60_000

/** One tab: a page in a browser context of its own, so a peer of its own. */
export interface Tab {
  readonly page: Page
  readonly context: BrowserContext
  readonly peerId: string
  snapshot(): Promise<NodeSnapshot>
  /** Asks the tab's node to run a job; resolves with the job's id. */
  submit(job: TestJob): Promise<string>
  job(jobId: string): Promise<JobDetail | null>
  /** Every accepted outcome so far: standard output as text, by unit; a unit that came twice throws. */
  results(jobId: string): Promise<Map<number, string>>
  reload(): Promise<void>
  close(): Promise<void>
}

/** A job as tests write it: inputs as text. */
export interface TestJob {
  readonly name: string
  readonly abi: 'wasi-command' | 'reactor'
  readonly module: Uint8Array
  readonly inputs: readonly { readonly args?: readonly string[]; readonly stdin?: string }[]
  readonly options: Partial<JobOptions>
}

export interface TabOptions {
  /** @default true */
  readonly lend?: boolean
  /** @default 1 */
  readonly workers?: number
  /** Opens the room's link; without it the tab is a guest. @default true */
  readonly invite?: boolean
  /** Code put before the node worker's own, to make a tab that misbehaves. */
  readonly nodeWorkerPrelude?: string
  /** A node worker of another make, whole. */
  readonly nodeWorker?: string
  /** The same for the training worker. */
  readonly trainingWorkerPrelude?: string
}

/** A relay that serves the built page on loopback, and real Chromium tabs in it. */
export class Room {
  readonly #browser: Browser
  readonly #contexts = new Set<BrowserContext>()
  readonly #dataDir: string
  #relay: RelayProcess

  private constructor(browser: Browser, relay: RelayProcess, dataDir: string) {
    this.#browser = browser
    this.#relay = relay
    this.#dataDir = dataDir
  }

  static async open(): Promise<Room> {
    if (!existsSync(join(DIST, 'index.html'))) throw new Error('There is no built page: run `npm run build` first')
    const dataDir = mkdtempSync(join(tmpdir(), 'starling-room-'))
    const relay = await RelayProcess.start({ DATA_DIR: dataDir, DIST_DIR: DIST })
    const browser = await launchChromium(ensureChromium(() => undefined))
    return new Room(browser, relay, dataDir)
  }

  get url(): string {
    return this.#relay.link()
  }

  /** Kills the relay and starts it again with its key, on its port. `between` runs while it is away. */
  async restartRelay(between: () => Promise<void>): Promise<void> {
    const { port } = new URL(this.#relay.url)
    this.#relay.kill()
    await between()
    this.#relay = await RelayProcess.start({
      PORT: port,
      DATA_DIR: this.#dataDir,
      DIST_DIR: DIST,
    })
    if (new URL(this.#relay.url).port !== port) throw new Error(`The relay's port ${port} was taken meanwhile`)
  }

  async tab(options: TabOptions = {}): Promise<Tab> {
    const context = await this.#browser.newContext({ serviceWorkers: 'block' })
    this.#contexts.add(context)
    if (options.nodeWorker !== undefined) await exchangeWorker(context, options.nodeWorker)
    if (options.nodeWorkerPrelude !== undefined) await misbehave(context, 'node', options.nodeWorkerPrelude)
    if (options.trainingWorkerPrelude !== undefined) await misbehave(context, 'training', options.trainingWorkerPrelude)
    const { lend = true, workers = 1, invite = true } = options
    const tab = await this.beside(context, invite ? this.url : `${this.#relay.url}/`)
    const lending = { optedIn: lend, workers, pauseOnBattery: false, pauseOnMetered: false }
    await tab.page.evaluate(async (settings) => void (await globalThis.starling.setLending(settings)), lending)
    return tab
  }

  /** A further tab in a context: another view of the same node. */
  async beside(context: BrowserContext, url = this.url): Promise<Tab> {
    const page = await context.newPage()
    await page.goto(url)
    await nodeIsUp(page)
    return {
      page,
      context,
      peerId: (await snapshotOf(page)).peerId,
      snapshot: () => snapshotOf(page),
      submit: (job) => submit(page, job),
      job: (jobId) => page.evaluate((id) => globalThis.starling.job(id), jobId),
      results: (jobId) => resultsOf(page, jobId),
      reload: async () => {
        await page.reload()
        await nodeIsUp(page)
      },
      close: async () => {
        this.#contexts.delete(context)
        await context.close()
      },
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#contexts].map((context) => context.close()))
    await this.#browser.close()
    this.#relay.kill()
  }
}

/** A predicate that is a promise would count as true at once, so the node is asked only after it is there. */
async function nodeIsUp(page: Page): Promise<void> {
  await page.waitForFunction(() => (globalThis as { starling?: NodeApi }).starling !== undefined, undefined, {
    timeout: TAB_START_TIMEOUT_MS,
  })
  await snapshotOf(page)
}

function snapshotOf(page: Page): Promise<NodeSnapshot> {
  return page.evaluate(() => globalThis.starling.snapshot())
}

/** The module crosses as base64: what a test hands to a page is JSON. */
export function submit(page: Page, { module, ...job }: TestJob): Promise<string> {
  return page.evaluate(
    ({ base64, name, abi, inputs, options }) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const encoder = new TextEncoder()
      return globalThis.starling.submitJob({
        name,
        abi,
        module: bytes,
        inputs: inputs.map(({ args = [], stdin = '' }) => ({ args, env: [], stdin: encoder.encode(stdin), files: [] })),
        sharedFiles: [],
        view: { kind: 'text' },
        options,
      })
    },
    { base64: Buffer.from(module).toString('base64'), ...job },
  )
}

async function resultsOf(page: Page, jobId: string): Promise<Map<number, string>> {
  const found = await page.evaluate(async (id) => {
    const all: (readonly [number, string])[] = []
    for (;;) {
      const batch = await globalThis.starling.results(id, all.length, 500)
      if (batch.length === 0) return all
      for (const { unit, outcome } of batch) all.push([unit, new TextDecoder('latin1').decode(outcome.stdout)])
    }
  }, jobId)
  const byUnit = new Map(found)
  if (byUnit.size !== found.length) throw new Error(`${found.length - byUnit.size} units were accepted more than once`)
  return byUnit
}

/** Serves this context a worker that runs `prelude` first. */
async function misbehave(context: BrowserContext, worker: 'node' | 'training', prelude: string): Promise<void> {
  await context.route(new RegExp(`/assets/${worker}-worker-[^/]*\\.js$`), async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: `${prelude}\n${await response.text()}` })
  })
}

/** Serves this context another node worker than the built one, under the same policy. */
async function exchangeWorker(context: BrowserContext, body: string): Promise<void> {
  await context.route(/\/assets\/node-worker-[^/]*\.js$/, async (route) => {
    await route.fulfill({ response: await route.fetch(), body })
  })
}
