import { RELAYED_NAME_SUFFIX } from './protocol.ts'

/** Where a worker's messages come from and go to; a Comlink `Endpoint`. */
export interface WorkerOwner {
  postMessage(message: unknown, transfer?: Transferable[]): void
  addEventListener(type: string, listener: (event: MessageEvent) => void): void
  removeEventListener(type: string, listener: (event: MessageEvent) => void): void
}

/** The scope of a dedicated worker, for which the web's type library has a window's. */
interface WorkerScope extends WorkerOwner {
  readonly name: string
}

/**
 * Who this worker answers to: the one that made it; or the worker for which a window made it, whose port is the first message. Works
 * on after the scope's own members are removed. Called once, before anything that waits.
 */
export function workerOwner(): WorkerOwner {
  const scope = globalThis as unknown as WorkerScope
  return scope.name.endsWith(RELAYED_NAME_SUFFIX) ? new RelayedOwner(scope) : new DirectOwner(scope)
}

class DirectOwner implements WorkerOwner {
  readonly postMessage: WorkerOwner['postMessage']
  readonly addEventListener: WorkerOwner['addEventListener']
  readonly removeEventListener: WorkerOwner['removeEventListener']

  constructor(scope: WorkerScope) {
    this.postMessage = scope.postMessage.bind(scope)
    this.addEventListener = scope.addEventListener.bind(scope)
    this.removeEventListener = scope.removeEventListener.bind(scope)
  }
}

class RelayedOwner implements WorkerOwner {
  readonly #listeners = new Set<(event: MessageEvent) => void>()
  /** What was said before the port came. */
  #early: [unknown, Transferable[]][] = []
  #port: MessagePort | null = null

  constructor(scope: WorkerScope) {
    const removeListener = scope.removeEventListener.bind(scope)
    const receive = ({ data }: MessageEvent<MessagePort>): void => {
      removeListener('message', receive)
      this.#port = data
      for (const [message, transfer] of this.#early.splice(0)) data.postMessage(message, transfer)
      if (this.#listeners.size > 0) this.#listen(data)
    }
    scope.addEventListener('message', receive)
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    if (this.#port === null) this.#early.push([message, transfer])
    else this.#port.postMessage(message, transfer)
  }

  addEventListener(_: string, listener: (event: MessageEvent) => void): void {
    this.#listeners.add(listener)
    if (this.#port !== null) this.#listen(this.#port)
  }

  removeEventListener(_: string, listener: (event: MessageEvent) => void): void {
    this.#listeners.delete(listener)
  }

  /** Setting `onmessage` lets the port's messages come. */
  #listen(port: MessagePort): void {
    port.onmessage = (event) => {
      for (const listener of [...this.#listeners]) listener(event)
    }
  }
}
