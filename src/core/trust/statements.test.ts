import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { NOW_MS } from '../../testing/task-fixtures.ts'
import {
  attestationBy,
  conflictBy,
  receiptBy,
  rootOfDevice,
  signedJob,
  TRUST_NETWORK,
} from '../../testing/trust-fixtures.ts'
import { type AttestationContext, verifyTrustAttestation } from './attestation.ts'
import { signConflict, verifyConflict } from './conflict.ts'
import { toPpm } from './fixed.ts'
import { ATTESTATION_RECEIPTS_MAX, ATTESTATION_TTL_MS, TASKS_MIN } from './limits.ts'

const [A, B, C, D] = [testSigner(1), testSigner(2), testSigner(3), testSigner(4)] as const

const context: AttestationContext = {
  network: TRUST_NETWORK,
  nowMs: NOW_MS,
  verifier: testVerifier,
  rootOf: rootOfDevice,
}

describe('verifyTrustAttestation', () => {
  it('[T14] takes what rests on receipts of the subject for jobs of the attester', async () => {
    const heard = await verifyTrustAttestation(await attestationBy(A, B), context)
    expect(heard).toMatchObject({ attester: A.author, subject: B.author, good: 20, bad: 0 })
    expect(toPpm(heard.score)).toBeCloseTo(800_000, -2)
  })

  it('[T14] holds its age and its number of tasks to the limit and one beyond', async () => {
    const old = await attestationBy(A, B, { timestampMs: NOW_MS - ATTESTATION_TTL_MS })
    await expect(verifyTrustAttestation(old, context)).resolves.toBeDefined()
    await expect(verifyTrustAttestation(old, { ...context, nowMs: NOW_MS + 1 })).rejects.toThrow('timestampMs')
    const ahead = await attestationBy(A, B, { timestampMs: NOW_MS + 120_000 })
    await expect(verifyTrustAttestation(ahead, context)).resolves.toBeDefined()
    await expect(verifyTrustAttestation(ahead, { ...context, nowMs: NOW_MS - 1 })).rejects.toThrow('timestampMs')
    const few = (good: number) => attestationBy(A, B, { good, bad: 0 })
    await expect(verifyTrustAttestation(await few(TASKS_MIN), context)).resolves.toBeDefined()
    await expect(verifyTrustAttestation(await few(TASKS_MIN - 1), context)).rejects.toThrow('tasks')
  })

  it('[T14] refuses by name what is forged, of itself, without dealing, of another network or of nobody known', async () => {
    const { of, manifest } = await signedJob(A)
    const foreign = await signedJob(C)
    const ofC = await receiptBy(C, of, 0)
    const ofB = await receiptBy(B, of, 1)
    const forged = (await attestationBy(A, B)).slice()
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1
    const cases: readonly (readonly [string, Promise<Uint8Array>, RegExp])[] = [
      ['forged', Promise.resolve(forged), /Signature|not by|signature/],
      ['of itself', attestationBy(A, A), /somebody else/],
      ['another network', attestationBy(A, B, { network: 'elsewhere' }), /network/],
      [
        'a receipt of somebody else',
        attestationBy(A, B, { receipts: [ofC.bytes], manifests: [manifest] }),
        /device of the/,
      ],
      ['a job of somebody else', attestationBy(A, B, { manifests: [foreign.manifest] }), /jobs of the attester/],
      [
        'no manifest for the receipt',
        attestationBy(A, D, { receipts: [ofB.bytes] }),
        /device of the subject|manifests/,
      ],
      [
        'one unit twice',
        attestationBy(A, B, { receipts: [ofB.bytes, ofB.bytes], manifests: [manifest] }),
        /unit of its own/,
      ],
      ['more receipts than good tasks', attestationBy(A, B, { good: 0, bad: 30 }), /at least as many/],
      [
        'too many receipts',
        attestationBy(A, B, { receipts: Array(ATTESTATION_RECEIPTS_MAX + 1).fill(ofB.bytes), manifests: [manifest] }),
        /receipts/,
      ],
      ['without a receipt', attestationBy(A, B, { receipts: [] }), /receipts/],
    ]
    for (const [what, bytes, why] of cases) {
      await expect(verifyTrustAttestation(await bytes, context), what).rejects.toThrow(why)
    }
    const unknown = { ...context, rootOf: () => null }
    await expect(verifyTrustAttestation(await attestationBy(A, B), unknown)).rejects.toThrow('root is known')
  })
})

describe('verifyConflict', () => {
  const options = { network: TRUST_NETWORK, verifier: testVerifier }

  it('[T22] takes two receipts of one unit that contradict each other, and knows equivocation', async () => {
    const shown = await conflictBy(A, { accused: B, witness: C, accusedLies: true })
    const checked = await verifyConflict(shown.bytes, options)
    expect(checked).toMatchObject({ author: A.author, equivocation: false })
    expect([checked.accused.executor, checked.witness.executor]).toEqual([B.author, C.author])
    const twice = await conflictBy(A, { accused: B, witness: B, accusedLies: true })
    expect((await verifyConflict(twice.bytes, options)).equivocation).toBe(true)
  })

  it('[T22] refuses what is no contradiction, of different units, or shown by another than the requester', async () => {
    const { of, manifest } = await signedJob(A)
    const bytes = async (unit: number, lie = '') => (await receiptBy(B, of, unit, lie)).bytes
    const sign = async (body: { accused: Uint8Array; witness: Uint8Array }, signer = A) =>
      signConflict(
        { ...body, manifest, input: null },
        { network: TRUST_NETWORK, seq: 1, timestampMs: NOW_MS, nonce: new Uint8Array(16), signer },
      )
    const cases = [
      [await sign({ accused: await bytes(0), witness: await bytes(0) }), /another outcome/],
      [await sign({ accused: await bytes(0, 'lie'), witness: await bytes(1) }), /same unit/],
      [await sign({ accused: await bytes(0, 'lie'), witness: await bytes(0) }, C), /the requester/],
    ] as const
    for (const [conflict, why] of cases) await expect(verifyConflict(conflict, options)).rejects.toThrow(why)
    const foreign = { ...options, network: 'elsewhere' }
    const good = await conflictBy(A, { accused: B, witness: C, accusedLies: true })
    await expect(verifyConflict(good.bytes, foreign)).rejects.toThrow(/network/)
  })
})
