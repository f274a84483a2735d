// npm test: everything that must hold, in order of cost. The last line is one count over all vitest runs.
// `--only types,unit` picks steps, `--skip e2e` leaves some out.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { build } from './lib/build.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { say, seconds } from './lib/log.mjs'
import { modernNode } from './lib/modern-node.mjs'
import { inRoot } from './lib/root.mjs'
import { run } from './lib/run.mjs'
import { countOf, failuresOf, totalLine } from './lib/test-count.mjs'

const MINUTE_MS = 60_000
const reports = mkdtempSync(join(tmpdir(), 'starling-test-'))
const totals = { passed: 0, failed: 0, skipped: 0 }
/** @type {string[]} Said again at the end, where the closing lines are all that is kept of a long run. */
const failures = []

/** @param {string[]} args @param {number} [timeoutMs] */
async function node(args, timeoutMs = 5 * MINUTE_MS) {
  const { code, timedOut } = await run(modernNode(), args, { stdout: 'inherit', node: modernNode(), timeoutMs })
  if (timedOut) say(`  stopped after ${timeoutMs / MINUTE_MS} min`)
  return code === 0
}

/** @param {string} project @param {number} timeoutMs */
async function vitest(project, timeoutMs) {
  const report = join(reports, `${project}.json`)
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const ok = await node([inRoot('node_modules', 'vitest', 'vitest.mjs'), ...args], timeoutMs)
  const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : null
  const count = countOf(results, ok)
  failures.push(...failuresOf(results).map((failure) => relative(inRoot(), failure)))
  for (const key of /** @type {const} */ (['passed', 'failed', 'skipped'])) totals[key] += count[key]
  return ok && count.failed === 0
}

/** @type {Record<string, () => Promise<boolean>>} */
const steps = {
  browsers: () => node([inRoot('src', 'cli', 'install-browsers.ts')], 15 * MINUTE_MS),
  types: () => node([inRoot('scripts', 'types.mjs')]),
  lint: async () => {
    const biome = await node([inRoot('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '.'])
    const knip = await node([inRoot('node_modules', 'knip', 'bin', 'knip.js')])
    return biome && knip
  },
  unit: () => vitest('unit', 25 * MINUTE_MS),
  build: async () => {
    await build({ ifStale: true })
    return true
  },
  budget: () => node([inRoot('scripts', 'budget.mjs')]),
  e2e: () => vitest('e2e', 45 * MINUTE_MS),
}

/** @param {string} flag @returns {string[] | null} */
function listOf(flag) {
  const at = process.argv.indexOf(flag)
  const value = at < 0 ? null : process.argv[at + 1]
  if (at >= 0 && value === undefined) throw new Error(`${flag} needs a list of ${Object.keys(steps).join(', ')}`)
  const names = value?.split(',') ?? null
  const unknown = names?.find((name) => !(name in steps))
  if (unknown !== undefined)
    throw new Error(`${flag} names "${unknown}"; the steps are ${Object.keys(steps).join(', ')}`)
  return names
}

/** @param {readonly string[]} names @returns {Promise<string[]>} The steps that failed. */
async function runSteps(names) {
  const failed = []
  const times = []
  for (const name of names) {
    const started = performance.now()
    say(`\n=== ${name}`)
    const ok = await steps[name]?.().catch((error) => {
      say(error instanceof Error ? error.message : String(error))
      return false
    })
    if (!ok) failed.push(name)
    times.push(`${name.padEnd(9)} ${seconds(started).padStart(8)}  ${ok ? 'ok' : 'FAILED'}`)
  }
  say(`\n${times.join('\n')}`)
  return failed
}

try {
  const only = listOf('--only')
  const skip = listOf('--skip') ?? []
  const started = performance.now()
  await ensureInstalled()
  const failed = await runSteps(
    Object.keys(steps).filter((name) => (only?.includes(name) ?? true) && !skip.includes(name)),
  )
  say(`total     ${seconds(started).padStart(8)}`)
  if (failed.length > 0) say([`Failed: ${failed.join(', ')}`, ...failures].join('\n  '))
  console.log(totalLine(totals))
  process.exitCode = failed.length > 0 || totals.failed > 0 ? 1 : 0
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  console.log(totalLine({ ...totals, failed: totals.failed + 1 }))
  process.exitCode = 1
} finally {
  rmSync(reports, { recursive: true, force: true })
}
