import { aggregate } from '../../core/learning/aggregate.ts'
import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'
import { agreeNow } from '../../core/learning/secure-sum/key-agreement.ts'
import { runSumWork } from '../../core/learning/secure-sum/mask.ts'
import { toPlainError } from '../sandbox/errors.ts'
import type { AggregateRequest, AggregatorJob, AggregatorMessage, AggregatorResults } from './contract.ts'

/** The worker's side, the same on every platform. */
export function serveAggregator(
  kernel: AggregationKernel,
  post: (message: AggregatorMessage) => void,
): (request: AggregateRequest) => void {
  post({ type: 'ready' })
  return ({ id, job }) => {
    const started = performance.now()
    try {
      const result = run(job, kernel)
      post({ type: 'done', id, result, durationMs: performance.now() - started })
    } catch (error) {
      post({ type: 'failed', id, error: toPlainError(error) })
    }
  }
}

function run(job: AggregatorJob, kernel: AggregationKernel): AggregatorResults[AggregatorJob['type']] {
  switch (job.type) {
    case 'aggregate':
      return aggregate(job.updates, job.rule, job.state, kernel)
    case 'agree':
      return agreeNow(job.request)
    case 'sum':
      return runSumWork(job.work)
  }
}
