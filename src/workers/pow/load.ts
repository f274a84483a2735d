import { Argon2idKernel } from './argon2id.ts'

/** Loads the kernel in a browser, on a page or in a worker. The bundler finds the file by this expression. */
export async function loadArgon2id(): Promise<Argon2idKernel> {
  const response = await fetch(new URL('./kernel/argon2id.wasm', import.meta.url))
  return new Argon2idKernel(await WebAssembly.compile(await response.arrayBuffer()))
}
