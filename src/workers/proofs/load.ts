import { WasmEngine } from './wasm-engine.ts'

/** Loads the kernel in a browser, on a page or in a worker. The bundler finds the file by this expression. */
export async function loadEngine(): Promise<WasmEngine> {
  const response = await fetch(new URL('./kernel/ristretto.wasm', import.meta.url))
  return new WasmEngine(await WebAssembly.compile(await response.arrayBuffer()))
}
