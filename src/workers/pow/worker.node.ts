/** Entry of the pow worker in Node. */
import { parentPort } from 'node:worker_threads'
import { loadArgon2id } from './load.node.ts'
import { serveMiner } from './serve.ts'

const kernel = await loadArgon2id()
const serve = serveMiner(kernel, (message) => parentPort?.postMessage(message))
parentPort?.on('message', serve)
