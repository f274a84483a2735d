/** Entry of the aggregation worker in Node. */
import { parentPort } from 'node:worker_threads'
import { loadKernel } from './load.node.ts'
import { serveAggregator } from './serve.ts'

// The port keeps what comes before somebody listens.
const serve = serveAggregator(await loadKernel(), (message) => parentPort?.postMessage(message))
parentPort?.on('message', serve)
