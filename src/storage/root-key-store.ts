import type { PeerId, RootId } from '../core/codec/ids.ts'
import type { SealedKey } from '../core/identity/backup.ts'
import { IV_BYTES } from '../core/identity/limits.ts'
import { peerIdOf, publicKeyOf } from '../core/identity/peer-id.ts'
import type { Signer } from '../core/identity/ports.ts'
import { rootIdOf } from '../core/identity/root.ts'
import { RootKeyLockedError, RootKeyMissingError, RootKeyProtectedError } from './root-key-errors.ts'

/** A root key as it is kept. */
export interface RootKeyRecord {
  readonly key: PeerId
  /** The identity that it stands for: what is left to know of it when the browser clears everything but the keys. */
  readonly root: RootId
  /** What it was made for; making it again finds it. */
  readonly label: string
  /** Signs, and cannot be read. `null` while it waits for a passphrase or key ring. */
  readonly privateKey: CryptoKey | null
  /** Sealed by a key that cannot be read either; unlockers are made from it. `null` once the identity is protected. */
  readonly copy: (SealedKey & { readonly sealer: CryptoKey }) | null
}

/** Where root keys are kept: IndexedDB, a file, memory. Each change is all or nothing. */
export interface RootKeyBox {
  all(): Promise<readonly RootKeyRecord[]>
  put(record: RootKeyRecord): Promise<void>
  delete(key: PeerId): Promise<void>
  /** The key under which copies are sealed, AES-GCM, not extractable. */
  sealer(): Promise<CryptoKey>
  close(): Promise<void>
}

const ED25519 = { name: 'Ed25519' } as const
const NOTHING = new Uint8Array()

/**
 * The root keys of this device. A key is extractable for as long as it takes to seal it, inside of WebCrypto; what is kept cannot be
 * read by any script. The bytes of a key never come into the JavaScript heap. Rule [I8].
 */
export class RootKeyStore {
  readonly #box: RootKeyBox

  constructor(box: RootKeyBox) {
    this.#box = box
  }

  async records(): Promise<readonly RootKeyRecord[]> {
    return await this.#box.all()
  }

  /**
   * Makes a key, or finds the one made earlier under this label.
   *
   * @param root - The identity that it is for; `null` begins a new one.
   */
  async make(label: string, root: RootId | null): Promise<PeerId> {
    const made = (await this.#box.all()).find((record) => record.label === label)
    if (made !== undefined) return made.key
    const pair = (await crypto.subtle.generateKey(ED25519, true, ['sign', 'verify'])) as CryptoKeyPair
    const key = peerIdOf(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)))
    const sealer = await this.#box.sealer()
    const copy = { ...(await seal(pair.privateKey, sealer, NOTHING)), sealer }
    const privateKey = await unseal(copy, sealer, NOTHING, false)
    await this.#box.put({ key, root: root ?? rootIdOf(key), label, privateKey, copy })
    return key
  }

  /**
   * @throws {@link RootKeyMissingError} or {@link RootKeyLockedError}
   */
  async signer(key: PeerId): Promise<Signer> {
    const { privateKey } = await this.#record(key)
    if (privateKey === null) {
      throw new RootKeyLockedError(`The root key ${key} waits for its passphrase or key ring`, {
        field: 'key',
        value: key,
      })
    }
    return {
      author: key,
      sign: async (bytes) =>
        new Uint8Array(await crypto.subtle.sign(ED25519, privateKey, bytes as Uint8Array<ArrayBuffer>)),
    }
  }

  /**
   * Seals a key for an unlocker.
   *
   * @param sealer - AES-GCM, may wrap.
   * @param context - Bound to the seal; to be given again to open it.
   * @throws {@link RootKeyProtectedError} When no copy is left. Or missing, or locked.
   */
  async sealFor(key: PeerId, sealer: CryptoKey, context: Uint8Array<ArrayBuffer>): Promise<SealedKey> {
    const { copy } = await this.#record(key)
    if (copy === null) {
      throw new RootKeyProtectedError('The identity is protected; no further way to unlock it can be made here', {
        field: 'key',
        value: key,
      })
    }
    return await seal(await unseal(copy, copy.sealer, NOTHING, true), sealer, context)
  }

  /** Whether the key that was sealed for an unlocker opens and is the one it should be. Nothing is kept. */
  async opens(key: PeerId, sealed: SealedKey, opener: CryptoKey, context: Uint8Array<ArrayBuffer>): Promise<boolean> {
    try {
      return await belongs(key, await unseal(sealed, opener, context, false))
    } catch {
      return false
    }
  }

  /**
   * Takes a key in from an unlocker, with a copy from which further ones can be made.
   *
   * @returns `false` When it does not open or is another key; nothing is kept then.
   */
  async takeIn(
    key: PeerId,
    sealed: SealedKey,
    options: { readonly root: RootId; readonly opener: CryptoKey; readonly context: Uint8Array<ArrayBuffer> },
  ): Promise<boolean> {
    const { root, opener, context } = options
    if (!(await this.opens(key, sealed, opener, context))) return false
    const sealer = await this.#box.sealer()
    const copy = { ...(await seal(await unseal(sealed, opener, context, true), sealer, NOTHING)), sealer }
    const privateKey = await unseal(copy, sealer, NOTHING, false)
    await this.#box.put({ key, root, label: `restored ${key}`, privateKey, copy })
    return true
  }

  /** Gives up the copy from which unlockers are made. */
  async dropCopy(key: PeerId): Promise<void> {
    await this.#box.put({ ...(await this.#record(key)), copy: null })
  }

  async forget(key: PeerId): Promise<void> {
    await this.#box.delete(key)
  }

  async close(): Promise<void> {
    await this.#box.close()
  }

  async #record(key: PeerId): Promise<RootKeyRecord> {
    const record = (await this.#box.all()).find((each) => each.key === key)
    if (record !== undefined) return record
    throw new RootKeyMissingError(`The root key ${key} is not on this device`, { field: 'key', value: key })
  }
}

/** A fresh key that seals copies, for boxes that can keep a `CryptoKey`. */
export async function makeSealer(): Promise<CryptoKey> {
  return await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey'])
}

/** Seals an extractable private key, inside of WebCrypto. */
export async function seal(
  privateKey: CryptoKey,
  sealer: CryptoKey,
  context: Uint8Array<ArrayBuffer>,
): Promise<SealedKey> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const algorithm = { name: 'AES-GCM', iv, additionalData: context }
  return { iv, sealed: new Uint8Array(await crypto.subtle.wrapKey('pkcs8', privateKey, sealer, algorithm)) }
}

/** Opens a sealed private key, inside of WebCrypto. Rejects when the opener or the context is another. */
export async function unseal(
  { iv, sealed }: SealedKey,
  opener: CryptoKey,
  context: Uint8Array<ArrayBuffer>,
  extractable: boolean,
): Promise<CryptoKey> {
  // Both come from our own decoders, which give views of plain memory.
  const algorithm = { name: 'AES-GCM', iv: iv as Uint8Array<ArrayBuffer>, additionalData: context }
  const bytes = sealed as Uint8Array<ArrayBuffer>
  return await crypto.subtle.unwrapKey('pkcs8', bytes, opener, algorithm, ED25519, extractable, ['sign'])
}

const PROOF = new TextEncoder().encode('starling/root-key-proof/1')

/** Whether a private key is the one of a public key: it signs and the other verifies. */
async function belongs(key: PeerId, privateKey: CryptoKey): Promise<boolean> {
  const publicKey = await crypto.subtle.importKey('raw', publicKeyOf(key) as Uint8Array<ArrayBuffer>, ED25519, false, [
    'verify',
  ])
  const signature = await crypto.subtle.sign(ED25519, privateKey, PROOF)
  return await crypto.subtle.verify(ED25519, publicKey, signature, PROOF)
}
