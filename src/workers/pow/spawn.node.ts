import { Worker } from 'node:worker_threads'
import type { MinerMessage, SpawnMiner } from './contract.ts'

/** Starts a pow worker in Node: no environment and no flags. It does not keep the process alive. */
export const spawnMiner: SpawnMiner = (events) => {
  const worker = new Worker(new URL('./worker.node.ts', import.meta.url), {
    name: 'pow-worker',
    env: {},
    argv: [],
    execArgv: [],
  })
  worker.unref()
  worker.on('message', (message: MinerMessage) => events.message(message))
  worker.on('error', (error) => events.failed(error instanceof Error ? error.message : String(error)))
  return { post: (message) => worker.postMessage(message), terminate: () => void worker.terminate() }
}
