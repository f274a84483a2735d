import { StarlingError } from '../../codec/errors.ts'

/** A proof does not hold, is cut or malformed, or is for another statement. */
export class InvalidProofError extends StarlingError {
  override readonly name = 'InvalidProofError'
}

/** An update has no proof: its norm is above the bound, or its projections were unlucky, which its caller is told apart by the norm. */
export class UnprovableNormError extends StarlingError {
  override readonly name = 'UnprovableNormError'
}
