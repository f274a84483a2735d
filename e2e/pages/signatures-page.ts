import type { SignatureCase } from '../../src/testing/vectors/ed25519-cases.ts'
import { verdictsOf } from './signatures.ts'

/** Fetches `/cases.json` and posts the verdicts to `/result`. */
async function main(): Promise<unknown> {
  return await verdictsOf((await (await fetch('/cases.json')).json()) as readonly SignatureCase[])
}

main().then(
  (report) => post(report),
  (error: unknown) => post({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }),
)

function post(report: unknown): void {
  void fetch('/result', { method: 'POST', body: JSON.stringify(report) })
}
