import type { Cid, Hash, PeerId } from '../codec/ids.ts'
import { Ballot } from './ballot.ts'
import { REPEAT_MS_MIN } from './limits.ts'
import type {
  AgainstCode,
  LearningStatement,
  RoundOutcome,
  SignedAnnouncement,
  SignedProposal,
  SignedVote,
  VoteStep,
} from './messages.ts'
import type { RoundRecord, RoundRejection, StatementDraft, UpdateVerdict } from './round-events.ts'
import type { RoundHead } from './round-head.ts'
import type { RoundSums } from './round-sums.ts'
import type { LearningTask } from './task.ts'

/** The result of the rule on a set of updates; `null` when the rule refuses the set. */
export interface Aggregate {
  readonly model: Cid
  readonly state: Cid | null
  readonly worse: boolean
}

/** Of the members that scored an update, how many found it bad. */
export interface VoteCount {
  readonly bad: number
  readonly all: number
}

/** All that a peer knows of the round that is being decided. Gone with the round's outcome. */
export class RoundState {
  readonly startedAtMs: number
  readonly deadlineMs: number
  readonly announcements = new Map<PeerId, SignedAnnouncement>()
  readonly verdicts = new Map<PeerId, UpdateVerdict>()
  /** Members that announced two updates, with both statements. */
  readonly equivocators = new Map<PeerId, readonly SignedAnnouncement[]>()
  readonly scores = new Map<PeerId, SignedVote>()
  readonly proposals = new Map<number, SignedProposal>()
  readonly outcomes = new Map<Hash, RoundOutcome>()
  readonly judged = new Map<SignedProposal, 'ok' | AgainstCode>()
  readonly accepts = new Ballot()
  readonly commits = new Ballot()
  readonly aggregates = new Map<Hash, Aggregate | null>()
  /** What secure sums give; nothing in plain mode. */
  readonly sums: RoundSums | null
  /** Members that broke a secure sum, as their own statements prove. */
  readonly spoilers = new Map<PeerId, 'spoiled-sum' | 'bad-proof'>()
  /** Members whose proof a sum waited for in vain. */
  readonly owing = new Set<PeerId>()
  readonly aggregating = new Set<Hash>()
  /** Own statements, as signed; said again while the round lasts. */
  readonly mine: LearningStatement[] = []
  /** Own statements, as decided upon; durable before they are signed. */
  said: StatementDraft[] = []
  view = 0
  step: 'collect' | 'propose' | 'accept' | 'commit' = 'collect'
  stepEndsMs = 0
  locked: RoundRecord['locked'] = null
  valid: RoundRecord['valid'] = null
  training = false
  /** The secure sums were begun. */
  summing = false
  completeAtMs: number | null = null
  enoughAtMs: number | null = null
  quorumAtMs: number | null = null
  commitsAtMs: number | null = null
  checkAtMs = 0
  repeatMs = REPEAT_MS_MIN
  repeatAtMs: number
  /** What the proposal of this view still lacks here. */
  waitsFor: AgainstCode | null = null

  constructor(head: RoundHead, task: LearningTask, { nowMs, sums }: { nowMs: number; sums: RoundSums | null }) {
    this.sums = sums
    this.startedAtMs = nowMs
    this.deadlineMs = nowMs + task.trainMs
    this.repeatAtMs = nowMs + this.repeatMs
    this.#base = head.base
  }

  readonly #base: Hash
  #counts = new Map<PeerId, VoteCount>()
  #countsVersion = -1

  restore(record: RoundRecord): void {
    if (record.base !== this.#base) return
    this.view = record.view
    this.locked = record.locked
    this.valid = record.valid
    this.said = [...record.said]
    for (const draft of record.said)
      if (draft.kind === 'update-vote' && draft.body.step !== 'score' && draft.body.view === record.view)
        this.step = draft.body.step === 'commit' || this.step === 'commit' ? 'commit' : 'accept'
  }

  hasSaid(kind: StatementDraft['kind']): boolean {
    return this.said.some((draft) => draft.kind === kind)
  }

  hasProposed(view: number): boolean {
    return this.said.some((draft) => draft.kind === 'round-proposal' && draft.body.view === view)
  }

  hasVoted(step: VoteStep, view: number): boolean {
    return this.said.some(
      (draft) => draft.kind === 'update-vote' && draft.body.step === step && draft.body.view === view,
    )
  }

  worth(proposal: SignedProposal): 'ok' | AgainstCode | undefined {
    return this.judged.get(proposal)
  }

  refused(peer: PeerId): boolean {
    const verdict = this.verdicts.get(peer)
    return verdict !== 'good' && verdict !== 'bad' && verdict !== 'unscored'
  }

  /** Members that found an update bad, among those that scored it. */
  votesOn(peer: PeerId): VoteCount {
    const version = this.scores.size * 1_024 + this.announcements.size
    if (this.#countsVersion !== version) {
      this.#counts = this.#countVotes()
      this.#countsVersion = version
    }
    return this.#counts.get(peer) ?? { bad: 0, all: 0 }
  }

  #countVotes(): Map<PeerId, VoteCount> {
    const counts = new Map<PeerId, VoteCount>()
    for (const [voter, { body }] of this.scores) {
      for (const { peer, update, bad } of body.scores) {
        // Nobody judges itself, and only the update that is known here counts.
        if (peer === voter || update !== this.announcements.get(peer)?.body.update) continue
        const before = counts.get(peer) ?? { bad: 0, all: 0 }
        counts.set(peer, { bad: before.bad + (bad ? 1 : 0), all: before.all + 1 })
      }
    }
    return counts
  }

  /** More than half of all members must find it bad: fewer than half that lie cannot vote an honest update out. Rule [G8]. */
  isVotedOut(peer: PeerId, members: number): boolean {
    return this.votesOn(peer).bad * 2 > members
  }

  /** What this peer would merge, by peer id. */
  mergeable(roster: readonly PeerId[]): RoundOutcome['updates'] {
    if (this.sums !== null) return this.sums.best()
    return roster.flatMap((peer) => {
      const announcement = this.announcements.get(peer)
      if (announcement === undefined || this.refused(peer) || this.equivocators.has(peer)) return []
      const { update } = announcement.body
      return update === null || this.isVotedOut(peer, roster.length) ? [] : [{ peer, update }]
    })
  }

  /** @param merged - Whoever is in a sum stays in it, spoiler or not: nobody can take it out again. */
  rejections(roster: readonly PeerId[], merged: RoundOutcome['updates']): RoundOutcome['rejected'] {
    return roster.flatMap((peer): RoundOutcome['rejected'][number][] => {
      if (this.sums !== null && merged.some((update) => update.peer === peer)) return []
      const spoiled = this.spoilers.get(peer)
      if (spoiled !== undefined) return [{ peer, reason: spoiled }]
      if (this.equivocators.has(peer)) return [{ peer, reason: 'equivocated' }]
      return this.isVotedOut(peer, roster.length) ? [{ peer, reason: 'voted-out' }] : []
    })
  }

  /** Whether more than half of the members refused a merged model because it did worse. */
  candidateRefused(members: number): boolean {
    const voters = new Set(
      this.accepts
        .all()
        .filter(({ body }) => body.outcome === null && body.reason === 'candidate-worse')
        .map(({ author }) => author),
    )
    return voters.size * 2 > members
  }

  /** How the round looked from here, once it is decided. */
  judgements(
    outcome: RoundOutcome,
    roster: readonly PeerId[],
  ): { readonly rejected: RoundRejection[]; readonly good: PeerId[]; readonly missed: PeerId[] } {
    const rejected: RoundRejection[] = []
    const merged = new Set(outcome.updates.map(({ peer }) => peer))
    const decided = new Map(outcome.rejected.map(({ peer, reason }) => [peer, reason]))
    for (const peer of roster) {
      const reason = decided.get(peer)
      const verdict = this.verdicts.get(peer)
      if (reason !== undefined)
        rejected.push({ peer, reason, votes: reason === 'voted-out' ? this.votesOn(peer) : null })
      else if (verdict !== undefined && verdict !== 'good' && verdict !== 'bad' && verdict !== 'unscored')
        rejected.push({ peer, reason: verdict, votes: null })
    }
    const bad = new Set(rejected.map(({ peer }) => peer))
    return {
      rejected,
      // Nobody can tell what a member put into a sum.
      good: this.sums === null ? [...merged].filter((peer) => !bad.has(peer)) : [],
      missed: roster.filter((peer) => !merged.has(peer) && !bad.has(peer)),
    }
  }
}
