import { StarlingError } from '../../core/codec/errors.ts'

/** A run was cancelled, its dataset was unloaded, or its worker was stopped. */
export class TrainingCancelledError extends StarlingError {
  override readonly name = 'TrainingCancelledError'
}

/** No dataset of that id is loaded. */
export class UnknownDatasetError extends StarlingError {
  override readonly name = 'UnknownDatasetError'
}

/** The training worker did not start, or ended. */
export class TrainingUnavailableError extends StarlingError {
  override readonly name = 'TrainingUnavailableError'
}

/** An option of a run is outside its bounds. */
export class InvalidTrainingError extends StarlingError {
  override readonly name = 'InvalidTrainingError'
}
