import type { LabMessage, SpawnLab } from './contract.ts'

/** Starts a lab worker in a browser. The bundler finds the entry by this expression. */
export const spawnLab: SpawnLab = (events) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'lab-worker' })
  worker.onmessage = (event: MessageEvent<LabMessage>) => events.message(event.data)
  worker.onerror = (event) => {
    event.preventDefault()
    events.failed(event.message || 'its script could not be loaded')
  }
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() }
}
