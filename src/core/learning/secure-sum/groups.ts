import { concatBytes, utf8 } from '../../codec/bytes.ts'
import { invariant } from '../../codec/errors.ts'
import { sha256Bytes } from '../../codec/hash.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import { TooFewSharesError } from './errors.ts'
import { shuffled } from './graph.ts'
import { GROUPS_MAX, SECURE_SUM_PARTICIPANTS_MIN } from './limits.ts'

/**
 * Grouped mode: secure sums inside small groups, and a robust rule over the groups' means. A hostile peer spoils the mean of its group and no
 * more, and a robust rule drops that; an update is hidden among those of its group and no more. Rule [Q10].
 */

/**
 * Draws groups of nearly equal size, nobody can choose which: the order comes from a seed that is fixed after all have joined (a round's
 * beacon).
 *
 * @param peers - Who takes part, in any order.
 * @param options.sizeMin - Members of a group at least, 3 or more; with dropouts ahead, a few more than the sum's minimum.
 * @returns Groups by number, the members of each by peer id. Sizes differ by one at most.
 * @throws {@link TooFewSharesError} When there are not even enough for one group.
 */
export function drawGroups(
  peers: readonly PeerId[],
  options: { readonly sizeMin: number; readonly task: Hash; readonly round: number; readonly beacon: Uint8Array },
): PeerId[][] {
  const { sizeMin, task, round, beacon } = options
  invariant(sizeMin >= SECURE_SUM_PARTICIPANTS_MIN, `a group has at least ${SECURE_SUM_PARTICIPANTS_MIN} members`)
  const members = [...new Set(peers)].sort()
  if (members.length < sizeMin) {
    throw new TooFewSharesError(`A group has ${members.length} members, limit at least ${sizeMin}`, {
      field: 'peers',
      value: members.length,
      limit: sizeMin,
    })
  }
  const count = Math.min(Math.floor(members.length / sizeMin), GROUPS_MAX)
  const seed = sha256Bytes(concatBytes(utf8(`starling/secure-sum/1/groups/${task}/${round}\n`), beacon))
  const groups: PeerId[][] = Array.from({ length: count }, () => [])
  shuffled(members, seed).forEach((peer, at) => {
    // One of `count` groups.
    ;(groups[at % count] as PeerId[]).push(peer)
  })
  return groups.map((group) => group.sort())
}

/** What a group's secure sum gave. */
export interface GroupSum {
  readonly contributors: readonly PeerId[]
  readonly values: Int32Array
}

/** A group as the rules of aggregation take an update: its mean, under the name of its first contributor. */
export interface GroupMean {
  readonly peer: PeerId
  readonly values: Int32Array
  readonly contributors: readonly PeerId[]
}

/**
 * Means of group sums, each value to the nearest integer, halves up: the same bytes on every engine, since a quotient of two integers of
 * 32 bits is never rounded across a half.
 *
 * @param groups - Groups that failed are left out by whoever calls.
 * @returns By peer id.
 */
export function groupMeans(groups: readonly GroupSum[]): GroupMean[] {
  const means = groups.map(({ contributors, values }) => {
    const [peer] = [...contributors].sort()
    invariant(peer !== undefined, 'a group has a contributor')
    return { peer, contributors, values: values.map((value) => Math.round(value / contributors.length)) }
  })
  return means.sort((a, b) => (a.peer < b.peer ? -1 : 1))
}

/**
 * Runs a rule of aggregation over groups: `aggregate` is called once with every group's mean as one update.
 *
 * Each hostile peer can spoil a group of its own, so the rule must stand as many hostile groups as the task counts with hostile peers; with
 * fewer groups than the rule needs, it refuses by its own bound.
 *
 * @returns What the rule gave, and the peers behind the groups that it kept.
 */
export function aggregateGroups<Outcome extends { readonly selected: readonly PeerId[] }>(
  groups: readonly GroupSum[],
  aggregate: (updates: readonly { readonly peer: PeerId; readonly values: Int32Array }[]) => Outcome,
): { readonly outcome: Outcome; readonly contributors: PeerId[] } {
  const means = groupMeans(groups)
  const outcome = aggregate(means.map(({ peer, values }) => ({ peer, values })))
  const kept = new Set(outcome.selected)
  const contributors = means.filter(({ peer }) => kept.has(peer)).flatMap((mean) => [...mean.contributors])
  return { outcome, contributors: contributors.sort() }
}
