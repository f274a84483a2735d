/** The page as an app: installable, there without its server, updated only when somebody agrees. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserContext, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM_ARGS, ensureChromium } from '../src/cli/chromium.ts'
import { type PageServer, servePage } from './support/page-server.ts'
import { RelayProcess } from './support/relay-process.ts'

const DIST = process.env.STARLING_DIST ?? fileURLToPath(new URL('../dist/', import.meta.url))

let context: BrowserContext
let relay: RelayProcess
let url: string

beforeAll(async () => {
  relay = await RelayProcess.start({ DIST_DIR: DIST })
  url = relay.url
  // Installability is only told of in a profile that stays.
  context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), 'starling-profile-')), {
    executablePath: ensureChromium(() => undefined),
    args: [...CHROMIUM_ARGS, '--no-sandbox'],
  })
})
afterAll(async () => {
  await context?.close()
  relay?.kill()
})

describe('progressive web app', () => {
  it('is installable', async () => {
    const page = await context.newPage()
    await page.goto(url)
    await page.evaluate(async () => void (await navigator.serviceWorker.ready))
    const session = await context.newCDPSession(page)
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors')
    expect(installabilityErrors).toEqual([])
    await page.close()
  })

  it('asks before it takes a new version, and never reloads by itself', async () => {
    const dist = mkdtempSync(join(tmpdir(), 'starling-dist-'))
    cpSync(DIST, dist, { recursive: true })
    const server: PageServer = await servePage(dist)
    const page = await context.newPage()
    await page.goto(server.url)
    await page.evaluate(async () => void (await navigator.serviceWorker.ready))
    await page.evaluate(() => Object.assign(globalThis, { notReloaded: true }))
    publishNewVersion(dist)
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
    await page.getByText('A new version of Starling is ready').waitFor({ timeout: 30_000 })
    expect(await page.evaluate(() => 'notReloaded' in globalThis)).toBe(true)
    await page.getByRole('button', { name: 'Reload now' }).click()
    await page.waitForFunction(() => !('notReloaded' in globalThis), null, { timeout: 30_000 })
    await page.close()
    await server.stop()
  })

  it('shows the shell, and runs its node, when the relay is gone', async () => {
    const page = await context.newPage()
    await page.goto(url)
    await page.evaluate(async () => void (await navigator.serviceWorker.ready))
    await page.getByRole('button', { name: 'Start lending' }).waitFor()
    relay.kill()
    await page.reload()
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await page.getByRole('heading', { name: 'Run a job' }).waitFor()
    await page.getByRole('button', { name: 'Try one unit' }).click()
    await page.getByText('The whole:').waitFor()
    await page.goto(`${url}/diagnostics`)
    await page.getByRole('heading', { name: 'Diagnostics' }).waitFor()
    await page.close()
  })
})

/** A service worker of other bytes is another version to the browser. */
function publishNewVersion(dist: string): void {
  const path = join(dist, 'sw.js')
  writeFileSync(path, `${readFileSync(path, 'utf8')}\n// ${Date.now()}\n`)
}
