import * as v from 'valibot'
import { concatBytes, utf8 } from '../codec/bytes.ts'
import { encode } from '../codec/cbor.ts'
import { bytes, hash, integer, peerId, rootId } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Hash, PeerId, RootId } from '../codec/ids.ts'
import { BadSignatureError, InvalidLineageError } from './errors.ts'
import { GRACE_MS, LINEAGE_STATEMENT_BYTES_MAX, SIGNATURE_BYTES, SUCCESSION_AHEAD_MAX_MS } from './limits.ts'
import type { Signer, Verifier } from './ports.ts'
import { EVERY_NETWORK } from './root.ts'
import { type DecodedStatement, decodeStatement, signStatement, verifyStatement } from './statement.ts'

export type SuccessionReason = keyof typeof GRACE_MS

/** One key of an identity following another. Rule [I4]. */
export interface SuccessionTerms {
  readonly root: RootId
  readonly old: PeerId
  readonly new: PeerId
  /** 1 for the first, and one more for each that follows. */
  readonly seq: number
  /** From then on the new key is in force, ms since epoch. */
  readonly notBeforeMs: number
  readonly reason: SuccessionReason
  /** The succession that brought `old` into force, or the root id when `old` is the first key; see {@link linkOf}. */
  readonly prevHash: Hash
}

/** What the old key signs: the terms, and the new key's agreement to them. */
interface SuccessionBody extends SuccessionTerms {
  readonly acceptance: Uint8Array
}

export type Succession = DecodedStatement<SuccessionBody>

const KIND = 'succession'
const LIMITS = { bytesMax: LINEAGE_STATEMENT_BYTES_MAX, depthMax: 3, itemsMax: 48 }

const body: v.GenericSchema<unknown, SuccessionBody> = v.strictObject({
  root: rootId,
  old: peerId,
  new: peerId,
  seq: integer(1, Number.MAX_SAFE_INTEGER),
  notBeforeMs: integer(0, Number.MAX_SAFE_INTEGER),
  reason: v.picklist(['planned', 'lost', 'compromised']),
  prevHash: hash,
  acceptance: bytes(SIGNATURE_BYTES, SIGNATURE_BYTES),
})

/** What a succession links to when it follows `previous`, or begins the chain of `root`. Of the payload: signatures may vary. */
export function linkOf(root: RootId, previous: Succession | null): Hash {
  return sha256Hex(previous === null ? utf8(`starling/root/1\n${root}`) : previous.payload)
}

/** When the old key of a succession stops to count. */
export function graceEndMs({ reason, notBeforeMs }: SuccessionTerms): number {
  return notBeforeMs + GRACE_MS[reason]
}

/** The bytes by which the new key agrees; a domain of its own, so that the agreement passes for nothing else. */
function acceptanceBytes(terms: SuccessionTerms): Uint8Array {
  const { root, old, new: next, seq, notBeforeMs, reason, prevHash } = terms
  return concatBytes(
    utf8('starling/succession-acceptance/1\n'),
    encode({ root, old, new: next, seq, notBeforeMs, reason, prevHash }),
  )
}

/** Signs a succession with both of its keys. */
export async function signSuccession(
  terms: SuccessionTerms,
  keys: { readonly old: Signer; readonly next: Signer; readonly timestampMs: number; readonly nonce: Uint8Array },
): Promise<Succession> {
  const acceptance = await keys.next.sign(acceptanceBytes(terms))
  const { timestampMs, nonce } = keys
  const init = {
    network: EVERY_NETWORK,
    kind: KIND,
    seq: terms.seq,
    timestampMs,
    nonce,
    body: { ...terms, acceptance },
  }
  return await signStatement(init, keys.old)
}

/**
 * Reads a succession.
 *
 * @throws `InvalidMessageError`, `LimitExceededError` or {@link InvalidLineageError} Naming the field.
 */
export function decodeSuccession(envelope: Uint8Array): Succession {
  const decoded = decodeStatement(envelope, { kind: KIND, body, limits: LIMITS })
  const { network, author, seq, timestampMs, body: terms } = decoded.statement
  const refuse = (field: string, value: string | number, limit: string | number): never => {
    throw new InvalidLineageError(`succession.${field} is ${value}, limit ${limit}`, {
      field: `succession.${field}`,
      value,
      limit,
    })
  }
  if (network !== EVERY_NETWORK) refuse('network', network, EVERY_NETWORK)
  if (author !== terms.old) refuse('author', author, terms.old)
  if (seq !== terms.seq) refuse('seq', seq, terms.seq)
  if (terms.new === terms.old) refuse('new', terms.new, 'another key than the old')
  if (terms.notBeforeMs > timestampMs + SUCCESSION_AHEAD_MAX_MS) {
    refuse('notBeforeMs', terms.notBeforeMs, timestampMs + SUCCESSION_AHEAD_MAX_MS)
  }
  return decoded
}

/**
 * Verifies both signatures.
 *
 * @throws {@link BadSignatureError} When one is not by its key.
 */
export async function verifySuccession(succession: Succession, verifier: Verifier): Promise<void> {
  await verifyStatement(succession, verifier)
  const { acceptance, ...terms } = succession.statement.body
  if (await verifier.verify(terms.new, acceptanceBytes(terms), acceptance)) return
  throw new BadSignatureError(`The succession was not accepted by ${terms.new}`, {
    field: 'succession.acceptance',
    value: terms.new,
  })
}
