import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { encode } from '../codec/cbor.ts'
import { StarlingError } from '../codec/errors.ts'
import { decodeStatement, sealStatement, signStatement, signStatements, verifyStatement } from './statement.ts'

const GREETING = { kind: 'greeting', body: v.strictObject({ hello: v.string() }) }
const FAREWELL = { kind: 'farewell', body: v.strictObject({ hello: v.string() }) }

const init = {
  network: 'test',
  kind: 'greeting',
  seq: 1,
  timestampMs: 1_800_000_000_000,
  nonce: new Uint8Array(16).fill(3),
  body: { hello: 'world' },
}

describe('statements', () => {
  const signer = testSigner(1)

  it('[S1] come back as they were signed', async () => {
    const signed = await signStatement(init, signer)
    const decoded = decodeStatement(signed.bytes, GREETING)
    expect(decoded.statement).toEqual({ ...init, author: signer.author })
    await verifyStatement(decoded, testVerifier)
  })

  it('[S2] never pass for another kind, even with the same body', async () => {
    const signed = await signStatement(init, signer)
    expect(() => decodeStatement(signed.bytes, FAREWELL)).toThrow('farewell.kind is "greeting", limit "farewell"')
    const disguised = { ...signed.statement, kind: 'farewell' }
    const forged = sealStatement({ statement: disguised, payload: encode(disguised) }, signed.signature)
    await expect(verifyStatement(decodeStatement(forged.bytes, FAREWELL), testVerifier)).rejects.toThrow(
      'Signature of the farewell',
    )
  })

  it('[S1] do not survive a change of any byte', { timeout: 60_000 }, async () => {
    const signed = await signStatement(init, signer)
    await fc.assert(
      fc.asyncProperty(fc.nat(signed.bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = signed.bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ change
        try {
          await verifyStatement(decodeStatement(changed, GREETING), testVerifier)
        } catch (error) {
          if (!(error instanceof StarlingError)) throw error
          return
        }
        expect.fail(`Byte ${at} changed by ${change} went unnoticed`)
      }),
      { numRuns: 200 },
    )
  })

  it('[S7] signed as a batch stand alone, and none passes for another', async () => {
    const inits = Array.from({ length: 5 }, (_, seq) => ({ ...init, seq }))
    const batch = await signStatements(inits, signer)
    expect(new Set(batch.map(({ signature }) => signature)).size).toBe(1)
    for (const [seq, { bytes }] of batch.entries()) {
      const decoded = decodeStatement(bytes, GREETING)
      expect(decoded.statement.seq).toBe(seq)
      await verifyStatement(decoded, testVerifier)
    }
    const [first, second] = batch.map(({ bytes }) => decodeStatement(bytes, GREETING))
    if (first?.inclusion === undefined || second?.inclusion === undefined) throw new Error('No inclusion')
    const { inclusion: _, ...alone } = first
    const wrong = [
      { ...first, inclusion: second.inclusion },
      { ...second, payload: first.payload, statement: first.statement },
      alone,
    ]
    for (const each of wrong)
      await expect(verifyStatement(each, testVerifier)).rejects.toThrow('Signature of the greeting')
  })

  it('[S7] of one statement is that statement signed alone', async () => {
    const [only] = await signStatements([init], signer)
    expect(only?.inclusion).toBeUndefined()
    await verifyStatement(decodeStatement(only?.bytes ?? new Uint8Array(), GREETING), testVerifier)
  })

  it('[S1] refuse random bytes only with named errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeStatement(bytes, GREETING)).toThrow(StarlingError)
      }),
    )
  })
})
