/**
 * `identity.verify`: signed statements verified per second, from their bytes to the verdict, with bare WebCrypto over the same
 * signatures as the reference, in turns in one worker of a real Chromium; and the same in Node.
 */
import { serveSandboxPage } from '../e2e/support/sandbox-server.ts'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'
import { type VerifyRounds, verifyRounds } from './pages/identity-rounds.ts'

const TIMEOUT_MS = 120_000

async function inChromium(): Promise<VerifyRounds> {
  const chromium = ensureChromium(() => undefined)
  const server = await serveSandboxPage({
    '/page.js': 'bench/pages/identity.ts',
    '/identity-worker.js': 'bench/pages/identity-worker.ts',
  })
  const browser = await launchChromium(chromium)
  try {
    const page = await browser.newPage()
    const result = server.result(TIMEOUT_MS)
    await page.goto(server.origin)
    const { rounds, error } = (await result) as { readonly rounds?: VerifyRounds; readonly error?: string }
    if (rounds === undefined) throw new Error(error)
    return rounds
  } finally {
    await browser.close()
    await server.close()
  }
}

function linesOf(name: string, { raw, statements, batched }: VerifyRounds): BenchLine[] {
  return [
    benchLine(name, median(statements), 'statements/s', median(raw)),
    benchLine(`${name}.batched`, median(batched), 'statements/s', median(raw)),
  ]
}

export async function run(): Promise<BenchLine[]> {
  return [...linesOf('identity.verify', await inChromium()), ...linesOf('identity.verify.node', await verifyRounds())]
}

if (import.meta.main) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
  process.exit()
}
