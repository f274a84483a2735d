import { encode } from '../codec/cbor.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Hash, PeerId } from '../codec/ids.ts'
import type { RoundOutcome } from './messages.ts'

type Updates = RoundOutcome['updates']

/** Names a set of updates. */
export function updatesKey(updates: Updates): Hash {
  return sha256Hex(encode(updates))
}

/**
 * What the secure sums of one round came to, as far as it is known here: of each group the sums that are, by their contributors. A group has
 * one sum unless its members fell apart into two that each had enough; a member is in one of them at most.
 */
export class RoundSums {
  readonly #groups: readonly (readonly PeerId[])[]
  readonly #sums: Map<Hash, Updates>[]
  readonly #over = new Set<number>()

  constructor(groups: readonly (readonly PeerId[])[]) {
    this.#groups = groups
    this.#sums = groups.map(() => new Map())
  }

  /** Whether nothing more is waited for. */
  get over(): boolean {
    return this.#over.size === this.#groups.length
  }

  /** @param updates - `null` when none came in time; one may still come. */
  add(group: number, updates: Updates | null): void {
    if (group >= this.#groups.length) return
    this.#over.add(group)
    if (updates !== null) this.#sums[group]?.set(updatesKey(updates), updates)
  }

  /** What this peer would merge, by peer id: of each group the sum with the most contributors. */
  best(): Updates {
    return this.#sums.flatMap((sums) => [...largest(sums)]).sort((a, b) => (a.peer < b.peer ? -1 : 1))
  }

  /** Whether a set is made of sums that are known here, at most one of each group. */
  knows(updates: Updates): boolean {
    return this.parts(updates).every((part, group) => part.length === 0 || this.#sums[group]?.has(updatesKey(part)))
  }

  /** A set, group by group. */
  parts(updates: Updates): Updates[] {
    return this.#groups.map((members) => updates.filter(({ peer }) => members.includes(peer)))
  }
}

function largest(sums: ReadonlyMap<Hash, Updates>): Updates {
  let best: readonly [Hash, Updates] | null = null
  for (const sum of sums) {
    const more = best === null ? 1 : sum[1].length - best[1].length
    if (more > 0 || (more === 0 && best !== null && sum[0] < best[0])) best = sum
  }
  return best?.[1] ?? []
}
