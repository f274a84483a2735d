/**
 * `timing.*`: whether the comparison of secrets leaks by its time, and whether this measurement would see it. The value is the
 * strongest |t| of a Welch test; below 4.5 nothing was found. The reference is a comparison that leaks on purpose, measured in the same
 * run and in turns: it must be far above, or the measurement says nothing and the bench fails.
 */
import { serveSandboxPage } from '../e2e/support/sandbox-server.ts'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'
import { type Leak, type TimingRounds, timingRounds } from './pages/timing-rounds.ts'

const TIMEOUT_MS = 120_000
const ROUNDS = 3
/** Above this a leak is certain. */
const CERTAIN_T = 10

async function inChromium(): Promise<TimingRounds> {
  const server = await serveSandboxPage({
    '/page.js': 'bench/pages/timing.ts',
    '/timing-worker.js': 'bench/pages/timing-worker.ts',
  })
  const browser = await launchChromium(ensureChromium(() => undefined))
  try {
    const page = await browser.newPage()
    const result = server.result(TIMEOUT_MS)
    await page.goto(server.origin)
    return ((await result) as { readonly rounds: TimingRounds }).rounds
  } finally {
    await browser.close()
    await server.close()
  }
}

const strengthOf = (leaks: readonly Leak[]): number => median(leaks.map(({ t }) => t))

function linesOf(name: string, { constant, leaking }: TimingRounds): BenchLine[] {
  const seen = strengthOf(leaking)
  if (!(seen >= CERTAIN_T))
    throw new Error(`The leaking comparison was not seen: |t| ${seen.toFixed(1)} of ${CERTAIN_T}`)
  const difference = (leaks: readonly Leak[]) => Math.abs(median(leaks.map(({ differenceNs }) => differenceNs)))
  return [
    benchLine(name, strengthOf(constant), '|t|', seen),
    benchLine(`${name}.difference`, difference(constant), 'ns', difference(leaking)),
  ]
}

export async function run(): Promise<BenchLine[]> {
  return [...linesOf('timing.equal', await inChromium()), ...linesOf('timing.equal.node', timingRounds(ROUNDS))]
}

if (import.meta.main) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
  process.exit()
}
