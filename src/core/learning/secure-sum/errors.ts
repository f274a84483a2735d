import { StarlingError } from '../../codec/errors.ts'

/** A public key whose shared secret everybody knows, or that is no key at all. */
export class LowOrderKeyError extends StarlingError {
  override readonly name = 'LowOrderKeyError'
}

/** A share is not the one its dealer committed to, is sealed for somebody else, or was changed. */
export class InvalidShareError extends StarlingError {
  override readonly name = 'InvalidShareError'
}

/** Fewer shares or peers than a secret sum needs; nothing was revealed. */
export class TooFewSharesError extends StarlingError {
  override readonly name = 'TooFewSharesError'
}

/** A sum could leave the 32 bits that it has, or a value the bound that keeps it inside. */
export class SumOverflowError extends StarlingError {
  override readonly name = 'SumOverflowError'
}
