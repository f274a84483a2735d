import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadKernels } from '../../bench/kernels/kernels.ts'
import { EXAMPLES } from '../../examples/catalog.ts'
import { type Example, type ExampleValues, jobOf } from '../../examples/example.ts'
import { STACK_BYTES_CEILING } from '../../src/core/sandbox/meter-layout.ts'
import type { UnitInput } from '../../src/core/tasks/unit.ts'
import { commandInput, KIND, LIMITS, reactorInput } from '../../src/testing/sandbox/modules.ts'
import type { UnitLimits } from '../../src/workers/sandbox/contract.ts'
import { type Corpus, type CorpusUnit, toBase64 } from './corpus.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A corpus and the module files it names. */
export interface CorpusFiles {
  readonly corpus: Corpus
  readonly bytes: ReadonlyMap<string, Uint8Array>
}

/** Smaller than what people run, so that an engine without an optimising compiler is through in seconds. */
const EXAMPLE_VALUES: Readonly<Record<string, ExampleValues>> = {
  mandelbrot: { tile: '64', width: '192', height: '128', iterations: '500', samples: '1' },
  collatz: { units: '4', count: '2000' },
  'option-price': { units: '3', paths: '300' },
  'ray-tracer': { tile: '16' },
}

/** Units of an example that are run: some of the picture's middle, where there is something to see. */
const EXAMPLE_UNITS = 6

const DEEP_KERNELS: ReadonlySet<string> = new Set(['ackermann', 'even-odd', 'hanoi', 'binary-trees', 'function-table'])

class CorpusBuilder {
  readonly modules = new Map<string, Uint8Array>()
  readonly units: CorpusUnit[] = []

  module(id: string, bytes: Uint8Array): void {
    this.modules.set(id, bytes)
  }

  unit(module: string, what: string, { input, limits = {} }: { input: UnitInput; limits?: Partial<UnitLimits> }): void {
    const { gasMax, ...rest } = { ...LIMITS, wallMsMax: 120_000, gasMax: 20_000_000_000n, ...limits }
    this.units.push({
      id: `${module}/${what}`,
      module,
      args: input.args,
      stdin: toBase64(input.stdin),
      files: input.files.map(({ path, content }) => ({ path, content: toBase64(content) })),
      limits: { ...rest, gasMax: String(gasMax) },
    })
  }

  build(): CorpusFiles {
    return { corpus: { modules: [...this.modules.keys()], units: this.units }, bytes: this.modules }
  }
}

/** All examples, all kernels, and what the sandbox's own fixtures do at every limit. */
export async function allUnits(): Promise<CorpusFiles> {
  const builder = new CorpusBuilder()
  for (const example of EXAMPLES) await addExample(builder, example)
  addFixture(builder)
  addProgram(builder)
  addKernels(builder)
  return builder.build()
}

async function addExample(builder: CorpusBuilder, example: Example): Promise<void> {
  const spec = await jobOf(example, EXAMPLE_VALUES[example.id] ?? {}, async (path) =>
    readFileSync(`${ROOT}examples/${path}`),
  )
  builder.module(example.id, spec.module)
  const first = Math.max(0, Math.floor((spec.inputs.length - EXAMPLE_UNITS) / 2))
  for (const [i, input] of spec.inputs.slice(first, first + EXAMPLE_UNITS).entries()) {
    const memoryBytesMax = example.jobOptions.memoryBytesMax ?? LIMITS.memoryBytesMax
    builder.unit(example.id, `${first + i}`, {
      input: { ...input, files: spec.sharedFiles },
      limits: { memoryBytesMax, outputBytesMax: 16 * 1_048_576 },
    })
  }
}

function addFixture(builder: CorpusBuilder): void {
  builder.module('fixture', readFileSync(`${ROOT}src/testing/sandbox/fixture.wasm`))
  const amounts: Partial<Record<keyof typeof KIND, readonly number[]>> = {
    spin: [0, 1, 1_000_000],
    recurse: [10, 1_000, 1_000_000_000],
    grow: [1, 200, 255, 256, 65_535],
    longOutput: [65_536, 1_048_577],
    divide: [0, 7],
    beyondMemory: [65_532, 65_533, 0xffff_fffc],
  }
  // An object of literal keys: its entries are its keys.
  for (const kind of Object.keys(KIND) as (keyof typeof KIND)[]) {
    for (const amount of amounts[kind] ?? [0]) {
      const limits = kind === 'loop' ? { gasMax: 30_000_000n } : {}
      builder.unit('fixture', `${kind}-${amount}`, { input: reactorInput(kind, amount), limits })
    }
  }
  // The point at which gas or stack ends must be the same too, wherever it falls in the code.
  for (const gasMax of [0n, 1n, 10n, 100n, 1_000n, 12_345n, 99_999n, 654_321n]) {
    builder.unit('fixture', `gas-${gasMax}`, { input: reactorInput('spin', 1_000_000), limits: { gasMax } })
  }
  for (const stackBytesMax of [0, 64, 1_000, 30_000, 262_144, STACK_BYTES_CEILING]) {
    builder.unit('fixture', `stack-${stackBytesMax}`, {
      input: reactorInput('recurse', 1e9),
      limits: { stackBytesMax },
    })
  }
}

function addProgram(builder: CorpusBuilder): void {
  builder.module('program', readFileSync(`${ROOT}src/testing/sandbox/program.wasm`))
  const content = new TextEncoder().encode('determinism\n'.repeat(1_000))
  const files = [{ path: 'data.bin', content }]
  builder.unit('program', 'copy', { input: commandInput(['copy'], { files, stdin: content }) })
  for (const args of [['dice'], ['exit', '7'], ['flood', 'stdout', '2000000'], ['flood', 'file', '2000000'], []]) {
    builder.unit('program', args.join('-') || 'nothing', { input: commandInput(args) })
  }
}

function addKernels(builder: CorpusBuilder): void {
  for (const kernel of loadKernels()) {
    const module = `kernel-${kernel.name}`
    builder.module(module, kernel.bytes)
    for (const [i, stdin] of kernel.inputs.entries()) {
      const input = { args: [], env: [], stdin, files: [] }
      builder.unit(module, `${i}`, { input })
      // Those that overflow the default stack must find the same end in the largest one.
      if (DEEP_KERNELS.has(kernel.name)) {
        builder.unit(module, `${i}-deep`, { input, limits: { stackBytesMax: STACK_BYTES_CEILING } })
      }
    }
  }
}
