import { aggregate } from '../../core/learning/aggregate.ts'
import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'
import { agreeNow } from '../../core/learning/secure-sum/key-agreement.ts'
import { runSumWork } from '../../core/learning/secure-sum/mask.ts'
import { CallQueue } from '../call-queue.ts'
import type { AggregateRequest, Aggregator, AggregatorJob, AggregatorResults, SpawnAggregator } from './contract.ts'
import { AggregationUnavailableError } from './errors.ts'
import { AGGREGATION_TIMEOUT_MS, JOBS_WAITING_MAX } from './limits.ts'

/** {@link Aggregator} on this thread: for tests, and where there is a thread to spare already. */
export function directAggregator(kernel: AggregationKernel): Aggregator {
  return {
    aggregate: async (updates, rule, state) => aggregate(updates, rule, state, kernel),
    agree: async (request) => agreeNow(request),
    sum: async (work) => runSumWork(work),
    close: () => undefined,
  }
}

/**
 * {@link Aggregator} in a worker, as {@link CallQueue} has it.
 *
 * @param options.timeoutMs - For each job, from when the worker has it. @default AGGREGATION_TIMEOUT_MS
 */
export function createAggregator(options: {
  readonly spawn: SpawnAggregator
  readonly timeoutMs?: number
}): Aggregator {
  const queue = new CallQueue<AggregateRequest>({
    spawn: options.spawn,
    what: 'aggregation worker',
    timeoutMs: options.timeoutMs ?? AGGREGATION_TIMEOUT_MS,
    waitingMax: JOBS_WAITING_MAX,
    unavailable: (message) => new AggregationUnavailableError(message),
    crowded: (waiting) =>
      new AggregationUnavailableError(`${waiting} aggregations wait already; at most ${JOBS_WAITING_MAX} may`, {
        waiting,
        limit: JOBS_WAITING_MAX,
      }),
  })
  const run = <Type extends AggregatorJob['type']>(
    job: Extract<AggregatorJob, { type: Type }>,
  ): Promise<AggregatorResults[Type]> => queue.call((id) => ({ id, job }))
  return {
    aggregate: (updates, rule, state) => run<'aggregate'>({ type: 'aggregate', updates, rule, state }),
    agree: (request) => run<'agree'>({ type: 'agree', request }),
    sum: (work) => run<'sum'>({ type: 'sum', work }),
    close: () => queue.close(),
  }
}
