import { describe, expect, it } from 'vitest'
import { mixUpsOf, rowsOf, shadeOf } from './confusion.ts'

const MATRIX = { classes: ['cat', 'dog', 'owl'], counts: Uint32Array.from([8, 2, 0, 0, 5, 0, 3, 0, 1]) }

describe('rowsOf', () => {
  it('has a row for each true class with its sum', () => {
    expect(rowsOf(MATRIX).map(({ name, total }) => [name, total])).toEqual([
      ['cat', 10],
      ['dog', 5],
      ['owl', 4],
    ])
  })
})

describe('mixUpsOf', () => {
  it('names the most frequent mistakes, worst first', () => {
    expect(mixUpsOf(rowsOf(MATRIX), 9)).toEqual([
      { truth: 'owl', predicted: 'cat', count: 3 },
      { truth: 'cat', predicted: 'dog', count: 2 },
    ])
    expect(mixUpsOf(rowsOf(MATRIX), 1)).toHaveLength(1)
  })
})

describe('shadeOf', () => {
  it('shades by the share of the row, and anything at all', () => {
    expect([shadeOf(0, 9), shadeOf(1, 100), shadeOf(50, 100), shadeOf(9, 9), shadeOf(0, 0)]).toEqual([0, 1, 2, 4, 0])
  })
})
