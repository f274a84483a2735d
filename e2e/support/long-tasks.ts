import type { CDPSession, Page } from 'playwright-core'
import { nodeIsUp, peersAre, type UiRoom } from './ui-room.ts'

/** What a job cost the main thread of the page that shows it. */
export interface JobPageFigures {
  readonly units: number
  readonly accepted: number
  readonly wallMs: number
  /** Tasks over 50 ms, as the browser reports them. */
  readonly longTasks: number
  readonly longTaskMs: number
  readonly longestTaskMs: number
  readonly longTaskShare: number
  /** CPU time of all the main thread's tasks, short ones included, by CDP's `Performance` domain. */
  readonly busyMs: number
  readonly busyShare: number
  /** From a key press to the frame that shows its effect, at the 95th percentile of presses while the job ran (Event Timing). */
  readonly keyMsP95: number
  readonly keys: number
}

const JOB_TIMEOUT_MS = 170_000

/** Runs a job of `units` small units from the page and watches the page's main thread until it is done. */
export async function measureJobPage(room: UiRoom, units: number): Promise<JobPageFigures> {
  const page = await room.page('/run/collatz')
  await nodeIsUp(page)
  await peersAre(page, 2)
  await page.getByRole('textbox', { name: 'Units' }).fill(String(units))
  await page.getByRole('textbox', { name: 'Numbers per unit' }).fill('2000')
  await page.waitForTimeout(500)
  await page.getByRole('button', { name: 'Run the job' }).click()
  await page.waitForURL(/\/jobs\/\w+/)
  await page.getByRole('grid').waitFor()
  await watchTasks(page)
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const busyBefore = await taskMs(session)
  const started = performance.now()
  const done = page.locator('.job-state-done').waitFor({ timeout: JOB_TIMEOUT_MS })
  await pressKeysUntil(page, done)
  const wallMs = performance.now() - started
  const busyMs = (await taskMs(session)) - busyBefore
  const { tasks, keys } = await readTasks(page)
  const accepted = await page.evaluate(
    async () => (await globalThis.starling?.snapshot())?.jobs[0]?.counts.accepted ?? 0,
  )
  await page.context().close()
  const longTaskMs = tasks.reduce((sum, ms) => sum + ms, 0)
  return {
    units,
    accepted,
    wallMs: Math.round(wallMs),
    longTasks: tasks.length,
    longTaskMs: Math.round(longTaskMs),
    longestTaskMs: Math.round(Math.max(0, ...tasks)),
    longTaskShare: round(longTaskMs / wallMs),
    busyMs: Math.round(busyMs),
    busyShare: round(busyMs / wallMs),
    keyMsP95: round(percentile(keys, 0.95)),
    keys: keys.length,
  }
}

interface Watched {
  tasks: number[]
  keys: number[]
}

/** Between presses of somebody who walks through the grid. */
const KEY_EVERY_MS = 500

async function pressKeysUntil(page: Page, done: Promise<void>): Promise<void> {
  let over = false
  const ended = done.finally(() => {
    over = true
  })
  await page.getByRole('grid').focus()
  while (!over) {
    await page.keyboard.press('ArrowRight')
    await Promise.race([ended, page.waitForTimeout(KEY_EVERY_MS)])
  }
  await ended
}

async function watchTasks(page: Page): Promise<void> {
  await page.evaluate(() => {
    const watched: Watched = { tasks: [], keys: [] }
    Object.assign(globalThis, { watched })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) watched.tasks.push(entry.duration)
    }).observe({ type: 'longtask' })
    // 16 ms is the least threshold the browser takes; faster presses are not listed and count as that.
    const options = { type: 'event', durationThreshold: 16, buffered: false }
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === 'keydown') watched.keys.push(entry.duration)
    }).observe(options)
  })
}

function readTasks(page: Page): Promise<Watched> {
  return page.evaluate(() => (globalThis as unknown as { watched: Watched }).watched)
}

async function taskMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
