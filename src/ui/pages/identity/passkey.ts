import type { PasskeyUnlocker } from '../../../node/identity-contract.ts'

/** What the authenticator's secret is made from; a domain of its own, so that the key serves nothing else. */
const PRF_INPUT = new TextEncoder().encode('starling/root-key-unlocker/1')
const KEY_INFO = new TextEncoder().encode('AES-GCM-256')
const RP_NAME = 'Starling'
const CHALLENGE_BYTES = 32
const USER_ID_BYTES = 16
const TIMEOUT_MS = 120_000

/** Passkeys that the specification names, by their COSE number: Ed25519, ECDSA P-256, RSA. The key itself is never used here. */
const ALGORITHMS = [-8, -7, -257] as const

/** The passkey could not be used; the message says why and what else there is. */
export class PasskeyError extends Error {
  override readonly name = 'PasskeyError'
}

/** Whether this page may use passkeys at all: they need a secure context and a host name. */
export function passkeysPossible(): boolean {
  return globalThis.isSecureContext && 'credentials' in navigator && 'PublicKeyCredential' in globalThis
}

/**
 * Makes a passkey whose secret seals the root key.
 *
 * @param label - What the system's own list of passkeys shows.
 * @throws {@link PasskeyError}
 */
export async function createPasskey(label: string): Promise<PasskeyUnlocker> {
  const credential = await ask(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { name: RP_NAME },
        user: { id: randomBytes(USER_ID_BYTES), name: label, displayName: label },
        challenge: randomBytes(CHALLENGE_BYTES),
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        timeout: TIMEOUT_MS,
        extensions: { prf: { eval: { first: PRF_INPUT } } },
      },
    }),
  )
  // Some authenticators give the secret only when the passkey is used the first time.
  const secret = secretOf(credential)
  if (secret === null && credential.getClientExtensionResults().prf?.enabled !== true) throw withoutSecret()
  if (secret === null) return { ...(await askPasskey(new Uint8Array(credential.rawId))), label }
  return { credentialId: new Uint8Array(credential.rawId), label, key: await keyOf(secret) }
}

/**
 * Uses a passkey of this page.
 *
 * @param credentialId - Which one; without, the person chooses.
 * @throws {@link PasskeyError}
 */
export async function askPasskey(credentialId?: Uint8Array<ArrayBuffer>): Promise<PasskeyUnlocker> {
  const credential = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: randomBytes(CHALLENGE_BYTES),
        userVerification: 'required',
        timeout: TIMEOUT_MS,
        allowCredentials: credentialId === undefined ? [] : [{ type: 'public-key', id: credentialId }],
        extensions: { prf: { eval: { first: PRF_INPUT } } },
      },
    }),
  )
  const secret = secretOf(credential)
  if (secret === null) throw withoutSecret()
  return { credentialId: new Uint8Array(credential.rawId), label: 'Passkey', key: await keyOf(secret) }
}

async function ask(question: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!passkeysPossible()) {
    throw new PasskeyError(
      'This page may not use passkeys: they need https and a host name. A backup file works here too',
    )
  }
  try {
    const credential = await question()
    if (credential === null) throw new PasskeyError('No passkey was chosen')
    // Asked for a public key, the browser gives nothing else.
    return credential as PublicKeyCredential
  } catch (error) {
    if (error instanceof PasskeyError) throw error
    const name = error instanceof Error ? error.name : ''
    if (name === 'NotAllowedError') throw new PasskeyError('No passkey was used: it was cancelled, or took too long')
    throw new PasskeyError(`The passkey did not work: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function withoutSecret(): PasskeyError {
  return new PasskeyError('This passkey cannot keep a key (it has no PRF). Use another one, or a backup file')
}

/** A copy of the authenticator's secret; the browser's own is out of reach. */
function secretOf(credential: PublicKeyCredential): Uint8Array<ArrayBuffer> | null {
  const first = credential.getClientExtensionResults().prf?.results?.first
  if (first === undefined) return null
  return first instanceof ArrayBuffer ? new Uint8Array(first) : new Uint8Array(first.buffer as ArrayBuffer)
}

/** The key that seals, made from the secret; it cannot be read, and the secret is overwritten. Source: RFC 5869. */
async function keyOf(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  try {
    const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
    const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: KEY_INFO }
    const algorithm = { name: 'AES-GCM', length: 256 }
    return await crypto.subtle.deriveKey(derivation, base, algorithm, false, ['wrapKey', 'unwrapKey'])
  } finally {
    secret.fill(0)
  }
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length))
}
