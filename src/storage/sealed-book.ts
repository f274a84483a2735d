import type { SealedKey } from '../core/identity/backup.ts'
import { IV_BYTES } from '../core/identity/limits.ts'

/**
 * What a backup carries beside the key, sealed: a key of its own seals the bytes, and each unlocker seals that key. So a passkey that
 * was added long ago opens what is known today, without being asked when the file is made.
 */

/** What comes from our own decoders are views of plain memory. */
const cipher = (iv: Uint8Array, additionalData: Uint8Array<ArrayBuffer>) => ({
  name: 'AES-GCM',
  iv: iv as Uint8Array<ArrayBuffer>,
  additionalData,
})

const fresh = (): Uint8Array => crypto.getRandomValues(new Uint8Array(IV_BYTES))

/** @param raw - AES-256. */
async function imported(raw: Uint8Array): Promise<CryptoKey> {
  return await crypto.subtle.importKey('raw', raw as Uint8Array<ArrayBuffer>, 'AES-GCM', true, ['encrypt', 'decrypt'])
}

/** Seals a book's key for an unlocker. @param sealer - AES-GCM, may wrap. */
export async function sealBookKey(
  raw: Uint8Array,
  sealer: CryptoKey,
  context: Uint8Array<ArrayBuffer>,
): Promise<SealedKey> {
  const algorithm = cipher(fresh(), context)
  const sealed = await crypto.subtle.wrapKey('raw', await imported(raw), sealer, algorithm)
  return { iv: algorithm.iv, sealed: new Uint8Array(sealed) }
}

/** @returns The book's key, raw. Rejects when the opener or the context is another. */
export async function openBookKey(
  { iv, sealed }: SealedKey,
  opener: CryptoKey,
  context: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const algorithm = cipher(iv, context)
  const bytes = sealed as Uint8Array<ArrayBuffer>
  const key = await crypto.subtle.unwrapKey('raw', bytes, opener, algorithm, 'AES-GCM', true, ['decrypt'])
  return new Uint8Array(await crypto.subtle.exportKey('raw', key))
}

export async function sealBook(
  book: Uint8Array,
  raw: Uint8Array,
  context: Uint8Array<ArrayBuffer>,
): Promise<SealedKey> {
  const algorithm = cipher(fresh(), context)
  const sealed = await crypto.subtle.encrypt(algorithm, await imported(raw), book as Uint8Array<ArrayBuffer>)
  return { iv: algorithm.iv, sealed: new Uint8Array(sealed) }
}

/** Rejects when the key or the context is another, or a byte was changed. */
export async function openBook(
  { iv, sealed }: SealedKey,
  raw: Uint8Array,
  context: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const algorithm = cipher(iv, context)
  const bytes = sealed as Uint8Array<ArrayBuffer>
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, await imported(raw), bytes))
}
