import * as v from 'valibot'
import { integer, peerId, rootId, text } from '../codec/fields.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { InvalidCertificateError } from './errors.ts'
import {
  CERTIFICATE_BYTES_MAX,
  CERTIFICATE_LIFETIME_MAX_MS,
  DEVICE_NAME_CHARS_MAX,
  TIMESTAMP_WINDOW_MS,
} from './limits.ts'
import type { Signer, Verifier } from './ports.ts'
import { checkLineageState, type ResolvedLineage } from './resolve-lineage.ts'
import {
  checkStatementNetwork,
  type DecodedStatement,
  decodeStatement,
  signStatement,
  verifyStatement,
} from './statement.ts'

/** Says that a device belongs to an identity, in one network, for a time. Rule [I3]. */
export interface CertificateBody {
  readonly root: RootId
  readonly device: PeerId
  /** What the owner calls the device. */
  readonly name: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** The statement's `seq` counts the certificates of the device, its author is the root key that was in force. */
export type Certificate = DecodedStatement<CertificateBody>

const KIND = 'device-certificate'
const LIMITS = { bytesMax: CERTIFICATE_BYTES_MAX, depthMax: 3, itemsMax: 40 }

const body: v.GenericSchema<unknown, CertificateBody> = v.strictObject({
  root: rootId,
  device: peerId,
  name: text(1, DEVICE_NAME_CHARS_MAX),
  issuedAtMs: integer(0, Number.MAX_SAFE_INTEGER),
  expiresAtMs: integer(0, Number.MAX_SAFE_INTEGER),
})

export function signCertificate(
  terms: CertificateBody,
  stamp: { readonly network: string; readonly seq: number; readonly nonce: Uint8Array },
  root: Signer,
): Promise<Certificate> {
  return signStatement({ ...stamp, kind: KIND, timestampMs: terms.issuedAtMs, body: terms }, root)
}

/** @throws `InvalidMessageError` or `LimitExceededError` Naming the field. */
export function decodeCertificate(envelope: Uint8Array): Certificate {
  return decodeStatement(envelope, { kind: KIND, body, limits: LIMITS })
}

export interface CertificateContext {
  readonly network: string
  /** Whose it must be: the peer at the other end of the link, whose key the transport proved. */
  readonly device: PeerId
  readonly lineage: ResolvedLineage
  readonly nowMs: number
}

/**
 * Decides whether a certificate makes its device one of the identity now. What costs nothing is checked before the signature.
 *
 * @throws `ForeignStatementError` Of another network.
 * @throws `IdentityRevokedError` or `IdentityConflictedError` When no key of the identity counts.
 * @throws {@link InvalidCertificateError} Of another device or identity, by a key that does not count, future, expired, revoked.
 * @throws `BadSignatureError` When the key did not sign it.
 */
export async function verifyCertificate(
  certificate: Certificate,
  context: CertificateContext & { readonly verifier: Verifier },
): Promise<void> {
  checkCertificate(certificate, context)
  await verifyStatement(certificate, context.verifier)
}

/** All of {@link verifyCertificate} but the signature, which stays good once it was verified. */
export function checkCertificate(certificate: Certificate, context: CertificateContext): void {
  const { statement } = certificate
  const { root, device, issuedAtMs, expiresAtMs } = statement.body
  const { lineage, nowMs } = context
  checkStatementNetwork(statement, context.network)
  if (root !== lineage.root) refuse('root', root, lineage.root)
  if (device !== context.device) refuse('device', device, context.device)
  checkLineageState(lineage)
  if (!lineage.keys.has(statement.author)) refuse('author', statement.author, 'a key of the identity that counts')
  if (issuedAtMs > nowMs + TIMESTAMP_WINDOW_MS) refuse('issuedAtMs', issuedAtMs, nowMs + TIMESTAMP_WINDOW_MS)
  if (expiresAtMs - issuedAtMs > CERTIFICATE_LIFETIME_MAX_MS) {
    refuse('expiresAtMs', expiresAtMs, issuedAtMs + CERTIFICATE_LIFETIME_MAX_MS)
  }
  if (expiresAtMs <= nowMs) refuse('expiresAtMs', expiresAtMs, nowMs)
  const revokedUntilMs = lineage.revokedDevices.get(device)
  if (revokedUntilMs !== undefined && issuedAtMs <= revokedUntilMs) refuse('issuedAtMs', issuedAtMs, 'the revocation')
}

function refuse(field: string, value: string | number, limit: string | number): never {
  throw new InvalidCertificateError(`certificate.${field} is ${value}, limit ${limit}`, {
    field: `certificate.${field}`,
    value,
    limit,
  })
}
