import { StarlingError } from '../core/codec/errors.ts'

/** A job ended before all of its units were accepted; `details` holds its id, how it ended and how many were. */
export class JobEndedError extends StarlingError {
  override readonly name = 'JobEndedError'
}
