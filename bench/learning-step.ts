/**
 * `learning.step`: one SGD step of an MLP 784-32-10, with its batch copied in and its loss read back, by jax-js in WebAssembly; beside it the
 * reference's typed-array loops, in turns in one worker of a real Chromium, under the page's policy.
 */
import { serveSandboxPage } from '../e2e/support/sandbox-server.ts'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import { COMMON_HEADERS } from '../src/relay/headers.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'
import type { StepRounds } from './pages/learning-worker.ts'

const TIMEOUT_MS = 120_000

async function inChromium(): Promise<readonly StepRounds[]> {
  const chromium = ensureChromium(() => undefined)
  const server = await serveSandboxPage(
    { '/page.js': 'bench/pages/learning.ts', '/learning-worker.js': 'bench/pages/learning-worker.ts' },
    COMMON_HEADERS,
  )
  const browser = await launchChromium(chromium)
  try {
    const page = await browser.newPage()
    const result = server.result(TIMEOUT_MS)
    await page.goto(server.origin)
    const { figures, error } = (await result) as { readonly figures?: readonly StepRounds[]; readonly error?: string }
    if (figures === undefined) throw new Error(error)
    return figures
  } finally {
    await browser.close()
    await server.close()
  }
}

export async function run(): Promise<BenchLine[]> {
  return (await inChromium()).map(({ batchSize, fast, reference }) =>
    benchLine(`learning.step.batch${batchSize}`, median(fast), 'ms', median(reference)),
  )
}

if (import.meta.main) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
  process.exit()
}
