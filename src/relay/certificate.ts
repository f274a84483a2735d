// @peculiar/x509 describes its classes with decorators, which read this polyfill.
import 'reflect-metadata'
import { randomBytes, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { CERTIFICATE_DAYS, CERTIFICATE_RENEW_DAYS } from './limits.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

const DAY_MS = 24 * 60 * 60_000
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export interface TlsFiles {
  /** PEM. */
  readonly key: string
  /** PEM, the chain of the server's certificate. */
  readonly cert: string
  /** SHA-256 of the certificate as browsers show it: hex pairs with colons. */
  readonly fingerprint: string
  readonly selfSigned: boolean
}

/** The fingerprint a browser shows for the first certificate of a PEM chain. */
export function fingerprintOf(cert: string): string {
  return new X509Certificate(cert).fingerprint256
}

function covers(cert: string, hosts: readonly string[], now: number): boolean {
  const parsed = new X509Certificate(cert)
  if (Date.parse(parsed.validTo) - now < CERTIFICATE_RENEW_DAYS * DAY_MS) return false
  return hosts.every((host) => (isIP(host) !== 0 ? parsed.checkIP(host) : parsed.checkHost(host)) !== undefined)
}

async function makeCertificate(hosts: readonly string[], now: number): Promise<{ key: string; cert: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomBytes(16).toString('hex'),
      name: 'CN=Starling relay',
      // An hour back, for tabs on machines whose clocks are late.
      notBefore: new Date(now - 60 * 60_000),
      notAfter: new Date(now + CERTIFICATE_DAYS * DAY_MS),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          hosts.map((host) => ({ type: isIP(host) !== 0 ? ('ip' as const) : ('dns' as const), value: host })),
        ),
      ],
    },
    crypto,
  )
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { key: PemConverter.encode(pkcs8, 'PRIVATE KEY'), cert: certificate.toString('pem') }
}

/**
 * The relay's self-signed certificate, kept in `dataDir` (readable by the owner alone) so that a browser that was told to trust it once need
 * not be asked again. A new one is made when it ends within a month or does not name one of `hosts`.
 *
 * @param hosts - Names and IP addresses that must be in it.
 * @param now - Milliseconds since 1970.
 */
export async function selfSignedTls(dataDir: string | null, hosts: readonly string[], now: number): Promise<TlsFiles> {
  if (dataDir === null) {
    const made = await makeCertificate(hosts, now)
    return { ...made, fingerprint: fingerprintOf(made.cert), selfSigned: true }
  }
  const keyPath = join(dataDir, 'tls-key.pem')
  const certPath = join(dataDir, 'tls-cert.pem')
  const [key, cert] = [readPrivateFile(keyPath)?.toString(), readPrivateFile(certPath)?.toString()]
  if (key !== undefined && cert !== undefined && covers(cert, hosts, now)) {
    return { key, cert, fingerprint: fingerprintOf(cert), selfSigned: true }
  }
  const made = await makeCertificate(hosts, now)
  writePrivateFile(keyPath, made.key)
  writePrivateFile(certPath, made.cert)
  return { ...made, fingerprint: fingerprintOf(made.cert), selfSigned: true }
}
