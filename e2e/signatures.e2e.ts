import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SignatureCase } from '../src/testing/vectors/ed25519-cases.ts'
import { type SignatureVerdicts, verdictsOf } from './pages/signatures.ts'
import { ENGINES, postedBy } from './support/engines.ts'
import { type SandboxServer, serveSandboxPage } from './support/sandbox-server.ts'

/** Some hundred slow decisions on an engine with other work beside it. */
const RUN_MS = 120_000
const CLOSE_MS = 10_000

/**
 * Goal: no peer accepts a signature that another refuses, whatever engines they have. Method: every edge case through the verifier
 * of the node in four engines; each must say what ZIP215 says. Each engine's own WebCrypto is asked beside it: that it accepts nothing
 * beyond ZIP215 is what makes "accepted by WebCrypto" a short way to the same verdict.
 */
describe('signatures have the same verdict on every engine', () => {
  let cases: readonly SignatureCase[]
  let server: SandboxServer

  beforeAll(async () => {
    const text = readFileSync(new URL('../src/testing/vectors/ed25519-cases.json', import.meta.url), 'utf8')
    cases = JSON.parse(text) as readonly SignatureCase[]
    server = await serveSandboxPage({ '/page.js': 'e2e/pages/signatures-page.ts' })
    server.set('/cases.json', text)
  })

  afterAll(() => server.close())

  it('[S6] [node]', { timeout: RUN_MS }, async () => {
    check('node', await verdictsOf(cases))
  })

  for (const engine of ENGINES) {
    it.skipIf(!engine.installed)(`[S6] [${engine.name}]`, { timeout: RUN_MS }, async () => {
      check(engine.name, await postedBy(engine, server, { timeoutMs: RUN_MS - CLOSE_MS }))
    })
  }

  function check(engine: string, posted: unknown): void {
    const { verdicts, platform, hasEd25519, error } = posted as SignatureVerdicts & { readonly error?: string }
    expect(error).toBeUndefined()
    expect(verdicts).toHaveLength(cases.length)
    const named = (picked: (each: SignatureCase, at: number) => boolean): string[] =>
      cases.filter(picked).map(({ group, note }) => `${group}: ${note}`)
    expect(
      named(({ valid }, at) => verdicts[at] !== valid),
      'not ZIP215’s verdict',
    ).toEqual([])
    if (!hasEd25519) return
    // S at or above the order never gets to the platform.
    const reached = ({ signature }: SignatureCase): boolean => signature.length === 128 && isBelowOrder(signature)
    expect(
      named((each, at) => platform[at] === true && !each.valid && reached(each)),
      'accepted by WebCrypto alone',
    ).toEqual([])
    const accepted = platform.filter(Boolean).length
    process.stderr.write(`${engine}: WebCrypto accepts ${accepted} of ${cases.filter(({ valid }) => valid).length}\n`)
  }
})

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

function isBelowOrder(signature: string): boolean {
  const bytes = Buffer.from(signature.slice(64), 'hex').reverse()
  return BigInt(`0x${bytes.toString('hex')}`) < ORDER
}
