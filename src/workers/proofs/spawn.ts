import type { ProofMessage, SpawnProofs } from './contract.ts'

/** Starts a proof worker in a browser, from a page or from another worker. The bundler finds the entry by this expression. */
export const spawnProofs: SpawnProofs = (events) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'proofs-worker' })
  return superviseProofs(worker, events)
}

/** The same for a worker that exists, whose bundle lies elsewhere. */
export function superviseProofs(worker: Worker, events: Parameters<SpawnProofs>[0]): ReturnType<SpawnProofs> {
  worker.onmessage = (event: MessageEvent<ProofMessage>) => events.message(event.data)
  worker.onerror = (event) => {
    event.preventDefault()
    events.failed(event.message || 'its script could not be loaded')
  }
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() }
}
