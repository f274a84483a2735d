// Differential test over the kernels: the rewritten module computes what the original does, and exactly the recorded gas.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadKernels } from '../../../bench/kernels/kernels.ts'
import { runKernel } from '../../../bench/kernels/run-kernel.ts'
import { prepareModule } from './prepare.ts'

interface Expected {
  readonly output: string
  readonly gas: string
}

const folder = join(import.meta.dirname, '../../../bench/kernels')
const recorded = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Expected[]>

/** Where the original may differ: NaN bits are the engine's choice there, and its memory and stack have no limit of ours. */
const RAW_DIFFERS = new Set(['nan-bits', 'nan-simd', 'float-edges', 'memory-growth'])

describe('kernels', () => {
  const kernels = loadKernels()

  test('there are at least twenty, and all are recorded', () => {
    expect(kernels.length).toBeGreaterThanOrEqual(20)
    expect(Object.keys(recorded).sort()).toEqual(kernels.map(({ name }) => name).sort())
  })

  describe.each(kernels)('$name', ({ name, bytes, inputs }) => {
    const raw = new WebAssembly.Module(bytes)
    const prepared = new WebAssembly.Module(prepareModule(bytes).bytes)

    test.each(inputs.map((input, i) => ({ input, i })))('input $i', ({ input, i }) => {
      const result = runKernel(prepared, input, { metered: true })
      expect({ output: result.output, gas: `${result.gas}` }).toEqual(recorded[name]?.[i])
      const ended = result.output === 'trap gas' || result.output === 'trap stack'
      if (ended || RAW_DIFFERS.has(name)) return
      expect(result.output).toBe(runKernel(raw, input, { metered: false }).output)
    })
  })
})
