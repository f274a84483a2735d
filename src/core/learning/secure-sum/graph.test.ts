import { describe, expect, test } from 'vitest'
import { sumPeers } from '../../../testing/secure-sum-room.ts'
import { sha256Hex } from '../../codec/hash.ts'
import type { PeerId } from '../../codec/ids.ts'
import { seededRng } from '../../tasks/rng.ts'
import { neighboursOf, planGraph, shuffled } from './graph.ts'

const session = sha256Hex(new Uint8Array([1]))
const rosterDigest = new Uint8Array(32)

describe('planGraph', () => {
  test('[Q9] is complete up to 50, and two views of the dropouts never give both secrets of a third', () => {
    for (let count = 3; count <= 50; count++) {
      const { degree, threshold, colludersMax } = planGraph(count)
      expect(degree).toBe(count - 1)
      // Honest holders answer one view each, colluders both: 2t shares are never there.
      expect(2 * threshold, `of ${count}`).toBeGreaterThan(count + colludersMax)
      expect(colludersMax).toBe(Math.floor((count - 1) / 3))
      expect(threshold).toBeLessThanOrEqual(count)
    }
    expect(planGraph(3).threshold).toBe(2)
    expect(planGraph(10).threshold).toBe(7)
    expect(planGraph(50).threshold).toBe(34)
  })

  test('[Q9] is sparse above, with a threshold for its neighbourhoods', () => {
    for (const count of [51, 100, 200, 500, 1_000]) {
      const { degree, threshold, survivorsMin } = planGraph(count)
      expect(degree, `of ${count}`).toBeLessThan(count - 1)
      expect(degree).toBeLessThan(255)
      expect(2 * threshold).toBeGreaterThan(degree + 1)
      expect(survivorsMin).toBe(count - Math.ceil(count / 10))
    }
  })

  test('[Q9] the plan holds in drawn graphs: no captured neighbourhood, none short of holders, one piece', () => {
    const count = 120
    const plan = planGraph(count)
    const peers = sumPeers(count)
    for (let trial = 0; trial < 100; trial++) {
      const rng = seededRng(trial)
      const graph = neighboursOf(peers, {
        degree: plan.degree,
        session,
        rosterDigest: new Uint8Array(32).fill(trial),
      })
      const order = shuffled(peers, new Uint8Array(32).fill(rng.below(256)))
      const colluding = new Set(order.slice(0, 12))
      const gone = new Set(order.slice(12, 24))
      for (const peer of peers) {
        const neighbours = graph.get(peer) as readonly PeerId[]
        const captured = neighbours.filter((neighbour) => colluding.has(neighbour)).length
        expect(2 * plan.threshold, `trial ${trial}`).toBeGreaterThan(plan.degree + 1 + captured)
        const left = neighbours.filter((neighbour) => !gone.has(neighbour)).length
        expect(left, `trial ${trial}`).toBeGreaterThanOrEqual(plan.threshold)
      }
      expect(pieces(graph, new Set([...colluding, ...gone])), `trial ${trial}`).toBe(1)
    }
  })
})

/** Connected pieces of a graph without some of its peers. */
function pieces(graph: ReadonlyMap<PeerId, readonly PeerId[]>, without: ReadonlySet<PeerId>): number {
  const left = new Set([...graph.keys()].filter((peer) => !without.has(peer)))
  let count = 0
  for (const start of graph.keys()) {
    if (!left.delete(start)) continue
    count++
    const open = [start]
    for (let peer = open.pop(); peer !== undefined; peer = open.pop()) {
      for (const neighbour of graph.get(peer) ?? []) if (left.delete(neighbour)) open.push(neighbour)
    }
  }
  return count
}

describe('neighboursOf', () => {
  test('is regular, symmetric and free of loops', () => {
    const peers = sumPeers(80)
    const graph = neighboursOf(peers, { degree: 12, session, rosterDigest })
    for (const [peer, neighbours] of graph) {
      expect(neighbours).toHaveLength(12)
      expect(new Set(neighbours).size).toBe(12)
      expect(neighbours).not.toContain(peer)
      for (const neighbour of neighbours) expect(graph.get(neighbour)).toContain(peer)
    }
  })

  test('is the same for all, and another for another roster', () => {
    const peers = sumPeers(80)
    const draw = (fill: number) =>
      neighboursOf(peers, { degree: 12, session, rosterDigest: new Uint8Array(32).fill(fill) })
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })
})
