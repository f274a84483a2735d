import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { outcomeOf } from '../../testing/sim/truth.ts'
import { NOW_MS, testJob, testReceipt } from '../../testing/task-fixtures.ts'
import { decode, encode } from '../codec/cbor.ts'
import { StarlingError } from '../codec/errors.ts'
import { MESSAGE_LIMITS } from '../codec/limits.ts'
import { decodeTaskMessage, encodeTaskMessage, verifyTaskMessage } from './message-codec.ts'
import type { UnitResult } from './messages.ts'
import { packResults, receiptBatchSchema, unpackResults } from './receipt-batch.ts'
import { signReceipts } from './receipt-codec.ts'

const of = testJob({ unitCount: 64 })
const { job } = of
const executor = testSigner(2)

/** Results of as many units, signed as one. */
async function signedResults(count: number): Promise<UnitResult[]> {
  const asked = Array.from({ length: count }, (_, unit) => {
    const nonce = new Uint8Array(16).fill(unit)
    return { receipt: testReceipt(of, unit), init: { network: 'test', seq: unit, timestampMs: NOW_MS + unit, nonce } }
  })
  const signed = await signReceipts(asked, executor)
  return signed.map((receipt, unit) => ({ receipt, outcome: outcomeOf(job, unit).encoded }))
}

const all = await signedResults(20)
const bytesOf = (results: readonly UnitResult[]) => results.map(({ receipt }) => receipt.bytes)
const verified = async (encoded: Uint8Array): Promise<readonly UnitResult[]> => {
  const decoded = decodeTaskMessage(encoded)
  await verifyTaskMessage(decoded, { from: executor.author, network: 'test', verifier: testVerifier })
  return decoded.message.type === 'results' ? decoded.message.results : []
}

describe('packResults', () => {
  it('[S7] sends a whole batch at a fraction of its bytes, and every receipt arrives with its own', async () => {
    const encoded = encodeTaskMessage({ type: 'results', job, results: all })
    const alone = bytesOf(all).reduce((sum, { length }) => sum + length, 0)
    expect(encoded.length).toBeLessThan(alone / 3)
    const arrived = await verified(encoded)
    expect(bytesOf(arrived)).toEqual(bytesOf(all))
    expect(arrived.map(({ receipt }) => receipt.hash)).toEqual(all.map(({ receipt }) => receipt.hash))
    expect(arrived.map(({ outcome }) => outcome)).toEqual(all.map(({ outcome }) => outcome))
  })

  it('[S7] sends any part of a batch, in any order, beside receipts that were signed alone', async () => {
    const [lone] = await signedResults(1)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(all, { minLength: 1 }), fc.boolean(), async (some, withLone) => {
        // One of another batch that is larger than what comes of it.
        const results = withLone && lone !== undefined ? [lone, ...some.slice(1)] : some
        if (results.length === 0) return
        const arrived = await verified(encodeTaskMessage({ type: 'results', job, results }))
        const sorted = (each: readonly UnitResult[]) => bytesOf(each).map(String).sort()
        expect(sorted(arrived)).toEqual(sorted(results))
      }),
      { numRuns: 40 },
    )
  })

  it('sends outcomes that are too large for a message as their hashes', async () => {
    const results = all.map(({ receipt }) => ({ receipt, outcome: null }))
    const arrived = await verified(encodeTaskMessage({ type: 'results', job, results }))
    expect(bytesOf(arrived)).toEqual(bytesOf(results))
  })
})

describe('verifyTaskMessage', () => {
  /** Verifies a message, and counts how often a signature was asked for. */
  async function asked(encoded: Uint8Array): Promise<number> {
    let count = 0
    const verifier: typeof testVerifier = {
      verify: (...question) => {
        count++
        return testVerifier.verify(...question)
      },
    }
    await verifyTaskMessage(decodeTaskMessage(encoded), { from: executor.author, network: 'test', verifier })
    return count
  }

  it('[S7] asks once for a batch that is here, and for each receipt that came without its company', async () => {
    expect(await asked(encodeTaskMessage({ type: 'results', job, results: all }))).toBe(1)
    expect(await asked(encodeTaskMessage({ type: 'results', job, results: all.slice(3, 9) }))).toBe(6)
    const others = await signedResults(5)
    expect(await asked(encodeTaskMessage({ type: 'results', job, results: [...all, ...others] }))).toBe(2)
  })

  it('[S7] refuses a message when one of its batches has a bad signature, wherever it stands', async () => {
    const good = packResults(all).batches
    const bad = packResults(await signedResults(5)).batches.map((batch) => ({
      ...batch,
      signature: batch.signature.with(0, (batch.signature[0] ?? 0) ^ 1),
    }))
    for (const batches of [bad, [...good, ...bad], [...bad, ...good]]) {
      const encoded = encode({ type: 'results', job, results: [], batches })
      await expect(verified(encoded)).rejects.toMatchObject({ name: 'BadSignatureError' })
    }
  })
})

describe('unpackResults', () => {
  const [batch] = packResults(all).batches
  const [part] = packResults(all.slice(3, 9)).batches
  if (batch === undefined || part === undefined) throw new Error('No batch was made')

  it('refuses leaves that have neither a path nor all their company', () => {
    const without = (leaves: typeof batch.leaves) => () => unpackResults({ ...batch, leaves }, job)
    expect(without(batch.leaves.slice(1))).toThrow(StarlingError)
    expect(without([...batch.leaves].reverse())).toThrow(StarlingError)
    expect(() => unpackResults({ ...batch, size: batch.size + 1 }, job)).toThrow(StarlingError)
    expect(() => unpackResults({ ...part, leaves: [...part.leaves, ...batch.leaves.slice(0, 1)] }, job)).toThrow(
      StarlingError,
    )
  })

  it('gives receipts whose signature fails when any byte of a batch is another', async () => {
    for (const packed of [batch, part]) {
      const encoded = encode({ type: 'results', job, results: [], batches: [packed] })
      await fc.assert(
        fc.asyncProperty(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
          const broken = encoded.slice()
          broken[at] = (broken[at] ?? 0) ^ change
          const arrived = await verified(broken).catch((error: unknown) => error)
          expect(arrived).toBeInstanceOf(StarlingError)
        }),
        { numRuns: 150 },
      )
    }
  })

  it('reads any bytes as a batch or refuses them by name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decode(bytes, { what: 'batch', limits: MESSAGE_LIMITS, schema: receiptBatchSchema })
        } catch (error) {
          expect(error).toBeInstanceOf(StarlingError)
        }
      }),
    )
  })
})
