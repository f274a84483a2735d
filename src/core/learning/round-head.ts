import type { Cid, Hash, LearningTaskId, PeerId } from '../codec/ids.ts'
import { MEMBERS_MAX, STRIKES_MAX } from './limits.ts'
import { outcomeHash } from './message-codec.ts'
import type { CommittedRound, RoundOutcome } from './messages.ts'
import type { LearningTask } from './task.ts'

/** Where a task stands after its last decided round: all that the next one builds on. Follows from the outcomes alone. */
export interface RoundHead {
  /** The round that is decided next. */
  readonly round: number
  /** Hash of the last outcome; the task's id before the first. */
  readonly base: Hash
  /** Members of the round, by peer id: they train and vote. */
  readonly roster: readonly PeerId[]
  readonly model: Cid
  readonly state: Cid | null
  /** Rounds that merged something. */
  readonly merged: number
  /** Rounds in a row in which a member was voted out. */
  readonly strikes: readonly { readonly peer: PeerId; readonly count: number }[]
  /** Who may not come back, by peer id. */
  readonly removed: readonly PeerId[]
}

/** Before round 0 the creator is the only member: it decides with whom the task begins, and nothing else. Rule [G4]. */
export function genesisHead(task: LearningTask, id: LearningTaskId): RoundHead {
  return {
    round: 0,
    base: id,
    roster: [task.creator],
    model: task.initialModel,
    state: null,
    merged: 0,
    strikes: [],
    removed: [],
  }
}

/** Hostile members that the agreement among `count` withstands. */
export function tolerated(count: number): number {
  return Math.floor((count - 1) / 3)
}

/**
 * Votes that decide: any two quorums share more members than may be hostile, so two outcomes cannot both have one. Rule [G5].
 */
export function quorumOf(count: number): number {
  return Math.floor((count + tolerated(count)) / 2) + 1
}

/** Whether members train in the round; otherwise they wait for others, and only the roster can change. */
export function isTrainingRound(head: RoundHead, task: LearningTask): boolean {
  return head.roster.length >= task.participantsMin && !isDone(head, task)
}

export function isDone(head: RoundHead, task: LearningTask): boolean {
  return head.merged >= task.rounds
}

const ascending = (peers: readonly PeerId[]): boolean =>
  peers.every((peer, i) => i === 0 || (peers[i - 1] as PeerId) < peer)

/**
 * What is wrong with an outcome by itself, whoever proposes it; `null` when nothing is. Whether its updates are the right ones is
 * each voter's to say.
 */
export function outcomeFault(head: RoundHead, outcome: RoundOutcome, task: LearningTask): string | null {
  const roster = new Set(head.roster)
  const updates = outcome.updates.map(({ peer }) => peer)
  const rejected = outcome.rejected.map(({ peer }) => peer)
  const left = outcome.left.map(({ peer }) => peer)
  if (outcome.task !== headTask(head, outcome) || outcome.round !== head.round || outcome.base !== head.base)
    return 'another round'
  for (const peers of [updates, rejected, left, outcome.joined]) if (!ascending(peers)) return 'order'
  for (const peer of [...updates, ...rejected, ...left]) if (!roster.has(peer)) return 'not a member'
  const merged = new Set(updates)
  if (rejected.some((peer) => merged.has(peer))) return 'merged and rejected'
  if (outcome.left.some(({ peer, reason }) => reason === 'absent' && merged.has(peer))) return 'merged and absent'
  if (outcome.joined.some((peer) => roster.has(peer) || head.removed.includes(peer))) return 'joined'
  const training = isTrainingRound(head, task)
  if (outcome.skipped === null) {
    if (!training || updates.length < task.participantsMin) return 'too few updates'
  } else {
    if (updates.length > 0) return 'skipped with updates'
    if (outcome.model !== head.model || outcome.state !== head.state) return 'skipped with another model'
    if ((outcome.skipped === 'roster') === training) return 'skipped without reason'
    if (isDone(head, task)) return 'no round is left'
  }
  const next = nextRoster(head, outcome)
  if (next.length === 0 || next.length > MEMBERS_MAX) return 'members'
  if (outcome.skipped === 'roster' && next.length < task.participantsMin) return 'too few members'
  return null
}

/** The chain fixes the task; only the first outcome can be compared with the task's id itself. */
function headTask(head: RoundHead, outcome: RoundOutcome): string {
  return head.round === 0 ? head.base : outcome.task
}

function strikesAfter(head: RoundHead, outcome: RoundOutcome): Map<PeerId, number> {
  const before = new Map(head.strikes.map(({ peer, count }) => [peer, count]))
  const merged = new Set(outcome.updates.map(({ peer }) => peer))
  const after = new Map([...before].filter(([peer]) => !merged.has(peer)))
  for (const { peer, reason } of outcome.rejected)
    after.set(peer, reason === 'voted-out' ? (before.get(peer) ?? 0) + 1 : STRIKES_MAX)
  return after
}

function nextRoster(head: RoundHead, outcome: RoundOutcome): PeerId[] {
  const strikes = strikesAfter(head, outcome)
  const left = new Set(outcome.left.map(({ peer }) => peer))
  const stay = head.roster.filter((peer) => !left.has(peer) && (strikes.get(peer) ?? 0) < STRIKES_MAX)
  return [...stay, ...outcome.joined].sort(byText)
}

/** Peer ids are base58: their order as text is the same on every engine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The head after an outcome that has no {@link outcomeFault}. */
export function headAfter(head: RoundHead, outcome: RoundOutcome): RoundHead {
  const roster = nextRoster(head, outcome)
  const strikes = strikesAfter(head, outcome)
  const members = new Set(roster)
  const struck = head.roster.filter((peer) => (strikes.get(peer) ?? 0) >= STRIKES_MAX)
  return {
    round: head.round + 1,
    base: outcomeHash(outcome),
    roster,
    model: outcome.model,
    state: outcome.state,
    merged: head.merged + (outcome.skipped === null ? 1 : 0),
    strikes: [...strikes]
      .filter(([peer]) => members.has(peer))
      .map(([peer, count]) => ({ peer, count }))
      .sort((a, b) => byText(a.peer, b.peer)),
    removed: [...new Set([...head.removed, ...struck])].sort(byText),
  }
}

/** Whether the votes of a committed round are those of a quorum of the head's members. Signatures are checked before. */
export function isCommitted(head: RoundHead, commit: CommittedRound, task: LearningTask): boolean {
  if (outcomeFault(head, commit.outcome, task) !== null) return false
  const hash = outcomeHash(commit.outcome)
  const roster = new Set(head.roster)
  const voters = new Set<PeerId>()
  for (const { author, body } of commit.votes) {
    const fits = body.step === 'commit' && body.view === commit.view && body.outcome === hash
    if (fits && body.round === head.round && body.base === head.base && roster.has(author)) voters.add(author)
  }
  return voters.size >= quorumOf(head.roster.length)
}
