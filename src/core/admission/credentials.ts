import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, integer, text } from '../codec/fields.ts'
import { CERTIFICATE_BYTES_MAX, LINEAGE_BYTES_MAX } from '../identity/limits.ts'
import { CREDENTIALS_LIMITS, TICKET_LIMITS } from './limits.ts'

/** Where peers show who they are and by what right they take part. */
export const CREDENTIALS_PROTOCOL = '/starling/credentials/1.0.0'

const ERROR_CHARS_MAX = 64
const REASON_CHARS_MAX = 256

const small = v.nullable(bytes(1, TICKET_LIMITS.bytesMax))

const messageSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('credentials'),
    /** Whether the other shall show its own: a peer that started again has forgotten whom it knew. */
    answer: v.boolean(),
    /** What leads from the first root key to the one in force; `null` while there is only the device's key. */
    lineage: v.nullable(bytes(1, LINEAGE_BYTES_MAX)),
    /** The root's statement that this device is its own. */
    certificate: v.nullable(bytes(1, CERTIFICATE_BYTES_MAX)),
    ticket: small,
    /** The founder's beacon that a proof of work is bound to. */
    beacon: small,
  }),
  v.strictObject({
    type: v.literal('verdict'),
    level: v.picklist(['guest', 'admitted']),
    /** Name of the error that refused the ticket; `null` when none was shown or it is good. */
    error: v.nullable(text(1, ERROR_CHARS_MAX)),
    reason: v.nullable(text(1, REASON_CHARS_MAX)),
    expiresAtMs: v.nullable(integer(0, Number.MAX_SAFE_INTEGER)),
  }),
])

/** What a peer shows on connecting. Rule [A11]. */
export interface ShownCredentials {
  readonly type: 'credentials'
  readonly answer: boolean
  readonly lineage: Uint8Array | null
  readonly certificate: Uint8Array | null
  readonly ticket: Uint8Array | null
  readonly beacon: Uint8Array | null
}

/** What the other made of it. */
export interface Verdict {
  readonly type: 'verdict'
  readonly level: 'guest' | 'admitted'
  readonly error: string | null
  readonly reason: string | null
  readonly expiresAtMs: number | null
}

export type CredentialsMessage = ShownCredentials | Verdict

export function encodeCredentials(message: CredentialsMessage): Uint8Array {
  return encode(
    message.type === 'verdict' ? { ...message, reason: message.reason?.slice(0, REASON_CHARS_MAX) ?? null } : message,
  )
}

/** @throws {@link InvalidMessageError} Or a limit error, naming the field. */
export function decodeCredentials(message: Uint8Array): CredentialsMessage {
  return decode(message, { what: 'credentials', limits: CREDENTIALS_LIMITS, schema: messageSchema })
}
