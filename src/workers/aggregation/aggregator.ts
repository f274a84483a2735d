import { aggregate } from '../../core/learning/aggregate.ts'
import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'
import type { Aggregation } from '../../core/learning/rules.ts'
import type { AgreeRequest, SumWork } from '../../core/learning/secure-sum/events.ts'
import { agreeNow } from '../../core/learning/secure-sum/key-agreement.ts'
import { runSumWork } from '../../core/learning/secure-sum/mask.ts'
import { fromPlainError } from '../sandbox/errors.ts'
import type {
  AggregateRequest,
  Aggregator,
  AggregatorJob,
  AggregatorMessage,
  AggregatorResults,
  AggregatorWorker,
  SpawnAggregator,
} from './contract.ts'
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
 * {@link Aggregator} in a worker, which is started with the first job. Jobs are computed one after the other. A worker that ends or does not
 * answer fails the job it had, and only that; the next job starts another.
 *
 * @param options.timeoutMs - For each job, from when the worker has it. @default AGGREGATION_TIMEOUT_MS
 */
export function createAggregator(options: {
  readonly spawn: SpawnAggregator
  readonly timeoutMs?: number
}): Aggregator {
  return new QueuedAggregator(options.spawn, options.timeoutMs ?? AGGREGATION_TIMEOUT_MS)
}

interface Job {
  readonly request: AggregateRequest
  resolve(result: AggregatorResults[AggregatorJob['type']]): void
  reject(error: Error): void
}

class QueuedAggregator implements Aggregator {
  readonly #spawn: SpawnAggregator
  readonly #timeoutMs: number
  readonly #waiting: Job[] = []
  #worker: AggregatorWorker | null = null
  #running: Job | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #nextId = 0
  #closed = false

  constructor(spawn: SpawnAggregator, timeoutMs: number) {
    this.#spawn = spawn
    this.#timeoutMs = timeoutMs
  }

  aggregate(...[updates, rule, state]: Parameters<Aggregator['aggregate']>): Promise<Aggregation> {
    return this.#run({ type: 'aggregate', updates, rule, state })
  }

  agree(request: AgreeRequest): Promise<readonly (Uint8Array | null)[]> {
    return this.#run({ type: 'agree', request })
  }

  sum(work: SumWork): Promise<Int32Array> {
    return this.#run({ type: 'sum', work })
  }

  #run<Type extends AggregatorJob['type']>(
    job: Extract<AggregatorJob, { type: Type }>,
  ): Promise<AggregatorResults[Type]> {
    if (this.#closed) return Promise.reject(new AggregationUnavailableError('The aggregation worker was closed'))
    if (this.#waiting.length >= JOBS_WAITING_MAX) {
      const waiting = this.#waiting.length
      return Promise.reject(
        new AggregationUnavailableError(`${waiting} aggregations wait already; at most ${JOBS_WAITING_MAX} may`, {
          waiting,
          limit: JOBS_WAITING_MAX,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        request: { id: this.#nextId++, job },
        // A job of a type gives its type's result.
        resolve: (result) => resolve(result as AggregatorResults[Type]),
        reject,
      })
      this.#next()
    })
  }

  close(): void {
    this.#closed = true
    // First what waits, so that giving up the running job starts no other.
    for (const job of this.#waiting.splice(0))
      job.reject(new AggregationUnavailableError('The aggregation worker was closed'))
    this.#abandon('The aggregation worker was closed')
  }

  #next(): void {
    if (this.#running !== null) return
    const job = this.#waiting.shift()
    if (job === undefined) return
    this.#running = job
    this.#timer = setTimeout(
      () => this.#abandon(`The aggregation worker did not answer within ${this.#timeoutMs} ms`),
      this.#timeoutMs,
    )
    try {
      this.#worker ??= this.#start()
      this.#worker.post(job.request)
    } catch (error) {
      this.#abandon(
        `The aggregation worker could not be given a job: ${error instanceof Error ? error.message : error}`,
      )
    }
  }

  #start(): AggregatorWorker {
    const worker = this.#spawn({
      // What a worker that was given up says no longer counts.
      message: (message) => this.#worker === worker && this.#answer(message),
      failed: (reason) => this.#worker === worker && this.#abandon(`The aggregation worker ended: ${reason}`),
    })
    return worker
  }

  #answer(message: AggregatorMessage): void {
    const job = this.#running
    if (message.type === 'ready' || job === null || message.id !== job.request.id) return
    this.#settle()
    if (message.type === 'done') job.resolve(message.result)
    else job.reject(fromPlainError(message.error))
    this.#next()
  }

  /** Ends the worker and fails the job it has. */
  #abandon(reason: string): void {
    const job = this.#running
    this.#worker?.terminate()
    this.#worker = null
    this.#settle()
    job?.reject(new AggregationUnavailableError(reason))
    this.#next()
  }

  #settle(): void {
    clearTimeout(this.#timer)
    this.#running = null
  }
}
