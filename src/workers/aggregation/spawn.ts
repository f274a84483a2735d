import type { AggregatorMessage, SpawnAggregator } from './contract.ts'

/** Starts an aggregation worker in a browser, from a page or from another worker. The bundler finds the entry by this expression. */
export const spawnAggregator: SpawnAggregator = (events) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'aggregation-worker' })
  return superviseAggregator(worker, events)
}

/** The same for a worker that exists, whose bundle lies elsewhere. */
export function superviseAggregator(
  worker: Worker,
  events: Parameters<SpawnAggregator>[0],
): ReturnType<SpawnAggregator> {
  worker.onmessage = (event: MessageEvent<AggregatorMessage>) => events.message(event.data)
  worker.onerror = (event) => {
    event.preventDefault()
    events.failed(event.message || 'its script could not be loaded')
  }
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() }
}
