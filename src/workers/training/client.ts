import { type Endpoint, type ProxyMarked, proxy, type Remote, wrap } from 'comlink'
import { installErrorTransfer } from '../error-transfer.ts'
import type {
  DatasetId,
  DatasetInit,
  EngineInfo,
  EngineKind,
  EvaluateRequest,
  Evaluation,
  LoadedDataset,
  Prediction,
  PredictRequest,
  TrainingApi,
  TrainProgress,
  TrainRequest,
  TrainResult,
} from './contract.ts'
import { TrainingUnavailableError } from './errors.ts'
import { START_TIMEOUT_MS } from './limits.ts'
import type { TrainingPort, TrainingSession } from './serve.ts'

installErrorTransfer()

/** A worker that trains. */
export interface TrainingWorker extends TrainingApi {
  /** Stops the worker at once; calls under way fail with `TrainingUnavailableError`. */
  terminate(): void
}

export interface SpawnTrainingInit {
  /** Engines in the order in which they are tried. @default webgpu, wasm, reference */
  readonly engines?: readonly EngineKind[]
}

/** Starts a worker; each platform has its own. */
export type SpawnTraining = (init?: SpawnTrainingInit) => TrainingWorker

/** The caller's side, over any platform's worker: Comlink alone would wait for ever for one that ended. */
export class TrainingClient implements TrainingWorker {
  readonly #session: Promise<Remote<TrainingSession>>
  readonly #failure: Promise<never>
  readonly #terminate: () => void
  #fail: (error: Error) => void = () => {}

  constructor(endpoint: Endpoint, init: SpawnTrainingInit, terminate: () => void) {
    this.#terminate = terminate
    this.#failure = new Promise((_, reject) => {
      this.#fail = reject
    })
    // Calls race with it; on its own it is nobody's error.
    this.#failure.catch(() => {})
    const timer = setTimeout(() => this.failed(`it did not start within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS)
    const port = wrap<TrainingPort>(endpoint)
    // `open` gives a proxy, which Comlink's types do not follow through two interfaces.
    this.#session = port.open([...(init.engines ?? ['webgpu', 'wasm'])]).then((session) => {
      clearTimeout(timer)
      return session as unknown as Remote<TrainingSession>
    })
    this.#session.catch(() => {})
    this.#failure.catch(() => clearTimeout(timer))
  }

  /** The worker ended, or never came up. */
  failed(reason: string): void {
    this.#fail(new TrainingUnavailableError(`The training worker failed: ${reason}`, { reason }))
    this.#terminate()
  }

  terminate(): void {
    this.failed('it was stopped')
  }

  engine(): Promise<EngineInfo> {
    return this.#call((session) => session.engine())
  }

  load(init: DatasetInit): Promise<LoadedDataset> {
    return this.#call((session) => session.load(init))
  }

  unload(dataset: DatasetId): Promise<void> {
    return this.#call((session) => session.unload(dataset))
  }

  train(request: TrainRequest, onProgress?: (progress: TrainProgress) => void): Promise<TrainResult> {
    const listener = onProgress === undefined ? null : (proxy(onProgress) as typeof onProgress & ProxyMarked)
    return this.#call((session) => session.train(request, listener))
  }

  pause(job: string): Promise<void> {
    return this.#call((session) => session.pause(job))
  }

  resume(job: string): Promise<void> {
    return this.#call((session) => session.resume(job))
  }

  cancel(job: string): Promise<void> {
    return this.#call((session) => session.cancel(job))
  }

  evaluate(request: EvaluateRequest): Promise<Evaluation> {
    return this.#call((session) => session.evaluate(request))
  }

  predict(request: PredictRequest): Promise<Prediction> {
    return this.#call((session) => session.predict(request))
  }

  #call<T>(call: (session: Remote<TrainingSession>) => Promise<T>): Promise<T> {
    return Promise.race([this.#session.then(call), this.#failure])
  }
}
