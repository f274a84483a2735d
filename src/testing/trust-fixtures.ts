import type { PeerId, RootId } from '../core/codec/ids.ts'
import type { Signer } from '../core/identity/ports.ts'
import { signManifest } from '../core/tasks/manifest-schema.ts'
import type { SignedReceipt } from '../core/tasks/receipt.ts'
import { signReceipt } from '../core/tasks/receipt-codec.ts'
import { signTrustAttestation, type TrustAttestation } from '../core/trust/attestation.ts'
import { signConflict } from '../core/trust/conflict.ts'
import { NOW_MS, type TestJob, testJob, testReceipt } from './task-fixtures.ts'

export const TRUST_NETWORK = 'trust-test'
const nonce = new Uint8Array(16)
const circumstances = { network: TRUST_NETWORK, seq: 1, timestampMs: NOW_MS, nonce }

/** In tests a device is its own root. */
export const rootOfDevice = (peer: PeerId): RootId => peer as string as RootId

/** A job that a signer asked for, with its manifest as it travels. */
export async function signedJob(requester: Signer): Promise<{ readonly of: TestJob; readonly manifest: Uint8Array }> {
  const of = testJob({ requester: requester.author })
  const signed = await signManifest(of.spec.manifest, { ...circumstances, signer: requester })
  return { of, manifest: signed.bytes }
}

/** A receipt really signed; `lie` states another outcome. */
export function receiptBy(signer: Signer, of: TestJob, unit: number, lie = ''): Promise<SignedReceipt> {
  return signReceipt(testReceipt(of, unit, lie), { ...circumstances, signer })
}

/** An attestation of one by another, with a receipt behind it; `change` makes it wrong. */
export async function attestationBy(
  attester: Signer,
  subject: Signer,
  change: Partial<TrustAttestation> & { readonly timestampMs?: number; readonly network?: string } = {},
): Promise<Uint8Array> {
  const { timestampMs = NOW_MS, network = TRUST_NETWORK, ...body } = change
  const { of, manifest } = await signedJob(attester)
  const receipt = await receiptBy(subject, of, 0)
  const whole = {
    subject: rootOfDevice(subject.author),
    good: 20,
    bad: 0,
    scorePpm: 800_000,
    receipts: [receipt.bytes],
    manifests: [manifest],
    ...body,
  }
  return signTrustAttestation(whole, { ...circumstances, network, timestampMs, signer: attester })
}

/** A conflict shown by a requester between two receipts of one unit of its job. */
export async function conflictBy(
  requester: Signer,
  parties: { readonly accused: Signer; readonly witness: Signer; readonly accusedLies: boolean },
): Promise<{ readonly bytes: Uint8Array; readonly of: TestJob }> {
  const { of, manifest } = await signedJob(requester)
  const { accused, witness, accusedLies } = parties
  const body = {
    accused: (await receiptBy(accused, of, 0, accusedLies ? 'a lie' : '')).bytes,
    witness: (await receiptBy(witness, of, 0, accusedLies ? '' : 'a lie')).bytes,
    manifest,
    input: null,
  }
  return { bytes: await signConflict(body, { ...circumstances, signer: requester }), of }
}
