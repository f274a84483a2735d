import { encode } from '../../codec/cbor.ts'
import { invariant } from '../../codec/errors.ts'
import { sha256Hex } from '../../codec/hash.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import { SumOverflowError } from './errors.ts'
import { SECURE_SUM_PARTICIPANTS_MAX, SECURE_SUM_PARTICIPANTS_MIN, SUM_BOUND, SUM_LENGTH_MAX } from './limits.ts'

/** What all participants of one secure sum must mean alike. Its hash names the session, so whoever means something else is in another. */
export interface SecureSumTerms {
  /** The task, as its manifest's hash. */
  readonly task: Hash
  readonly round: number
  /** Hash of the outcome that the round builds on. Absent where rounds have none. */
  readonly base?: Hash
  /** Number of the group in grouped mode; 0 otherwise. */
  readonly group: number
  /** 0 at first; one more for each new start after a sum that failed. Keys and masks are never used twice. */
  readonly attempt: number
  /** Values of a vector. */
  readonly length: number
  /** Largest absolute value that a participant may put in, noise included: `participantsMax × coordinateMax < 2^31`. */
  readonly coordinateMax: number
  readonly participantsMin: number
  readonly participantsMax: number
  /** Every participant commits to its vector with its keys, and proves its norm once the survivors are named. Absent where nobody does. Rule [Z7]. */
  readonly proved?: true
  /** Peers that may call the stages. Whoever calls sees no more than any participant. */
  readonly callers: readonly PeerId[]
}

/**
 * Checks the terms against their bounds.
 *
 * @throws {@link SumOverflowError} When the sum could leave 32 bits. Rule [Q3].
 */
export function checkTerms(terms: SecureSumTerms): void {
  const { length, participantsMin, participantsMax, coordinateMax } = terms
  invariant(Number.isInteger(length) && length >= 1 && length <= SUM_LENGTH_MAX, `length is 1 to ${SUM_LENGTH_MAX}`)
  invariant(participantsMin >= SECURE_SUM_PARTICIPANTS_MIN, `at least ${SECURE_SUM_PARTICIPANTS_MIN} take part`)
  invariant(
    participantsMin <= participantsMax && participantsMax <= SECURE_SUM_PARTICIPANTS_MAX,
    `participants are participantsMin to ${SECURE_SUM_PARTICIPANTS_MAX}`,
  )
  invariant(Number.isInteger(coordinateMax) && coordinateMax >= 1, 'coordinateMax is a positive integer')
  invariant(terms.callers.length >= 1, 'a secure sum has a caller')
  if (participantsMax * coordinateMax < SUM_BOUND) return
  throw new SumOverflowError(
    `participantsMax × coordinateMax is ${participantsMax * coordinateMax}, limit ${SUM_BOUND - 1}`,
    { field: 'coordinateMax', value: participantsMax * coordinateMax, limit: SUM_BOUND - 1 },
  )
}

/** The session's name: a hash of everything its participants must agree on. Rule [Q1]. */
export function sessionOf(terms: SecureSumTerms): Hash {
  checkTerms(terms)
  return sha256Hex(encode({ ...terms, domain: 'starling/secure-sum/1', callers: [...terms.callers].sort() }))
}
