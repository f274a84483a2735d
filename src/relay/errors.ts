import { StarlingError } from '../core/codec/errors.ts'

/** No port could be listened on; `details` holds the last one tried. */
export class ListenError extends StarlingError {
  override readonly name = 'ListenError'
}

/** The built page is missing or larger than the relay holds in memory. */
export class PageFilesError extends StarlingError {
  override readonly name = 'PageFilesError'
}

/** A key or certificate file cannot be read, or is not what it should be. */
export class RelayKeyError extends StarlingError {
  override readonly name = 'RelayKeyError'
}

/** The folder's network cannot be read, or is of another kind than was asked for. */
export class RelayPolicyError extends StarlingError {
  override readonly name = 'RelayPolicyError'
}
