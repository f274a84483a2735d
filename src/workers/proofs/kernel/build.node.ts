/**
 * Compiles the group's kernel with clang: `node src/workers/proofs/kernel/build.node.ts`. The result is committed, so that nobody needs a
 * compiler to build the page.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const OUTPUT = join(import.meta.dirname, 'ristretto.wasm')

export function buildKernel(output: string = OUTPUT): void {
  const object = join(mkdtempSync(join(tmpdir(), 'starling-kernel-')), 'ristretto.o')
  const source = join(import.meta.dirname, 'ristretto.c')
  const flags = ['--target=wasm32', '-O3', '-msimd128', '-mbulk-memory', '-ffreestanding']
  // Linked apart: clang would call whatever wasm-opt is on the PATH, which may not know the features used.
  run('clang', [...flags, '-c', '-o', object, source])
  run('wasm-ld', ['--no-entry', '--strip-all', '-o', output, object])
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

if (import.meta.main) buildKernel()
