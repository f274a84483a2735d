/**
 * Goal: the attack lab trains in a real tab, off the page's thread, and shows what it should. Method: the interface over the fake node; the lab
 * needs none. Short runs, whose outcome is clear: ten times the opposite ends the mean's learning and not that of a robust rule.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectClean } from './support/looks.ts'
import { buildHarness, type Harness } from './support/ui-harness.ts'
import { SIZES } from './support/ui-room.ts'

/** Of a run's time that the page's thread may be busy in long tasks: a run on that thread would take all of it. */
const BUSY_SHARE_MAX = 0.5

describe('the attack lab', () => {
  let harness: Harness
  let page: Page

  beforeAll(async () => {
    harness = await buildHarness()
    page = await harness.page('/learn/lab', 'room', { viewport: SIZES.wide })
    await page.getByRole('heading', { name: 'Attack lab' }).waitFor()
  })
  afterAll(() => harness?.close())

  /** The text of a rule's cell in the last table. */
  async function cell(rule: string, column: number): Promise<string | null> {
    return page
      .getByRole('row')
      .filter({ has: page.getByRole('cell', { name: rule, exact: true }) })
      .getByRole('cell')
      .nth(column)
      .textContent()
  }

  async function open(query: string): Promise<void> {
    await page.goto(`${new URL(page.url()).origin}/learn/lab?scenario=room&${query}`)
    await page.getByRole('heading', { name: 'Attack lab' }).waitFor()
  }

  async function run(): Promise<void> {
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    await page.getByRole('button', { name: 'Run' }).waitFor({ timeout: 60_000 })
  }

  it('is clean in every look before a run, and refuses at the field', async () => {
    await expectClean(page, 'lab-first')
    await page.getByLabel('Hostile among them').fill('4')
    await page.getByLabel('Krum', { exact: true }).check()
    await page.getByText('Krum needs n ≥ 2f + 3: against 4 hostile at least 11 members, not 10').waitFor()
    expect(await page.getByRole('button', { name: 'Run' }).isDisabled()).toBe(true)
    await page.getByLabel('Members', { exact: true }).fill('99')
    await page.getByText('99 is not a whole number from 3 to 40').waitFor()
    await expectClean(page, 'lab-refused')
  })

  it('what is chosen stands in the address, and an address is a setting', async () => {
    await open('n=10&f=2&split=iid&attack=inner-product-10&rules=mean,nnm-multi-krum&rounds=40&seed=3')
    expect(await page.getByLabel('Data').inputValue()).toBe('iid')
    expect(await page.getByLabel('NNM + multi-Krum').isChecked()).toBe(true)
    await page.getByLabel('Attack', { exact: true }).selectOption('IPM τ=2')
    await page.waitForURL(/attack=inner-product-2/)
    await page.getByLabel('Attack', { exact: true }).selectOption('IPM τ=10')
    // The default is left out.
    await page.waitForURL((url) => !url.searchParams.has('attack'))
  })

  it('the mean collapses where a robust rule learns, off the page’s thread', async () => {
    await page.evaluate(() => {
      const tasks: number[] = []
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: 'longtask',
      })
      Object.assign(globalThis, { tasks })
    })
    const started = performance.now()
    await run()
    const runMs = performance.now() - started
    expect(Number.parseFloat((await cell('mean', 1)) ?? '')).toBeLessThan(30)
    expect(Number.parseFloat((await cell('NNM + multi-Krum', 1)) ?? '')).toBeGreaterThan(75)
    expect(Number.parseFloat((await cell('mean', 3)) ?? '')).toBeGreaterThan(50)
    expect(await cell('NNM + multi-Krum', 3)).toBe('0 %')
    expect(Number(await cell('mean', 5))).toBeLessThan(0)
    await page.getByText(/NNM \+ multi-Krum does best.*mean is left guessing/).waitFor()
    const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks)
    expect(tasks.reduce((sum, each) => sum + each, 0)).toBeLessThan(BUSY_SHARE_MAX * runMs)
    expect(page.workers().filter((worker) => worker.url().includes('lab-worker'))).toHaveLength(1)
    await expectClean(page, 'lab-done')
  })

  it('the same setting gives the same figures again; without the attack the mean learns', async () => {
    const row = () => page.getByRole('region', { name: 'Outcome by rule' }).textContent()
    const first = await row()
    await run()
    expect(await row()).toBe(first)
    await page.getByLabel('Attack', { exact: true }).selectOption('None')
    await page.getByText('These curves are of another setting').waitFor()
    await run()
    expect(Number.parseFloat((await cell('mean', 1)) ?? '')).toBeGreaterThan(75)
  })

  it('a run is stopped, and keeps the curves it has; all by keyboard', async () => {
    await open('split=iid&rules=mean,median,bulyan&n=40&rounds=300')
    const button = page.getByRole('button', { name: 'Run' })
    await button.focus()
    await page.keyboard.press('Enter')
    await page.getByText(/^Round \d\d+ of 300$/).waitFor()
    await page.getByRole('button', { name: 'Stop' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText(/Stopped after \d+ rounds/).waitFor()
    expect(await page.locator('.plot canvas').count()).toBe(2)
    await button.waitFor()
  })

  it('works offline once it has been used', async () => {
    const installed = await harness.page('/learn/lab', 'room', { serviceWorkers: 'allow' })
    const controlled = () => installed.evaluate(() => navigator.serviceWorker.controller !== null)
    await installed.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await installed.reload()
    await expect.poll(controlled).toBe(true)
    const ran = async (): Promise<void> => {
      await installed.getByLabel('Rounds', { exact: true }).fill('10')
      await installed.getByRole('button', { name: 'Run' }).click()
      await installed.getByText(/does best|end alike|left guessing/).waitFor({ timeout: 60_000 })
    }
    await ran()
    const kept = () => installed.evaluate(async () => (await (await caches.open('digits')).keys()).length)
    await expect.poll(kept).toBe(1)
    await installed.context().setOffline(true)
    // Offline is what this is about: what is not kept cannot be had.
    const fetched = installed.evaluate(() => fetch(`/healthz?${Math.random()}`).then(() => 'had'))
    await expect(fetched).rejects.toThrow()
    await installed.reload()
    await ran()
    await installed.context().close()
  })
})
