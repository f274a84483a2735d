import { fromPlainError } from '../sandbox/errors.ts'
import type { ProofCall, ProofMessage, ProofRequest, Proofs, ProofWorker, SpawnProofs } from './contract.ts'
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
 * {@link Proofs} in a worker, which is started with the first call. Calls are done one after the other. A worker that ends or does not answer fails
 * the call it had, and only that; the next starts another.
 *
 * @param options.timeoutMs - Without answer or progress. @default PROOF_TIMEOUT_MS
 */
export function createProofs(options: { readonly spawn: SpawnProofs; readonly timeoutMs?: number }): Proofs {
  const queue = new CallQueue(options.spawn, options.timeoutMs ?? PROOF_TIMEOUT_MS)
  return {
    commit: (values) => queue.call({ method: 'commit', values }),
    prove: (request, onProgress) => queue.call({ method: 'prove', request }, onProgress),
    verify: (proofs) => queue.call({ method: 'verify', proofs }),
    opensSum: (opening) => queue.call({ method: 'opensSum', opening }),
    close: () => queue.close(),
  }
}

interface Job {
  readonly request: ProofRequest
  readonly onProgress: ((share: number) => void) | undefined
  resolve(result: unknown): void
  reject(error: Error): void
}

class CallQueue {
  readonly #spawn: SpawnProofs
  readonly #timeoutMs: number
  readonly #waiting: Job[] = []
  #worker: ProofWorker | null = null
  #running: Job | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #nextId = 0
  #closed = false

  constructor(spawn: SpawnProofs, timeoutMs: number) {
    this.#spawn = spawn
    this.#timeoutMs = timeoutMs
  }

  call<Result>(call: ProofCall, onProgress?: (share: number) => void): Promise<Result> {
    if (this.#closed) return Promise.reject(new ProofsUnavailableError('The proof worker was closed'))
    const waiting = this.#waiting.length
    if (waiting >= PROOF_CALLS_WAITING_MAX) {
      return Promise.reject(
        new ProofsUnavailableError(`${waiting} calls wait for the proof worker, limit ${PROOF_CALLS_WAITING_MAX}`, {
          field: 'waiting',
          value: waiting,
          limit: PROOF_CALLS_WAITING_MAX,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      // The worker answers each method with what the contract says.
      const job = { request: { id: this.#nextId++, call }, onProgress, resolve: resolve as Job['resolve'], reject }
      this.#waiting.push(job)
      this.#next()
    })
  }

  close(): void {
    this.#closed = true
    // First what waits, so that giving up the running call starts no other.
    for (const job of this.#waiting.splice(0)) job.reject(new ProofsUnavailableError('The proof worker was closed'))
    this.#abandon('The proof worker was closed')
  }

  #next(): void {
    if (this.#running !== null) return
    const job = this.#waiting.shift()
    if (job === undefined) return
    this.#running = job
    this.#watch()
    try {
      this.#worker ??= this.#start()
      this.#worker.post(job.request)
    } catch (error) {
      this.#abandon(`The proof worker could not be given a call: ${error instanceof Error ? error.message : error}`)
    }
  }

  #watch(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => this.#abandon(`The proof worker did not answer within ${this.#timeoutMs} ms`),
      this.#timeoutMs,
    )
  }

  #start(): ProofWorker {
    const worker = this.#spawn({
      // What a worker that was given up says no longer counts.
      message: (message) => this.#worker === worker && this.#answer(message),
      failed: (reason) => this.#worker === worker && this.#abandon(`The proof worker ended: ${reason}`),
    })
    return worker
  }

  #answer(message: ProofMessage): void {
    const job = this.#running
    if (job === null || message.id !== job.request.id) return
    if (message.type === 'progress') {
      this.#watch()
      job.onProgress?.(message.share)
      return
    }
    this.#settle()
    if (message.type === 'done') job.resolve(message.result)
    else job.reject(fromPlainError(message.error))
    this.#next()
  }

  /** Ends the worker and fails the call it has. */
  #abandon(reason: string): void {
    const job = this.#running
    this.#worker?.terminate()
    this.#worker = null
    this.#settle()
    job?.reject(new ProofsUnavailableError(reason))
    this.#next()
  }

  #settle(): void {
    clearTimeout(this.#timer)
    this.#running = null
  }
}
