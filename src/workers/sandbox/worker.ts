/** Entry of the sandbox worker in browsers. */
import type { PoolToWorker, WorkerToPool } from './contract.ts'
import { lockdown } from './lockdown.ts'
import { type SandboxHost, serveSandbox } from './serve.ts'

/** The few members of the worker's scope that are kept, taken before {@link lockdown} removes them. */
interface WorkerScope {
  postMessage(message: WorkerToPool, transfer: Transferable[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent<PoolToWorker>) => void): void
  setTimeout(callback: () => void, delayMs: number): number
}

// The web's type library describes a window; in a dedicated worker the scope is this.
const scope = globalThis as unknown as WorkerScope
const postMessage = scope.postMessage.bind(scope)
const addEventListener = scope.addEventListener.bind(scope)
const setTimer = scope.setTimeout.bind(scope)

const host: SandboxHost = {
  post: (message, transfer) => postMessage(message, transfer),
  listen: (receive) => addEventListener('message', (event) => receive(event.data)),
  setTimer: (callback, delayMs) => void setTimer(callback, delayMs),
}

const remnants = lockdown(globalThis)
if (remnants.length > 0) throw new Error(`The sandbox could not remove ${remnants.join(', ')}`)
serveSandbox(host)
