import { describe, expect, it } from 'vitest'
import { digitFeatures } from '../../../core/learning/dataset-digit.ts'
import { rimOf } from './sheet.ts'
import { DIGIT_STROKES } from './strokes.ts'

describe('rimOf', () => {
  it('is the mean of the outermost pixels alone', () => {
    const paper = Float32Array.from([1, 1, 1, 1, 0, 1, 1, 1, 1])
    expect(rimOf(paper)).toBe(1)
    expect(rimOf(Float32Array.from(paper, (gray) => 1 - gray))).toBe(0)
  })
})

describe('DIGIT_STROKES', () => {
  it('stay on the sheet, one digit each, all of them different', () => {
    expect(DIGIT_STROKES).toHaveLength(10)
    const drawn = DIGIT_STROKES.map((strokes) => {
      const points = strokes.flat()
      for (const [x, y] of points) {
        expect(Math.min(x, y)).toBeGreaterThan(5)
        expect(Math.max(x, y)).toBeLessThan(95)
      }
      const grays = new Uint8Array(100 * 100)
      for (const [x, y] of points) grays[Math.floor(y) * 100 + Math.floor(x)] = 255
      return digitFeatures({ grays, width: 100, height: 100 }, 14)?.join()
    })
    expect(new Set(drawn).size).toBe(10)
  })
})
