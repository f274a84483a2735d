import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { seededRng } from '../tasks/rng.ts'
import { VERIFY_BATCH_MAX } from './limits.ts'
import type { Verifier } from './ports.ts'
import { type DecodedStatement, decodeStatement, signStatement, signStatements } from './statement.ts'
import { type Signed, verifyBatch, verifyStatements } from './verify-batch.ts'

const KIND = { kind: 'greeting', body: v.strictObject({ number: v.number() }) }

const initOf = (number: number) => ({
  network: 'test',
  kind: 'greeting',
  seq: number,
  timestampMs: 1_800_000_000_000,
  nonce: new Uint8Array(16).fill(number),
  body: { number },
})

/** Good signatures end in their own number, bad ones do not; what was asked is noted. */
function noting(asked: number[]): Verifier {
  return {
    verify: async (_author, bytes, signature) => {
      asked.push(bytes[0] ?? -1)
      return bytes[0] === signature[0]
    },
  }
}

function itemsOf(count: number, bad: ReadonlySet<number> = new Set()): Signed[] {
  const { author } = testSigner(1)
  return Array.from({ length: count }, (_, i) => ({
    author,
    bytes: Uint8Array.of(i),
    signature: Uint8Array.of(bad.has(i) ? i + 1 : i),
  }))
}

describe('a batch of signatures', () => {
  it('[S10] gives each its own verdict, wherever the bad ones are', async () => {
    const sets = fc.uniqueArray(fc.nat(63), { maxLength: 64 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 64 }), sets, fc.nat(), async (count, places, seed) => {
        const bad = new Set(places)
        const asked: number[] = []
        const verdicts = await verifyBatch(itemsOf(count, bad), { verifier: noting(asked), shuffle: seededRng(seed) })
        expect(verdicts).toEqual(Array.from({ length: count }, (_, i) => !bad.has(i)))
        expect([...asked].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
      }),
    )
  })

  it('[S10] is looked at in an order that chance makes: any item comes anywhere', async () => {
    const firsts = new Set<number>()
    const lasts = new Set<number>()
    const shuffle = seededRng(7)
    for (let run = 0; run < 200; run++) {
      const asked: number[] = []
      await verifyBatch(itemsOf(8), { verifier: noting(asked), shuffle })
      firsts.add(asked[0] ?? -1)
      lasts.add(asked[7] ?? -1)
    }
    expect([firsts.size, lasts.size]).toEqual([8, 8])
  })

  it('[S10] takes the maximum, and one more is refused before anything is verified', async () => {
    const asked: number[] = []
    const options = { verifier: noting(asked), shuffle: seededRng(1) }
    const { author } = testSigner(1)
    const item = { author, bytes: Uint8Array.of(1), signature: Uint8Array.of(1) }
    expect(await verifyBatch(Array(VERIFY_BATCH_MAX).fill(item), options)).toHaveLength(VERIFY_BATCH_MAX)
    asked.length = 0
    await expect(verifyBatch(Array(VERIFY_BATCH_MAX + 1).fill(item), options)).rejects.toThrow(
      `limit ${VERIFY_BATCH_MAX}`,
    )
    expect(asked).toEqual([])
  })
})

describe('a batch of statements', () => {
  it('[S10] finds the one bad statement exactly, signed alone or together', async () => {
    const signer = testSigner(1)
    const alone = await Promise.all([0, 1, 2, 3].map((i) => signStatement(initOf(i), signer)))
    const together = await signStatements([4, 5, 6, 7].map(initOf), signer)
    const good = [...alone, ...together].map(({ bytes }) => decodeStatement(bytes, KIND))
    const options = { verifier: testVerifier, shuffle: seededRng(3) }
    await verifyStatements(good, options)
    await verifyStatements([], options)
    for (let at = 0; at < good.length; at++) {
      const bad = good.map((each, i): DecodedStatement<unknown> => {
        if (i !== at) return each
        const payload = each.payload.slice()
        payload[payload.length - 1] = (payload[payload.length - 1] ?? 0) ^ 1
        return { ...each, payload }
      })
      await expect(verifyStatements(bad, options)).rejects.toMatchObject({
        name: 'BadSignatureError',
        details: { index: at },
      })
    }
  })
})
