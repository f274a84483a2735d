import type { Hash, LearningTaskId, PeerId } from '../codec/ids.ts'
import type { StoreOp } from '../tasks/store-ops.ts'
import * as limits from './limits.ts'
import { outcomeHash } from './message-codec.ts'
import type {
  AgainstCode,
  CommittedRound,
  LearningStatement,
  RejectionCode,
  RoundMessage,
  RoundOutcome,
  RoundRef,
  SignedAnnouncement,
  SignedMembership,
  SignedProposal,
  SignedVote,
} from './messages.ts'
import type {
  RoundEffect,
  RoundEvent,
  RoundNotice,
  RoundProgress,
  RoundRecord,
  StatementDraft,
} from './round-events.ts'
import {
  byText,
  genesisHead,
  headAfter,
  isCommitted,
  isDone,
  isTrainingRound,
  outcomeFault,
  quorumOf,
  type RoundHead,
  tolerated,
} from './round-head.ts'
import { commitOps, recordOps } from './round-records.ts'
import { RoundState } from './round-state.ts'
import { RoundSums, updatesKey } from './round-sums.ts'
import { isSecret, sumGroups } from './sum-plan.ts'
import type { LearningTask } from './task.ts'

export interface RoundsInit {
  readonly self: PeerId
  readonly id: LearningTaskId
  readonly task: LearningTask
  /** Broken on purpose in tests: how many votes decide. */
  readonly quorum?: (members: number) => number
}

/** How often one that wants to be a member says so. */
const MEMBERSHIP_INTERVAL_MS = 3_000
/** Views get longer up to this one: eight times the first. */
const VIEW_GROWTH_MAX = 14
/** A wish to be a member is good for this long: two missed repetitions are allowed for. */
const MEMBERSHIP_TTL_MS = 12_000

/**
 * The rounds of one learning task at one peer. Members train on the same model, announce their updates and agree, by two votes on a
 * proposal, on the set that is merged; views with another coordinator follow until a quorum commits. The agreement is that of
 * Tendermint (Buchman, Kwon, Milosevic 2018, arXiv:1807.04938, algorithm 1), with one difference: what a proposal is worth is
 * judged from what a voter holds, so that a quorum of first votes counts as the judgement of those that hold less.
 */
export class Rounds {
  readonly #self: PeerId
  readonly #id: LearningTaskId
  readonly #task: LearningTask
  readonly #quorumOf: (members: number) => number
  readonly #heard = new Map<PeerId, number>()
  readonly #memberships = new Map<PeerId, SignedMembership>()
  readonly #early = new Map<PeerId, LearningStatement[]>()
  #head: RoundHead
  #round: RoundState
  #wants: 'in' | 'out' | null = null
  #paused = false
  #modelReady = false
  #effects: RoundEffect[] = []
  #dirty = false
  #nowMs = 0
  #presenceAtMs = 0
  #membershipAtMs = 0
  #syncedAtMs = Number.NEGATIVE_INFINITY

  constructor(init: RoundsInit) {
    this.#self = init.self
    this.#id = init.id
    this.#task = init.task
    this.#quorumOf = init.quorum ?? quorumOf
    this.#head = genesisHead(init.task, init.id)
    this.#round = this.#newRound(0)
  }

  get head(): RoundHead {
    return this.#head
  }

  get isMember(): boolean {
    return this.#head.roster.includes(this.#self)
  }

  get modelReady(): boolean {
    return this.#modelReady
  }

  get done(): boolean {
    return isDone(this.#head, this.#task)
  }

  get progress(): RoundProgress {
    const round = this.#round
    const training = isTrainingRound(this.#head, this.#task)
    const agreeing = round.step !== 'collect'
    const announced = round.announcements.has(this.#self)
    return {
      round: this.#head.round,
      view: round.view,
      phase: agreeing ? 'agree' : training ? (announced ? 'collect' : 'train') : 'wait',
      announced: round.announcements.size,
      scored: round.verdicts.size,
      votes: agreeing ? round.commits.count(round.view) : round.scores.size,
      quorum: this.#quorum,
      deadlineMs: round.deadlineMs,
      present: this.#head.roster.filter((peer) => !this.#isSilent(peer)).length,
    }
  }

  step(event: RoundEvent): RoundEffect[] {
    this.#effects = []
    this.#dirty = false
    this.#nowMs = event.nowMs
    this.#apply(event)
    this.#advance()
    // What a vote says must be durable before anyone hears it: a restarted member must not say something else.
    if (this.#dirty) this.#effects.unshift({ type: 'persist', ops: recordOps(this.#id, this.#record()) })
    this.#effects.push({ type: 'wakeAt', atMs: this.#wakeAtMs() })
    return this.#effects
  }

  #apply(event: RoundEvent): void {
    switch (event.type) {
      case 'start':
        return this.#start(event.head, event.record)
      case 'want':
        this.#wants = event.wants
        this.#membershipAtMs = 0
        return
      case 'pause':
        this.#paused = event.paused
        if (!event.paused) this.#train()
        return
      case 'tick':
        return
      case 'message':
        return this.#receive(event.from, event.message)
      case 'signed':
        return this.#signed(event.statement)
      case 'modelReady':
        if (event.model !== this.#head.model || this.#modelReady) return
        this.#modelReady = true
        this.#train()
        for (const announcement of this.#round.announcements.values()) this.#check(announcement)
        return
      case 'trained': {
        if (event.base !== this.#head.base || !this.isMember) return
        const { update, norm, commitment, base } = event
        this.#say({ kind: 'update-announcement', body: { ...this.#ref(), update, norm, commitment } })
        // After the announcement is durable: after a restart this member has keys of no sum and must not make others.
        if (this.#round.sums !== null) this.#emitEffect({ type: 'offerUpdate', base })
        return
      }
      case 'updateChecked':
        if (event.base !== this.#head.base) return
        if (this.#round.announcements.get(event.peer)?.body.update !== event.update) return
        this.#round.verdicts.set(event.peer, event.verdict)
        return
      case 'aggregated':
        if (event.base === this.#head.base) this.#round.aggregates.set(event.key, event.result)
        return
      case 'summed':
        if (event.base !== this.#head.base) return
        this.#round.sums?.add(event.group, event.updates)
        for (const peer of event.owing ?? []) this.#round.owing.add(peer)
        return
      case 'convicted':
        return this.#convict(event)
    }
  }

  #start(head: RoundHead | null, record: RoundRecord | null): void {
    this.#enter(head ?? this.#head)
    if (record === null || record.base !== this.#head.base) return
    const round = this.#round
    round.restore(record)
    // Said again as it was: the signature is new, the statement is not.
    for (const draft of record.said) this.#emitEffect({ type: 'sign', draft })
  }

  // ---------------------------------------------------------------- what others say

  #receive(from: PeerId, message: RoundMessage): void {
    switch (message.type) {
      case 'presence':
        this.#heard.set(from, this.#nowMs)
        if (message.round > this.#head.round) this.#sync(from)
        return
      case 'sync':
        if (message.round < this.#head.round)
          this.#emitEffect({ type: 'sendCommits', peer: from, round: message.round })
        return
      case 'commits':
        for (const commit of message.commits) this.#learn(from, commit)
        return
      case 'bundle':
        for (const statement of message.statements) {
          if (statement.author === from) this.#heard.set(from, this.#nowMs)
          this.#hear(from, statement)
        }
        return
    }
  }

  #hear(from: PeerId, statement: LearningStatement): void {
    if (statement.kind === 'learning-membership') return this.#hearMembership(statement)
    const { round, base } = statement.body
    if (round > this.#head.round) {
      this.#sync(from)
      return this.#keepEarly(statement)
    }
    if (round < this.#head.round) return
    if (base !== this.#head.base) return this.#refuse(statement.author, 'wrong-round')
    if (!this.#head.roster.includes(statement.author)) return this.#refuse(statement.author, 'not-a-member')
    if (statement.kind === 'update-announcement') this.#hearAnnouncement(statement)
    else if (statement.kind === 'round-proposal') this.#hearProposal(statement)
    else this.#hearVote(statement)
  }

  #keepEarly(statement: LearningStatement): void {
    const kept = this.#early.get(statement.author) ?? []
    if (kept.length >= limits.EARLY_STATEMENTS_MAX) kept.shift()
    if (!this.#early.has(statement.author) && this.#early.size >= limits.MEMBERS_MAX) return
    kept.push(statement)
    this.#early.set(statement.author, kept)
  }

  #hearMembership(statement: SignedMembership): void {
    const before = this.#memberships.get(statement.author)
    if (before !== undefined && before.timestampMs >= statement.timestampMs) return
    if (before === undefined && this.#memberships.size >= 2 * limits.MEMBERS_MAX) this.#forgetOldMemberships()
    this.#memberships.set(statement.author, statement)
    this.#heard.set(statement.author, this.#nowMs)
  }

  #forgetOldMemberships(): void {
    for (const [peer] of this.#memberships)
      if (this.#isSilent(peer) && !this.#head.roster.includes(peer)) this.#memberships.delete(peer)
  }

  #hearAnnouncement(statement: SignedAnnouncement): void {
    const round = this.#round
    if ((statement.body.update === null) !== isSecret(this.#task)) return this.#refuse(statement.author, 'wrong-mode')
    const before = round.announcements.get(statement.author)
    if (before !== undefined) {
      if (before.body.update === statement.body.update) return
      return this.#equivocated(statement.author, [before, statement])
    }
    round.announcements.set(statement.author, statement)
    this.#check(statement)
  }

  #check({ author, body }: SignedAnnouncement): void {
    // A single update cannot be judged where nobody sees it.
    const { update } = body
    if (update === null) return void this.#round.verdicts.set(author, 'unscored')
    if (!this.#modelReady) return
    const verdict = this.#round.verdicts.get(author)
    if (verdict !== undefined && verdict !== 'unavailable') return
    this.#round.checkAtMs = this.#nowMs
    const from = author === this.#self ? [] : [author, ...this.#head.roster.filter((peer) => peer !== author)]
    const { base, model } = this.#head
    this.#emitEffect({ type: 'checkUpdate', base, model, announcement: { ...body, update }, peer: author, from })
  }

  #hearProposal(statement: SignedProposal): void {
    const { view, outcome } = statement.body
    const round = this.#round
    if (statement.author !== this.#coordinator(view)) return this.#refuse(statement.author, 'wrong-coordinator')
    if (outcomeFault(this.#head, outcome, this.#task) !== null) return this.#refuse(statement.author, 'bad-outcome')
    const before = round.proposals.get(view)
    const hash = outcomeHash(outcome)
    if (before !== undefined) {
      if (outcomeHash(before.body.outcome) !== hash)
        this.#emit({ type: 'evidence', peer: statement.author, statements: [before.bytes, statement.bytes] })
      return
    }
    if (round.proposals.size >= limits.VIEWS_MAX) round.proposals.delete(Math.min(...round.proposals.keys()))
    round.proposals.set(view, statement)
    round.outcomes.set(hash, outcome)
    const others = outcome.updates.flatMap(({ peer, update }) => {
      const held = round.announcements.get(peer)
      return held !== undefined && held.body.update !== null && held.body.update !== update ? [held] : []
    })
    // The coordinator holds another announcement of the same member: both together are evidence.
    this.#publish(others)
  }

  #hearVote(statement: SignedVote): void {
    const round = this.#round
    if (statement.body.step === 'score') {
      if (!round.scores.has(statement.author)) round.scores.set(statement.author, statement)
      return
    }
    const ballot = statement.body.step === 'accept' ? round.accepts : round.commits
    const before = ballot.add(statement)
    if (before !== undefined)
      this.#emit({ type: 'evidence', peer: statement.author, statements: [before.bytes, statement.bytes] })
  }

  /** Others may have heard only one of the two: unless they hear both, members would not agree on who is to be kept out. */
  #equivocated(peer: PeerId, statements: readonly SignedAnnouncement[]): void {
    if (this.#round.equivocators.has(peer)) return
    this.#round.equivocators.set(peer, statements)
    this.#emit({ type: 'evidence', peer, statements: statements.map(({ bytes }) => bytes) })
    this.#publish(statements)
  }

  #convict({ base, peer, reason, statements }: Extract<RoundEvent, { type: 'convicted' }>): void {
    if (base !== this.#head.base || !this.#head.roster.includes(peer) || this.#round.spoilers.has(peer)) return
    this.#round.spoilers.set(peer, reason ?? 'spoiled-sum')
    this.#emit({ type: 'evidence', peer, statements })
  }

  /** An outcome that others decided. */
  #learn(from: PeerId, commit: CommittedRound): void {
    if (commit.outcome.round !== this.#head.round) return
    if (!isCommitted(this.#head, commit, this.#task)) return this.#refuse(from, 'bad-commit')
    this.#commit(commit)
  }

  #sync(peer: PeerId): void {
    if (peer === this.#self || this.#nowMs - this.#syncedAtMs < limits.SYNC_INTERVAL_MS) return
    this.#syncedAtMs = this.#nowMs
    this.#emitEffect({ type: 'send', peer, message: { type: 'sync', task: this.#id, round: this.#head.round } })
  }

  #signed(statement: LearningStatement): void {
    if (statement.kind !== 'learning-membership') {
      if (statement.body.base !== this.#head.base) return
      this.#round.mine.push(statement)
    }
    this.#publish([statement])
    this.#heard.set(this.#self, this.#nowMs)
    this.#hear(this.#self, statement)
  }

  // ---------------------------------------------------------------- going on

  /** Everything that time or news makes due, until nothing more is. */
  #advance(): void {
    this.#sayMembership()
    this.#sayPresence()
    while (this.#decide()) {
      // An outcome may be followed by statements of the next round that came early.
    }
    if (this.isMember && !this.done) {
      this.#collect()
      for (let more = true; more; ) more = this.#agree()
    }
    this.#repeat()
  }

  #decide(): boolean {
    const decided = this.#round.commits.decidedAnywhere(this.#quorum)
    if (decided === null) return false
    const outcome = this.#round.outcomes.get(decided.hash)
    if (outcome === undefined) return false
    const votes = this.#round.commits.votesFor(decided.view, decided.hash)
    this.#commit({ outcome, view: decided.view, votes: votes.slice(0, limits.MEMBERS_MAX) })
    return true
  }

  #commit(commit: CommittedRound): void {
    const head = headAfter(this.#head, commit.outcome)
    const round = this.#round
    const notice: RoundNotice = {
      type: 'committed',
      commit,
      head,
      durationMs: this.#nowMs - round.startedAtMs,
      ...round.judgements(commit.outcome, this.#head.roster),
    }
    this.#effects.push({ type: 'persist', ops: commitOps(this.#id, { commit, head }) as StoreOp[] })
    this.#dirty = false
    this.#emit(notice)
    this.#enter(head)
  }

  #enter(head: RoundHead): void {
    const sameModel = this.#modelReady && this.#head.model === head.model
    this.#head = head
    this.#round = this.#newRound(this.#nowMs)
    if (this.#round.sums !== null && this.isMember) this.#emitEffect({ type: 'watchSums', head })
    this.#modelReady = sameModel
    if (!sameModel) {
      const from = head.roster.filter((peer) => peer !== this.#self)
      this.#emitEffect({ type: 'fetchModel', model: head.model, state: head.state, from })
    }
    const early = [...this.#early.values()].flat()
    this.#early.clear()
    for (const statement of early) this.#hear(statement.author, statement)
    this.#train()
  }

  #newRound(nowMs: number): RoundState {
    const secret = isSecret(this.#task) && isTrainingRound(this.#head, this.#task)
    const sums = secret ? new RoundSums(sumGroups(this.#task, this.#id, this.#head)) : null
    return new RoundState(this.#head, this.#task, { nowMs, sums })
  }

  #train(): void {
    const due = this.isMember && this.#wants === 'in' && !this.#paused && this.#modelReady
    if (!due || this.#round.training || !isTrainingRound(this.#head, this.#task)) return
    if (this.#round.hasSaid('update-announcement')) return
    this.#round.training = true
    const { round, base, model } = this.#head
    this.#emitEffect({ type: 'train', round, base, model })
  }

  /** Before the first proposal: waits for updates and for what members say of them. */
  #collect(): void {
    const round = this.#round
    if (round.step !== 'collect') return
    if (!isTrainingRound(this.#head, this.#task)) {
      if (this.#rosterReady()) this.#enterView(0)
      return
    }
    const overdue = this.#nowMs >= round.deadlineMs
    const complete = overdue || this.#head.roster.every((peer) => !this.#isAwaited(peer))
    if (!complete) return
    if (round.completeAtMs === null) {
      round.completeAtMs = this.#nowMs
      this.#sayScores()
      this.#sum()
    }
    if (round.sums !== null) {
      if (round.sums.over) this.#enterView(0)
      return
    }
    const heard = this.#head.roster.every((peer) => round.scores.has(peer) || this.#isSilent(peer))
    if (heard || this.#nowMs >= round.completeAtMs + this.#task.voteMs / 2) this.#enterView(0)
  }

  /** Begins the round's secure sums, once. */
  #sum(): void {
    const round = this.#round
    if (round.sums === null || round.summing) return
    round.summing = true
    const ready = this.#head.roster.filter((peer) => round.announcements.has(peer))
    this.#emitEffect({ type: 'sum', base: this.#head.base, ready })
  }

  /** Whether a round without training has something to decide: enough members to begin or go on with. */
  #rosterReady(): boolean {
    const { joined, left } = this.#rosterChange()
    const size = this.#head.roster.length + joined.length - left.length
    if (size < this.#task.participantsMin || joined.length === 0) return false
    if (this.#head.merged > 0 || size >= this.#task.participantsTarget) return true
    this.#round.enoughAtMs ??= this.#nowMs
    return this.#nowMs >= this.#round.enoughAtMs + this.#task.joinMs
  }

  /** One step of the agreement. @returns Whether something changed. */
  #agree(): boolean {
    const round = this.#round
    this.#judgeProposals()
    const ahead = this.#viewAhead()
    if (ahead > round.view || (ahead >= 0 && round.step === 'collect')) return this.#enterView(Math.max(ahead, 0))
    if (round.step === 'collect') return this.#acceptEarly()
    if (round.step === 'propose') return this.#propose() || this.#accept()
    if (round.step === 'accept') return this.#lock()
    return this.#nextView()
  }

  /** A proposal of the first view that can be judged at once need not wait for this member's own collecting to end. */
  #acceptEarly(): boolean {
    const proposal = this.#round.proposals.get(0)
    if (proposal === undefined || this.#round.worth(proposal) !== 'ok') return false
    return this.#enterView(0)
  }

  /** The highest view in which more members are than could be lying. */
  #viewAhead(): number {
    const views = this.#head.roster
      .map((peer) => Math.max(this.#round.accepts.highest(peer), this.#round.commits.highest(peer)))
      .sort((a, b) => b - a)
    return views[tolerated(this.#head.roster.length)] ?? -1
  }

  #enterView(view: number): boolean {
    const round = this.#round
    round.view = view
    round.step = 'propose'
    round.stepEndsMs = this.#nowMs + this.#viewMs(1)
    this.#sayScores()
    this.#sum()
    return true
  }

  #viewMs(share: number): number {
    return Math.round(this.#task.voteMs * share * (1 + Math.min(this.#round.view, VIEW_GROWTH_MAX) / 2))
  }

  #propose(): boolean {
    const round = this.#round
    const { view } = round
    if (this.#coordinator(view) !== this.#self || round.proposals.has(view) || round.hasProposed(view)) return false
    const again = round.valid === null ? undefined : round.outcomes.get(round.valid.hash)
    const outcome = again ?? this.#buildOutcome()
    if (outcome === null) return false
    const validView = again === undefined ? -1 : (round.valid?.view ?? -1)
    this.#say({ kind: 'round-proposal', body: { ...this.#ref(), view, validView, outcome } })
    return true
  }

  /** What this member would decide; `null` until the aggregate is computed. */
  #buildOutcome(): RoundOutcome | null {
    const { model, state } = this.#head
    const round = this.#round
    const none = { ...this.#ref(), updates: [], rejected: [], model, state }
    if (!isTrainingRound(this.#head, this.#task)) {
      const change = this.#rosterChange()
      const size = this.#head.roster.length + change.joined.length - change.left.length
      return size < this.#task.participantsMin ? null : { ...none, ...change, skipped: 'roster' }
    }
    const { joined, left } = this.#rosterChange()
    const updates = round.mergeable(this.#head.roster)
    const shared = { ...none, rejected: round.rejections(this.#head.roster, []), joined, left }
    if (round.candidateRefused(this.#head.roster.length)) return { ...shared, skipped: 'candidate-worse' }
    if (updates.length < this.#task.participantsMin) {
      const trained = round.sums !== null && round.announcements.size >= this.#task.participantsMin
      return { ...shared, skipped: trained ? 'sum-failed' : 'too-few' }
    }
    const result = this.#aggregate(updates)
    if (result === undefined) return null
    if (result === null) return { ...shared, skipped: 'too-few' }
    const rejected = round.rejections(this.#head.roster, updates)
    return { ...shared, rejected, updates, skipped: null, model: result.model, state: result.state }
  }

  #rosterChange(): Pick<RoundOutcome, 'joined' | 'left'> {
    const { roster, removed } = this.#head
    const members = new Set(roster)
    const gone = new Set(removed)
    const joined = [...this.#memberships.values()]
      .filter(({ author, body }) => body.wants === 'in' && !members.has(author) && !gone.has(author))
      .filter(({ author }) => this.#nowMs - (this.#heard.get(author) ?? 0) <= MEMBERSHIP_TTL_MS)
      .map(({ author }) => author)
      .sort(byText)
      .slice(0, Math.max(0, limits.MEMBERS_MAX - roster.length))
    const left = roster
      .map((peer) => ({ peer, reason: this.#leaveReason(peer) }))
      .filter((each): each is { peer: PeerId; reason: 'absent' | 'left' } => each.reason !== null)
    return { joined, left }
  }

  #leaveReason(peer: PeerId): 'absent' | 'left' | null {
    if (this.#wantsOut(peer)) return 'left'
    if (!isTrainingRound(this.#head, this.#task)) return null
    const { announcements, equivocators, owing } = this.#round
    if (owing.has(peer) && peer !== this.#self) return 'absent'
    return announcements.has(peer) || equivocators.has(peer) ? null : 'absent'
  }

  /** A member asked to leave. The creator is a member of round 0 without having asked, and leaves if it has no data to give. */
  #wantsOut(peer: PeerId): boolean {
    if (peer === this.#self && this.#head.round === 0) return this.#wants !== 'in'
    return this.#memberships.get(peer)?.body.wants === 'out'
  }

  /** The aggregate of a set: `undefined` while it is computed, `null` when the rule refuses it. */
  #aggregate(updates: RoundOutcome['updates']): ReturnType<RoundState['aggregates']['get']> {
    const key = updatesKey(updates)
    const known = this.#round.aggregates.get(key)
    if (known !== undefined || !this.#modelReady || this.#round.aggregating.has(key)) return known
    this.#round.aggregating.add(key)
    this.#emitEffect({ type: 'aggregate', base: this.#head.base, key, head: this.#head, updates })
    return undefined
  }

  #judgeProposals(): void {
    const round = this.#round
    const proposal = round.proposals.get(round.view)
    if (proposal === undefined || round.judged.has(proposal)) return
    const worth = this.#judge(proposal.body.outcome)
    round.waitsFor = worth.waits ? worth.against : null
    if (!worth.waits) round.judged.set(proposal, worth.against ?? 'ok')
  }

  /** Whether this member finds an outcome right; `waits` while it may yet. */
  #judge(outcome: RoundOutcome): { readonly waits: boolean; readonly against: AgainstCode | null } {
    const waits = (against: AgainstCode) => ({ waits: true, against })
    const no = (against: AgainstCode) => ({ waits: false, against })
    const round = this.#round
    for (const peer of outcome.joined) if (this.#memberships.get(peer)?.body.wants !== 'in') return waits('members')
    if (outcome.skipped === 'roster')
      return outcome.left.every(({ peer }) => this.#wantsOut(peer)) ? { waits: false, against: null } : waits('members')
    const merged = new Set(outcome.updates.map(({ peer }) => peer))
    for (const { peer } of outcome.left) if (!merged.has(peer) && this.#isAwaited(peer)) return waits('members')
    for (const { peer, reason } of outcome.rejected) if (!this.#isRejected(peer, reason)) return waits('left-out')
    const held = round.mergeable(this.#head.roster)
    if (outcome.skipped === 'candidate-worse')
      return round.candidateRefused(this.#head.roster.length) ? { waits: false, against: null } : waits('left-out')
    if (outcome.skipped === 'too-few' || outcome.skipped === 'sum-failed') {
      if (held.length >= this.#task.participantsMin) {
        const result = this.#aggregate(held)
        if (result === undefined) return waits('left-out')
        return result === null ? { waits: false, against: null } : no('left-out')
      }
      const awaited = this.#nowMs < round.deadlineMs && this.#head.roster.some((peer) => this.#isAwaited(peer))
      return awaited || round.sums?.over === false ? waits('left-out') : { waits: false, against: null }
    }
    if (round.sums?.knows(outcome.updates) === false) return waits('update-unavailable')
    for (const { peer, update } of round.sums === null ? outcome.updates : []) {
      if (round.equivocators.has(peer) || round.isVotedOut(peer, this.#head.roster.length)) return no('update-refused')
      const verdict = round.verdicts.get(peer)
      const announced = round.announcements.get(peer)
      if (announced === undefined || verdict === undefined || verdict === 'unavailable')
        return waits('update-unavailable')
      if (announced.body.update !== update || round.refused(peer)) return no('update-refused')
    }
    // A coordinator may have heard less than we did, but may not pick among what everyone heard.
    if (held.filter(({ peer }) => !merged.has(peer)).length > held.length / 3) return no('left-out')
    const result = this.#aggregate(outcome.updates)
    if (result === undefined) return waits('model-differs')
    if (result === null || result.model !== outcome.model || result.state !== outcome.state) return no('model-differs')
    return result.worse ? no('candidate-worse') : { waits: false, against: null }
  }

  #isRejected(peer: PeerId, reason: RejectionCode): boolean {
    switch (reason) {
      case 'equivocated':
        return this.#round.equivocators.has(peer)
      case 'spoiled-sum':
      case 'bad-proof':
        return this.#round.spoilers.has(peer)
      case 'voted-out':
        return this.#round.isVotedOut(peer, this.#head.roster.length)
    }
  }

  /** First vote. */
  #accept(): boolean {
    const round = this.#round
    const proposal = round.proposals.get(round.view)
    const late = this.#nowMs >= round.stepEndsMs
    if (proposal === undefined) return late ? this.#vote('accept', null, 'no-proposal') : false
    const hash = outcomeHash(proposal.body.outcome)
    // What a quorum found right in an earlier view is right, whatever was heard since: those that are locked on it cannot give way.
    const { validView } = proposal.body
    const vouched = validView >= 0 && validView < round.view && round.accepts.decided(validView, this.#quorum) === hash
    const worth = vouched ? 'ok' : round.worth(proposal)
    if (worth === undefined) return late ? this.#vote('accept', null, round.waitsFor ?? 'update-unavailable') : false
    if (worth !== 'ok' && validView >= 0 && !late) return false
    if (worth !== 'ok') return this.#vote('accept', null, worth)
    const { locked } = round
    const free = locked === null || locked.hash === hash || (vouched && locked.view <= validView)
    return free ? this.#vote('accept', hash, null) : this.#vote('accept', null, 'locked')
  }

  /** Second vote, once a quorum gave its first. */
  #lock(): boolean {
    const round = this.#round
    const { view } = round
    const decided = round.accepts.decided(view, this.#quorum)
    if (decided === null) return this.#vote('commit', null, null)
    if (decided !== undefined && round.outcomes.has(decided)) {
      round.locked = { view, hash: decided }
      round.valid = { view, hash: decided }
      return this.#vote('commit', decided, null)
    }
    // Without a quorum of any votes nothing can be concluded: those that are there will be heard again.
    if (round.accepts.count(view) < this.#quorum) return false
    round.quorumAtMs ??= this.#nowMs
    return this.#nowMs >= round.quorumAtMs + this.#viewMs(0.5) ? this.#vote('commit', null, null) : false
  }

  #nextView(): boolean {
    const round = this.#round
    // A quorum of first votes that came late still tells what may be proposed again.
    const decided = round.accepts.decided(round.view, this.#quorum)
    if (decided !== undefined && decided !== null && round.outcomes.has(decided) && round.valid?.view !== round.view) {
      round.valid = { view: round.view, hash: decided }
      this.#dirty = true
    }
    if (round.commits.count(round.view) < this.#quorum) return false
    round.commitsAtMs ??= this.#nowMs
    if (this.#nowMs < round.commitsAtMs + this.#viewMs(0.5)) return false
    round.quorumAtMs = null
    round.commitsAtMs = null
    return this.#enterView(round.view + 1)
  }

  #vote(step: 'accept' | 'commit', outcome: Hash | null, reason: AgainstCode | null): boolean {
    const round = this.#round
    round.step = step
    const { view } = round
    if (round.hasVoted(step, view)) return true
    this.#say({ kind: 'update-vote', body: { ...this.#ref(), step, view, outcome, reason, scores: [] } })
    return true
  }

  // ---------------------------------------------------------------- what this peer says

  #say(draft: StatementDraft): void {
    this.#round.said.push(draft)
    this.#dirty = true
    this.#emitEffect({ type: 'sign', draft })
  }

  #sayScores(): void {
    const round = this.#round
    if (round.hasVoted('score', 0) || !isTrainingRound(this.#head, this.#task) || round.sums !== null) return
    const scores = this.#head.roster.flatMap((peer) => {
      const verdict = round.verdicts.get(peer)
      const update = round.announcements.get(peer)?.body.update
      return update !== undefined && update !== null && (verdict === 'good' || verdict === 'bad')
        ? [{ peer, update, bad: verdict === 'bad' }]
        : []
    })
    const body = { ...this.#ref(), step: 'score' as const, view: 0, outcome: null, reason: null, scores }
    this.#say({ kind: 'update-vote', body })
  }

  #sayMembership(): void {
    if (this.#wants === null || this.#nowMs < this.#membershipAtMs + MEMBERSHIP_INTERVAL_MS) return
    const member = this.isMember
    const creating = this.#head.round === 0
    const due = this.#wants === 'in' ? (creating || !member) && !this.#paused && !this.done : member
    if (!due || this.#head.removed.includes(this.#self)) return
    this.#membershipAtMs = this.#nowMs
    this.#emitEffect({
      type: 'sign',
      draft: { kind: 'learning-membership', body: { task: this.#id, wants: this.#wants } },
    })
  }

  #sayPresence(): void {
    if (this.#nowMs < this.#presenceAtMs + limits.PRESENCE_INTERVAL_MS) return
    if (!this.isMember && this.#wants !== 'in') return
    this.#presenceAtMs = this.#nowMs
    this.#emitEffect({
      type: 'publish',
      message: { type: 'presence', task: this.#id, round: this.#head.round },
    })
  }

  /** Own statements again, and what others need to follow them, while the round does not come to an end. */
  #repeat(): void {
    const round = this.#round
    if (this.#nowMs < round.repeatAtMs || round.mine.length === 0) return
    round.repeatMs = Math.min(round.repeatMs * 2, limits.REPEAT_MS_MAX)
    round.repeatAtMs = this.#nowMs + round.repeatMs
    const relayed: LearningStatement[] = [...round.equivocators.values()].flat()
    const followed = round.valid ?? round.locked
    // Without the votes that made it so, a member that heard a liar's other vote could not follow.
    if (followed !== null) relayed.push(...round.accepts.votesFor(followed.view, followed.hash))
    for (const proposal of round.proposals.values()) {
      const own = proposal.author === this.#self
      const chosen = followed !== null && outcomeHash(proposal.body.outcome) === followed.hash
      if (!own && !chosen && proposal.body.view !== round.view) continue
      if (!own) relayed.push(proposal)
      if (own || chosen)
        for (const { peer } of proposal.body.outcome.updates) {
          const announcement = round.announcements.get(peer)
          if (announcement !== undefined && peer !== this.#self) relayed.push(announcement)
        }
    }
    this.#publish([...new Set([...round.mine, ...relayed])])
    for (const announcement of round.announcements.values()) this.#check(announcement)
  }

  /** Split so that each bundle is small enough for gossip. */
  #publish(statements: readonly LearningStatement[]): void {
    let bundle: LearningStatement[] = []
    let bytes = 0
    const flush = () => {
      if (bundle.length > 0)
        this.#emitEffect({ type: 'publish', message: { type: 'bundle', task: this.#id, statements: bundle } })
      bundle = []
      bytes = 0
    }
    for (const statement of statements) {
      const size = statement.bytes.length + STATEMENT_OVERHEAD_BYTES
      const full = bytes + size > limits.BUNDLE_BYTES_MAX - BUNDLE_OVERHEAD_BYTES
      if (full || bundle.length >= limits.BUNDLE_STATEMENTS_MAX) flush()
      bundle.push(statement)
      bytes += size
    }
    flush()
  }

  // ---------------------------------------------------------------- helpers

  get #quorum(): number {
    return this.#quorumOf(this.#head.roster.length)
  }

  #ref(): RoundRef {
    return { task: this.#id, round: this.#head.round, base: this.#head.base }
  }

  /** Members take turns; who begins follows from the outcome before, which nobody chose alone. Rule [G6]. */
  #coordinator(view: number): PeerId {
    const { roster, base } = this.#head
    // A roster is never empty.
    return roster[(Number.parseInt(base.slice(0, 8), 16) + view) % roster.length] as PeerId
  }

  #isSilent(peer: PeerId): boolean {
    const heardMs = Math.max(this.#heard.get(peer) ?? 0, this.#round.startedAtMs)
    return peer !== this.#self && this.#nowMs - heardMs > limits.MEMBER_SILENCE_MS
  }

  /** Whether an update of this member may still come. */
  #isAwaited(peer: PeerId): boolean {
    const round = this.#round
    if (this.#nowMs >= round.deadlineMs || this.#isSilent(peer) || this.#wantsOut(peer)) return false
    if (round.equivocators.has(peer)) return false
    if (peer === this.#self && (this.#paused || this.#wants !== 'in')) return false
    const verdict = round.verdicts.get(peer)
    return verdict === undefined || verdict === 'unavailable'
  }

  #record(): RoundRecord {
    const { view, locked, valid, said } = this.#round
    return { round: this.#head.round, base: this.#head.base, view, locked, valid, said: [...said] }
  }

  #wakeAtMs(): number {
    const round = this.#round
    const times = [this.#presenceAtMs + limits.PRESENCE_INTERVAL_MS, round.stepEndsMs, round.deadlineMs]
    if (round.mine.length > 0) times.push(round.repeatAtMs)
    if (round.completeAtMs !== null) times.push(round.completeAtMs + this.#task.voteMs / 2)
    if (round.enoughAtMs !== null) times.push(round.enoughAtMs + this.#task.joinMs)
    if (round.quorumAtMs !== null) times.push(round.quorumAtMs + this.#viewMs(0.5))
    if (round.commitsAtMs !== null) times.push(round.commitsAtMs + this.#viewMs(0.5))
    const next = Math.min(...times.filter((time) => time > this.#nowMs))
    return Number.isFinite(next) ? next : this.#nowMs + limits.PRESENCE_INTERVAL_MS
  }

  #refuse(peer: PeerId, code: Extract<RoundNotice, { type: 'refused' }>['code']): void {
    this.#emit({ type: 'refused', peer, code })
  }

  #emit(notice: RoundNotice): void {
    this.#effects.push({ type: 'emit', notice })
  }

  #emitEffect(effect: RoundEffect): void {
    this.#effects.push(effect)
  }
}

/** Of one statement in a bundle: its kind and the map around it. */
const STATEMENT_OVERHEAD_BYTES = 64
/** Of a bundle: task and type. */
const BUNDLE_OVERHEAD_BYTES = 256
