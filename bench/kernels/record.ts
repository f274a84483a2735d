/**
 * Writes `expected.json`: output (or trap) and gas of every kernel and input. Gas is what peers agree on, so a change of it is a
 * change of the protocol: record anew only on purpose.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepareModule } from '../../src/core/sandbox/prepare.ts'
import { loadKernels } from './kernels.ts'
import { runKernel } from './run-kernel.ts'

const lines = loadKernels().map(({ name, bytes, inputs }) => {
  const module = new WebAssembly.Module(prepareModule(bytes).bytes)
  const results = inputs.map((input) => {
    const { output, gas } = runKernel(module, input, { metered: true })
    return JSON.stringify({ output, gas: `${gas}` })
  })
  return `  ${JSON.stringify(name)}: [\n    ${results.join(',\n    ')}\n  ]`
})
writeFileSync(join(import.meta.dirname, 'expected.json'), `{\n${lines.join(',\n')}\n}\n`)
