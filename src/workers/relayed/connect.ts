import type { WorkersFailure, WorkersRequest } from './protocol.ts'

/**
 * The worker's half: from here on `new Worker` has the window make it.
 *
 * @param port - One end of a MessageChannel; the other is served by `serveWorkers` in the window.
 */
export function connectWorkers(port: MessagePort): void {
  const failed = new Map<number, (message: string) => void>()
  let lastId = 0
  port.onmessage = ({ data: { id, message } }: MessageEvent<WorkersFailure>) => failed.get(id)?.(message)
  const ask = (request: WorkersRequest, transfer: Transferable[] = []): void => port.postMessage(request, transfer)

  /** The part of `Worker` that is used here. */
  class RelayedWorker {
    readonly #id = ++lastId
    readonly #port: MessagePort
    readonly #errors = new EventTarget()
    onerror: ((event: ErrorEvent) => void) | null = null

    constructor(url: string | URL, options: WorkerOptions = {}) {
      const { port1, port2 } = new MessageChannel()
      this.#port = port1
      failed.set(this.#id, (message) => {
        const event = new ErrorEvent('error', { message, cancelable: true })
        this.onerror?.(event)
        this.#errors.dispatchEvent(event)
      })
      const absolute = new URL(url, location.href).href
      ask({ type: 'make', id: this.#id, url: absolute, options, port: port2 }, [port2])
    }

    set onmessage(listener: ((event: MessageEvent) => void) | null) {
      this.#port.onmessage = listener
    }

    set onmessageerror(listener: ((event: MessageEvent) => void) | null) {
      this.#port.onmessageerror = listener
    }

    postMessage(message: unknown, transfer: Transferable[] = []): void {
      this.#port.postMessage(message, transfer)
    }

    addEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
      if (type === 'error') return this.#errors.addEventListener(type, listener)
      this.#port.addEventListener(type, listener)
      this.#port.start()
    }

    removeEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
      if (type === 'error') this.#errors.removeEventListener(type, listener)
      else this.#port.removeEventListener(type, listener)
    }

    terminate(): void {
      failed.delete(this.#id)
      this.#port.close()
      ask({ type: 'end', id: this.#id })
    }
  }

  // Nothing here uses more of a worker than the class has.
  globalThis.Worker = RelayedWorker as unknown as typeof Worker
}
