import { readFile } from 'node:fs/promises'
import { WasmEngine } from './wasm-engine.ts'

/** Loads the kernel in Node. */
export async function loadEngine(): Promise<WasmEngine> {
  return new WasmEngine(await WebAssembly.compile(await readFile(new URL('./kernel/ristretto.wasm', import.meta.url))))
}
