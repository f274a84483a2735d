import { StarlingError } from '../../core/codec/errors.ts'

/** A run was stopped by whoever started it, or gave way to another. */
export class LabStoppedError extends StarlingError {
  override readonly name = 'LabStoppedError'
}

/** The lab worker did not start, ended, fell silent, or could not load its digits. */
export class LabUnavailableError extends StarlingError {
  override readonly name = 'LabUnavailableError'
}
