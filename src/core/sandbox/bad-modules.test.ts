import { describe, expect, test } from 'vitest'
import { badModules } from '../../testing/modules/bad-modules.ts'
import type { StarlingError } from '../codec/errors.ts'
import { meterOf } from './meter.ts'
import { prepareModule } from './prepare.ts'

/** Runs `run` (and the start function before it) with little gas, and says how it ended. */
function outcome(prepared: Uint8Array<ArrayBuffer>): string {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(prepared), {}).exports
  const meter = meterOf(exports)
  try {
    meter.start({ gasMax: 5_000_000n, stackBytesMax: 262_144 })
    ;(exports.run as () => void)()
    return 'normally'
  } catch (error) {
    expect(error).toBeInstanceOf(WebAssembly.RuntimeError)
    expect(meter.gasUsed()).toBeLessThanOrEqual(5_000_000n)
    return meter.exhausted() ?? 'wasm'
  }
}

describe('bad modules', () => {
  const modules = badModules()

  test('there are at least 60, each with its own name', () => {
    expect(modules.length).toBeGreaterThanOrEqual(60)
    expect(new Set(modules.map(({ name }) => name)).size).toBe(modules.length)
  })

  test.each(modules)('$name', ({ bytes, expect: expected }) => {
    if ('refused' in expected) {
      let error: StarlingError | null = null
      try {
        prepareModule(bytes)
      } catch (thrown) {
        error = thrown as StarlingError
      }
      expect(error?.name).toBe('InvalidModuleError')
      expect(error?.details.field).toBe(expected.refused)
      expect(error?.message).toContain(String(error?.details.value))
      return
    }
    expect(WebAssembly.validate(bytes), 'the original is valid, so that running it means something').toBe(true)
    expect(outcome(prepareModule(bytes).bytes)).toBe(expected.ends)
  })
})
