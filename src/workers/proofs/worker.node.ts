/** Entry of the proof worker in Node. */
import { parentPort } from 'node:worker_threads'
import { loadEngine } from './load.node.ts'
import { serveProofs } from './serve.ts'

// The port keeps what comes before somebody listens. Generators are derived once for each process: that takes a second.
const serve = await serveProofs(await loadEngine(), null, (message) => parentPort?.postMessage(message))
parentPort?.on('message', serve)
