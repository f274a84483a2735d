import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import type { Store, StoreOp } from '../src/storage/store.ts'
import { describeStore } from '../src/testing/store-acceptance.ts'
import type { ChurnEnd, ChurnOptions, StorePage } from './pages/storage-page.ts'
import { serveSandboxPage } from './support/sandbox-server.ts'

type WithStore = { readonly storePage: StorePage }

let server: Awaited<ReturnType<typeof serveSandboxPage>>
let browser: Browser
let page: Page
let names = 0

beforeAll(async () => {
  server = await serveSandboxPage({ '/page.js': 'e2e/pages/storage-page.ts' })
  browser = await launchChromium(ensureChromium(() => undefined))
  page = await browser.newPage()
  await page.goto(server.origin)
  await page.waitForFunction(() => 'storePage' in globalThis)
})
afterAll(async () => {
  await browser?.close()
  await server?.close()
})

/** The store of the page as the acceptance suite wants it: each call crosses into the browser, bytes as lists of numbers. */
class RemoteStore implements Store {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    return (await this.getMany(bucket, [key]))[0]
  }

  async getMany(bucket: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const found = await page.evaluate(
      async (asked) => {
        const store = (globalThis as unknown as WithStore).storePage.store(asked.name)
        const single = await Promise.all(asked.keys.map((key) => store.get(asked.bucket, key)))
        const many = await store.getMany(asked.bucket, asked.keys)
        const plain = (values: readonly (Uint8Array | undefined)[]) => values.map((value) => value && [...value])
        return { single: plain(single), many: plain(many) }
      },
      { name: this.name, bucket, keys },
    )
    if (JSON.stringify(found.single) !== JSON.stringify(found.many)) throw new Error('get and getMany disagree')
    return found.many.map((value) => value && Uint8Array.from(value))
  }

  async write(ops: readonly StoreOp[]): Promise<void> {
    const plain = ops.map(({ bucket, key, value }) => ({ bucket, key, value: value && [...value] }))
    await page.evaluate(
      async ({ name, batch }) => {
        const changes = batch.map(({ value, ...rest }) => ({ ...rest, value: value && Uint8Array.from(value) }))
        await (globalThis as unknown as WithStore).storePage.store(name).write(changes)
      },
      { name: this.name, batch: plain },
    )
  }

  async *list(bucket: string, prefix: string): AsyncIterable<readonly [string, Uint8Array]> {
    const entries = await page.evaluate(
      async (asked) => {
        const found: [string, number[]][] = []
        const store = (globalThis as unknown as WithStore).storePage.store(asked.name)
        for await (const [key, value] of store.list(asked.bucket, asked.prefix)) found.push([key, [...value]])
        return found
      },
      { name: this.name, bucket, prefix },
    )
    for (const [key, value] of entries) yield [key, Uint8Array.from(value)]
  }

  async close(): Promise<void> {
    await page.evaluate((name) => (globalThis as unknown as WithStore).storePage.close(name), this.name)
  }
}

async function open(name = `acceptance-${++names}`): Promise<RemoteStore> {
  await page.evaluate((asked) => (globalThis as unknown as WithStore).storePage.open(asked), name)
  return new RemoteStore(name)
}

describeStore(
  'IndexedDB in Chromium',
  () => open(),
  async (store) => {
    const { name } = store as RemoteStore
    await store.close()
    return await open(name)
  },
)

describe('IdbStore', () => {
  const churn = (name: string, options: ChurnOptions): Promise<ChurnEnd> =>
    page.evaluate((asked) => (globalThis as unknown as WithStore).storePage.churn(asked.name, asked.options), {
      name,
      options,
    })

  it('agrees with a map through cleaning, values apart and reopening, and stays small', async () => {
    const end = await churn('churn-large', { seed: 1, commits: 600, keys: 120, valueBytesMax: 24 * 1024 })
    expect(end.reopened).toBeGreaterThan(2)
    // Without cleaning some 20 MB would be there.
    expect(end.segmentBytes).toBeLessThan(2 * end.liveBytes + 2 * 1024 * 1024)
  })

  it('joins many small segments', async () => {
    const end = await churn('churn-small', { seed: 2, commits: 1_200, keys: 200, valueBytesMax: 64 })
    expect(end.segments).toBeLessThan(300)
  })
})
