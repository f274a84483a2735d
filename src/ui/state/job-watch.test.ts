import { afterEach, describe, expect, it, vi } from 'vitest'
import type { NodeEvent, ResultItem, UnitGrid } from '../../node/contract.ts'
import { changedCells, JobWatch } from './job-watch.ts'
import type { NodeSession } from './session.ts'

const grid = (states: readonly number[]): UnitGrid => ({
  version: 1,
  states: Uint8Array.from(states),
  executors: new Uint16Array(states.length),
  peers: ['a'],
})

describe('changedCells', () => {
  it('names the cells that differ, and all when the sizes differ', () => {
    expect(changedCells(grid([0, 1, 2]), grid([0, 3, 2]))).toEqual([1])
    expect(changedCells(grid([0]), grid([0, 0]))).toBeNull()
  })
})

/** The part of a session that a watch uses, over a grid and results the test holds. */
function session(results: readonly ResultItem[]) {
  const listeners = new Set<(event: NodeEvent) => void>()
  const api = {
    job: vi.fn(async () => null),
    unitGrid: vi.fn(async () => grid([0, 0, 0, 0])),
    results: vi.fn(async (_: string, cursor: number, max: number) => results.slice(cursor, cursor + max)),
  }
  const fake = {
    api,
    listen: (listener: (event: NodeEvent) => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return {
    api,
    session: fake as unknown as NodeSession,
    emit: (event: NodeEvent) => {
      for (const tell of listeners) tell(event)
    },
  }
}

describe('JobWatch', () => {
  afterEach(() => vi.useRealTimers())

  it('hands changes of cells on at once and asks for the job seldom', async () => {
    vi.useFakeTimers()
    const { api, session: fake, emit } = session([])
    const watch = new JobWatch(fake, 'job')
    const seen: (readonly number[] | null)[] = []
    watch.onGrid((_, changed) => seen.push(changed))
    await vi.advanceTimersByTimeAsync(10)
    for (let i = 0; i < 100; i++) {
      emit({ type: 'units', jobId: 'job', changes: Uint32Array.from([i % 4, 3, 1]), peers: ['a'] })
      await vi.advanceTimersByTimeAsync(10)
    }
    expect(seen).toHaveLength(101)
    expect(Array.from(watch.grid?.states ?? [])).toEqual([3, 3, 3, 3])
    expect(api.job.mock.calls.length).toBeLessThanOrEqual(3)
    watch.stop()
  })

  it('hands every result on once, in order, over any number of batches', async () => {
    vi.useFakeTimers()
    const all = Array.from({ length: 77 }, (_, unit) => ({ unit }) as ResultItem)
    const { session: fake } = session(all)
    const watch = new JobWatch(fake, 'job')
    const taken: number[] = []
    watch.followResults((items) => void taken.push(...items.map((item) => item.unit)))
    await vi.advanceTimersByTimeAsync(2_000)
    watch.refresh()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(taken).toEqual(all.map((item) => item.unit))
    watch.stop()
  })
})
