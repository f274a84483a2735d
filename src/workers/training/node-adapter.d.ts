/** Comlink ships no types for the ES module of its adapter. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink'

  /** @param port - A `Worker` or the `parentPort` of `worker_threads`; not named, since browsers' settings compile this too. */
  export default function nodeEndpoint(port: object): Endpoint
}
