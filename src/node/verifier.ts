import { ed25519 } from '@noble/curves/ed25519.js'
import { toHex } from '../core/codec/bytes.ts'
import { LimitExceededError } from '../core/codec/errors.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { SIGNATURE_BYTES } from '../core/identity/limits.ts'
import { publicKeyOf } from '../core/identity/peer-id.ts'
import type { Verifier } from '../core/identity/ports.ts'
import { nextTurn } from './jitter.ts'

/** Keys kept imported: importing costs about as much as verifying. */
const KEYS_MAX = 1_024

/** Roots of batches are shorter than this, single statements longer. */
const REMEMBERED_BYTES_MAX = 64

/** Verdicts remembered: the batches of all executors that a requester hears within some seconds. */
const VERDICTS_MAX = 512

/** Signatures that wait for the slow decision: about two seconds of work. Only bad and very odd ones come there. */
const SLOW_WAITING_MAX = 1_024

/** The order of the base point, little end first. Source: RFC 8032, section 5.1. */
const ORDER = Uint8Array.of(
  ...[0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
)

/** ArrayBuffer-backed view for WebCrypto, which takes no SharedArrayBuffer; copied only when it has to be. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

/** Whether a signature has its 64 bytes and S is below the order. All rules ask for that; not all engines do. */
function isWellFormed(signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false
  for (let i = 31; i >= 0; i--) {
    // Both indices are inside.
    const difference = (signature[32 + i] as number) - (ORDER[i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

/**
 * Verifies Ed25519 signatures with the same verdict on every engine: what WebCrypto accepts is accepted, and where it refuses, cannot
 * import the key, or has no Ed25519, ZIP215 decides (https://zips.z.cash/zip-0215). WebCrypto's rules differ between engines but were
 * never seen to accept what ZIP215 refuses, S aside, so the verdict is ZIP215's, at WebCrypto's speed for good signatures. Rule [S6].
 *
 * Not all engines compare S with the order (WebKitGTK 2.50 does not), and not all survive every key: both are looked at before.
 *
 * A bad signature costs ten times as much as a good one. Slow decisions are made one in a turn, so that a flood of bad signatures
 * delays other slow ones and never the good.
 */
export class PlatformVerifier implements Verifier {
  /** The key when it is known, a promise while it is imported, `null` for one that this platform cannot import. Oldest use first. */
  readonly #keys = new Map<PeerId, CryptoKey | null | Promise<CryptoKey | null>>()
  readonly #verdicts = new Map<string, Promise<boolean>>()
  readonly #subtle: SubtleCrypto | null
  #slow: Promise<unknown> = Promise.resolve()
  #slowWaiting = 0

  /** @param subtle - The platform's WebCrypto; `null` where there is none, as in insecure contexts. @default globalThis.crypto.subtle */
  constructor(subtle: SubtleCrypto | null = globalThis.crypto?.subtle ?? null) {
    this.#subtle = subtle
  }

  /**
   * Statements signed as one batch ask for the same few bytes again and again: the first answer serves them all.
   *
   * @throws {@link LimitExceededError} When too many slow decisions wait; that is no verdict.
   */
  verify(author: PeerId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (bytes.length > REMEMBERED_BYTES_MAX) return this.#decide(author, bytes, signature)
    const question = `${author}/${toHex(bytes)}/${toHex(signature)}`
    const known = this.#verdicts.get(question)
    if (known !== undefined) return known
    if (this.#verdicts.size >= VERDICTS_MAX) this.#verdicts.clear()
    const verdict = this.#decide(author, bytes, signature)
    this.#verdicts.set(question, verdict)
    verdict.catch(() => this.#verdicts.delete(question))
    return verdict
  }

  /** One function for the whole way: each further promise would cost a tenth of what a signature does. */
  async #decide(author: PeerId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (!isWellFormed(signature)) return false
    if (this.#subtle !== null) {
      const known = this.#key(author)
      const key = known instanceof Promise ? await known : known
      try {
        if (key !== null && (await this.#subtle.verify('Ed25519', key, owned(signature), owned(bytes)))) return true
      } catch {
        // The platform cannot say: ZIP215 decides.
      }
    }
    return this.#decideSlowly(() => zip215Accepts(author, bytes, signature))
  }

  #decideSlowly(decide: () => boolean): Promise<boolean> {
    if (this.#slowWaiting >= SLOW_WAITING_MAX) {
      throw new LimitExceededError(`signatures in doubt are ${this.#slowWaiting + 1}, limit ${SLOW_WAITING_MAX}`, {
        field: 'signatures',
        value: this.#slowWaiting + 1,
        limit: SLOW_WAITING_MAX,
      })
    }
    this.#slowWaiting++
    const decided = this.#slow.then(nextTurn).then(decide)
    this.#slow = decided
    return decided.finally(() => this.#slowWaiting--)
  }

  #key(author: PeerId): CryptoKey | null | Promise<CryptoKey | null> {
    const known = this.#keys.get(author)
    const key = known === undefined ? this.#import(author) : known
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
    let key: CryptoKey | null = null
    try {
      const raw = publicKeyOf(author)
      if (this.#subtle !== null && isSafeKey(raw)) {
        key = await this.#subtle.importKey('raw', owned(raw), 'Ed25519', false, ['verify'])
      }
    } catch {
      // No point of the curve by this platform's rules: ZIP215 decides.
    }
    if (this.#keys.has(author)) this.#keys.set(author, key)
    return key
  }
}

/**
 * Whether a key is one that every engine can be asked about: the one encoding of a point that is not of small order. WebKitGTK 2.50
 * crashes the page over others, which anybody may send; no honest key is among them.
 */
function isSafeKey(raw: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(raw, false).isSmallOrder()
  } catch {
    return false
  }
}

function zip215Accepts(author: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, bytes, publicKeyOf(author), { zip215: true })
  } catch {
    // A point that does not decode: refused like any other bad one.
    return false
  }
}
