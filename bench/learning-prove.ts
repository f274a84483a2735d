/**
 * `learning.prove` and `learning.verify`: norm proofs of an update of an MLP 784-32-10 by the real worker in a Chromium tab, under the page's
 * policy. References, of the same run: for a proof in a batch, one alone; for the kernel, a sum of products by noble's big integers.
 */
import { readFileSync } from 'node:fs'
import { PROOF_KERNEL, PROOF_WORKER } from '../e2e/support/proofs.ts'
import { serveSandboxPage } from '../e2e/support/sandbox-server.ts'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import { COMMON_HEADERS } from '../src/relay/headers.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'
import type { ProofFigures } from './pages/learning-prove.ts'

const LENGTH = 25_450
const TIMEOUT_MS = 180_000

async function inChromium(): Promise<ProofFigures> {
  const chromium = ensureChromium(() => undefined)
  const server = await serveSandboxPage(
    { '/page.js': 'bench/pages/learning-prove.ts', ...PROOF_WORKER },
    COMMON_HEADERS,
  )
  const kernel = new URL('../src/workers/proofs/kernel/ristretto.wasm', import.meta.url)
  server.set(PROOF_KERNEL, readFileSync(kernel))
  const browser = await launchChromium(chromium)
  try {
    const page = await browser.newPage()
    const result = server.result(TIMEOUT_MS)
    await page.goto(server.origin)
    const { figures, error } = (await result) as { readonly figures?: ProofFigures; readonly error?: string }
    if (figures === undefined) throw new Error(error)
    return figures
  } finally {
    await browser.close()
    await server.close()
  }
}

export async function run(): Promise<BenchLine[]> {
  const { proofs, batchSize, products, kernel, library } = await inChromium()
  const lines = [
    benchLine(
      `learning.prove (${products} products of the kernel, against big integers)`,
      median(kernel),
      'ms',
      median(library),
    ),
    benchLine(`learning.prove (d=${LENGTH}; first commitment, with generators)`, proofs[0]?.first ?? Number.NaN, 'ms'),
  ]
  for (const { projections, commit, prove, verify, batch, proofBytes } of proofs) {
    const of = `d=${LENGTH}, k=${projections}`
    const together = batch.map((ms) => ms / batchSize)
    lines.push(
      benchLine(`learning.commit (${of})`, median(commit), 'ms'),
      benchLine(`learning.prove (${of})`, median(prove), 'ms'),
      benchLine(`learning.prove (${of}; size)`, proofBytes, 'bytes'),
      benchLine(`learning.verify (${of})`, median(verify), 'ms'),
      benchLine(
        `learning.verify (${of}; each of ${batchSize}, against one alone)`,
        median(together),
        'ms',
        median(verify),
      ),
    )
  }
  return lines
}

if (import.meta.main) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
  process.exit()
}
