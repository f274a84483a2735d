import { readFile } from 'node:fs/promises'
import { Argon2idKernel } from './argon2id.ts'

/** Loads the kernel in Node. */
export async function loadArgon2id(): Promise<Argon2idKernel> {
  const bytes = await readFile(new URL('./kernel/argon2id.wasm', import.meta.url))
  return new Argon2idKernel(await WebAssembly.compile(bytes))
}
