/** Entry of the aggregation worker in a browser. */
import { workerOwner } from '../relayed/owner.ts'
import type { AggregateRequest } from './contract.ts'
import { loadKernel } from './load.ts'
import { serveAggregator } from './serve.ts'

const owner = workerOwner()
// Requests may come before the kernel is there.
const early: AggregateRequest[] = []
let serve = (request: AggregateRequest): void => void early.push(request)
owner.addEventListener('message', (event: MessageEvent<AggregateRequest>) => serve(event.data))
serve = serveAggregator(await loadKernel(), (message) => owner.postMessage(message))
for (const request of early) serve(request)
