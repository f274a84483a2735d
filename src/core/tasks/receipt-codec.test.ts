import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { NOW_MS, testJob, testManifest, testReceipt } from '../../testing/task-fixtures.ts'
import { toHex } from '../codec/bytes.ts'
import { StarlingError } from '../codec/errors.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Receipt } from './receipt.ts'
import { encodeReceiptBundle, signAttestation, signReceipt, verifyReceipt } from './receipt-codec.ts'
import { unitSeed } from './unit-data.ts'

const of = testJob()
const executor = testSigner(2)
const circumstances = { network: 'test', seq: 0, timestampMs: NOW_MS, nonce: new Uint8Array(16) }
const sign = (receipt: Receipt, signer = executor) => signReceipt(receipt, { ...circumstances, signer })
const options = { verifier: testVerifier, manifest: of.spec.manifest }

describe('verifyReceipt', () => {
  it('[R1] needs nothing but the bytes', async () => {
    const signed = await sign(testReceipt(of, 1))
    const {
      network,
      executor: author,
      receipt,
      attesters,
    } = await verifyReceipt(signed.bytes, { verifier: testVerifier })
    expect({ network, author, receipt, attesters }).toEqual({
      network: 'test',
      author: executor.author,
      receipt: testReceipt(of, 1),
      attesters: [],
    })
  })

  it('[R4] counts attestations of others, each once', async () => {
    const signed = await sign(testReceipt(of, 1))
    const attest = (index: number) =>
      signAttestation({ manifest: of.job, receipts: [signed.hash] }, { ...circumstances, signer: testSigner(index) })
    const attestations = (await Promise.all([attest(3), attest(4), attest(4)])).map(({ bytes }) => bytes)
    const bundle = encodeReceiptBundle({ receipt: signed.bytes, attestations })
    const { attesters } = await verifyReceipt(bundle, options)
    expect(attesters).toEqual([testSigner(3).author, testSigner(4).author])
  })

  it('[R4] refuses attestations of oneself, of other receipts and of other jobs', async () => {
    const signed = await sign(testReceipt(of, 1))
    const attest = (
      attestation: { manifest: typeof of.job; receipts: (typeof signed.hash)[] },
      signer = testSigner(3),
    ) => signAttestation(attestation, { ...circumstances, signer })
    const other = sha256Hex(new Uint8Array(1))
    const bad = [
      await attest({ manifest: of.job, receipts: [signed.hash] }, executor),
      await attest({ manifest: of.job, receipts: [other] }),
      await attest({ manifest: other as never, receipts: [signed.hash] }),
    ]
    for (const { bytes } of bad) {
      const bundle = encodeReceiptBundle({ receipt: signed.bytes, attestations: [bytes] })
      await expect(verifyReceipt(bundle, options)).rejects.toThrow(/attestation\.(author|receipts|manifest)/)
    }
  })

  it.each<[string, Partial<Receipt>]>([
    ['success', { success: false }],
    ['exitCode', { exitCode: -1, success: false }],
    ['exitCode', { trap: 'gas', success: false, exitCode: 0 }],
    ['costMicroUnits', { costMicroUnits: 12n }],
    ['costMicroUnits', { durationUs: 9_000_000 }],
    ['durationUs', { durationUs: 30_000_001 }],
    ['gas', { gas: 10n ** 12n + 1n }],
    ['memoryBytesPeak', { memoryBytesPeak: 2 ** 27 + 1 }],
    ['manifest', { manifest: sha256Hex(new Uint8Array(1)) }],
  ])('[R2] [R3] refuses a receipt whose %s contradicts itself or its manifest', async (field, change) => {
    const signed = await sign({ ...testReceipt(of, 1), ...change })
    await expect(verifyReceipt(signed.bytes, options)).rejects.toThrow(`receipt.${field}`)
  })

  it('[R3] refuses a receipt under other terms than it was made under', async () => {
    const signed = await sign(testReceipt(of, 1))
    await expect(verifyReceipt(signed.bytes, { ...options, manifest: testManifest({ priority: 1 }) })).rejects.toThrow(
      'receipt.manifest',
    )
  })

  it('[R1] refuses every change and all random bytes only with named errors', { timeout: 60_000 }, async () => {
    const { bytes } = await sign(testReceipt(of, 1))
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const changed = bytes.slice()
        for (const [at, byte] of changes) changed[at] = byte
        if (changed.every((byte, i) => byte === bytes[i])) return
        await expect(verifyReceipt(changed, options)).rejects.toBeInstanceOf(StarlingError)
      }),
      { numRuns: 300 },
    )
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (random) => {
        await expect(verifyReceipt(random, options)).rejects.toBeInstanceOf(StarlingError)
      }),
    )
  })
})

describe('unitSeed', () => {
  it('[U4] differs for every job and unit, and is pinned', () => {
    const seeds = [unitSeed(of.job, 0), unitSeed(of.job, 1), unitSeed(testJob({ priority: 1 }).job, 0)].map(sha256Hex)
    expect(new Set(seeds).size).toBe(3)
    // `(printf 'starling/unit-seed/1'; head -c 32 /dev/zero; printf '\0\0\0\0\0\0\0\7') | sha256sum`
    const pinned = '10878e5a8d9da3f167bcacb3c7818a922ea109e489f819330c326c9041006c01'
    expect(toHex(unitSeed('0'.repeat(64) as never, 7))).toBe(pinned)
  })
})
