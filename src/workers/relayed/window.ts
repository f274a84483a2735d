import { RELAYED_NAME_SUFFIX, type WorkersFailure, type WorkersRequest } from './protocol.ts'

/**
 * Whether workers of workers are made by the window: a Firefox that makes one itself may stop for good. The maker waits on a condition
 * variable for the window's thread to register the new worker, the new worker's thread waits on the same one for work, and a single
 * `Notify` wakes either (`SetIsDebuggerRegistered` in dom/workers/WorkerPrivate.h). Whom the window makes is registered without a wait.
 */
export const RELAYS_WORKERS = navigator.userAgent.includes('Firefox/')

/**
 * The window's half: makes the workers that the node worker asks for and hands each its port, so that no message passes through here.
 *
 * @param port - One end of a MessageChannel; the other goes to `connectWorkers` in the worker.
 */
export function serveWorkers(port: MessagePort): void {
  const workers = new Map<number, Worker>()
  port.onmessage = ({ data }: MessageEvent<WorkersRequest>) => {
    const { id } = data
    if (data.type === 'end') {
      workers.get(id)?.terminate()
      workers.delete(id)
      return
    }
    const { options } = data
    const worker = new Worker(data.url, { ...options, name: `${options.name ?? ''}${RELAYED_NAME_SUFFIX}` })
    workers.set(id, worker)
    worker.onerror = (event) => {
      event.preventDefault()
      port.postMessage({ id, message: event.message } satisfies WorkersFailure)
    }
    worker.postMessage(data.port, [data.port])
  }
}
