import { serveWorkers } from '../../src/workers/relayed/window.ts'

/** The window is busy most of the time, as a page that draws is. */
const BUSY_MS = 20
const PAUSE_MS = 1
/** Beyond this the worker that makes workers is taken to have stopped for good. */
const STUCK_MS = 15_000

function work(): void {
  const until = performance.now() + BUSY_MS
  while (performance.now() < until);
  setTimeout(work, PAUSE_MS)
}

/** What the worker of this page reports, made with or without the window's help. */
function run(relayed: boolean): Promise<unknown> {
  return new Promise((resolve) => {
    const worker = new Worker('/maker.js', { type: 'module' })
    const timer = setTimeout(() => finish('stuck'), STUCK_MS)
    const finish = (outcome: unknown): void => {
      clearTimeout(timer)
      worker.terminate()
      resolve(outcome)
    }
    worker.onmessage = ({ data }) => finish(data)
    worker.onerror = (event) => finish(event.message)
    const { port1, port2 } = new MessageChannel()
    serveWorkers(port1)
    worker.postMessage(relayed ? port2 : null, relayed ? [port2] : [])
  })
}

async function main(): Promise<unknown> {
  work()
  return { relayed: await run(true), nested: await run(false) }
}

void main()
  .catch((error: Error) => ({ error: error.message }))
  .then((report) => fetch('/result', { method: 'POST', body: JSON.stringify(report) }))
