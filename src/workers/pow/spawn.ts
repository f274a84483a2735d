import type { MinerMessage, SpawnMiner } from './contract.ts'

/** Starts a pow worker in a browser, from a page or from another worker. The bundler finds the entry by this expression. */
export const spawnMiner: SpawnMiner = (events) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'pow-worker' })
  worker.onmessage = (event: MessageEvent<MinerMessage>) => events.message(event.data)
  worker.onerror = (event) => {
    event.preventDefault()
    events.failed(event.message || 'its script could not be loaded')
  }
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() }
}
