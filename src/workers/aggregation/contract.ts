/**
 * What the aggregation worker does: whole aggregations, away from the thread that keeps a peer alive. One interface, two implementations:
 * {@link import('./aggregator.ts').createAggregator} talks to a worker, {@link import('./aggregator.ts').directAggregator} computes at once.
 */
import type { Aggregation, AggregationRule, AggregationState, PeerUpdate } from '../../core/learning/rules.ts'
import type { AgreeRequest, SumWork } from '../../core/learning/secure-sum/events.ts'
import type { PlainError } from '../sandbox/errors.ts'

/** Makes aggregates. */
export interface Aggregator {
  /**
   * As `aggregate` of src/core/learning/aggregate.ts, whose errors come by name (`AggregationBoundError`, …). Updates are copied, not
   * transferred: the caller keeps them for validation and evidence.
   *
   * @throws {@link AggregationUnavailableError} When the worker ended, did not answer in time, or too many jobs wait.
   */
  aggregate(updates: readonly PeerUpdate[], rule: AggregationRule, state: AggregationState): Promise<Aggregation>
  /** X25519 with one secret and several public keys; `null` where a key is refused. */
  agree(request: AgreeRequest): Promise<readonly (Uint8Array | null)[]>
  /** Adds vectors and masks modulo 2^32. */
  sum(work: SumWork): Promise<Int32Array>
  /** Ends the worker; what waits fails. */
  close(): void
}

/** What a job is: a whole aggregation, or a step of a secure sum. */
export type AggregatorJob =
  | {
      readonly type: 'aggregate'
      readonly updates: readonly PeerUpdate[]
      readonly rule: AggregationRule
      readonly state: AggregationState
    }
  | { readonly type: 'agree'; readonly request: AgreeRequest }
  | { readonly type: 'sum'; readonly work: SumWork }

/** What a job gives. */
export interface AggregatorResults {
  readonly aggregate: Aggregation
  readonly agree: readonly (Uint8Array | null)[]
  readonly sum: Int32Array
}

/** To the worker; one at a time. */
export interface AggregateRequest {
  readonly id: number
  readonly job: AggregatorJob
}

/** From the worker: ready, or how a request ended. */
export type AggregatorMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'done'
      readonly id: number
      readonly result: AggregatorResults[AggregatorJob['type']]
      readonly durationMs: number
    }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError }

export interface AggregatorWorker {
  post(message: AggregateRequest): void
  terminate(): void
}

/** Starts a worker; each platform has its own. */
export type SpawnAggregator = (events: {
  message(message: AggregatorMessage): void
  failed(reason: string): void
}) => AggregatorWorker
