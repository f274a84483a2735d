import { argon2id } from 'hash-wasm'
import { checkPassphraseTerms, type PassphraseTerms } from '../core/identity/backup.ts'
import { SALT_BYTES } from '../core/identity/limits.ts'
import { WeakPassphraseError } from './root-key-errors.ts'

/**
 * What a new backup's passphrase costs to try: 64 MiB, 3 passes, 4 lanes.
 * Source: RFC 9106, section 4, second recommended option, for memory-constrained environments.
 */
const TERMS = { memoryKibibytes: 64 * 1_024, iterations: 3, parallelism: 4 } as const

/** Shorter ones are guessed in days whatever Argon2id costs. */
export const PASSPHRASE_CHARS_MIN = 10

/** Longer ones are a mistake, such as a file pasted into the field. */
export const PASSPHRASE_CHARS_MAX = 1_024

const KEY_BYTES = 32

export function newPassphraseTerms(): PassphraseTerms {
  return { ...TERMS, salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)) }
}

/**
 * Refuses passphrases that protect nothing.
 *
 * @throws {@link WeakPassphraseError} Naming its length and the limit.
 */
export function checkNewPassphrase(passphrase: string): void {
  const { length } = passphrase
  if (length >= PASSPHRASE_CHARS_MIN && length <= PASSPHRASE_CHARS_MAX) return
  const limit = length < PASSPHRASE_CHARS_MIN ? PASSPHRASE_CHARS_MIN : PASSPHRASE_CHARS_MAX
  throw new WeakPassphraseError(`The passphrase has ${length} characters, limit ${limit}`, {
    field: 'passphrase',
    value: length,
    limit,
  })
}

/**
 * The key that a passphrase stands for: AES-256, not extractable. The bytes in between are overwritten.
 *
 * @throws `LimitExceededError` Before anything is computed, when the terms ask for too much.
 */
export async function passphraseKey(passphrase: string, terms: PassphraseTerms): Promise<CryptoKey> {
  checkPassphraseTerms(terms)
  // One passphrase may be typed as several sequences of code points. Source: RFC 8265, section 4.2.
  const password = new TextEncoder().encode(passphrase.normalize('NFC').slice(0, PASSPHRASE_CHARS_MAX))
  let raw: Uint8Array<ArrayBuffer> | undefined
  try {
    raw = (await argon2id({
      password,
      salt: terms.salt,
      memorySize: terms.memoryKibibytes,
      iterations: terms.iterations,
      parallelism: terms.parallelism,
      hashLength: KEY_BYTES,
      outputType: 'binary',
    })) as Uint8Array<ArrayBuffer>
    return await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
  } finally {
    password.fill(0)
    raw?.fill(0)
  }
}
