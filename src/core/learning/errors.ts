import { StarlingError } from '../codec/errors.ts'

/** A rule's field, or the number of updates, is outside of what the rule can keep its promise with. */
export class AggregationBoundError extends StarlingError {
  override readonly name = 'AggregationBoundError'
}

/** A number cannot be an I16F16: not finite, or beyond ±32768. */
export class FixedOverflowError extends StarlingError {
  override readonly name = 'FixedOverflowError'
}

/** The same peer twice in one aggregation. Equivocation is dealt with before updates come here. */
export class DuplicateUpdateError extends StarlingError {
  override readonly name = 'DuplicateUpdateError'
}
