import * as v from 'valibot'
import { list, text } from '../codec/fields.ts'
import type { Signer } from '../identity/ports.ts'
import { type DecodedStatement, decodeStatement, signStatement } from '../identity/statement.ts'
import { ADDRESS_CHARS_MAX, ADDRESSES_MAX, ANNOUNCEMENT_BYTES_MAX } from './limits.ts'

/** What a peer says about itself, signed: anyone may pass it on. */
export interface Announcement {
  /** Multiaddrs as text, best first. */
  readonly addresses: readonly string[]
  /** Looks for more direct links; who is content is not asked to dial first. */
  readonly seeking: boolean
}

const KIND = 'peer-announcement'

const options = {
  kind: KIND,
  body: v.strictObject({
    addresses: list(text(1, ADDRESS_CHARS_MAX), 0, ADDRESSES_MAX),
    seeking: v.boolean(),
  }),
  limits: { bytesMax: ANNOUNCEMENT_BYTES_MAX, depthMax: 3, itemsMax: 64 },
} as const

/** Signs an announcement; the timestamp orders it among others of the same author. */
export function signAnnouncement(
  body: Announcement,
  init: { network: string; timestampMs: number; nonce: Uint8Array; signer: Signer },
): Promise<DecodedStatement<Announcement>> {
  const { network, timestampMs, nonce, signer } = init
  return signStatement({ network, kind: KIND, seq: 0, timestampMs, nonce, body }, signer)
}

/**
 * Reads an announcement; its signature is still to be verified.
 *
 * @throws {@link InvalidMessageError} Or a limit error, when it is not one.
 */
export function decodeAnnouncement(bytes: Uint8Array): DecodedStatement<Announcement> {
  return decodeStatement<Announcement>(bytes, options)
}
