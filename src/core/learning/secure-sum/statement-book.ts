import { compareBytes } from '../../codec/bytes.ts'
import { encode } from '../../codec/cbor.ts'
import { sha256Bytes } from '../../codec/hash.ts'
import type { PeerId } from '../../codec/ids.ts'
import type { DecodedStatement } from '../../identity/statement.ts'
import type { RosterBody } from './messages.ts'

/** A statement with the hash that rosters name it by. */
export interface Kept<Body> {
  readonly body: Body
  readonly author: PeerId
  /** SHA-256 of what its author signed. */
  readonly digest: Uint8Array
  /** The whole envelope, for evidence. */
  readonly bytes: Uint8Array
}

export function keep<Body>(decoded: DecodedStatement<Body>): Kept<Body> {
  const { statement, payload, bytes } = decoded
  return { body: statement.body, author: statement.author, digest: sha256Bytes(payload), bytes }
}

/** The hash of what a roster says, whoever says it. */
export function rosterDigestOf(body: RosterBody): Uint8Array {
  return sha256Bytes(encode(body))
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0
}

/** Versions of one author's statement that are kept: two convict it. A third is kept only when a roster names it. */
const VERSIONS_MAX = 2

/** One stage's statements. An honest author makes one of each. */
export class StatementBook<Body> {
  readonly #kept = new Map<PeerId, Kept<Body>[]>()

  /**
   * Takes a statement.
   *
   * @param isWanted - Whether a roster names it.
   * @returns `twin` is another statement of the same author in the same place, which convicts it.
   */
  add(statement: Kept<Body>, isWanted: boolean): { readonly isNew: boolean; readonly twin: Kept<Body> | null } {
    const versions = this.#kept.get(statement.author) ?? []
    if (versions.some(({ digest }) => sameBytes(digest, statement.digest))) return { isNew: false, twin: null }
    const twin = versions[0] ?? null
    if (versions.length >= VERSIONS_MAX && !isWanted) return { isNew: false, twin }
    this.#kept.set(statement.author, [...versions, statement])
    return { isNew: true, twin }
  }

  find(author: PeerId, digest: Uint8Array): Kept<Body> | undefined {
    return this.#kept.get(author)?.find((kept) => sameBytes(kept.digest, digest))
  }

  /** Statements of authors that made one only, by peer id. */
  sole(): Kept<Body>[] {
    const sole = [...this.#kept.values()].filter(({ length }) => length === 1).flat()
    return sole.sort((a, b) => (a.author < b.author ? -1 : 1))
  }
}
