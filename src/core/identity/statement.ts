import * as v from 'valibot'
import { concatBytes, utf8 } from '../codec/bytes.ts'
import { conform, decode, encode } from '../codec/cbor.ts'
import { invariant } from '../codec/errors.ts'
import { bytes, integer, list, peerId, text } from '../codec/fields.ts'
import type { PeerId } from '../codec/ids.ts'
import { type DecodeLimits, STATEMENT_LIMITS } from '../codec/limits.ts'
import { BadSignatureError, ForeignStatementError, WrongKindError } from './errors.ts'
import { hashTree, type Inclusion, rootOf } from './inclusion.ts'
import {
  BATCH_STATEMENTS_MAX,
  HASH_BYTES,
  INCLUSION_PATH_MAX,
  NETWORK_CHARS_MAX,
  NONCE_BYTES,
  SIGNATURE_BYTES,
} from './limits.ts'
import type { Signer, Verifier } from './ports.ts'

/** What every signed thing of the protocol looks like. Rule [S1]. */
export interface Statement<Body> {
  /** Keeps networks apart: a statement of one is worthless in another. */
  readonly network: string
  readonly kind: string
  readonly author: PeerId
  /** Counts the author's statements of this kind where order matters; 0 where it does not. */
  readonly seq: number
  /** The author's clock, milliseconds since the Unix epoch. */
  readonly timestampMs: number
  readonly nonce: Uint8Array
  readonly body: Body
}

/** A statement as read from its bytes; nothing is known about its signature yet. */
export interface DecodedStatement<Body> {
  readonly statement: Statement<Body>
  /** The signed part, exactly as its author encoded it. */
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  /** The place in a batch that was signed as one; absent when it was signed alone. */
  readonly inclusion?: Inclusion
  /** The root of the batch, where this peer made the tree itself and need not follow each path. */
  readonly root?: Uint8Array
  /** The whole envelope. */
  readonly bytes: Uint8Array
}

/** A statement that was signed as one of several. */
export interface PlacedStatement<Body> extends DecodedStatement<Body> {
  readonly inclusion: Inclusion
}

/** The parts of a statement that its maker chooses. */
export interface StatementInit<Body> {
  readonly network: string
  readonly kind: string
  readonly seq: number
  readonly timestampMs: number
  readonly nonce: Uint8Array
  readonly body: Body
}

const inclusionSchema = v.strictObject({
  index: integer(0, BATCH_STATEMENTS_MAX - 1),
  size: integer(2, BATCH_STATEMENTS_MAX),
  path: list(bytes(HASH_BYTES, HASH_BYTES), 1, INCLUSION_PATH_MAX),
})

const envelopeSchema = v.strictObject({
  payload: bytes(1, STATEMENT_LIMITS.bytesMax),
  signature: bytes(SIGNATURE_BYTES, SIGNATURE_BYTES),
  inclusion: v.optional(inclusionSchema),
})

const KIND_CHARS_MAX = 32

const statementSchema = v.strictObject({
  network: text(1, NETWORK_CHARS_MAX),
  kind: text(1, KIND_CHARS_MAX),
  author: peerId,
  seq: integer(0, Number.MAX_SAFE_INTEGER),
  timestampMs: integer(0, Number.MAX_SAFE_INTEGER),
  nonce: bytes(NONCE_BYTES, NONCE_BYTES),
  body: v.unknown(),
})

/**
 * The bytes under the signature: a domain string for the kind, then the payload. The kind is in both, so that a signature for one
 * kind never passes for another even where payloads could be confused. Rule [S2].
 */
export function signedBytes(kind: string, payload: Uint8Array): Uint8Array {
  return concatBytes(domainOf(kind), payload)
}

/** Domains made before; a decoded statement has one of a few kinds. */
const domains = new Map<string, Uint8Array>()
const DOMAINS_MAX = 64

function domainOf(kind: string): Uint8Array {
  const known = domains.get(kind)
  if (known !== undefined) return known
  const domain = utf8(`starling/statement/1/${kind}\n`)
  if (domains.size < DOMAINS_MAX) domains.set(kind, domain)
  return domain
}

/** A statement that waits for its signature. */
export interface PreparedStatement<Body> {
  readonly statement: Statement<Body>
  readonly payload: Uint8Array
}

/** Encodes a statement; {@link signedBytes} of its kind and payload are to be signed. */
export function prepareStatement<Body>(init: StatementInit<Body>, author: PeerId): PreparedStatement<Body> {
  const statement: Statement<Body> = { ...init, author }
  return { statement, payload: encode(statement) }
}

/** Puts a signature to a prepared statement. */
export function sealStatement<Body>(
  { statement, payload }: PreparedStatement<Body>,
  signature: Uint8Array,
): DecodedStatement<Body> {
  return { statement, payload, signature, bytes: encode({ payload, signature }) }
}

/** Signs a statement in the name of the signer. */
export async function signStatement<Body>(init: StatementInit<Body>, signer: Signer): Promise<DecodedStatement<Body>> {
  const prepared = prepareStatement(init, signer.author)
  return sealStatement(prepared, await signer.sign(signedBytes(init.kind, prepared.payload)))
}

/** Who signs, for which network, and when. */
export type SigningOptions = Omit<StatementInit<never>, 'kind' | 'body'> & { readonly signer: Signer }

/** Signs a body as a statement of its kind; options may have more in them than is signed. */
export function signBody<Body>(kind: string, body: Body, options: SigningOptions): Promise<DecodedStatement<Body>> {
  const { signer, network, seq, timestampMs, nonce } = options
  return signStatement({ network, seq, timestampMs, nonce, kind, body }, signer)
}

/**
 * Signs several statements with one signature: over the root of a hash tree whose leaves are what would be signed of each. Every
 * statement carries its path to the root and stands alone as evidence. Rule [S7].
 *
 * @param inits - 1 to `BATCH_STATEMENTS_MAX` statements; a single one is signed as {@link signStatement} does.
 */
export async function signStatements<Body>(
  inits: readonly StatementInit<Body>[],
  signer: Signer,
): Promise<DecodedStatement<Body>[]> {
  invariant(inits.length <= BATCH_STATEMENTS_MAX, `a batch has at most ${BATCH_STATEMENTS_MAX} statements`)
  const [only] = inits
  if (inits.length === 1 && only !== undefined) return [await signStatement(only, signer)]
  const prepared = inits.map((init) => prepareStatement(init, signer.author))
  const tree = treeOf(prepared)
  return sealTree(prepared, tree, await signer.sign(batchBytes(tree.root)))
}

function treeOf(prepared: readonly PreparedStatement<unknown>[]): ReturnType<typeof hashTree> {
  return hashTree(prepared.map(({ statement, payload }) => signedBytes(statement.kind, payload)))
}

function sealTree<Body>(
  prepared: readonly PreparedStatement<Body>[],
  { root, inclusions }: ReturnType<typeof hashTree>,
  signature: Uint8Array,
): PlacedStatement<Body>[] {
  // One inclusion for each leaf.
  return prepared.map((each, index) => new Placed(each, inclusions[index] as Inclusion, { signature, root }))
}

/** Most statements of a batch travel and are judged without their envelopes, which are made when somebody asks. */
class Placed<Body> implements PlacedStatement<Body> {
  readonly statement: Statement<Body>
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  readonly inclusion: Inclusion
  readonly root?: Uint8Array
  #bytes: Uint8Array | undefined

  constructor(
    { statement, payload }: PreparedStatement<Body>,
    inclusion: Inclusion,
    batch: { readonly signature: Uint8Array; readonly root?: Uint8Array },
  ) {
    this.statement = statement
    this.payload = payload
    this.signature = batch.signature
    this.inclusion = inclusion
    if (batch.root !== undefined) this.root = batch.root
  }

  get bytes(): Uint8Array {
    const { payload, signature, inclusion } = this
    this.#bytes ??= encode({ payload, signature, inclusion })
    return this.#bytes
  }
}

/**
 * Makes statements of a batch again from their parts and the batch's signature, which is still to be verified.
 *
 * @param parts - Either some of the batch, each with its path, or all of it in order, with `null` for paths.
 */
export function sealInBatch<Body>(
  parts: readonly {
    readonly init: StatementInit<Body>
    readonly index: number
    readonly path: readonly Uint8Array[] | null
  }[],
  batch: { readonly author: PeerId; readonly signature: Uint8Array; readonly size: number },
): PlacedStatement<Body>[] {
  const { author, signature, size } = batch
  const prepared = parts.map(({ init }) => prepareStatement(init, author))
  if (parts.every(({ path }) => path === null)) {
    invariant(parts.length === size, 'only a whole batch has a tree')
    return sealTree(prepared, treeOf(prepared), signature)
  }
  return parts.map(({ index, path }, at) => {
    invariant(path !== null, 'a part of a batch has its path')
    // As many were prepared as there are parts.
    return new Placed(prepared[at] as PreparedStatement<Body>, { index, size, path }, { signature })
  })
}

/** The bytes under the signature of a batch. A domain of its own: a root never passes for a payload. */
function batchBytes(root: Uint8Array): Uint8Array {
  return concatBytes(utf8('starling/statements/1\n'), root)
}

export interface StatementKind<Body> {
  readonly kind: string
  readonly body: v.GenericSchema<unknown, Body>
  readonly limits?: DecodeLimits
}

/**
 * Reads a statement of one kind. Its signature is still to be verified.
 *
 * @throws {@link WrongKindError} When it is of another kind.
 * @throws {@link InvalidMessageError} Or a limit error, naming the field, when it is no statement.
 */
export function decodeStatement<Body>(envelope: Uint8Array, options: StatementKind<Body>): DecodedStatement<Body> {
  const what = options.kind
  const limits = options.limits ?? STATEMENT_LIMITS
  const { payload, signature, inclusion } = decode(envelope, { what, limits, schema: envelopeSchema })
  const outer = decode(payload, { what, limits, schema: statementSchema })
  if (outer.kind !== options.kind) {
    throw new WrongKindError(`${what}.kind is "${outer.kind}", limit "${options.kind}"`, {
      field: `${what}.kind`,
      value: outer.kind,
      limit: options.kind,
    })
  }
  const body = conform(outer.body, { what, schema: options.body })
  const decoded = { statement: { ...outer, body }, payload, signature, bytes: envelope }
  return inclusion === undefined ? decoded : { ...decoded, inclusion }
}

/** What a verifier is to be asked about a statement; `null` when its place in a batch contradicts itself. */
export function signedPartOf(
  decoded: DecodedStatement<unknown>,
): { readonly author: PeerId; readonly bytes: Uint8Array; readonly signature: Uint8Array } | null {
  const { statement, payload, signature, inclusion } = decoded
  const bytes = signedBytes(statement.kind, payload)
  if (inclusion === undefined) return { author: statement.author, bytes, signature }
  const root = decoded.root ?? rootOf(bytes, inclusion)
  return root === null ? null : { author: statement.author, bytes: batchBytes(root), signature }
}

/**
 * Decides whether the author signed it.
 *
 * @throws {@link BadSignatureError} When not.
 */
export async function verifyStatement(decoded: DecodedStatement<unknown>, verifier: Verifier): Promise<void> {
  const signed = signedPartOf(decoded)
  if (signed !== null && (await verifier.verify(signed.author, signed.bytes, signed.signature))) return
  const { author, kind } = decoded.statement
  throw new BadSignatureError(`Signature of the ${kind} is not by ${author}`, {
    field: `${kind}.signature`,
    value: author,
  })
}

/**
 * Those of some statements whose signatures must be asked for so that all are decided. Statements of a batch whose tree this peer made hold
 * the same root, and its signature stands for each of them.
 */
export function distinctlySigned(statements: readonly DecodedStatement<unknown>[]): DecodedStatement<unknown>[] {
  const roots = new Set<Uint8Array>()
  return statements.filter(({ root }) => {
    if (root === undefined) return true
    if (roots.has(root)) return false
    roots.add(root)
    return true
  })
}

/**
 * Refuses a statement of another network. Rule [S8].
 *
 * @throws {@link ForeignStatementError} When it is one.
 */
export function checkStatementNetwork(statement: Statement<unknown>, network: string): void {
  if (statement.network === network) return
  const field = `${statement.kind}.network`
  throw new ForeignStatementError(`${field} is "${statement.network}", limit "${network}"`, {
    field,
    value: statement.network,
    limit: network,
  })
}
