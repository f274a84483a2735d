import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../core/codec/bytes.ts'
import { peerIdOf, publicKeyOf } from '../core/identity/peer-id.ts'
import { type SignatureCase, signatureCases } from '../testing/vectors/ed25519-cases.ts'
import { encodingsOf, torsionPoints } from '../testing/vectors/ed25519-reference.ts'
import { PlatformVerifier } from './verifier.ts'

const cases = JSON.parse(
  readFileSync(new URL('../testing/vectors/ed25519-cases.json', import.meta.url), 'utf8'),
) as readonly SignatureCase[]

async function differing(verifier: PlatformVerifier): Promise<string[]> {
  const wrong: string[] = []
  for (const each of cases) {
    const author = peerIdOf(fromHex(each.publicKey))
    const verdict = await verifier.verify(author, fromHex(each.message), fromHex(each.signature))
    if (verdict !== each.valid) wrong.push(`${each.group}: ${each.note}: ${verdict}`)
  }
  return wrong
}

/**
 * Goal: two honest peers never disagree about a signature. Method: cases made by arithmetic of their own, with ZIP215's verdict;
 * e2e/signatures.e2e.ts asks the same of three browsers.
 */
describe('edge cases of Ed25519', () => {
  it('the file is what its script makes', { timeout: 120_000 }, () => {
    expect(signatureCases()).toEqual(cases)
  })

  it('cover what they claim', () => {
    const small = new Set(torsionPoints().flatMap(encodingsOf).map(toHex))
    expect(small.size).toBe(14)
    const pairs = cases.filter(({ publicKey, signature }) => {
      return small.has(publicKey) && small.has(signature.slice(0, 64)) && signature.endsWith('0'.repeat(64))
    })
    expect(new Set(pairs.map(({ publicKey, signature }) => publicKey + signature.slice(0, 64))).size).toBe(196)
    for (const group of ['small-order', 'mixed-order', 'non-canonical', 'malleable']) {
      const verdicts = new Set(cases.filter((each) => each.group === group).map(({ valid }) => valid))
      expect(verdicts, group).toEqual(new Set([true, false]))
    }
  })

  it('[S6] have one verdict, with WebCrypto', { timeout: 120_000 }, async () => {
    expect(await differing(new PlatformVerifier())).toEqual([])
  })

  it('[S6] have the same verdict without WebCrypto', { timeout: 120_000 }, async () => {
    expect(await differing(new PlatformVerifier(null))).toEqual([])
  })

  it('[S6] need a key of exactly 32 bytes', () => {
    for (const length of [0, 31, 33, 64]) expect(() => peerIdOf(new Uint8Array(length))).toThrow('limit 32 exactly')
    const good = peerIdOf(new Uint8Array(32))
    for (const text of [good.slice(1), `${good}1`, ''])
      expect(() => publicKeyOf(text)).toThrow('not an Ed25519 peer id')
  })
})

describe('the slow decision', () => {
  it('[S6] keeps no good signature waiting, and has a bound', { timeout: 60_000 }, async () => {
    const verifier = new PlatformVerifier()
    const good = cases.find(({ note }) => note === 'TEST SHA(abc)') as SignatureCase
    const bad = cases.find(({ note }) => note === 'another key') as SignatureCase
    const ask = ({ publicKey, message, signature }: SignatureCase, i: number): Promise<boolean> => {
      // Longer than what verdicts are remembered for, and different each time.
      const bytes = new Uint8Array(80 + i)
      bytes.set(fromHex(message).subarray(0, 64))
      return verifier.verify(peerIdOf(fromHex(publicKey)), i < 0 ? fromHex(message) : bytes, fromHex(signature))
    }
    const flood = Array.from({ length: 1_200 }, (_, i) => ask(bad, i).catch((error: Error) => error.name))
    const finished: string[] = []
    void Promise.all(flood.slice(0, 1_024)).then(() => finished.push('flood'))
    expect(await ask(good, -1)).toBe(true)
    finished.push('good')
    const answers = await Promise.all(flood)
    expect(finished[0]).toBe('good')
    expect(new Set(answers)).toEqual(new Set([false, 'LimitExceededError']))
    // What was refused for want of room is no verdict: asked again, it gets one.
    expect(await ask(bad, 1_199)).toBe(false)
  })
})
