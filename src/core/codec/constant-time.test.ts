import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareBytes } from './bytes.ts'
import { constantTimeEqual } from './constant-time.ts'

it('says what a plain comparison says', () => {
  const bytes = fc.uint8Array({ maxLength: 64 })
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(constantTimeEqual(a, b)).toBe(compareBytes(a, b) === 0)
      expect(constantTimeEqual(a, a.slice())).toBe(true)
    }),
  )
})

it('sees every single differing bit', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 7)
  for (let bit = 0; bit < 256; bit++) {
    const guess = secret.slice()
    guess[bit >> 3] = (guess[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(constantTimeEqual(secret, guess)).toBe(false)
  }
})
