import { StarlingError } from '../core/codec/errors.ts'

/** A job ended before all of its units were accepted; `details` holds its id, how it ended and how many were. */
export class JobEndedError extends StarlingError {
  override readonly name = 'JobEndedError'
}

/** A relay did not say how to join: nobody answers, or what answers is no relay. */
export class RelayUnavailableError extends StarlingError {
  override readonly name = 'RelayUnavailableError'
}
