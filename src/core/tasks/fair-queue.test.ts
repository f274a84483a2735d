import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairQueue } from './fair-queue.ts'

describe('FairQueue', () => {
  it('[F1] keeps the order within a lane', () => {
    const queue = new FairQueue<number>()
    for (let i = 0; i < 200; i++) queue.push('a', i)
    for (let i = 0; i < 200; i++) expect(queue.take()?.item).toBe(i)
    expect(queue.take()).toBeUndefined()
  })

  it('[F1] gives waiting lanes weighted shares within one longest item, whatever the costs', () => {
    const cost = fc.integer({ min: 1, max: 1_000_000 })
    const lanes = fc.array(
      fc.record({ weight: fc.integer({ min: 1, max: 4 }), costs: fc.array(cost, { minLength: 1, maxLength: 5 }) }),
      {
        minLength: 2,
        maxLength: 5,
      },
    )
    fc.assert(
      fc.property(lanes, (specs) => {
        const queue = new FairQueue<number>()
        const served = specs.map(() => 0)
        specs.forEach(({ weight }, i) => {
          queue.setWeight(`${i}`, weight)
          for (let n = 0; n < 400; n++) queue.push(`${i}`, n)
        })
        const longest = Math.max(...specs.flatMap(({ costs }) => costs), 50_000)
        // One worker: each cost is known before the next item is taken.
        for (let turn = 0; turn < 300; turn++) {
          const { item, charge } = queue.take() as NonNullable<ReturnType<typeof queue.take>>
          const i = Number(charge.lane)
          const { costs, weight } = specs[i] as (typeof specs)[number]
          const usedUs = costs[item % costs.length] as number
          queue.settle(charge, usedUs)
          served[i] = (served[i] as number) + usedUs / weight
          expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(2 * longest)
        }
      }),
    )
  })

  it('[F1] lets nobody save up time while idle', () => {
    const queue = new FairQueue<string>()
    for (let i = 0; i < 100; i++) queue.push('busy', 'b')
    for (let i = 0; i < 50; i++)
      queue.settle((queue.take() as NonNullable<ReturnType<typeof queue.take>>).charge, 1_000_000)
    for (let i = 0; i < 50; i++) queue.push('late', 'l')
    let late = 0
    for (let i = 0; i < 20; i++) {
      const { item, charge } = queue.take() as NonNullable<ReturnType<typeof queue.take>>
      queue.settle(charge, 1_000_000)
      if (item === 'l') late++
    }
    expect(late).toBeGreaterThanOrEqual(9)
    expect(late).toBeLessThanOrEqual(12)
  })

  it('counts and forgets lanes', () => {
    const queue = new FairQueue<number>()
    queue.push('a', 1)
    queue.push('b', 2)
    expect([queue.size, queue.sizeOf('a'), queue.sizeOf('c')]).toEqual([2, 1, 0])
    queue.remove('a')
    expect([queue.size, queue.take()?.item, queue.size]).toEqual([1, 2, 0])
  })
})
