import { hash53 } from '../../format/hash.ts'

/** The share of the bundled digits that is offered to a peer first: spread by its id, the same after a reload. */
export function firstShareOf(peerId: string, shares: number): number {
  return hash53(`share of ${peerId}`) % shares
}
