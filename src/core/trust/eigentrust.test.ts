import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eigenTrust, type TrustEdge } from './eigentrust.ts'

const WHOLE = 2 ** 32
const node = fc.integer({ min: 0, max: 30 })
const edges = fc.array(fc.record({ from: node, to: node, weight: fc.integer({ min: 1, max: 65_536 }) }), {
  maxLength: 120,
})

describe('eigenTrust', () => {
  it('[T17] shares out no more than there is, and the same whenever it is asked', () => {
    fc.assert(
      fc.property(edges, (links) => {
        const trust = eigenTrust(links, new Map([[0, 1]]))
        let sum = 0
        for (const value of trust.values()) {
          expect(Number.isSafeInteger(value) && value >= 0).toBe(true)
          sum += value
        }
        expect(sum).toBeLessThanOrEqual(WHOLE)
        expect(sum).toBeGreaterThan(WHOLE * 0.999)
        expect(eigenTrust(links, new Map([[0, 1]]))).toEqual(trust)
      }),
    )
  })

  it('[T17] a circle that nobody outside trusts holds nothing, whatever its members say of each other', () => {
    fc.assert(
      fc.property(edges, fc.integer({ min: 1, max: 65_536 }), (links, praise) => {
        const clique = [100, 101, 102, 103]
        const inside: TrustEdge<number>[] = clique.flatMap((from) =>
          clique.filter((to) => to !== from).map((to) => ({ from, to, weight: praise })),
        )
        const flattery = clique.map((from) => ({ from, to: 0, weight: 65_536 }))
        const trust = eigenTrust([...links, ...inside, ...flattery], new Map([[0, 1]]))
        for (const member of clique) expect(trust.get(member)).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  it('[T17] what flows into a circle of one friend stays within what that friend is given', () => {
    const honest = Array.from({ length: 9 }, (_, index) => ({ from: 0, to: index + 1, weight: 100 }))
    const circle = [
      { from: 9, to: 10, weight: 1 },
      { from: 10, to: 9, weight: 65_536 },
    ]
    const trust = eigenTrust([...honest, ...circle], new Map([[0, 1]]))
    const [fair, praised] = [trust.get(1) ?? 0, (trust.get(9) ?? 0) + (trust.get(10) ?? 0)]
    // A closed circle can hold at most 1 / restart times what flows in: five times.
    expect(praised).toBeLessThan(5.01 * fair)
  })

  it('trusts nobody without anybody pre-trusted', () => {
    expect(eigenTrust([], new Map()).size).toBe(0)
  })
})
