import { expect, it } from 'vitest'
import { ChangeFeed } from './change-feed.ts'
import type { NodeEvent, NodeSnapshot } from './contract.ts'

it('ChangeFeed tells of changes at most twice a second, and of time that passes once', () => {
  let now = 10_000
  // Nobody looks into it here.
  const snapshot = {} as NodeSnapshot
  const feed = new ChangeFeed({ now: () => now, snapshot: () => snapshot, takeEvents: () => [] })
  const told: number[] = []
  const id = feed.add((event: NodeEvent) => void (event.type === 'snapshot' && told.push(now - 10_000)))
  const passes = (ms: number, changes: boolean) => {
    for (const end = now + ms; now < end; now += 250) {
      if (changes) feed.changed()
      feed.tell()
    }
  }
  passes(1_000, true)
  expect(told).toEqual([0, 500])
  passes(2_000, false)
  expect(told).toEqual([0, 500, 1_000, 2_000])
  feed.remove(id)
  passes(1_000, true)
  expect(told).toHaveLength(4)
})
