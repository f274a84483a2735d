/**
 * Builds every kernel from `src/` into `built/`: C with clang (`--target=wasm32`), AssemblyScript with `asc`, text with wabt.
 * The built modules are committed, so that running them needs no toolchain.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const sources = join(import.meta.dirname, 'src')
const built = join(import.meta.dirname, 'built')
const objects = mkdtempSync(join(tmpdir(), 'kernels-'))
mkdirSync(built, { recursive: true })

const C_FLAGS = '--target=wasm32 -O2 -ffreestanding -mbulk-memory -msign-ext -c'.split(' ')
// The linker is called by itself: clang would run whatever wasm-opt is on the path over the result.
const LINK_FLAGS = '--no-entry --strip-all'.split(' ')
const ASC_FLAGS = '-O2 --runtime stub --use abort= --exportStart _initialize'.split(' ')

for (const file of readdirSync(sources).sort()) {
  const [name, kind] = file.split('.')
  const source = join(sources, file)
  const out = join(built, `${name}.wasm`)
  if (kind === 'c') {
    const object = join(objects, `${name}.o`)
    // Vector kernels say so in their names; in the others the compiler must not vectorise, so that scalar code is tested too.
    const vector = name?.includes('simd') ? ['-msimd128'] : []
    execFileSync('clang', [...C_FLAGS, ...vector, source, '-o', object], { stdio: 'inherit' })
    execFileSync('wasm-ld', [...LINK_FLAGS, object, '-o', out], { stdio: 'inherit' })
  }
  if (kind === 'as') {
    // The compiler wants the ending .ts, which our own type checker and linter would read as TypeScript.
    const copy = join(objects, `${name}.ts`)
    copyFileSync(source, copy)
    execFileSync('npx', ['asc', copy, ...ASC_FLAGS, '-o', out], { stdio: 'inherit' })
  }
  if (kind === 'wat') execFileSync('wat2wasm', ['--enable-tail-call', source, '-o', out], { stdio: 'inherit' })
}
rmSync(objects, { recursive: true })
