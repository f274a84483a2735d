import { StarlingError } from '../core/codec/errors.ts'

/** A browser that is needed is not on this machine and could not be installed; the message says what to do. */
export class BrowserMissingError extends StarlingError {
  override readonly name = 'BrowserMissingError'
}

/** A command was called with something it cannot take; the message names the option or line, the value and what is wanted. */
export class UsageError extends StarlingError {
  override readonly name = 'UsageError'
}

/** The relay cannot be reached, or no peer came in time. */
export class NetworkUnavailableError extends StarlingError {
  override readonly name = 'NetworkUnavailableError'
}

/** A job ended without every unit accepted. */
export class JobFailedError extends StarlingError {
  override readonly name = 'JobFailedError'
}

/** The person or the system asked the command to stop. */
export class InterruptedError extends StarlingError {
  override readonly name = 'InterruptedError'
}
