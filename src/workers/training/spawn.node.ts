import { Worker } from 'node:worker_threads'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { type SpawnTraining, TrainingClient } from './client.ts'

/** Starts a training worker in Node: no environment and no flags. It does not keep the process alive. */
export const spawnTraining: SpawnTraining = (init = {}) => {
  const worker = new Worker(new URL('./worker.node.ts', import.meta.url), {
    name: 'training-worker',
    env: {},
    argv: [],
    execArgv: [],
  })
  const client = new TrainingClient(nodeEndpoint(worker), init, () => void worker.terminate())
  worker.on('error', (error) => client.failed(error instanceof Error ? error.message : String(error)))
  worker.on('exit', () => client.failed('it ended'))
  // After the listeners, which would hold the process again.
  worker.unref()
  return client
}
