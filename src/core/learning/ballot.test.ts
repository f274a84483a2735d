import { describe, expect, it } from 'vitest'
import { sumPeers } from '../../testing/secure-sum-room.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Hash, LearningTaskId, PeerId } from '../codec/ids.ts'
import { Ballot } from './ballot.ts'
import { VIEWS_MAX, VOTES_KEPT_MAX } from './limits.ts'
import type { SignedVote } from './messages.ts'

const [A, B, C, LIAR] = sumPeers(4) as [PeerId, PeerId, PeerId, PeerId]
const hash = (byte: number): Hash => sha256Hex(Uint8Array.of(byte))
const [RIGHT, WRONG] = [hash(1), hash(2)]
// A task's id is a hash by definition.
const ref = { task: hash(0) as string as LearningTaskId, round: 1, base: hash(0) }
const QUORUM = 3

function vote(author: PeerId, outcome: Hash | null, view = 1): SignedVote {
  const reason = outcome === null ? 'left-out' : null
  const body = { ...ref, step: 'accept', view, outcome, reason, scores: [] } as const
  return { kind: 'update-vote', author, timestampMs: 0, bytes: new Uint8Array(0), body }
}

describe('Ballot', () => {
  it('[G6] counts a quorum that a liar belongs to, whichever of its votes was heard first', () => {
    for (const first of [RIGHT, WRONG, null]) {
      const ballot = new Ballot()
      for (const outcome of [first, RIGHT, WRONG, null]) ballot.add(vote(LIAR, outcome))
      for (const author of [A, B]) ballot.add(vote(author, RIGHT))
      expect(ballot.decided(1, QUORUM)).toBe(RIGHT)
      expect(new Set(ballot.votesFor(1, RIGHT).map(({ author }) => author))).toEqual(new Set([A, B, LIAR]))
      expect(ballot.votesFor(1, RIGHT)).toHaveLength(QUORUM)
    }
  })

  it('[G6] never counts one author twice', () => {
    const ballot = new Ballot()
    for (const outcome of [RIGHT, WRONG, RIGHT, WRONG]) ballot.add(vote(LIAR, outcome))
    ballot.add(vote(A, RIGHT))
    expect(ballot.decided(1, QUORUM)).toBeUndefined()
    expect(ballot.count(1)).toBe(2)
  })

  it('gives a contradicting vote as evidence once, and keeps a bounded number of them', () => {
    const ballot = new Ballot()
    const first = vote(LIAR, RIGHT)
    expect(ballot.add(first)).toBeUndefined()
    expect(ballot.add(vote(LIAR, RIGHT))).toBeUndefined()
    expect(ballot.add(vote(LIAR, WRONG))).toBe(first)
    expect(ballot.add(vote(LIAR, WRONG))).toBeUndefined()
    const others = Array.from({ length: 2 * VOTES_KEPT_MAX }, (_, at) => hash(10 + at))
    for (const outcome of others) ballot.add(vote(LIAR, outcome))
    const kept = [RIGHT, WRONG, ...others].filter((outcome) => ballot.votesFor(1, outcome).length > 0)
    expect(kept).toHaveLength(VOTES_KEPT_MAX)
  })

  it('forgets the oldest view, contradictions included, when there is one too many', () => {
    const ballot = new Ballot()
    for (const outcome of [RIGHT, WRONG]) ballot.add(vote(LIAR, outcome, 0))
    for (let view = 1; view <= VIEWS_MAX; view++) ballot.add(vote(C, RIGHT, view))
    expect([ballot.votesFor(0, RIGHT), ballot.votesFor(0, WRONG)]).toEqual([[], []])
    expect(ballot.votesFor(VIEWS_MAX, RIGHT)).toHaveLength(1)
  })
})
