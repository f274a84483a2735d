import { type SpawnTraining, TrainingClient } from './client.ts'

/** Starts a training worker in a browser, from a page or from another worker. The bundler finds the entry by this expression. */
export const spawnTraining: SpawnTraining = (init = {}) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'training-worker' })
  return superviseTraining(worker, init)
}

/** Makes a training worker of a web `Worker`, however it was started. */
export function superviseTraining(worker: Worker, init: Parameters<SpawnTraining>[0] = {}): TrainingClient {
  const client = new TrainingClient(worker, init, () => worker.terminate())
  worker.addEventListener('error', (event) => {
    event.preventDefault()
    client.failed(event.message || 'its script could not be loaded')
  })
  return client
}
