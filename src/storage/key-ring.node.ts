import { AsyncEntry } from '@napi-rs/keyring'

/** One secret in the operating system's key ring. */
export interface KeyRing {
  /** @returns `null` When it holds none. */
  get(): Promise<Uint8Array | null>
  set(secret: Uint8Array): Promise<void>
}

const SERVICE = 'starling'
/** A key ring that asks its owner something may take long; a peer does not wait for somebody who is not there. */
const ANSWER_TIMEOUT_MS = 10_000

/**
 * The key ring of the system (Keychain, Credential Manager, Secret Service), if it has one that answers.
 *
 * @param account - Tells the secrets of several peers apart.
 * @returns `null` Where there is none, as on a server.
 */
export async function openKeyRing(account: string): Promise<KeyRing | null> {
  try {
    // On Linux the library would else fall back to the kernel's keys, which do not outlive a restart of the machine.
    const entry = new AsyncEntry(SERVICE, account, { linux: { store: 'secret-service' } })
    const ring: KeyRing = {
      get: async () => {
        const secret = await withTimeout(entry.getSecret())
        return secret ? Uint8Array.from(secret) : null
      },
      set: (secret) => withTimeout(entry.setSecret(secret)),
    }
    await ring.get()
    return ring
  } catch {
    return null
  }
}

async function withTimeout<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('The key ring does not answer')), ANSWER_TIMEOUT_MS)
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}
