import { ed25519 } from '@noble/curves/ed25519.js'
import { fromHex } from '../../src/core/codec/bytes.ts'
import { peerIdOf } from '../../src/core/identity/peer-id.ts'
import { PlatformVerifier } from '../../src/node/verifier.ts'
import type { SignatureCase } from '../../src/testing/vectors/ed25519-cases.ts'

/** What one engine says of every case, in the order of the cases. */
export interface SignatureVerdicts {
  readonly verdicts: readonly boolean[]
  /** By the platform alone; empty where it has no Ed25519. */
  readonly platform: readonly boolean[]
  readonly hasEd25519: boolean
}

/** WebKitGTK crashes the page over some keys, so it alone is not asked about those that the verifier keeps from it. */
const isWebkit = !navigator.userAgent.includes('Chrome') && navigator.userAgent.includes('AppleWebKit')

/** Asks the verifier, and the engine's own WebCrypto beside it, about every case. */
export async function verdictsOf(cases: readonly SignatureCase[]): Promise<SignatureVerdicts> {
  const verifier = new PlatformVerifier()
  const verdicts: boolean[] = []
  const platform: boolean[] = []
  const hasEd25519 = await canImport(cases)
  for (const { publicKey, message, signature } of cases) {
    const [key, bytes, signed] = [fromHex(publicKey), fromHex(message), fromHex(signature)]
    verdicts.push(await verifier.verify(peerIdOf(key), bytes, signed))
    if (!hasEd25519) continue
    platform.push(isWebkit && !isOrdinary(key) ? false : await platformVerdict(key, bytes, signed))
  }
  return { verdicts, platform, hasEd25519 }
}

/** By importing: WebKitGTK's own making of keys fails now and then. */
async function canImport(cases: readonly SignatureCase[]): Promise<boolean> {
  const key = fromHex(cases.find(({ group }) => group === 'good')?.publicKey ?? '')
  return await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']).then(
    () => true,
    () => false,
  )
}

function isOrdinary(key: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(key).isSmallOrder()
  } catch {
    return false
  }
}

async function platformVerdict(
  key: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify('Ed25519', imported, signature, bytes)
  } catch {
    return false
  }
}
