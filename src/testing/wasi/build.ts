/**
 * Compiles `programs/*.c` to the `.wasm` files beside them: `node src/testing/wasi/build.ts`. Needs clang with lld, and
 * wasi-libc for those that include a header of it (Debian: clang, lld, wasi-libc, libclang-rt-dev-wasm32).
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PROGRAMS = join(import.meta.dirname, 'programs')
const COMMON = ['-O2', '-Wall', '-Wextra', '-Werror', '-Wno-unused-function', '-Wl,--strip-all']
const RAW = ['--target=wasm32', '-nostdlib', '-fno-builtin']
const LIBC = ['--target=wasm32-wasi', '--sysroot=/usr']

for (const file of readdirSync(PROGRAMS)) {
  if (!file.endsWith('.c')) continue
  const source = join(PROGRAMS, file)
  const target = readFileSync(source, 'utf8').includes('#include "wasi.h"') ? RAW : LIBC
  execFileSync('clang', [...target, ...COMMON, source, '-o', source.replace(/\.c$/, '.wasm')], { stdio: 'inherit' })
}
