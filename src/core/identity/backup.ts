import * as v from 'valibot'
import { compareBytes } from '../codec/bytes.ts'
import { decode, encode } from '../codec/cbor.ts'
import { LimitExceededError } from '../codec/errors.ts'
import { bytes, integer, list, peerId, rootId, text } from '../codec/fields.ts'
import { sha256Bytes } from '../codec/hash.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { DamagedBackupError } from './errors.ts'
import {
  BACKUP_BOOK_BYTES_MAX,
  BACKUP_BYTES_MAX,
  BACKUP_ITERATIONS_MAX,
  BACKUP_MEMORY_KIBIBYTES_MAX,
  BACKUP_PARALLELISM_MAX,
  CERTIFICATE_BYTES_MAX,
  CREDENTIAL_ID_BYTES_MAX,
  DEVICES_MAX,
  HASH_BYTES,
  IV_BYTES,
  LINEAGE_BYTES_MAX,
  SALT_BYTES,
  SEALED_BOOK_KEY_BYTES,
  SEALED_KEY_BYTES,
  UNLOCKER_LABEL_CHARS_MAX,
  UNLOCKERS_MAX,
} from './limits.ts'

/** A private key under AES-256-GCM. */
export interface SealedKey {
  readonly iv: Uint8Array
  readonly sealed: Uint8Array
}

/** What turns a passphrase into a key: Argon2id, RFC 9106. */
export interface PassphraseTerms {
  readonly memoryKibibytes: number
  readonly iterations: number
  readonly parallelism: number
  readonly salt: Uint8Array
}

/** The key of a backup's book, sealed like the root key; slots of older versions have none. */
interface WithBook {
  readonly book?: SealedKey | undefined
}

/** One way to open a backup. */
export type BackupSlot =
  | ({ readonly kind: 'passphrase' } & PassphraseTerms & SealedKey & WithBook)
  | ({ readonly kind: 'passkey'; readonly credentialId: Uint8Array; readonly label: string } & SealedKey & WithBook)

/** The file that brings an identity to another machine. Only the key and the book are secret; the rest is public. Rule [I11]. */
export interface Backup {
  readonly root: RootId
  /** The root key inside. */
  readonly key: PeerId
  readonly createdAtMs: number
  readonly lineage: Uint8Array
  /** Certificates of the identity's devices. */
  readonly certificates: readonly Uint8Array[]
  readonly slots: readonly BackupSlot[]
  /** What this peer thinks of others, sealed by the key that each slot seals. */
  readonly book?: SealedKey | undefined
}

const MAGIC = 'starling-backup'
const FILE_LIMITS = { bytesMax: BACKUP_BYTES_MAX, depthMax: 1, itemsMax: 10 }
const BODY_LIMITS = { bytesMax: BACKUP_BYTES_MAX, depthMax: 4, itemsMax: 640 }

const fileSchema = v.strictObject({
  magic: v.literal(MAGIC),
  version: v.literal(1),
  body: bytes(1, BACKUP_BYTES_MAX),
  checksum: bytes(HASH_BYTES, HASH_BYTES),
})

const sealedKey = { iv: bytes(IV_BYTES, IV_BYTES), sealed: bytes(SEALED_KEY_BYTES, SEALED_KEY_BYTES) }
const bookKey = v.optional(
  v.strictObject({ iv: bytes(IV_BYTES, IV_BYTES), sealed: bytes(SEALED_BOOK_KEY_BYTES, SEALED_BOOK_KEY_BYTES) }),
)
const UINT32_MAX = 2 ** 32 - 1

/** A slot, in backups and in stored records. */
export const slotSchema: v.GenericSchema<unknown, BackupSlot> = v.variant('kind', [
  v.strictObject({
    kind: v.literal('passphrase'),
    // The range of Argon2id; what this peer is ready to spend is checked apart, with an error of its own.
    memoryKibibytes: integer(8, UINT32_MAX),
    iterations: integer(1, UINT32_MAX),
    parallelism: integer(1, 2 ** 24 - 1),
    salt: bytes(SALT_BYTES, SALT_BYTES),
    ...sealedKey,
    book: bookKey,
  }),
  v.strictObject({
    kind: v.literal('passkey'),
    credentialId: bytes(1, CREDENTIAL_ID_BYTES_MAX),
    label: text(0, UNLOCKER_LABEL_CHARS_MAX),
    ...sealedKey,
    book: bookKey,
  }),
])

const bodySchema: v.GenericSchema<unknown, Backup> = v.strictObject({
  root: rootId,
  key: peerId,
  createdAtMs: integer(0, Number.MAX_SAFE_INTEGER),
  lineage: bytes(1, LINEAGE_BYTES_MAX),
  certificates: list(bytes(1, CERTIFICATE_BYTES_MAX), 0, DEVICES_MAX),
  slots: list(slotSchema, 1, UNLOCKERS_MAX),
  book: v.optional(v.strictObject({ iv: bytes(IV_BYTES, IV_BYTES), sealed: bytes(1, BACKUP_BOOK_BYTES_MAX) })),
})

/** The bytes of the file. The checksum tells damage from a wrong passphrase; what protects the key is its seal. */
export function encodeBackup(backup: Backup): Uint8Array {
  const body = encode(backup)
  return encode({ magic: MAGIC, version: 1, body, checksum: sha256Bytes(body) })
}

/**
 * Reads a backup file.
 *
 * @throws {@link DamagedBackupError} When it is cut, changed or something else.
 * @throws {@link LimitExceededError} When opening it would take more memory or time than any backup of ours.
 */
export function decodeBackup(file: Uint8Array): Backup {
  const { body, checksum } = undamaged(() => decode(file, { what: 'backup', limits: FILE_LIMITS, schema: fileSchema }))
  if (compareBytes(sha256Bytes(body), checksum) !== 0) {
    throw new DamagedBackupError('The checksum of the backup does not fit its content', { field: 'backup.checksum' })
  }
  const backup = undamaged(() => decode(body, { what: 'backup', limits: BODY_LIMITS, schema: bodySchema }))
  for (const slot of backup.slots) if (slot.kind === 'passphrase') checkPassphraseTerms(slot)
  return backup
}

/**
 * Refuses what would cost more than a passphrase should; to be called before any memory is taken.
 *
 * @throws {@link LimitExceededError} Naming field, value and limit.
 */
export function checkPassphraseTerms(terms: PassphraseTerms): void {
  const limits = {
    memoryKibibytes: BACKUP_MEMORY_KIBIBYTES_MAX,
    iterations: BACKUP_ITERATIONS_MAX,
    parallelism: BACKUP_PARALLELISM_MAX,
  }
  for (const name of ['memoryKibibytes', 'iterations', 'parallelism'] as const) {
    if (terms[name] <= limits[name]) continue
    const field = `backup.${name}`
    throw new LimitExceededError(`${field} is ${terms[name]}, limit ${limits[name]}`, {
      field,
      value: terms[name],
      limit: limits[name],
    })
  }
}

/**
 * What the seal of a slot is bound to: the identity, the key, and the slot's own terms, so that none can be exchanged unseen.
 * Source: additional authenticated data, NIST SP 800-38D.
 */
export function sealContext(root: RootId, key: PeerId, slot: BackupSlot | SlotTerms): Uint8Array<ArrayBuffer> {
  return slotContext('starling/backup-slot/1', { root, key, slot })
}

/** The same for the book's key in a slot: none stands for the other. */
export function bookKeyContext(root: RootId, key: PeerId, slot: BackupSlot | SlotTerms): Uint8Array<ArrayBuffer> {
  return slotContext('starling/backup-book-key/1', { root, key, slot })
}

/** What the seal of the book is bound to. */
export function bookContext(root: RootId): Uint8Array<ArrayBuffer> {
  return encode({ domain: 'starling/backup-book/1', root }) as Uint8Array<ArrayBuffer>
}

function slotContext(
  domain: string,
  { root, key, slot }: { readonly root: RootId; readonly key: PeerId; readonly slot: BackupSlot | SlotTerms },
): Uint8Array<ArrayBuffer> {
  const terms =
    slot.kind === 'passphrase'
      ? {
          memoryKibibytes: slot.memoryKibibytes,
          iterations: slot.iterations,
          parallelism: slot.parallelism,
          salt: slot.salt,
        }
      : { credentialId: slot.credentialId }
  // The encoder's own bytes: never backed by shared memory.
  return encode({ domain, root, key, kind: slot.kind, terms }) as Uint8Array<ArrayBuffer>
}

/** A slot before its key is sealed. */
export type SlotTerms =
  | ({ readonly kind: 'passphrase' } & PassphraseTerms)
  | { readonly kind: 'passkey'; readonly credentialId: Uint8Array; readonly label: string }

function undamaged<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new DamagedBackupError(`The file is no whole backup: ${why}`, { field: 'backup' }, { cause })
  }
}
