/**
 * What the network costs a job: the same units on two real tabs, each with one worker, and on a local pool of two workers in the same browser,
 * in turns, medians compared. `ratio` is throughput on the tabs over throughput of the pool.
 *
 * Also what a job costs the page that shows it: the main thread of a third tab, which gives the job out and has its page open.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { Room, type Tab } from '../e2e/support/room.ts'
import { serveSandboxPage } from '../e2e/support/sandbox-server.ts'
import { until } from '../e2e/support/until.ts'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'
import type { PoolBench } from './pages/pool.ts'

const MODULE = new URL('../examples/collatz/collatz.wasm', import.meta.url)
const FIRST = 1_000_000_000
const ROUNDS = 5
const POOL_WORKERS = 2
const CALIBRATION_ROUNDS = 3
const CALIBRATION_UNITS = 40
const JOB_TIMEOUT_MS = 120_000
const PARALLEL = { units: 200, unitMs: 50 }
const TINY = { units: 2_000, unitMs: 1 }
const SHOWN = { units: 2_000, unitMs: 5 }
/** Chromium calls a task long from here on. */
const LONG_TASK_MS = 50

/** What bench/pages/pool.ts puts into its page. */
type WithPool = { poolBench: PoolBench }

/** Inputs of units that each search `numbers` numbers. */
function inputsOf(units: number, numbers: number): string[] {
  return Array.from({ length: units }, (_, unit) => `${FIRST + unit * numbers} ${numbers}`)
}

/**
 * How many numbers make a unit of `unitMs` while both workers of the pool are busy: found by timing some units, and then again with what
 * was found, since the first find their workers cold.
 */
async function numbersFor(pool: Page, unitMs: number): Promise<number> {
  let numbers = 20_000
  for (let i = 0; i < CALIBRATION_ROUNDS; i++) {
    const batchMs = await onPool(pool, inputsOf(CALIBRATION_UNITS, numbers))
    numbers = Math.max(1, Math.round((numbers * unitMs) / ((batchMs * POOL_WORKERS) / CALIBRATION_UNITS)))
  }
  return numbers
}

function onPool(page: Page, inputs: readonly string[]): Promise<number> {
  return page.evaluate((all) => (globalThis as unknown as WithPool).poolBench.run(all), inputs)
}

interface JobRun {
  readonly jobId: string
  /** As the requester's node saw it, from taking the job to its last unit. */
  readonly durationMs: number
}

async function submit(requester: Tab, inputs: readonly string[]): Promise<string> {
  return await requester.submit({
    name: 'bench',
    abi: 'reactor',
    module: readFileSync(MODULE),
    inputs: inputs.map((stdin) => ({ stdin })),
    options: { replicas: 1, quorum: 1, useOwnWorkers: false },
  })
}

async function finish(requester: Tab, jobId: string): Promise<JobRun> {
  await until('the job to end', async () => (await requester.job(jobId))?.state === 'done', JOB_TIMEOUT_MS)
  const job = await requester.job(jobId)
  if (job === null || job.finishedAt === null) throw new Error('The job is gone')
  if (job.counts.accepted !== job.counts.units || job.counts.unsuccessful > 0) throw new Error('Units failed')
  return { jobId, durationMs: job.finishedAt - job.createdAt }
}

/** Pool and tabs in turns; the first round only warms both up. */
async function compare(
  name: string,
  pages: { pool: Page; requester: Tab },
  work: { units: number; unitMs: number },
): Promise<BenchLine> {
  const { pool, requester } = pages
  const inputs = inputsOf(work.units, await numbersFor(pool, work.unitMs))
  const local: number[] = []
  const tabs: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const poolMs = await onPool(pool, inputs)
    const job = await finish(requester, await submit(requester, inputs))
    process.stderr.write(`  ${name} round ${round}: pool ${poolMs.toFixed(0)} ms, tabs ${job.durationMs} ms\n`)
    if (round === 0) continue
    local.push(poolMs)
    tabs.push(job.durationMs)
  }
  const perSecond = (ms: number): number => (work.units / ms) * 1_000
  return benchLine(name, perSecond(median(tabs)), 'units/s', perSecond(median(local)))
}

/** The main thread of the tab that shows a running job, over the time it runs. */
async function shown(pages: { pool: Page; requester: Tab }): Promise<BenchLine[]> {
  const { pool, requester } = pages
  const inputs = inputsOf(SHOWN.units, await numbersFor(pool, SHOWN.unitMs))
  await requester.page.evaluate((longTaskMs) => {
    const tasks: number[] = []
    Object.assign(globalThis, { benchTasks: tasks })
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) if (duration >= longTaskMs) tasks.push(duration)
    }).observe({ type: 'longtask' })
  }, LONG_TASK_MS)
  const session = await requester.page.context().newCDPSession(requester.page)
  // Of the thread's own CPU: on a shared machine the wall clock would count other processes.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const busySeconds = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
  }
  const jobId = await submit(requester, inputs)
  // Through the page's own router: a reload would restart the node.
  await requester.page.evaluate((id) => history.pushState(null, '', `/jobs/${id}`), jobId)
  const [before, started] = [await busySeconds(), performance.now()]
  await finish(requester, jobId)
  const share = ((await busySeconds()) - before) / ((performance.now() - started) / 1_000)
  // The observer above put them there.
  const tasks = await requester.page.evaluate(() => (globalThis as unknown as { benchTasks: number[] }).benchTasks)
  await session.detach()
  return [
    benchLine('ui.busy', share * 100, '%'),
    benchLine('ui.longtask', Math.max(0, ...tasks), 'ms'),
    benchLine('ui.longtasks', tasks.length, 'tasks'),
  ]
}

export async function run(): Promise<BenchLine[]> {
  const server = await serveSandboxPage({
    '/page.js': 'bench/pages/pool.ts',
    '/sandbox-worker.js': 'src/workers/sandbox/worker.ts',
  })
  server.set('/module.wasm', readFileSync(MODULE))
  const browser = await launchChromium(ensureChromium(() => undefined))
  const room = await Room.open()
  try {
    const pool = await browser.newPage()
    await pool.goto(server.origin)
    await pool.waitForFunction(() => 'poolBench' in globalThis)
    const requester = await room.tab({ lend: false })
    await room.tab()
    await room.tab()
    await until('two direct executors', async () => (await requester.snapshot()).network.direct >= 2)
    const pages = { pool, requester }
    return [
      await compare('job.parallel', pages, PARALLEL),
      await compare('job.tiny', pages, TINY),
      ...(await shown(pages)),
    ]
  } finally {
    await room.close()
    await browser.close()
    await server.close()
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
  process.exit()
}
