import type { SpawnSandboxWorker, WorkerToPool } from './contract.ts'

/** Starts the sandbox worker in a browser, from a page or from another worker. The bundler finds the entry by this expression. */
export const spawnSandboxWorker: SpawnSandboxWorker = (events) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'sandbox-worker' })
  return superviseWebWorker(worker, events)
}

/** Makes a pool's worker of a web `Worker`, however it was started. */
export function superviseWebWorker(
  worker: Worker,
  events: Parameters<SpawnSandboxWorker>[0],
): ReturnType<SpawnSandboxWorker> {
  let ended = false
  worker.onmessage = (event: MessageEvent<WorkerToPool>) => {
    if (!ended) events.message(event.data)
  }
  worker.onerror = (event) => {
    event.preventDefault()
    if (!ended) events.failed(event.message || 'its script could not be loaded')
  }
  worker.onmessageerror = () => {
    if (!ended) events.failed('a message could not be read')
  }
  return {
    post: (message) => worker.postMessage(message),
    hold() {},
    terminate() {
      ended = true
      worker.terminate()
    },
  }
}
