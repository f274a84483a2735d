/**
 * Compiles the workers' C kernels with clang: `node src/workers/build-kernels.node.ts`. The results are committed, so that nobody needs a
 * compiler to build the page.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const KERNELS = {
  argon2id: join(import.meta.dirname, 'pow', 'kernel', 'argon2id.c'),
  ristretto: join(import.meta.dirname, 'proofs', 'kernel', 'ristretto.c'),
} as const

/** @param output - The module's file; beside its source unless it says otherwise. */
export function buildKernel(source: string, output: string = source.replace(/\.c$/, '.wasm')): void {
  const object = join(mkdtempSync(join(tmpdir(), 'starling-kernel-')), 'kernel.o')
  const flags = ['--target=wasm32', '-O3', '-msimd128', '-mbulk-memory', '-ffreestanding']
  // Linked apart: clang would call whatever wasm-opt is on the PATH, which may not know the features used.
  run('clang', [...flags, '-c', '-o', object, source])
  run('wasm-ld', ['--no-entry', '--strip-all', '-o', output, object])
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

if (import.meta.main) for (const source of Object.values(KERNELS)) buildKernel(source)
