import * as v from 'valibot'
import { bytes, integer, list, rootId } from '../codec/fields.ts'
import type { Hash, PeerId, RootId } from '../codec/ids.ts'
import type { Verifier } from '../identity/ports.ts'
import {
  checkStatementNetwork,
  decodeStatement,
  type SigningOptions,
  signBody,
  verifyStatement,
} from '../identity/statement.ts'
import { verifyManifest } from '../tasks/manifest-schema.ts'
import { verifyReceipt } from '../tasks/receipt-codec.ts'
import { AttestationRefusedError } from './errors.ts'
import { type Fixed, ofPpm } from './fixed.ts'
import { ATTESTATION_BYTES_MAX, ATTESTATION_RECEIPTS_MAX, ATTESTATION_TTL_MS, TASKS_MIN } from './limits.ts'

const PPM = 1_000_000
/** A manifest travels with the receipts it covers; larger ones are not worth attesting by. */
const MANIFEST_BYTES_MAX = 16_384
const RECEIPT_BYTES_MAX = 2_048
/** Clocks of two honest peers; the same as for every statement. */
const AHEAD_MS_MAX = 2 * 60_000

/** What one peer says of another: the body of a statement of kind `trust-attestation`. Rule [T14]. */
export interface TrustAttestation {
  readonly subject: RootId
  readonly good: number
  readonly bad: number
  readonly scorePpm: number
  /** Receipts signed by the subject's devices, for jobs of the attester: the proof that they dealt with each other. */
  readonly receipts: readonly Uint8Array[]
  /** The signed manifests that those receipts are for. */
  readonly manifests: readonly Uint8Array[]
}

export const TRUST_ATTESTATION_KIND = 'trust-attestation'

const schema: v.GenericSchema<unknown, TrustAttestation> = v.strictObject({
  subject: rootId,
  good: integer(0, PPM),
  bad: integer(0, PPM),
  scorePpm: integer(0, PPM),
  receipts: list(bytes(1, RECEIPT_BYTES_MAX), 1, ATTESTATION_RECEIPTS_MAX),
  manifests: list(bytes(1, MANIFEST_BYTES_MAX), 1, ATTESTATION_RECEIPTS_MAX),
})

const KIND = {
  kind: TRUST_ATTESTATION_KIND,
  body: schema,
  limits: { bytesMax: ATTESTATION_BYTES_MAX, depthMax: 6, itemsMax: 100 },
} as const

/** An attestation that was checked, in the form in which it is counted. */
export interface HeardAttestation {
  readonly attester: RootId
  readonly subject: RootId
  readonly score: Fixed
  readonly good: number
  readonly bad: number
  readonly atMs: number
  /** A later one of the same attester about the same subject replaces it. */
  readonly seq: number
  /** As it travels, so that it can be passed on. */
  readonly bytes: Uint8Array
}

/** Signs what this peer found of another. */
export async function signTrustAttestation(body: TrustAttestation, options: SigningOptions): Promise<Uint8Array> {
  return (await signBody(KIND.kind, body, options)).bytes
}

export interface AttestationContext {
  readonly network: string
  readonly nowMs: number
  readonly verifier: Verifier
  /** The root a device is certified by; `null` when it is unknown. */
  rootOf(peer: PeerId): RootId | null
}

/**
 * Reads and checks an attestation, its receipts and its manifests. Rule [T14].
 *
 * @throws {@link AttestationRefusedError} Or an error of statements, saying which part is wrong.
 */
export async function verifyTrustAttestation(
  envelope: Uint8Array,
  context: AttestationContext,
): Promise<HeardAttestation> {
  const decoded = decodeStatement(envelope, KIND)
  const { statement } = decoded
  checkStatementNetwork(statement, context.network)
  const { author, timestampMs, seq, body } = statement
  const ageMs = context.nowMs - timestampMs
  if (ageMs > ATTESTATION_TTL_MS) throw refused('timestampMs', timestampMs, `at most ${ATTESTATION_TTL_MS} ms old`)
  if (ageMs < -AHEAD_MS_MAX) throw refused('timestampMs', timestampMs, `at most ${AHEAD_MS_MAX} ms ahead`)
  const attester = context.rootOf(author)
  if (attester === null) throw refused('author', author, 'a device whose root is known')
  if (attester === body.subject) throw refused('subject', body.subject, 'somebody else')
  if (body.good + body.bad < TASKS_MIN) {
    throw refused('good', body.good, `at least ${TASKS_MIN} tasks with the bad ones`)
  }
  await verifyStatement(decoded, context.verifier)
  await checkDealings(body, { ...context, attester })
  const { subject, good, bad } = body
  return { attester, subject, good, bad, score: ofPpm(body.scorePpm), atMs: timestampMs, seq, bytes: envelope }
}

/** Every receipt is of a unit of its own, by a device of the subject, for a job of the attester. */
async function checkDealings(
  body: TrustAttestation,
  context: AttestationContext & { readonly attester: RootId },
): Promise<void> {
  const { network, verifier, attester, rootOf } = context
  const jobs = new Set<Hash>()
  for (const bytes of body.manifests) {
    const { manifest, job } = await verifyManifest(bytes, { verifier, network })
    const requester = rootOf(manifest.requester)
    if (requester !== attester) throw refused('manifests', manifest.requester, 'jobs of the attester')
    jobs.add(job)
  }
  const units = new Set<string>()
  for (const bytes of body.receipts) {
    const { executor, receipt, network: stated } = await verifyReceipt(bytes, { verifier })
    if (stated !== network) throw refused('receipts', stated, `of network ${network}`)
    if (rootOf(executor) !== body.subject) throw refused('receipts', executor, 'by a device of the subject')
    if (!jobs.has(receipt.manifest)) throw refused('receipts', receipt.manifest, 'for one of the manifests')
    units.add(`${receipt.manifest}/${receipt.unit}`)
  }
  if (units.size !== body.receipts.length) throw refused('receipts', body.receipts.length, 'each for a unit of its own')
  if (units.size > body.good) throw refused('good', body.good, 'at least as many as receipts')
}

function refused(field: string, value: string | number, limit: string): AttestationRefusedError {
  return new AttestationRefusedError(`${TRUST_ATTESTATION_KIND}.${field} is ${value}, limit ${limit}`, {
    field: `${TRUST_ATTESTATION_KIND}.${field}`,
    value,
    limit,
  })
}
