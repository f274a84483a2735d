import { WasmKernel } from './wasm-kernel.ts'

/** Loads the kernel in a browser, on a page or in a worker. The bundler finds the file by this expression. */
export async function loadKernel(): Promise<WasmKernel> {
  const response = await fetch(new URL('./kernel.wasm', import.meta.url))
  return new WasmKernel(await WebAssembly.compile(await response.arrayBuffer()))
}
