import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadKernels } from '../../../bench/kernels/kernels.ts'
import { largeModule } from '../../../bench/kernels/large-module.ts'
import { goodModule } from '../../testing/modules/bad-modules.ts'
import { FLOATS_END, randomProgram } from '../../testing/modules/random-program.ts'
import { MODULE_LIMITS } from './limits.ts'
import { meterOf } from './meter.ts'
import { prepareModule } from './prepare.ts'

const GAS_MAX = 20_000_000n
const STACK_BYTES_MAX = 262_144

interface RunExports {
  readonly memory: WebAssembly.Memory
  run(): void
}

interface ProgramResult {
  readonly trapped: boolean
  readonly memory: Uint8Array<ArrayBuffer>
  readonly gas: bigint
  readonly exhausted: string | null
}

function runProgram(module: WebAssembly.Module, metered: boolean, gasMax = GAS_MAX): ProgramResult {
  const instance = new WebAssembly.Instance(module, {})
  const exports = instance.exports as unknown as RunExports // the programs here have these two
  const meter = metered ? meterOf(instance.exports) : null
  let trapped = false
  try {
    meter?.start({ gasMax, stackBytesMax: STACK_BYTES_MAX })
    exports.run()
  } catch (error) {
    expect(error).toBeInstanceOf(WebAssembly.RuntimeError)
    trapped = true
  }
  const memory = new Uint8Array(exports.memory.buffer.slice(0, 2 * FLOATS_END))
  return { trapped, memory, gas: meter?.gasUsed() ?? 0n, exhausted: meter?.exhausted() ?? null }
}

/** The memory with every NaN among the floats replaced by one. */
function withoutNanBits(memory: Uint8Array<ArrayBuffer>): Uint8Array {
  const copy = memory.slice()
  const doubles = new Float64Array(copy.buffer, 0, 64)
  for (const [i, value] of doubles.entries()) if (Number.isNaN(value)) doubles[i] = Number.NaN
  const floats = new Float32Array(copy.buffer, 512, 128)
  for (const [i, value] of floats.entries()) if (Number.isNaN(value)) floats[i] = Number.NaN
  return copy
}

function nonCanonicalNans(memory: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(memory.buffer)
  const found: string[] = []
  for (let at = 0; at < 512; at += 8) {
    const bits = view.getBigUint64(at, true)
    if (Number.isNaN(view.getFloat64(at, true)) && bits !== 0x7ff8000000000000n)
      found.push(`${at}: ${bits.toString(16)}`)
  }
  for (let at = 512; at < FLOATS_END; at += 4) {
    const bits = view.getUint32(at, true)
    if (Number.isNaN(view.getFloat32(at, true)) && bits !== 0x7fc00000) found.push(`${at}: ${bits.toString(16)}`)
  }
  return found
}

describe('prepareModule on random programs', () => {
  test('computes what the original does, with canonical NaNs and repeatable gas', () => {
    let withNans = 0
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const bytes = randomProgram(seed)
        expect(WebAssembly.validate(bytes), `program ${seed} is valid`).toBe(true)
        const prepared = new WebAssembly.Module(prepareModule(bytes).bytes)
        const result = runProgram(prepared, true)
        if (result.exhausted !== null) return
        const original = runProgram(new WebAssembly.Module(bytes), false)
        expect(result.trapped).toBe(original.trapped)
        expect(withoutNanBits(result.memory)).toEqual(withoutNanBits(original.memory))
        expect(nonCanonicalNans(result.memory)).toEqual([])
        expect(runProgram(prepared, true).gas).toBe(result.gas)
        if (nonCanonicalNans(original.memory).length > 0) withNans++
      }),
      { numRuns: 400 },
    )
    // The property would prove little if programs seldom made NaNs that need care.
    expect(withNans).toBeGreaterThan(40)
  })

  test('a program ends at exactly the gas it needs and not with one less', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prepared = new WebAssembly.Module(prepareModule(randomProgram(seed)).bytes)
        const { gas, trapped } = runProgram(prepared, true)
        if (trapped) return
        expect(runProgram(prepared, true, gas)).toMatchObject({ trapped: false, gas, exhausted: null })
        expect(runProgram(prepared, true, gas - 1n)).toMatchObject({ trapped: true, gas: gas - 1n, exhausted: 'gas' })
      }),
      { numRuns: 150 },
    )
  })
})

describe('prepareModule on mutated modules', () => {
  const originals = [goodModule(), ...loadKernels().map(({ bytes }) => bytes)]

  /** Either refused with a named error, or the result is valid whenever the original is. */
  function check(bytes: Uint8Array<ArrayBuffer>): 'refused' | 'prepared' {
    let prepared: Uint8Array<ArrayBuffer>
    try {
      prepared = prepareModule(bytes).bytes
    } catch (error) {
      expect((error as Error).name).toBe('InvalidModuleError')
      return 'refused'
    }
    expect(WebAssembly.validate(prepared) || !WebAssembly.validate(bytes)).toBe(true)
    return 'prepared'
  }

  const position = fc.nat(1_000_000).map((at) => at / 1_000_001)

  test('changed bytes', () => {
    let prepared = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (bytes, changes) => {
          const copy = bytes.slice()
          for (const [at, value] of changes) copy[Math.floor(at * copy.length)] = value
          if (check(copy) === 'prepared') prepared++
        },
      ),
      { numRuns: 4_000 },
    )
    expect(prepared).toBeGreaterThan(200)
  })

  test('cut short', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        position,
        (bytes, at) => void check(bytes.slice(0, Math.floor(at * bytes.length))),
      ),
      { numRuns: 500 },
    )
  })

  test('bytes put in or taken out', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        position,
        fc.uint8Array({ maxLength: 4 }),
        fc.nat(3),
        (bytes, where, added, removed) => {
          const at = Math.floor(where * bytes.length)
          check(Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + removed)]))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('any bytes at all', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (bytes) => void check(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes])),
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('prepareModule', () => {
  test('is deterministic and leaves its input alone', () => {
    for (const { bytes } of loadKernels()) {
      const before = bytes.slice()
      expect(prepareModule(bytes).bytes).toEqual(prepareModule(bytes).bytes)
      expect(bytes).toEqual(before)
    }
  })

  test('reports abi, memory, exports and features', () => {
    const tables = loadKernels().find(({ name }) => name === 'tables')
    const { report } = prepareModule(tables?.bytes ?? new Uint8Array())
    expect(report).toMatchObject({
      abi: 'reactor',
      functions: 7,
      memoryPagesMin: 1,
      memoryPagesMax: 2_048,
      imports: [],
    })
    expect(report.exports).toEqual(['memory', 'starling_alloc', 'starling_run'])
    expect(report.features).toEqual(['bulk-memory-operations', 'reference-types', 'tail-call'])
    expect(prepareModule(goodModule()).report).toMatchObject({ abi: null, memoryPagesMax: 4 })
  })

  test('clamps memory to the limits it is given and refuses a module that starts above them', () => {
    expect(prepareModule(goodModule(), { ...MODULE_LIMITS, memoryPagesMax: 2 }).report.memoryPagesMax).toBe(2)
    expect(() => prepareModule(goodModule(), { ...MODULE_LIMITS, memoryPagesMax: 0 })).toThrow(
      /memory pages is 1, limit 0/,
    )
  })

  // Limits not listed here have a bad module of their own.
  test.each([
    ['moduleBytesMax', goodModule().length, 'module bytes'],
    ['functionBytesMax', 8, 'function body size'],
    ['functionsMax', 2, 'functions'],
    ['typesMax', 2, 'types'],
    ['paramsMax', 1, 'parameters'],
    ['resultsMax', 1, 'results'],
    ['globalsMax', 1, 'globals'],
    ['tablesMax', 1, 'tables'],
    ['tableElementsMax', 2, 'table elements'],
    ['exportsMax', 3, 'exports'],
    ['elementSegmentsMax', 1, 'element segments'],
    ['dataSegmentsMax', 1, 'data segments'],
    ['nameBytesMax', 6, 'export name length'],
    ['localsTotalMax', 1, 'locals of all functions'],
  ] as const)('%s may be reached and not passed', (limit, needed, field) => {
    const withLimit = (value: number) => (): unknown =>
      prepareModule(goodModule(), { ...MODULE_LIMITS, [limit]: value })
    expect(withLimit(needed)).not.toThrow()
    expect(withLimit(needed - 1)).toThrow(new RegExp(`${field} is .*, limit ${needed - 1}$`))
  })

  test('takes time linear in the size of the module', () => {
    const kernel = loadKernels().find(({ name }) => name === 'sha256')?.bytes ?? new Uint8Array()
    const time = (bytes: Uint8Array): number => {
      const times = Array.from({ length: 5 }, () => {
        const started = performance.now()
        prepareModule(bytes)
        return performance.now() - started
      })
      return Math.min(...times)
    }
    const small = time(largeModule(kernel, 200_000))
    // Eight times the bytes; a quadratic pass would take sixty-four times as long.
    expect(time(largeModule(kernel, 1_600_000)) / small).toBeLessThan(32)
  })
})
