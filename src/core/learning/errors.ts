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

/** An architecture that cannot be built, or parameters that do not belong to it; whoever made them is at fault. */
export class InvalidModelError extends StarlingError {
  override readonly name = 'InvalidModelError'
}

/** Training left the numbers: a loss, a gradient or a weight is not finite, usually because the learning rate is too high. */
export class TrainingDivergedError extends StarlingError {
  override readonly name = 'TrainingDivergedError'
}

/** Data that cannot be trained on: a file that is cut short, a column that is missing, a value that is no number. */
export class InvalidDatasetError extends StarlingError {
  override readonly name = 'InvalidDatasetError'
}

/** A vector has not the length that it must have. */
export class InvalidVectorError extends StarlingError {
  override readonly name = 'InvalidVectorError'
}

/** A setting of the attack lab that cannot be run; its details name the field. */
export class InvalidLabSettingError extends StarlingError {
  override readonly name = 'InvalidLabSettingError'
}
