import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Batcher } from './batcher.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('Batcher hands a lone item on at once, and what follows together', () => {
  const groups: (readonly number[])[] = []
  const batcher = new Batcher<number>((items) => groups.push(items), { intervalMs: 10, itemsMax: 3 })
  batcher.add(1)
  expect(groups).toEqual([[1]])
  batcher.add(2)
  batcher.add(3)
  expect(groups).toEqual([[1]])
  vi.advanceTimersByTime(10)
  expect(groups).toEqual([[1], [2, 3]])
  for (const item of [4, 5, 6, 7]) batcher.add(item)
  expect(groups.slice(2)).toEqual([[4, 5, 6]])
  vi.advanceTimersByTime(10)
  expect(groups.slice(3)).toEqual([[7]])
  vi.advanceTimersByTime(30)
  batcher.add(8)
  expect(groups.slice(4)).toEqual([[8]])
})
