import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../codec/bytes.ts'
import { hashTree, rootOf } from './inclusion.ts'

const leavesOf = (size: number): Uint8Array[] => Array.from({ length: size }, (_, index) => Uint8Array.of(index, size))

describe('hashTree', () => {
  // Certificate Transparency's own test leaves and roots (RFC 9162's tree), for 1 to 8 leaves.
  it('has the roots of the reference tree', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    const leaves = inputs.map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))
    roots.forEach((root, index) => {
      expect(toHex(hashTree(leaves.slice(0, index + 1)).root)).toBe(root)
    })
  })

  it('gives every leaf a path to the root, for every size', () => {
    for (let size = 1; size <= 70; size++) {
      const leaves = leavesOf(size)
      const { root, inclusions } = hashTree(leaves)
      leaves.forEach((leaf, index) => {
        const inclusion = inclusions[index]
        expect(inclusion).toBeDefined()
        if (inclusion !== undefined) expect(rootOf(leaf, inclusion), `${index} of ${size}`).toEqual(root)
      })
    }
  })

  it('leads nowhere near the root from another leaf, place, size or path', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), (size, a, b) => {
        const leaves = leavesOf(size)
        const { root, inclusions } = hashTree(leaves)
        const [from, to] = [a % size, b % size]
        const inclusion = inclusions[from]
        const other = leaves[to]
        if (inclusion === undefined || other === undefined || from === to) return
        expect(rootOf(other, inclusion)).not.toEqual(root)
        const leaf = leaves[from] as Uint8Array
        expect(rootOf(leaf, { ...inclusion, path: inclusion.path.slice(1) })).not.toEqual(root)
        expect(rootOf(leaf, { ...inclusion, path: [...inclusion.path, root] })).not.toEqual(root)
        expect(rootOf(leaf, { ...inclusion, index: size })).toBeNull()
      }),
    )
  })
})
