import { concatBytes } from '../codec/bytes.ts'
import { sha256Bytes } from '../codec/hash.ts'

/** Where a leaf stands in a hash tree, and the hashes that lead from it to the root. */
export interface Inclusion {
  /** From 0. */
  readonly index: number
  readonly size: number
  /** Sibling hashes from the leaf upwards, 32 bytes each. */
  readonly path: readonly Uint8Array[]
}

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** Prefixes keep a leaf from ever passing for a node. Source: RFC 9162, section 2.1.1. */
const leafHash = (leaf: Uint8Array): Uint8Array => sha256Bytes(concatBytes(LEAF, leaf))
const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256Bytes(concatBytes(NODE, left, right))

/** A hash tree over all leaves, with the inclusion of each. Source: RFC 9162, section 2.1. */
export function hashTree(leaves: readonly Uint8Array[]): {
  readonly root: Uint8Array
  readonly inclusions: readonly Inclusion[]
} {
  const paths: Uint8Array[][] = leaves.map(() => [])
  // Levels pair from the left; an odd one out rises unchanged, which is the RFC's tree for every size.
  let level = leaves.map((leaf, index) => ({ hash: leafHash(leaf), below: [index] }))
  while (level.length > 1) {
    const next: typeof level = []
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at], level[at + 1]] as [(typeof level)[number], (typeof level)[number] | undefined]
      if (right === undefined) {
        next.push(left)
        continue
      }
      for (const index of left.below) paths[index]?.push(right.hash)
      for (const index of right.below) paths[index]?.push(left.hash)
      next.push({ hash: nodeHash(left.hash, right.hash), below: [...left.below, ...right.below] })
    }
    level = next
  }
  return {
    root: level[0]?.hash ?? sha256Bytes(new Uint8Array()),
    inclusions: paths.map((path, index) => ({ index, size: leaves.length, path })),
  }
}

/**
 * The root that an inclusion leads to; the leaf is in the tree exactly if it is the tree's root.
 *
 * @returns `null` When the path cannot belong to that place in a tree of that size. Source: RFC 9162, section 2.1.3.2.
 */
export function rootOf(leaf: Uint8Array, { index, size, path }: Inclusion): Uint8Array | null {
  if (index >= size) return null
  let place = index
  let last = size - 1
  let hash = leafHash(leaf)
  for (const sibling of path) {
    if (last === 0) return null
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) {
        place = Math.floor(place / 2)
        last = Math.floor(last / 2)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    place = Math.floor(place / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 ? hash : null
}
