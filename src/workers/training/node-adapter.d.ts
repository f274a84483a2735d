/** Comlink ships no types for the ES module of its adapter. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink'

  /** An endpoint of a `worker_threads` worker, or of its parent's port. */
  export default function nodeEndpoint(port: {
    postMessage(message: unknown, transfer?: readonly unknown[]): void
    on(type: string, listener: (value: never) => void): void
    off(type: string, listener: (value: never) => void): void
  }): Endpoint
}
