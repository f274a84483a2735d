/**
 * What the proof worker does: commitments and norm proofs, away from the thread that keeps a peer alive. One interface, two implementations:
 * {@link import('./client.ts').createProofs} talks to a worker, {@link import('./client.ts').directProofs} computes at once.
 */
import type { NormStatement } from '../../core/learning/proofs/norm-proof.ts'
import type { PlainError } from '../sandbox/errors.ts'

/** A commitment and its blinding, 32 bytes each. All but the commitment is its maker's secret. */
export interface Commitment {
  readonly commitment: Uint8Array
  readonly blinding: Uint8Array
  /** The update followed by its blinding: what is put into a secure sum whose result is to open the commitments. */
  readonly summable: Int32Array
}

export interface ProveRequest {
  readonly statement: NormStatement
  /** The update that was committed to; copied. */
  readonly values: Int32Array
  readonly blinding: Uint8Array
}

/** A proof as it came, with what it should be about. */
export interface EncodedProof {
  readonly statement: NormStatement
  readonly proof: Uint8Array
}

/** `malformed` is not even read to its end; a `false` one is well made and does not hold. */
export type ProofVerdict = 'holds' | 'malformed' | 'false'

export interface SumOpening {
  readonly commitments: readonly Uint8Array[]
  /** Sum of the vectors that `commit` gave. */
  readonly sum: Int32Array
}

/** Calls are done one after the other. They fail with `ProofsUnavailableError` when the worker ends, is stopped, or too many wait. */
export interface Proofs {
  /** Commits to an update, with a blinding drawn for it. */
  commit(values: Int32Array): Promise<Commitment>
  /**
   * Proves the norm of one's own update; its encoding. Progress is a share from 0 to 1. To cancel, stop the worker.
   *
   * @throws `UnprovableNormError` When the norm is above the bound.
   */
  prove(request: ProveRequest, onProgress?: (share: number) => void): Promise<Uint8Array>
  /** Verifies proofs together: when all hold, one sum serves them all. Bad ones are told by their place, none throws. */
  verify(proofs: readonly EncodedProof[]): Promise<readonly ProofVerdict[]>
  /** Whether the commitments' updates add up to a sum. */
  opensSum(opening: SumOpening): Promise<boolean>
  /** Stops the worker at once; calls under way fail. */
  close(): void
}

/** A call, as it crosses over. */
export type ProofCall =
  | { readonly method: 'commit'; readonly values: Int32Array }
  | { readonly method: 'prove'; readonly request: ProveRequest }
  | { readonly method: 'verify'; readonly proofs: readonly EncodedProof[] }
  | { readonly method: 'opensSum'; readonly opening: SumOpening }

/** To the worker; one at a time. */
export interface ProofRequest {
  readonly id: number
  readonly call: ProofCall
}

/** From the worker: how a request goes, or how it ended. */
export type ProofMessage =
  | { readonly type: 'progress'; readonly id: number; readonly share: number }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError }

export interface ProofWorker {
  post(message: ProofRequest): void
  terminate(): void
}

/** Starts a worker; each platform has its own. */
export type SpawnProofs = (events: {
  message(message: ProofMessage): void
  failed(reason: string): void
}) => ProofWorker
