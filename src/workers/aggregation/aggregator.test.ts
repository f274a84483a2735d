import { afterEach, describe, expect, it } from 'vitest'
import type { PeerId } from '../../core/codec/ids.ts'
import { aggregate } from '../../core/learning/aggregate.ts'
import { type AggregationRule, initialState, type PeerUpdate } from '../../core/learning/rules.ts'
import { seededRng } from '../../core/tasks/rng.ts'
import { createAggregator, directAggregator } from './aggregator.ts'
import type { Aggregator, AggregatorMessage, SpawnAggregator } from './contract.ts'
import { JOBS_WAITING_MAX } from './limits.ts'
import { loadKernel } from './load.node.ts'
import { spawnAggregator } from './spawn.node.ts'

const unavailable = expect.objectContaining({ name: 'AggregationUnavailableError' })
const MEDIAN: AggregationRule = { rule: 'median', byzantineMax: 1 }

function updatesOf(n: number, d: number): PeerUpdate[] {
  const rng = seededRng(d)
  return Array.from({ length: n }, (_, i) => ({
    peer: `peer-${i}` as PeerId,
    values: Int32Array.from({ length: d }, () => rng.below(2000) - 1000),
  }))
}

const open: Aggregator[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

function opened(aggregator: Aggregator): Aggregator {
  open.push(aggregator)
  return aggregator
}

describe.each([
  ['worker', async () => createAggregator({ spawn: spawnAggregator })],
  ['direct', async () => directAggregator(await loadKernel())],
])('%s', (_, make) => {
  it('gives the aggregate of the plain loops', async () => {
    const aggregator = opened(await make())
    const updates = updatesOf(7, 3000)
    for (const rule of [MEDIAN, { rule: 'bulyan', byzantineMax: 1, nearestNeighbourMixing: true }] as const) {
      const result = await aggregator.aggregate(updates, rule, initialState(3000))
      expect(result).toEqual(aggregate(updates, rule, initialState(3000)))
    }
    expect(updates[0]?.values.length).toBe(3000)
  })

  it('passes errors on by name, with what was wrong, and works on', async () => {
    const aggregator = opened(await make())
    const tooFew = aggregator.aggregate(updatesOf(2, 4), MEDIAN, initialState(4))
    await expect(tooFew).rejects.toMatchObject({
      name: 'AggregationBoundError',
      details: { field: 'updates', value: 2 },
    })
    const enough = await aggregator.aggregate(updatesOf(3, 4), MEDIAN, initialState(4))
    expect(enough.selected).toHaveLength(3)
  })
})

describe('createAggregator', () => {
  /** Workers that answer when the test says so. */
  function scripted() {
    const workers: { events: Parameters<SpawnAggregator>[0]; posted: number[]; terminated: boolean }[] = []
    const spawn: SpawnAggregator = (events) => {
      const worker = { events, posted: [] as number[], terminated: false }
      workers.push(worker)
      return {
        post: ({ id }) => worker.posted.push(id),
        terminate: () => {
          worker.terminated = true
        },
      }
    }
    const done = (id: number): AggregatorMessage => ({
      type: 'done',
      id,
      durationMs: 1,
      result: aggregate(updatesOf(3, 1), MEDIAN, initialState(1)),
    })
    return { workers, spawn, done }
  }

  const job = (aggregator: Aggregator) => aggregator.aggregate(updatesOf(3, 1), MEDIAN, initialState(1))

  it('gives its worker one job at a time', async () => {
    const { workers, spawn, done } = scripted()
    const aggregator = opened(createAggregator({ spawn }))
    const [first, second] = [job(aggregator), job(aggregator)]
    expect(workers[0]?.posted).toEqual([0])
    workers[0]?.events.message(done(0))
    await first
    expect(workers[0]?.posted).toEqual([0, 1])
    workers[0]?.events.message(done(1))
    await second
    expect(workers).toHaveLength(1)
  })

  it('a worker that ends fails its job alone; the next has another worker', async () => {
    const { workers, spawn, done } = scripted()
    const aggregator = opened(createAggregator({ spawn }))
    const [first, second] = [job(aggregator), job(aggregator)]
    workers[0]?.events.failed('out of memory')
    await expect(first).rejects.toThrow(/ended: out of memory/)
    expect(workers[0]?.terminated).toBe(true)
    // Late words of the old worker do not reach the new one's job.
    workers[0]?.events.message(done(1))
    workers[0]?.events.failed('again')
    workers[1]?.events.message(done(1))
    await expect(second).resolves.toMatchObject({ rejected: [] })
  })

  it('gives up on a worker that does not answer', async () => {
    const { workers, spawn } = scripted()
    const aggregator = opened(createAggregator({ spawn, timeoutMs: 20 }))
    await expect(job(aggregator)).rejects.toThrow(/within 20 ms/)
    expect(workers[0]?.terminated).toBe(true)
  })

  it('lets so many jobs wait and not one more', async () => {
    const { spawn } = scripted()
    const aggregator = createAggregator({ spawn })
    const jobs = Array.from({ length: JOBS_WAITING_MAX + 1 }, () => job(aggregator))
    await expect(job(aggregator)).rejects.toThrow(`${JOBS_WAITING_MAX} aggregations wait already`)
    aggregator.close()
    for (const each of await Promise.allSettled(jobs)) expect(each).toMatchObject({ reason: unavailable })
    await expect(job(aggregator)).rejects.toEqual(unavailable)
  })

  it('a worker that cannot be started is an error of the job', async () => {
    const aggregator = opened(
      createAggregator({
        spawn: () => {
          throw new Error('no workers here')
        },
      }),
    )
    await expect(job(aggregator)).rejects.toThrow(/no workers here/)
  })
})
