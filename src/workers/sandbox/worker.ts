/** Entry of the sandbox worker in browsers. */
import { workerOwner } from '../relayed/owner.ts'
import { lockdown } from './lockdown.ts'
import { type SandboxHost, serveSandbox } from './serve.ts'

// What is kept of the scope, taken before the rest is removed.
const owner = workerOwner()
const setTimer = globalThis.setTimeout.bind(globalThis)

const host: SandboxHost = {
  post: (message, transfer) => owner.postMessage(message, transfer),
  listen: (receive) => owner.addEventListener('message', (event) => receive(event.data)),
  setTimer: (callback, delayMs) => void setTimer(callback, delayMs),
}

const remnants = lockdown(globalThis)
if (remnants.length > 0) throw new Error(`The sandbox could not remove ${remnants.join(', ')}`)
serveSandbox(host)
