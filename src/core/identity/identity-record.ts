import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, integer, list, peerId, rootId, text } from '../codec/fields.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { RECORD_LIMITS } from '../codec/limits.ts'
import { type BackupSlot, slotSchema } from './backup.ts'
import {
  BOOK_KEY_BYTES,
  CERTIFICATE_BYTES_MAX,
  DEVICES_MAX,
  LINEAGE_BYTES_MAX,
  LINEAGE_STATEMENT_BYTES_MAX,
  UNLOCKER_LABEL_CHARS_MAX,
  UNLOCKERS_MAX,
} from './limits.ts'
import type { RotationState } from './rotation.ts'

/** A way to get the root key back, made and perhaps proved. */
export interface UnlockerRecord {
  readonly id: string
  readonly kind: 'passkey' | 'file' | 'keyring' | 'passphrase'
  readonly label: string
  readonly createdAtMs: number
  readonly provedAtMs: number | null
  /** The root key that it opens: after a rotation it opens a key that no longer counts. */
  readonly key: PeerId
  /** What a passkey opens, kept here too; a file holds its own. */
  readonly slot: BackupSlot | null
}

/** All that a peer stores of its own identity, beside the keys. One record, so that it changes all at once. */
export interface IdentityRecord {
  readonly root: RootId
  readonly createdAtMs: number
  readonly lineage: Uint8Array
  /** Certificates of the identity's devices, this one's among them. */
  readonly certificates: readonly Uint8Array[]
  readonly unlockers: readonly UnlockerRecord[]
  readonly rotation: RotationState | null
  /** Signed in advance by the key in force. */
  readonly revocation: Uint8Array | null
  readonly revokedAtMs: number | null
  /** Seals the book of backups; made with the first. The book itself lies here as it is, so this key may. */
  readonly bookKey?: Uint8Array | undefined
}

const time = integer(0, Number.MAX_SAFE_INTEGER)
const statement = bytes(1, LINEAGE_STATEMENT_BYTES_MAX)
const plan = {
  root: rootId,
  old: peerId,
  seq: integer(1, Number.MAX_SAFE_INTEGER),
  reason: v.picklist(['planned', 'lost', 'compromised']),
  notBeforeMs: time,
}

const rotation: v.GenericSchema<unknown, RotationState> = v.variant('step', [
  v.strictObject({ ...plan, step: v.literal('requested') }),
  v.strictObject({ ...plan, step: v.literal('keyed'), next: peerId }),
  v.strictObject({ ...plan, step: v.literal('signed'), next: peerId, succession: statement }),
  v.strictObject({
    ...plan,
    step: v.literal('certified'),
    next: peerId,
    succession: statement,
    revocation: statement,
    certificate: bytes(1, CERTIFICATE_BYTES_MAX),
  }),
])

const schema: v.GenericSchema<unknown, IdentityRecord> = v.strictObject({
  root: rootId,
  createdAtMs: time,
  lineage: bytes(1, LINEAGE_BYTES_MAX),
  certificates: list(bytes(1, CERTIFICATE_BYTES_MAX), 0, DEVICES_MAX),
  unlockers: list(
    v.strictObject({
      id: text(1, 64),
      kind: v.picklist(['passkey', 'file', 'keyring', 'passphrase']),
      label: text(0, UNLOCKER_LABEL_CHARS_MAX),
      createdAtMs: time,
      provedAtMs: v.nullable(time),
      key: peerId,
      slot: v.nullable(slotSchema),
    }),
    0,
    UNLOCKERS_MAX,
  ),
  rotation: v.nullable(rotation),
  revocation: v.nullable(statement),
  revokedAtMs: v.nullable(time),
  bookKey: v.optional(bytes(BOOK_KEY_BYTES, BOOK_KEY_BYTES)),
})

export function encodeIdentityRecord(record: IdentityRecord): Uint8Array {
  return encode(record)
}

/** @throws `InvalidMessageError` or `LimitExceededError` When the record is damaged. */
export function decodeIdentityRecord(stored: Uint8Array): IdentityRecord {
  return decode(stored, { what: 'identity', limits: RECORD_LIMITS, schema })
}
