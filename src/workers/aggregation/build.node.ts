/**
 * Compiles the kernel with AssemblyScript, a development dependency: `node src/workers/aggregation/build.node.ts`. The result is committed, so
 * that nobody needs the compiler to build the page; a test compiles it again and compares.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const COMPILER = join(import.meta.dirname, '../../../node_modules/assemblyscript/bin/asc.js')
const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--enable', 'simd']

export function buildKernel(output = 'kernel.wasm'): void {
  // Run from this folder, so that no path of this machine gets into the module.
  const options = { cwd: import.meta.dirname, stdio: 'inherit' } as const
  execFileSync(process.execPath, [COMPILER, 'assembly/kernel.ts', '-o', output, ...FLAGS], options)
}

if (import.meta.main) buildKernel()
