import { CallQueue } from '../call-queue.ts'
import type { ProofCall, ProofRequest, Proofs, SpawnProofs } from './contract.ts'
import { ProofsUnavailableError } from './errors.ts'
import { PROOF_CALLS_WAITING_MAX, PROOF_TIMEOUT_MS } from './limits.ts'
import type { ProofService } from './service.ts'

/** {@link Proofs} on this thread: for tests. */
export function directProofs(service: ProofService): Proofs {
  return {
    commit: async (values) => service.commit(values),
    prove: async (request, onProgress = () => undefined) => service.prove(request, onProgress),
    verify: async (proofs) => service.verify(proofs),
    opensSum: async (opening) => service.opensSum(opening),
    close: () => undefined,
  }
}

/**
 * {@link Proofs} in a worker, as {@link CallQueue} has it.
 *
 * @param options.timeoutMs - Without answer or progress. @default PROOF_TIMEOUT_MS
 */
export function createProofs(options: { readonly spawn: SpawnProofs; readonly timeoutMs?: number }): Proofs {
  const queue = new CallQueue<ProofRequest>({
    spawn: options.spawn,
    what: 'proof worker',
    timeoutMs: options.timeoutMs ?? PROOF_TIMEOUT_MS,
    waitingMax: PROOF_CALLS_WAITING_MAX,
    unavailable: (message) => new ProofsUnavailableError(message),
    crowded: (waiting) =>
      new ProofsUnavailableError(`${waiting} calls wait for the proof worker, limit ${PROOF_CALLS_WAITING_MAX}`, {
        field: 'waiting',
        value: waiting,
        limit: PROOF_CALLS_WAITING_MAX,
      }),
  })
  // The worker answers each method with what the contract says.
  const ask = <Result>(call: ProofCall, onProgress?: (share: number) => void): Promise<Result> =>
    queue.call((id) => ({ id, call }), onProgress)
  return {
    commit: (values) => ask({ method: 'commit', values }),
    prove: (request, onProgress) => ask({ method: 'prove', request }, onProgress),
    verify: (proofs) => ask({ method: 'verify', proofs }),
    opensSum: (opening) => ask({ method: 'opensSum', opening }),
    close: () => queue.close(),
  }
}
