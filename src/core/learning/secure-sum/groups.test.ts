import { describe, expect, test } from 'vitest'
import { SumRoom, sumPeers } from '../../../testing/secure-sum-room.ts'
import { sha256Hex } from '../../codec/hash.ts'
import type { PeerId } from '../../codec/ids.ts'
import { aggregateGroups, drawGroups, groupMeans } from './groups.ts'

const options = { sizeMin: 4, task: sha256Hex(new Uint8Array([1])), round: 3, beacon: new Uint8Array(32) }

describe('drawGroups', () => {
  test('[Q10] puts everybody in one group of at least the size asked for', () => {
    for (let count = 4; count < 40; count++) {
      const peers = sumPeers(count)
      const groups = drawGroups(peers, options)
      expect(groups.flat().sort()).toEqual(peers)
      const sizes = groups.map(({ length }) => length)
      expect(Math.min(...sizes), `of ${count}`).toBeGreaterThanOrEqual(4)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }
  })

  test('[Q10] the beacon and the round draw them, not the order of arrival', () => {
    const peers = sumPeers(20)
    expect(drawGroups([...peers].reverse(), options)).toEqual(drawGroups(peers, options))
    expect(drawGroups(peers, { ...options, beacon: new Uint8Array(32).fill(1) })).not.toEqual(
      drawGroups(peers, options),
    )
    expect(drawGroups(peers, { ...options, round: 4 })).not.toEqual(drawGroups(peers, options))
  })

  test('refuses fewer peers than one group needs', () => {
    expect(() => drawGroups(sumPeers(3), options)).toThrow(expect.objectContaining({ name: 'TooFewSharesError' }))
  })
})

describe('aggregateGroups', () => {
  test('groupMeans rounds halves up, below zero too', () => {
    const [a, b] = sumPeers(2) as [PeerId, PeerId]
    const [mean] = groupMeans([{ contributors: [b, a], values: Int32Array.of(3, -3, 5, 2 ** 31 - 1) }])
    expect([...(mean?.values ?? [])]).toEqual([2, -1, 3, 2 ** 30])
    expect(mean?.peer).toBe(a)
  })

  test('[Q10] a robust rule over secure sums drops the group that a hostile peer spoiled', () => {
    // Three groups of three; one peer of the second puts in as much as the terms allow.
    const groups = [1, 2, 3].map((seed) => {
      const inputs = Array.from({ length: 3 }, (_, at) =>
        new Int32Array(4).fill(seed === 2 && at === 1 ? 999_999 : 10 * at),
      )
      const room = new SumRoom({ count: 3, length: 4, seed, inputs }).run()
      const sum = room.all('sum')[0]?.effect
      return { contributors: sum?.contributors ?? [], values: sum?.values ?? new Int32Array() }
    })
    const peers = sumPeers(9)
    const named = groups.map(({ values }, at) => ({ contributors: peers.slice(3 * at, 3 * at + 3), values }))
    const { outcome, contributors } = aggregateGroups(named, (updates) => {
      const sorted = [...updates].sort((a, b) => (a.values[0] as number) - (b.values[0] as number))
      const middle = sorted[1] as (typeof updates)[number]
      return { values: middle.values, selected: [middle.peer] }
    })
    expect([...outcome.values]).toEqual([10, 10, 10, 10])
    expect(contributors).toHaveLength(3)
    expect(contributors).not.toContain(peers[3])
  })
})
