import { StarlingError } from '../../core/codec/errors.ts'

/** The aggregation worker cannot run here, ended, or did not answer in time. */
export class AggregationUnavailableError extends StarlingError {
  override readonly name = 'AggregationUnavailableError'
}
