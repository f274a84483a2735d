/**
 * Builds the examples' modules and those of the sandbox's tests: `node examples/build.ts` writes them, `node examples/build.ts --check` only compares.
 *
 * The modules are committed, so that nobody needs a compiler to run them; this shows that they come from their sources.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const FOLDER = dirname(fileURLToPath(import.meta.url))
const ASC = join(FOLDER, '..', 'node_modules', 'assemblyscript', 'bin', 'asc.js')

/** Another major version of the compiler makes other bytes; Debian 12 has this one. */
const CLANG_MAJOR = '14'

export interface BuildStep {
  /** Folder, relative to this one. */
  readonly example: string
  readonly source: string
  readonly module: string
  readonly compiler: 'asc' | 'clang'
  readonly flags: { readonly compile: readonly string[]; readonly link: readonly string[] }
}

const WASI = ['--target=wasm32-wasi', '--sysroot=/usr']
const COMMAND = { compile: WASI, link: [...WASI, '-Wl,--strip-all'] }
const REACTOR = { compile: WASI, link: [...COMMAND.link, '-mexec-model=reactor'] }
const FREESTANDING = {
  compile: ['--target=wasm32', '-ffreestanding', '-fno-builtin'],
  link: ['--target=wasm32', '-nostdlib', '-Wl,--no-entry,--strip-all'],
}
const ASSEMBLY_SCRIPT = { compile: ['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort='], link: [] }

/** How each example is made; the same lines are in its README. */
export const BUILD_STEPS: readonly BuildStep[] = [
  {
    example: 'mandelbrot',
    source: 'assembly/mandelbrot.ts',
    module: 'mandelbrot.wasm',
    compiler: 'asc',
    flags: ASSEMBLY_SCRIPT,
  },
  { example: 'collatz', source: 'collatz.c', module: 'collatz.wasm', compiler: 'clang', flags: FREESTANDING },
  {
    example: 'option-price',
    source: 'option-price.c',
    module: 'option-price.wasm',
    compiler: 'clang',
    flags: REACTOR,
  },
  {
    example: '../src/testing/sandbox',
    source: 'assembly/fixture.ts',
    module: 'fixture.wasm',
    compiler: 'asc',
    flags: ASSEMBLY_SCRIPT,
  },
  {
    example: '../src/testing/sandbox',
    source: 'program.c',
    module: 'program.wasm',
    compiler: 'clang',
    flags: COMMAND,
  },
  { example: 'ray-tracer', source: 'ray-tracer.c', module: 'ray-tracer.wasm', compiler: 'clang', flags: COMMAND },
]

/** `built` and `same` as their names say; `no-compiler` when this machine cannot tell. */
export type BuildResult = 'built' | 'same' | 'different' | 'no-compiler'

/** Runs one step; with `check`, compares with the committed module instead of writing it. */
export function runStep(step: BuildStep, options: { readonly check: boolean }): BuildResult {
  if (!hasCompiler(step.compiler)) return 'no-compiler'
  const scratch = mkdtempSync(join(tmpdir(), 'starling-example-'))
  try {
    const out = join(scratch, step.module)
    compile(step, out)
    const committed = join(FOLDER, step.example, step.module)
    const bytes = readFileSync(out)
    if (existsSync(committed) && readFileSync(committed).equals(bytes)) return 'same'
    if (options.check) return 'different'
    writeFileSync(committed, bytes)
    return 'built'
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

function compile(step: BuildStep, out: string): void {
  // Run from the example's folder, so that no path of this machine gets into the module.
  const options = { cwd: join(FOLDER, step.example), stdio: 'inherit' } as const
  const { compile, link } = step.flags
  if (step.compiler === 'asc') {
    execFileSync(process.execPath, [ASC, step.source, '-o', out, ...compile], options)
    return
  }
  // In two steps: clang that both optimises and links runs whatever wasm-opt is on the path over the result.
  const object = `${out}.o`
  execFileSync('clang', ['-c', '-O3', '-Wall', '-Wextra', ...compile, '-o', object, step.source], options)
  execFileSync('clang', [...link, '-o', out, object], options)
}

function hasCompiler(compiler: BuildStep['compiler']): boolean {
  if (compiler === 'asc') return existsSync(ASC)
  try {
    const version = execFileSync('clang', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return new RegExp(`clang version ${CLANG_MAJOR}\\.`).test(version)
  } catch {
    return false
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const check = process.argv.includes('--check')
  for (const step of BUILD_STEPS) {
    const result = runStep(step, { check })
    console.log(`${step.example}/${step.module}: ${result}`)
    if (result === 'different') process.exitCode = 1
  }
}
