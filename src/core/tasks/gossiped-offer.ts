import * as v from 'valibot'
import { bytes } from '../codec/fields.ts'
import type { Signer } from '../identity/ports.ts'
import { type DecodedStatement, decodeStatement, signStatement } from '../identity/statement.ts'
import { decodeGossipedOffer, encodeTaskMessage, OFFER_MESSAGE_BYTES_MAX } from './message-codec.ts'
import type { RequesterMessage } from './messages.ts'

/** What the envelope adds to an offer, at most. */
const ENVELOPE_BYTES_MAX = 1_024

const KIND = 'offer'

/**
 * An offer as it is gossiped: signed by its requester, since whoever passes it on could otherwise keep it and tell it again when it is
 * no longer true. Over a link between two peers offers travel bare: the link proves who sent them, and when. Rule [T3].
 */
const OFFER = {
  kind: KIND,
  body: v.strictObject({ message: bytes(1, OFFER_MESSAGE_BYTES_MAX - ENVELOPE_BYTES_MAX) }),
  limits: { bytesMax: OFFER_MESSAGE_BYTES_MAX, depthMax: 3, itemsMax: 64 },
} as const

export interface GossipedOffer {
  readonly decoded: DecodedStatement<{ readonly message: Uint8Array }>
  readonly message: RequesterMessage
}

/** Signs an offer for gossip. */
export async function signGossipedOffer(
  message: RequesterMessage,
  stamp: {
    readonly network: string
    readonly seq: number
    readonly timestampMs: number
    readonly nonce: Uint8Array
    readonly signer: Signer
  },
): Promise<Uint8Array> {
  const { signer, network, seq, timestampMs, nonce } = stamp
  const body = { message: encodeTaskMessage(message) }
  return (await signStatement({ network, kind: KIND, seq, timestampMs, nonce, body }, signer)).bytes
}

/**
 * Reads a gossiped offer; its signature is still to be verified, and whether it was heard before.
 *
 * @throws A named error when it is not one.
 */
export function readGossipedOffer(envelope: Uint8Array): GossipedOffer {
  const decoded = decodeStatement<{ readonly message: Uint8Array }>(envelope, OFFER)
  return { decoded, message: decodeGossipedOffer(decoded.statement.body.message) }
}
