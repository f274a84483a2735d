import { Worker } from 'node:worker_threads'
import type { ProofMessage, SpawnProofs } from './contract.ts'

/** Starts a proof worker in Node: no environment and no flags. It does not keep the process alive. */
export const spawnProofs: SpawnProofs = (events) => {
  const worker = new Worker(new URL('./worker.node.ts', import.meta.url), {
    name: 'proofs-worker',
    env: {},
    argv: [],
    execArgv: [],
  })
  worker.unref()
  worker.on('message', (message: ProofMessage) => events.message(message))
  worker.on('error', (error) => events.failed(error instanceof Error ? error.message : String(error)))
  worker.on('exit', (code) => events.failed(`it exited with code ${code}`))
  return { post: (message) => worker.postMessage(message), terminate: () => void worker.terminate() }
}
