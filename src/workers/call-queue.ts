import type { StarlingError } from '../core/codec/errors.ts'
import { fromPlainError, type PlainError } from './sandbox/errors.ts'

/** From a worker that does calls: ready, how a call goes, or how it ended. */
type CallMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly id: number; readonly share: number }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError }

interface CallQueueInit<Request> {
  readonly spawn: (events: { message(message: CallMessage): void; failed(reason: string): void }) => {
    post(request: Request): void
    terminate(): void
  }
  /** What the worker is called in errors, such as `proof worker`. */
  readonly what: string
  /** Without answer or progress. */
  readonly timeoutMs: number
  readonly waitingMax: number
  readonly unavailable: (message: string) => StarlingError
  /** The error when so many wait that no more may. */
  readonly crowded: (waiting: number) => StarlingError
}

interface Call<Request> {
  readonly request: Request
  readonly onProgress: ((share: number) => void) | undefined
  resolve(result: unknown): void
  reject(error: Error): void
}

/**
 * Calls to a worker, which is started with the first of them. They are done one after the other. A worker that ends or does not answer
 * fails the call it had, and only that; the next starts another.
 */
export class CallQueue<Request extends { readonly id: number }> {
  readonly #init: CallQueueInit<Request>
  readonly #waiting: Call<Request>[] = []
  #worker: ReturnType<CallQueueInit<Request>['spawn']> | null = null
  #running: Call<Request> | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #nextId = 0
  #closed = false

  constructor(init: CallQueueInit<Request>) {
    this.#init = init
  }

  /** @returns What the worker answers, which is of the type that its contract states for the request. */
  call<Result>(requestOf: (id: number) => Request, onProgress?: (share: number) => void): Promise<Result> {
    const { what, waitingMax, unavailable, crowded } = this.#init
    if (this.#closed) return Promise.reject(unavailable(`The ${what} was closed`))
    if (this.#waiting.length >= waitingMax) return Promise.reject(crowded(this.#waiting.length))
    return new Promise((resolve, reject) => {
      const request = requestOf(this.#nextId++)
      this.#waiting.push({ request, onProgress, resolve: resolve as Call<Request>['resolve'], reject })
      this.#next()
    })
  }

  /** Ends the worker; what waits fails. */
  close(): void {
    const { what, unavailable } = this.#init
    this.#closed = true
    // First what waits, so that giving up the running call starts no other.
    for (const call of this.#waiting.splice(0)) call.reject(unavailable(`The ${what} was closed`))
    this.#abandon('was closed')
  }

  #next(): void {
    if (this.#running !== null) return
    const call = this.#waiting.shift()
    if (call === undefined) return
    this.#running = call
    this.#watch()
    try {
      this.#worker ??= this.#start()
      this.#worker.post(call.request)
    } catch (error) {
      this.#abandon(`could not be given a call: ${error instanceof Error ? error.message : error}`)
    }
  }

  #watch(): void {
    const { timeoutMs } = this.#init
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#abandon(`did not answer within ${timeoutMs} ms`), timeoutMs)
  }

  #start(): ReturnType<CallQueueInit<Request>['spawn']> {
    const worker = this.#init.spawn({
      // What a worker that was given up says no longer counts.
      message: (message) => this.#worker === worker && this.#answer(message),
      failed: (reason) => this.#worker === worker && this.#abandon(`ended: ${reason}`),
    })
    return worker
  }

  #answer(message: CallMessage): void {
    const call = this.#running
    if (message.type === 'ready' || call === null || message.id !== call.request.id) return
    if (message.type === 'progress') {
      this.#watch()
      call.onProgress?.(message.share)
      return
    }
    this.#settle()
    if (message.type === 'done') call.resolve(message.result)
    else call.reject(fromPlainError(message.error))
    this.#next()
  }

  /** Ends the worker and fails the call it has. */
  #abandon(how: string): void {
    const { what, unavailable } = this.#init
    const call = this.#running
    this.#worker?.terminate()
    this.#worker = null
    this.#settle()
    call?.reject(unavailable(`The ${what} ${how}`))
    this.#next()
  }

  #settle(): void {
    clearTimeout(this.#timer)
    this.#running = null
  }
}
