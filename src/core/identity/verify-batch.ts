import { LimitExceededError } from '../codec/errors.ts'
import type { PeerId } from '../codec/ids.ts'
import { BadSignatureError } from './errors.ts'
import { VERIFY_BATCH_MAX } from './limits.ts'
import type { Verifier } from './ports.ts'
import { type DecodedStatement, signedPartOf } from './statement.ts'

/** One signature to be looked at. */
export interface Signed {
  readonly author: PeerId
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** Where the order of a batch comes from. */
export interface Shuffle {
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number
}

export interface BatchOptions {
  readonly verifier: Verifier
  readonly shuffle: Shuffle
}

/**
 * Verifies many signatures at once, in an order that nobody outside can foresee: how long the batch took says nothing about which of
 * them was bad or cost more, and no sender chooses whose signature waits behind its own. Each gets its own verdict.
 *
 * @returns The verdicts in the order of `items`.
 * @throws {@link LimitExceededError} Above `VERIFY_BATCH_MAX` items.
 */
export async function verifyBatch(items: readonly Signed[], { verifier, shuffle }: BatchOptions): Promise<boolean[]> {
  if (items.length > VERIFY_BATCH_MAX) {
    throw new LimitExceededError(`batch has items ${items.length}, limit ${VERIFY_BATCH_MAX}`, {
      field: 'batch.items',
      value: items.length,
      limit: VERIFY_BATCH_MAX,
    })
  }
  const asked = new Array<Promise<boolean>>(items.length)
  for (const at of shuffled(items.length, shuffle)) {
    // Every place of the permutation is one of the items.
    const { author, bytes, signature } = items[at] as Signed
    asked[at] = verifier.verify(author, bytes, signature)
  }
  return Promise.all(asked)
}

/**
 * Decides of each statement whether its author signed it, as a batch.
 *
 * @throws {@link BadSignatureError} Naming the first bad one in the order of `statements`, by author and place.
 */
export async function verifyStatements(
  statements: readonly DecodedStatement<unknown>[],
  options: BatchOptions,
): Promise<void> {
  const items = statements.map((decoded) => signedPartOf(decoded))
  const asked = items.flatMap((item, at) => (item === null ? [] : [{ item, at }]))
  const verdicts = await verifyBatch(
    asked.map(({ item }) => item),
    options,
  )
  const good = new Set(asked.flatMap(({ at }, i) => (verdicts[i] === true ? [at] : [])))
  const bad = statements.findIndex((_, at) => !good.has(at))
  const statement = statements[bad]?.statement
  if (statement === undefined) return
  throw new BadSignatureError(
    `Signature ${bad} of ${statements.length}, of a ${statement.kind}, is not by its author`,
    {
      field: `${statement.kind}.signature`,
      value: statement.author,
      index: bad,
    },
  )
}

/** A random order of 0 to `count` − 1. Source: Fisher and Yates, in Durstenfeld's form. */
function shuffled(count: number, shuffle: Shuffle): number[] {
  const order = Array.from({ length: count }, (_, at) => at)
  for (let left = count - 1; left > 0; left--) {
    const at = shuffle.below(left + 1)
    const moved = order[at] as number
    order[at] = order[left] as number
    order[left] = moved
  }
  return order
}
