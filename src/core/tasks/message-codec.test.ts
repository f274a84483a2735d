import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { outcomeOf } from '../../testing/sim/truth.ts'
import { NOW_MS, testJob, testReceipt } from '../../testing/task-fixtures.ts'
import { StarlingError } from '../codec/errors.ts'
import * as limits from './limits.ts'
import {
  decodeGossipedOffer,
  decodeTaskMessage,
  encodeTaskMessage,
  isFromExecutor,
  isFromRequester,
  verifyTaskMessage,
} from './message-codec.ts'
import type { TaskMessage } from './messages.ts'
import { signAttestation, signReceipt } from './receipt-codec.ts'

const of = testJob()
const { job } = of
const executor = testSigner(2)
const circumstances = { network: 'test', seq: 0, timestampMs: NOW_MS, nonce: new Uint8Array(16), signer: executor }
const receipt = await signReceipt(testReceipt(of, 1), circumstances)
const attestation = await signAttestation({ manifest: job, receipts: [receipt.hash] }, circumstances)
const outcome = outcomeOf(job, 1).encoded
const { abi, payment, resources, serviceLevel, priority, validUntilMs, module } = of.spec.manifest
const offer = {
  job,
  manifestCid: of.spec.manifestCid,
  moduleCid: module,
  unitsLeft: 3,
  abi,
  payment,
  resources,
  serviceLevel,
  priority,
  validUntilMs,
}
const lease = { unit: 1, attempt: 1, inputHash: receipt.receipt.inputHash, inputBytes: 3, input: new Uint8Array(3) }
const leaseMessage = { type: 'lease', job, session: 5, grant: 1, deadlineMs: 100_000, leases: [lease] } as const

const SAMPLES: readonly TaskMessage[] = [
  { type: 'offer', offers: [offer] },
  leaseMessage,
  { type: 'ack', job, units: [1, 2] },
  { type: 'cancel', job, units: [] },
  { type: 'countersign', job, receipts: [receipt] },
  {
    type: 'bid',
    jobs: [job],
    slots: 8,
    workers: 4,
    gasPerSecond: 10 ** 9,
    session: 5,
    grant: 1,
    held: [{ job, queued: [3], running: [2], done: [1] }],
  },
  { type: 'results', job, results: [{ receipt, outcome }] },
  { type: 'release', job, releases: [{ unit: 1, reason: 'wall-limit' }] },
  { type: 'attestation', job, attestation },
]

const refused = (bytes: Uint8Array): boolean => {
  try {
    decodeTaskMessage(bytes)
    return false
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error
    return true
  }
}

describe('decodeTaskMessage', () => {
  it.each(SAMPLES.map((message) => [message.type, message] as const))(
    '[T1] reads %s as it was written',
    (_, message) => {
      const decoded = decodeTaskMessage(encodeTaskMessage(message))
      expect(decoded.message).toEqual(message)
      expect(isFromRequester(message)).toBe(!isFromExecutor(message))
    },
  )

  it('[T1] refuses random and changed bytes only with named errors', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void refused(bytes)),
      { numRuns: 1_000 },
    )
    for (const sample of SAMPLES) {
      const bytes = encodeTaskMessage(sample)
      const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      const edited = edits.map((changes) => {
        const changed = bytes.slice()
        for (const [at, byte] of changes) changed[at] = byte
        return changed
      })
      fc.assert(
        fc.property(edited, (changed) => void refused(changed)),
        { numRuns: 200 },
      )
      fc.assert(fc.property(fc.nat(bytes.length - 1), (length) => refused(bytes.subarray(0, length))))
    }
  })

  it.each<[string, object]>([
    ['leases', { ...leaseMessage, leases: Array(limits.LEASES_PER_MESSAGE_MAX + 1).fill(lease) }],
    [
      'leases.0.input',
      { ...leaseMessage, leases: [{ ...lease, input: new Uint8Array(limits.INLINE_INPUT_BYTES_MAX + 1) }] },
    ],
    ['leases.0.unit', { ...leaseMessage, leases: [{ ...lease, unit: limits.UNITS_MAX }] }],
    ['units', { type: 'ack', job, units: Array(limits.UNITS_PER_MESSAGE_MAX + 1).fill(0) }],
    ['offers', { type: 'offer', offers: Array(limits.OFFERS_PER_MESSAGE_MAX + 1).fill(offer) }],
    ['slots', { ...SAMPLES[5], slots: limits.SLOTS_MAX + 1 }],
    ['workers', { ...SAMPLES[5], workers: limits.WORKERS_MAX + 1 }],
    ['releases.0.reason', { type: 'release', job, releases: [{ unit: 1, reason: 'mood' }] }],
    ['type', { type: 'gift' }],
  ])('[T1] names %s when it is beyond its limit', (field, message) => {
    try {
      // Written as if it were good: this is what a hostile peer does.
      decodeTaskMessage(encodeTaskMessage(message as TaskMessage))
    } catch (error) {
      if (!(error instanceof StarlingError)) throw error
      expect(error.details.field).toBe(`message.${field}`)
      return
    }
    expect.fail('It was taken')
  })

  it('[T1] takes nothing but offers from gossip', () => {
    expect(decodeGossipedOffer(encodeTaskMessage({ type: 'offer', offers: [offer] })).type).toBe('offer')
    expect(() => decodeGossipedOffer(encodeTaskMessage({ type: 'ack', job, units: [] }))).toThrow(
      'message.type is ack, limit offer',
    )
    expect(() => decodeGossipedOffer(new Uint8Array(65_537))).toThrow('limit 65536')
  })

  it('a full offer message fits into gossip', () => {
    const full = encodeTaskMessage({ type: 'offer', offers: Array(limits.OFFERS_PER_MESSAGE_MAX).fill(offer) })
    expect(full.length).toBeLessThan(16 * 1024)
  })
})

describe('verifyTaskMessage', () => {
  const options = { from: executor.author, network: 'test', verifier: testVerifier }
  const verify = (message: TaskMessage, change: Partial<typeof options> = {}) =>
    verifyTaskMessage(decodeTaskMessage(encodeTaskMessage(message)), { ...options, ...change })

  it('[T2] takes what its sender signed', async () => {
    for (const message of SAMPLES) await verify(message)
  })

  it('[T2] refuses what is not the sender’s, the job’s, the network’s or the outcome’s', async () => {
    const results = { type: 'results', job, results: [{ receipt, outcome }] } as const
    await expect(verify(results, { from: testSigner(3).author })).rejects.toThrow('message.results.receipt.author')
    await expect(verify({ ...results, job: testJob({ priority: 1 }).job })).rejects.toThrow(
      'message.results.receipt.manifest',
    )
    await expect(verify({ ...results, results: [{ receipt, outcome: new Uint8Array(1) }] })).rejects.toThrow(
      'message.results.outcome',
    )
    await expect(verify(results, { network: 'other' })).rejects.toThrow('receipt.network')
    await expect(verify({ type: 'attestation', job, attestation }, { from: testSigner(3).author })).rejects.toThrow(
      'attestation.author',
    )
  })

  it('[T2] refuses a forged signature', async () => {
    const forger = { author: executor.author, sign: async () => new Uint8Array(64) }
    const forged = await signReceipt(testReceipt(of, 1), { ...circumstances, signer: forger })
    const message = { type: 'results', job, results: [{ receipt: forged, outcome }] } as const
    await expect(verify(message)).rejects.toThrow('Signature of the receipt')
  })
})
