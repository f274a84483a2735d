import { Worker } from 'node:worker_threads'
import type { SpawnSandboxWorker, WorkerToPool } from './contract.ts'

/** JavaScript heap of one worker, MiB; linear memories are outside of it. The rewriter's tables are what needs room. */
const HEAP_MIB_MAX = 256

/** Native stack, MiB. Node's default of 4 is what the rewriter's stack limit was measured for. */
const STACK_MIB = 4

/** Starts the sandbox worker in Node: no environment, no flags, no standard streams. */
export const spawnSandboxWorker: SpawnSandboxWorker = (events) => {
  const worker = new Worker(new URL('./worker.node.ts', import.meta.url), {
    name: 'sandbox-worker',
    env: {},
    argv: [],
    execArgv: [],
    stdin: false,
    stdout: true,
    stderr: true,
    trackUnmanagedFds: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX, stackSizeMb: STACK_MIB },
  })
  // Unread streams would hold what is written to them; nothing legitimate is.
  worker.stdout.resume()
  worker.stderr.resume()
  let ended = false
  const fail = (reason: string): void => {
    if (ended) return
    ended = true
    events.failed(reason)
  }
  worker.on('message', (message: WorkerToPool) => {
    if (!ended) events.message(message)
  })
  worker.on('messageerror', () => fail('a message could not be read'))
  worker.on('error', (error) => fail(error instanceof Error ? error.message : String(error)))
  worker.on('exit', (code) => fail(`it exited with ${code}`))
  return {
    post: (message) => worker.postMessage(message),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate() {
      ended = true
      void worker.terminate()
    },
  }
}
