/** Entry of the aggregation worker in a browser. */
import type { AggregateRequest } from './contract.ts'
import { loadKernel } from './load.ts'
import { serveAggregator } from './serve.ts'

// Requests may come before the kernel is there.
const early: AggregateRequest[] = []
let serve = (request: AggregateRequest): void => void early.push(request)
addEventListener('message', (event: MessageEvent<AggregateRequest>) => serve(event.data))
serve = serveAggregator(await loadKernel(), (message) => postMessage(message))
for (const request of early) serve(request)
