import { type ProxyMarked, proxy, type Remote, releaseProxy, transfer } from 'comlink'
import type { EngineKind, TrainingApi, TrainProgress, TrainRequest, TrainResult } from './contract.ts'
import type { TrainingPlatform } from './platform.ts'
import { TrainingService } from './service.ts'

/** Progress goes to the caller as a proxied function. */
export type ProgressListener = (progress: TrainProgress) => void

/** What crosses the port: the service, made when the caller says with which engines. */
export interface TrainingPort {
  open(engines: readonly EngineKind[]): TrainingSession & ProxyMarked
}

export interface TrainingSession extends Omit<TrainingApi, 'train'> {
  train(request: TrainRequest, onProgress: (ProgressListener & ProxyMarked) | null): Promise<TrainResult>
}

/** The worker's side, the same on every platform. */
export function trainingPort(platform: TrainingPlatform): TrainingPort {
  return { open: (engines) => proxy(session(new TrainingService({ platform, engines }))) }
}

function session(service: TrainingService): TrainingSession {
  return {
    engine: () => service.engine(),
    load: (init) => service.load(init),
    unload: (dataset) => service.unload(dataset),
    pause: (job) => service.pause(job),
    resume: (job) => service.resume(job),
    cancel: (job) => service.cancel(job),
    evaluate: (request) => service.evaluate(request),
    predict: (request) => service.predict(request),
    async train(request, onProgress) {
      // What comes over the port is the caller's proxy, whatever the type says.
      const remote = onProgress as unknown as Remote<ProgressListener> | null
      try {
        const result = await service.train(request, (progress) => {
          // A caller that has gone hears nothing; its training is cancelled by whoever stops this worker.
          if (remote !== null) void remote(progress).catch(() => {})
        })
        return transfer(result, [result.update.buffer as ArrayBuffer])
      } finally {
        remote?.[releaseProxy]()
      }
    },
  }
}
