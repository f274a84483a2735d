import { StarlingError } from '../../core/codec/errors.ts'

/** The proof worker cannot run here, ended, was stopped, or did not answer in time. */
export class ProofsUnavailableError extends StarlingError {
  override readonly name = 'ProofsUnavailableError'
}
