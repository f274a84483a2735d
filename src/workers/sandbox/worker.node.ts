/** Entry of the sandbox worker under Node's worker_threads. */
import { parentPort } from 'node:worker_threads'
import type { PoolToWorker } from './contract.ts'
import { lockdownNode } from './lockdown.node.ts'
import { type SandboxHost, serveSandbox } from './serve.ts'

const port = parentPort
if (port === null) throw new Error('worker.node.ts is started as a worker only')
const setTimer = globalThis.setTimeout

const host: SandboxHost = {
  post: (message, transfer) => port.postMessage(message, transfer),
  listen: (receive) => port.on('message', (message: PoolToWorker) => receive(message)),
  setTimer: (callback, delayMs) => void setTimer(callback, delayMs),
}

const remnants = lockdownNode()
if (remnants.length > 0) throw new Error(`The sandbox could not remove ${remnants.join(', ')}`)
serveSandbox(host)
