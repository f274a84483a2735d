/** Entry of the sandbox worker under Node's worker_threads. */
import { registerHooks } from 'node:module'
import { parentPort } from 'node:worker_threads'
import type { PoolToWorker } from './contract.ts'
import { lockdown } from './lockdown.ts'
import { type SandboxHost, serveSandbox } from './serve.ts'

const port = parentPort
if (port === null) throw new Error('worker.node.ts is started as a worker only')
const setTimer = globalThis.setTimeout

const host: SandboxHost = {
  post: (message, transfer) => port.postMessage(message, transfer),
  listen: (receive) => port.on('message', (message: PoolToWorker) => receive(message)),
  setTimer: (callback, delayMs) => void setTimer(callback, delayMs),
}

// `import()` is syntax, not a global: once the sandbox's own modules are loaded, nothing more is.
registerHooks({
  resolve(specifier) {
    throw new Error(`The sandbox loads nothing, not even ${specifier}`)
  },
})
const remnants = lockdown(globalThis)
if (remnants.length > 0) throw new Error(`The sandbox could not remove ${remnants.join(', ')}`)
serveSandbox(host)
