import { connectWorkers } from '../../src/workers/relayed/connect.ts'

/** A worker that makes workers, and tells its window how they did. */
const WORKERS = 40

addEventListener('message', ({ data }: MessageEvent<MessagePort | null>) => {
  if (data !== null) connectWorkers(data)
  void main().then((report) => postMessage(report))
})

interface Report {
  readonly answers: readonly number[]
  readonly movedBytesLeft: number
  readonly failure: string
  readonly afterEnd: number
}

async function main(): Promise<Report> {
  const answers: number[] = []
  for (let index = 0; index < WORKERS; index++) {
    const worker = new Worker('/echo.js', { type: 'module', name: 'echo' })
    answers.push((await ask(worker, Uint8Array.of(index)))[0] ?? -1)
    worker.terminate()
  }
  const worker = new Worker('/echo.js', { type: 'module' })
  const moved = new Uint8Array(1024)
  await ask(worker, moved, [moved.buffer])
  worker.terminate()
  let afterEnd = 0
  worker.addEventListener('message', () => afterEnd++)
  worker.postMessage(Uint8Array.of(1))
  const failure = await new Promise<string>((resolve) => {
    const broken = new Worker('/missing.js', { type: 'module' })
    broken.onerror = (event) => {
      event.preventDefault()
      resolve(event.type)
    }
  })
  return { answers, movedBytesLeft: moved.byteLength, failure, afterEnd }
}

function ask(worker: Worker, message: Uint8Array, transfer: Transferable[] = []): Promise<Uint8Array> {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Uint8Array>) => resolve(data)
    worker.postMessage(message, transfer)
  })
}
