import * as v from 'valibot'
import { concatBytes, utf8 } from '../codec/bytes.ts'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, integer } from '../codec/fields.ts'
import { sha256Bytes } from '../codec/hash.ts'
import type { RootId } from '../codec/ids.ts'
import { SIGNATURE_BYTES } from '../identity/limits.ts'
import type { Signer } from '../identity/ports.ts'
import type { Beacon } from './beacon.ts'
import { TICKET_LIMITS, WORK_NONCE_BYTES } from './limits.ts'

const epoch = integer(0, Number.MAX_SAFE_INTEGER)
/** Any number: what the policy asks is compared afterwards, and nothing is hashed before. */
const parameter = integer(0, Number.MAX_SAFE_INTEGER)

const ticketSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('work'),
    epoch,
    memoryKibibytes: parameter,
    passes: parameter,
    difficultyBits: parameter,
    nonce: bytes(WORK_NONCE_BYTES, WORK_NONCE_BYTES),
  }),
  v.strictObject({ kind: v.literal('invite'), epoch, signature: bytes(SIGNATURE_BYTES, SIGNATURE_BYTES) }),
  v.strictObject({ kind: v.literal('member'), invitation: v.nullable(bytes(1, TICKET_LIMITS.bytesMax)) }),
  v.strictObject({ kind: v.literal('founder') }),
])

/** A proof of work: Argon2id of the nonce, salted with {@link workChallenge}, begins with enough zero bits. */
export interface WorkTicket {
  readonly kind: 'work'
  readonly epoch: number
  readonly memoryKibibytes: number
  readonly passes: number
  readonly difficultyBits: number
  readonly nonce: Uint8Array
}

/** Made with the capability of a room's link. */
export interface InviteTicket {
  readonly kind: 'invite'
  readonly epoch: number
  readonly signature: Uint8Array
}

/** Proof that an identity may take part. Which identity it is, the certificate says that travels beside it. Rule [A3]. */
export type Ticket =
  | WorkTicket
  | InviteTicket
  | { readonly kind: 'member'; readonly invitation: Uint8Array | null }
  | { readonly kind: 'founder' }

export function encodeTicket(ticket: Ticket): Uint8Array {
  return encode(ticket)
}

/** @throws {@link InvalidMessageError} Or a limit error, naming the field. */
export function decodeTicket(ticket: Uint8Array): Ticket {
  return decode(ticket, { what: 'ticket', limits: TICKET_LIMITS, schema: ticketSchema })
}

/**
 * What the guesses of an identity are salted with: a proof for one network, identity and beacon is none for another. Rule [A6].
 *
 * @returns 32 bytes, the salt of Argon2id; the nonce is its password.
 */
export function workChallenge(of: {
  readonly networkId: string
  readonly root: RootId
  readonly beacon: Pick<Beacon, 'epoch' | 'random'>
}): Uint8Array {
  const { networkId, root, beacon } = of
  const head = utf8(`starling/work/1\n${networkId}\n${root}\n${beacon.epoch}\n`)
  return sha256Bytes(concatBytes(head, beacon.random))
}

/** How many zero bits a tag begins with. */
export function leadingZeroBits(tag: Uint8Array): number {
  let bits = 0
  for (const byte of tag) {
    if (byte !== 0) return bits + Math.clz32(byte) - 24
    bits += 8
  }
  return bits
}

/** A nonce as it is hashed: little-endian. */
export function nonceBytes(nonce: bigint): Uint8Array {
  const out = new Uint8Array(WORK_NONCE_BYTES)
  new DataView(out.buffer).setBigUint64(0, nonce, true)
  return out
}

/** What the capability of a room signs for an identity. A domain of its own: the key signs nothing else. */
export function inviteBytes(of: {
  readonly networkId: string
  readonly root: RootId
  readonly epoch: number
}): Uint8Array {
  return utf8(`starling/invite/1\n${of.networkId}\n${of.root}\n${of.epoch}`)
}

/** The ticket that whoever holds the room's capability makes for itself. */
export async function makeInviteTicket(
  of: { readonly networkId: string; readonly root: RootId; readonly epoch: number },
  capability: Signer,
): Promise<InviteTicket> {
  return { kind: 'invite', epoch: of.epoch, signature: await capability.sign(inviteBytes(of)) }
}
