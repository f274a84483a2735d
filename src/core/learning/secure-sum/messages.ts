import * as v from 'valibot'
import { bytes, hash, integer, list, peerId } from '../../codec/fields.ts'
import { WrongKindError } from '../../identity/errors.ts'
import { type DecodedStatement, decodeStatement, type StatementKind } from '../../identity/statement.ts'
import {
  KEY_BYTES,
  SEALED_SHARES_BYTES,
  SECURE_SUM_PARTICIPANTS_MAX,
  SHARE_COMMITMENTS_BYTES,
  SHARE_HOLDERS_MAX,
  SUM_LENGTH_MAX,
} from './limits.ts'

/**
 * The six signed statements of a secure sum. Everybody sees all of them: what is secret in them is sealed or masked.
 * All are evidence: they may be shown by anyone, any number of times; the session in each keeps them to their sum.
 */

/** Bytes whose buffer may be of any kind, as those made by others are. */
const bytesOf = (min: number, max: number) =>
  v.pipe(
    bytes(min, max),
    v.transform((value): Uint8Array => value),
  )

const key = bytesOf(KEY_BYTES, KEY_BYTES)

const keysBody = v.strictObject({
  session: hash,
  /** X25519: seals shares to this peer. Its secret never leaves the peer. */
  channelKey: key,
  /** X25519: makes the masks between two peers. Its secret is dealt out as shares. */
  maskKey: key,
  /** Commitment to the seed of the mask that is this peer's alone. */
  seedCommitment: key,
  /** To this peer's vector, where the terms ask for proofs: an element of ristretto255. */
  commitment: v.exactOptional(key),
})

const rosterEntry = v.strictObject({ peer: peerId, digest: key })

const rosterBody = v.strictObject({
  session: hash,
  /** Which stage the roster opens. */
  stage: v.picklist(['share', 'mask', 'unmask']),
  /** Who goes on, by peer id, each with the hash of the statement that let it: of keys, of shares, of its masked vector. */
  entries: list(rosterEntry, 1, SECURE_SUM_PARTICIPANTS_MAX),
})

const sharesBody = v.strictObject({
  session: hash,
  /** Hash of the roster that this answers, so that two views never mix. */
  roster: key,
  /** One sealed box for each neighbour, by peer id. */
  boxes: bytesOf(SEALED_SHARES_BYTES, SEALED_SHARES_BYTES * SHARE_HOLDERS_MAX),
  /** Commitments to the two shares of each holder, the dealer among them, by peer id. */
  commitments: bytesOf(SHARE_COMMITMENTS_BYTES, SHARE_COMMITMENTS_BYTES * SHARE_HOLDERS_MAX),
})

const maskedBody = v.strictObject({
  session: hash,
  roster: key,
  length: integer(1, SUM_LENGTH_MAX),
  /** SHA-256 of the masked vector as little-endian 32-bit values; the bytes travel as a block. */
  valuesHash: hash,
})

const revealed = v.strictObject({ of: peerId, share: key })

const unmaskBody = v.strictObject({
  session: hash,
  roster: key,
  /** Shares of the own masks of those whose vectors are in the sum. */
  own: list(revealed, 0, SHARE_HOLDERS_MAX),
  /** Shares of the mask keys of those whose vectors are not. */
  pair: list(revealed, 0, SHARE_HOLDERS_MAX),
})

const proofBody = v.strictObject({
  session: hash,
  /** The roster of survivors that the proof answers. */
  roster: key,
  /** SHA-256 of the proof; its bytes travel as a block. */
  proof: hash,
})

export type KeysBody = v.InferOutput<typeof keysBody>
export type RosterBody = v.InferOutput<typeof rosterBody>
export type SharesBody = v.InferOutput<typeof sharesBody>
export type MaskedBody = v.InferOutput<typeof maskedBody>
export type UnmaskBody = v.InferOutput<typeof unmaskBody>
export type ProofBody = v.InferOutput<typeof proofBody>
export type RevealedShare = v.InferOutput<typeof revealed>
export type RosterStage = RosterBody['stage']

interface Bodies {
  readonly 'secure-sum-keys': KeysBody
  readonly 'secure-sum-roster': RosterBody
  readonly 'secure-sum-shares': SharesBody
  readonly 'secure-sum-masked': MaskedBody
  readonly 'secure-sum-unmask': UnmaskBody
  readonly 'secure-sum-proof': ProofBody
}

export type SecureSumKind = keyof Bodies

/** A body with the kind of statement that it is signed as. */
export type SecureSumContent = {
  [Kind in SecureSumKind]: { readonly kind: Kind; readonly body: Bodies[Kind] }
}[SecureSumKind]

/** A statement of a secure sum. Whoever hands it on has verified its signature and network. */
export type SecureSumMessage = {
  [Kind in SecureSumKind]: { readonly kind: Kind; readonly decoded: DecodedStatement<Bodies[Kind]> }
}[SecureSumKind]

const KINDS: { readonly [Kind in SecureSumKind]: StatementKind<Bodies[Kind]> } = {
  'secure-sum-keys': { kind: 'secure-sum-keys', body: keysBody },
  'secure-sum-roster': { kind: 'secure-sum-roster', body: rosterBody },
  'secure-sum-shares': { kind: 'secure-sum-shares', body: sharesBody },
  'secure-sum-masked': { kind: 'secure-sum-masked', body: maskedBody },
  'secure-sum-unmask': { kind: 'secure-sum-unmask', body: unmaskBody },
  'secure-sum-proof': { kind: 'secure-sum-proof', body: proofBody },
}

export function isSecureSumKind(kind: string): kind is SecureSumKind {
  return Object.hasOwn(KINDS, kind)
}

/**
 * Reads a statement of a secure sum, of whichever of the six kinds. Its signature is still to be verified.
 *
 * @throws {@link WrongKindError} When it is of none of them.
 * @throws {@link InvalidMessageError} Or a limit error, naming the field.
 */
export function decodeSecureSumMessage(envelope: Uint8Array): SecureSumMessage {
  try {
    return { kind: 'secure-sum-keys', decoded: decodeStatement(envelope, KINDS['secure-sum-keys']) }
  } catch (error) {
    const kind = error instanceof WrongKindError ? String(error.details.value) : ''
    if (!isSecureSumKind(kind) || kind === 'secure-sum-keys') throw error
    // The kind and the schema come from the same row of the table.
    return { kind, decoded: decodeStatement<unknown>(envelope, KINDS[kind]) } as SecureSumMessage
  }
}
