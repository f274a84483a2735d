import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { encode } from '../codec/cbor.ts'
import { StarlingError } from '../codec/errors.ts'
import { signStatement, verifyStatement } from '../identity/statement.ts'
import { readGossipedOffer, signGossipedOffer } from './gossiped-offer.ts'
import { encodeTaskMessage, OFFER_MESSAGE_BYTES_MAX } from './message-codec.ts'

const OFFER = { type: 'offer', offers: [] } as const
const signer = testSigner(1)
const stamp = { network: 'test', seq: 1, timestampMs: 1_800_000_000_000, nonce: new Uint8Array(16) }

const sign = (kind: string, body: unknown) => signStatement({ ...stamp, kind, body }, signer)

describe('a gossiped offer', () => {
  it('[T3] comes back as it was signed', async () => {
    const bytes = await signGossipedOffer(OFFER, { ...stamp, signer })
    const { decoded, message } = readGossipedOffer(bytes)
    await verifyStatement(decoded, testVerifier)
    expect(message).toEqual(OFFER)
    expect(decoded.statement).toMatchObject({ author: signer.author, kind: 'offer', seq: 1, network: 'test' })
  })

  it('[T3] holds nothing but an offer, as a statement of its kind', async () => {
    const message = encodeTaskMessage(OFFER)
    const other = await sign('receipt', { message })
    expect(() => readGossipedOffer(other.bytes)).toThrow('offer.kind is "receipt"')
    const bid = { type: 'ack', job: 'ab'.repeat(32), units: [] } as never
    const wrong = await sign('offer', { message: encodeTaskMessage(bid) })
    expect(() => readGossipedOffer(wrong.bytes)).toThrow('message.type is ack, limit offer')
    const more = await sign('offer', { message, more: 1 })
    expect(() => readGossipedOffer(more.bytes)).toThrow('offer.more')
    expect(() => readGossipedOffer(message)).toThrow(StarlingError)
  })

  it('[T3] has at most its bytes, and one more is refused by name', async () => {
    const most = OFFER_MESSAGE_BYTES_MAX - 1_024
    const full = await sign('offer', { message: new Uint8Array(most) })
    // The body is inside its bound: what is wrong is the message in it.
    expect(() => readGossipedOffer(full.bytes)).toThrow('message has bytes after its end')
    const over = await sign('offer', { message: new Uint8Array(most + 1) })
    expect(() => readGossipedOffer(over.bytes)).toThrow(`limit 1 to ${most} bytes`)
    const huge = new Uint8Array(OFFER_MESSAGE_BYTES_MAX + 1)
    expect(() => readGossipedOffer(huge)).toThrow(`limit ${OFFER_MESSAGE_BYTES_MAX}`)
  })

  it('[T3] changed anywhere, or made of any bytes, is refused by name or still its author’s', async () => {
    const bytes = await signGossipedOffer(OFFER, { ...stamp, signer })
    const named = async (envelope: Uint8Array): Promise<boolean> => {
      try {
        await verifyStatement(readGossipedOffer(envelope).decoded, testVerifier)
        return false
      } catch (error) {
        if (!(error instanceof StarlingError)) throw error
        return true
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ change
        expect(await named(changed)).toBe(true)
      }),
      { numRuns: 300 },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.anything().map(tried)), async (envelope) => {
        expect(await named(envelope)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

/** Any value that has an encoding; else none. */
function tried(value: unknown): Uint8Array {
  try {
    return encode(value)
  } catch {
    return new Uint8Array()
  }
}
