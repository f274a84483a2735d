import { ed25519 } from '@noble/curves/ed25519.js'
import { toHex } from '../core/codec/bytes.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { publicKeyOf } from '../core/identity/peer-id.ts'
import type { Verifier } from '../core/identity/ports.ts'

/** Keys kept imported: importing costs about as much as verifying. */
const KEYS_MAX = 1_024

/** Roots of batches are shorter than this, single statements longer. */
const REMEMBERED_BYTES_MAX = 64

/** Verdicts remembered: the batches of all executors that a requester hears within some seconds. */
const VERDICTS_MAX = 512

/** ArrayBuffer-backed view for WebCrypto, which takes no SharedArrayBuffer; copied only when it has to be. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

/**
 * Verifies Ed25519 signatures with the same verdict on every engine: what WebCrypto accepts is accepted, and where it refuses, cannot
 * import the key, or has no Ed25519, ZIP215 decides (https://zips.z.cash/zip-0215). WebCrypto's rules differ between engines but were
 * never seen to accept what ZIP215 refuses, so the verdict is ZIP215's, at WebCrypto's speed for signatures that are good.
 */
export class PlatformVerifier implements Verifier {
  /** `null` stands for a key that this platform cannot import. Least recently used first. */
  readonly #keys = new Map<PeerId, Promise<CryptoKey | null>>()
  readonly #verdicts = new Map<string, Promise<boolean>>()
  readonly #subtle: SubtleCrypto | null

  /** @param subtle - The platform's WebCrypto; `null` where there is none, as in insecure contexts. @default globalThis.crypto.subtle */
  constructor(subtle: SubtleCrypto | null = globalThis.crypto?.subtle ?? null) {
    this.#subtle = subtle
  }

  /** Statements signed as one batch ask for the same few bytes again and again: the first answer serves them all. */
  verify(author: PeerId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (bytes.length > REMEMBERED_BYTES_MAX) return this.#decide(author, bytes, signature)
    const question = `${author}/${toHex(bytes)}/${toHex(signature)}`
    const known = this.#verdicts.get(question)
    if (known !== undefined) return known
    if (this.#verdicts.size >= VERDICTS_MAX) this.#verdicts.clear()
    const verdict = this.#decide(author, bytes, signature)
    this.#verdicts.set(question, verdict)
    return verdict
  }

  async #decide(author: PeerId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (await this.#platformAccepts(author, bytes, signature)) return true
    try {
      return ed25519.verify(signature, bytes, publicKeyOf(author), { zip215: true })
    } catch {
      // A signature of the wrong length or a point that does not decode: refused like any other bad one.
      return false
    }
  }

  async #platformAccepts(author: PeerId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const key = await this.#key(author)
    if (key === null || this.#subtle === null) return false
    try {
      return await this.#subtle.verify('Ed25519', key, owned(signature), owned(bytes))
    } catch {
      return false
    }
  }

  #key(author: PeerId): Promise<CryptoKey | null> {
    const known = this.#keys.get(author)
    const key = known ?? this.#import(author)
    // Deleting first moves it to the young end.
    this.#keys.delete(author)
    this.#keys.set(author, key)
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= KEYS_MAX) break
      this.#keys.delete(oldest)
    }
    return key
  }

  async #import(author: PeerId): Promise<CryptoKey | null> {
    try {
      const key = await this.#subtle?.importKey('raw', owned(publicKeyOf(author)), 'Ed25519', false, ['verify'])
      return key ?? null
    } catch {
      return null
    }
  }
}
