import { aggregate } from '../../core/learning/aggregate.ts'
import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'
import { toPlainError } from '../sandbox/errors.ts'
import type { AggregateRequest, AggregatorMessage } from './contract.ts'

/** The worker's side, the same on every platform. */
export function serveAggregator(
  kernel: AggregationKernel,
  post: (message: AggregatorMessage) => void,
): (request: AggregateRequest) => void {
  post({ type: 'ready' })
  return ({ id, updates, rule, state }) => {
    const started = performance.now()
    try {
      const aggregation = aggregate(updates, rule, state, kernel)
      post({ type: 'done', id, aggregation, durationMs: performance.now() - started })
    } catch (error) {
      post({ type: 'failed', id, error: toPlainError(error) })
    }
  }
}
