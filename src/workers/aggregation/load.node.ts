import { readFile } from 'node:fs/promises'
import { WasmKernel } from './wasm-kernel.ts'

/** Loads the kernel in Node. */
export async function loadKernel(): Promise<WasmKernel> {
  return new WasmKernel(await WebAssembly.compile(await readFile(new URL('./kernel.wasm', import.meta.url))))
}
