import { expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { type CertificateBody, decodeCertificate, signCertificate, verifyCertificate } from './certificate.ts'
import {
  CERTIFICATE_LIFETIME_MAX_MS,
  CERTIFICATE_LIFETIME_MS,
  DEVICE_NAME_CHARS_MAX,
  TIMESTAMP_WINDOW_MS,
} from './limits.ts'
import { extendLineage, newLineage } from './lineage.ts'
import { resolveLineage } from './resolve-lineage.ts'
import { signDeviceRevocation, signRevocation } from './revocation.ts'
import { rootIdOf } from './root.ts'

// Tests for docs/PROTOCOL.md, [I3].

const NOW_MS = Date.UTC(2027, 0, 1)
const rootKey = testSigner(0)
const device = testSigner(1).author
const root = rootIdOf(rootKey.author)
const nonce = new Uint8Array(16)
const terms: CertificateBody = {
  root,
  device,
  name: 'Laptop',
  issuedAtMs: NOW_MS,
  expiresAtMs: NOW_MS + CERTIFICATE_LIFETIME_MS,
}
const lineage = newLineage(root)

const sign = (change: Partial<CertificateBody> = {}, network = 'a-room', signer = rootKey) =>
  signCertificate({ ...terms, ...change }, { network, seq: 1, nonce }, signer)

async function verdict(
  certificate: Awaited<ReturnType<typeof sign>>,
  { nowMs = NOW_MS, known = lineage } = {},
): Promise<string> {
  const context = { network: 'a-room', device, lineage: resolveLineage(known, nowMs), nowMs, verifier: testVerifier }
  return await verifyCertificate(decodeCertificate(certificate.bytes), context).then(
    () => 'valid',
    (error: Error) => error.name,
  )
}

it('[I3] a certificate holds from its issue, less the window, until its end', async () => {
  const certificate = await sign()
  expect(await verdict(certificate, { nowMs: NOW_MS - TIMESTAMP_WINDOW_MS })).toBe('valid')
  expect(await verdict(certificate, { nowMs: NOW_MS - TIMESTAMP_WINDOW_MS - 1 })).toBe('InvalidCertificateError')
  expect(await verdict(certificate, { nowMs: terms.expiresAtMs - 1 })).toBe('valid')
  expect(await verdict(certificate, { nowMs: terms.expiresAtMs })).toBe('InvalidCertificateError')
})

it('[I3] a certificate may claim to hold for so long and no longer', async () => {
  expect(await verdict(await sign({ expiresAtMs: NOW_MS + CERTIFICATE_LIFETIME_MAX_MS }))).toBe('valid')
  expect(await verdict(await sign({ expiresAtMs: NOW_MS + CERTIFICATE_LIFETIME_MAX_MS + 1 }))).toBe(
    'InvalidCertificateError',
  )
})

it('[I3] refuses certificates of another network, device, identity and key, and forged ones', async () => {
  expect(await verdict(await sign({}, 'another-room'))).toBe('ForeignStatementError')
  expect(await verdict(await sign({}, '*'))).toBe('ForeignStatementError')
  expect(await verdict(await sign({ device: testSigner(2).author }))).toBe('InvalidCertificateError')
  expect(await verdict(await sign({ root: rootIdOf(testSigner(3).author) }))).toBe('InvalidCertificateError')
  expect(await verdict(await sign({}, 'a-room', testSigner(4)))).toBe('InvalidCertificateError')
  const forger = { author: rootKey.author, sign: testSigner(4).sign }
  expect(await verdict(await sign({}, 'a-room', forger))).toBe('BadSignatureError')
})

it('[I3] refuses certificates of a revoked identity', async () => {
  const revocation = await signRevocation(root, { timestampMs: NOW_MS, nonce }, rootKey)
  const known = extendLineage(lineage, { revocations: [revocation] })
  expect(await verdict(await sign(), { known })).toBe('IdentityRevokedError')
})

it('[I7] refuses certificates up to the revocation of the device, and takes later ones', async () => {
  const body = { root, device, issuedMsMax: NOW_MS }
  const revocation = await signDeviceRevocation(body, { timestampMs: NOW_MS, nonce }, rootKey)
  const known = extendLineage(lineage, { deviceRevocations: [revocation] })
  expect(await verdict(await sign(), { known })).toBe('InvalidCertificateError')
  expect(await verdict(await sign({ issuedAtMs: NOW_MS + 1 }), { known })).toBe('valid')
})

it('decodeCertificate takes names up to the limit and refuses longer ones and oversized statements', async () => {
  const name = 'n'.repeat(DEVICE_NAME_CHARS_MAX)
  expect(decodeCertificate((await sign({ name })).bytes).statement.body.name).toBe(name)
  const long = await sign({ name: `${name}n` })
  expect(() => decodeCertificate(long.bytes)).toThrow(expect.objectContaining({ name: 'InvalidMessageError' }))
  const huge = await sign({ name: 'n'.repeat(4_096) })
  expect(() => decodeCertificate(huge.bytes)).toThrow(expect.objectContaining({ name: 'LimitExceededError' }))
})
