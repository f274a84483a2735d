import { StarlingError } from '../../codec/errors.ts'

/** The step would spend more privacy than the budget has left. Nothing was released for it. */
export class PrivacyBudgetError extends StarlingError {
  override readonly name = 'PrivacyBudgetError'
}

/** Parameters of a privacy mechanism that promise nothing or cannot be computed with. */
export class PrivacyParameterError extends StarlingError {
  override readonly name = 'PrivacyParameterError'
}
