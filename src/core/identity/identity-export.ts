import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, list } from '../codec/fields.ts'
import { type Certificate, decodeCertificate } from './certificate.ts'
import { BACKUP_BYTES_MAX, CERTIFICATE_BYTES_MAX, DEVICES_MAX, LINEAGE_BYTES_MAX } from './limits.ts'
import { decodeLineage, type VerifiedLineage, verifyLineage } from './lineage.ts'
import type { Verifier } from './ports.ts'
import { verifyStatement } from './statement.ts'

const MAGIC = 'starling-identity'
const LIMITS = { bytesMax: BACKUP_BYTES_MAX, depthMax: 2, itemsMax: 128 }

const schema = v.strictObject({
  magic: v.literal(MAGIC),
  version: v.literal(1),
  lineage: bytes(1, LINEAGE_BYTES_MAX),
  certificates: list(bytes(1, CERTIFICATE_BYTES_MAX), 0, DEVICES_MAX),
})

/** The public part of an identity, as a file: every part of it is signed, so anyone can check it without asking anyone. */
export function encodeIdentityExport(parts: {
  readonly lineage: Uint8Array
  readonly certificates: readonly Uint8Array[]
}): Uint8Array {
  return encode({ magic: MAGIC, version: 1, lineage: parts.lineage, certificates: parts.certificates })
}

/**
 * Reads and verifies the public part of an identity. Whether certificates hold today is another question.
 *
 * @throws `InvalidMessageError`, `LimitExceededError`, `InvalidLineageError` or `BadSignatureError`
 */
export async function readIdentityExport(
  file: Uint8Array,
  verifier: Verifier,
): Promise<{ readonly lineage: VerifiedLineage; readonly certificates: readonly Certificate[] }> {
  const parts = decode(file, { what: 'identity export', limits: LIMITS, schema })
  const lineage = await verifyLineage(decodeLineage(parts.lineage), verifier)
  const certificates = parts.certificates.map(decodeCertificate)
  for (const certificate of certificates) await verifyStatement(certificate, verifier)
  return { lineage, certificates }
}
