import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeInput } from '../core/tasks/unit-data.ts'
import { largestInput } from './job-spec.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })
const content = fc.uint8Array({ maxLength: 300 })
const input = fc.record({
  args: fc.array(text, { maxLength: 30 }),
  env: fc.array(fc.tuple(text, text), { maxLength: 30 }),
  stdin: content,
  files: fc.array(fc.record({ path: text, content }), { maxLength: 30 }),
})

describe('largestInput', () => {
  it('is at least the encoding of every input, and close to it', () => {
    fc.assert(
      fc.property(fc.array(input, { minLength: 1, maxLength: 4 }), (inputs) => {
        const encoded = Math.max(...inputs.map((each) => encodeInput(each).byteLength))
        const bound = largestInput({ inputs })
        expect(bound).toBeGreaterThanOrEqual(encoded)
        expect(bound).toBeLessThan(3 * encoded + 2_000)
      }),
    )
  })
})
