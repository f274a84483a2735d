import { StarlingError } from '../codec/errors.ts'
import type { Hash, LearningTaskId, PeerId } from '../codec/ids.ts'
import type { ByteSource } from './byte-source.ts'
import { PRESENCE_INTERVAL_MS } from './limits.ts'
import { type RoundHead, tolerated } from './round-head.ts'
import type { SecureSumEvent } from './secure-sum/events.ts'
import { SUM_ATTEMPTS_MAX } from './secure-sum/limits.ts'
import { sessionOf } from './secure-sum/session.ts'
import { type AttemptNews, SumAttempt, vectorCid } from './sum-attempt.ts'
import type { RoundSumEffect, RoundSumEvent } from './sum-events.ts'
import { callersInTurn, sumGroups, sumPatienceMs, sumTerms } from './sum-plan.ts'
import type { LearningTask } from './task.ts'

export interface RoundSumInit {
  readonly self: PeerId
  readonly id: LearningTaskId
  readonly task: LearningTask
  /** Of a round in which members train. */
  readonly head: RoundHead
  /** Cryptographic. */
  readonly random: ByteSource
}

interface Group {
  readonly index: number
  readonly members: readonly PeerId[]
  /** Session of each attempt. */
  readonly sessions: readonly Hash[]
  /** The attempt that this peer takes part in, or would. */
  attempt: number
  isOver: boolean
}

/** Where a session is. */
interface Place {
  readonly group: Group
  readonly attempt: number
}

/**
 * The secure sums of one round at one peer: one of all members, or in grouped mode one of each group. A peer takes part in the sum of its own
 * group and follows all others, so that it finds every sum by itself. An attempt that cannot come to masks any more is followed by another with
 * new keys and another first caller.
 *
 * A peer masks its update in one attempt of a round only, whatever became of it: of two sums, one of which has a contributor more, the difference is
 * that contributor's update. When a sum fails after its vectors were masked, the round merges nothing and the next one trains anew. Rules [GS1]
 * to [GS7] of docs/PROTOCOL.md.
 */
export class RoundSum {
  readonly #init: RoundSumInit
  readonly #groups: readonly Group[]
  readonly #places = new Map<Hash, Place>()
  readonly #attempts = new Map<Hash, SumAttempt>()
  #input: Int32Array | null = null
  #commitment: Uint8Array | undefined
  /** The attempt that the input went into. */
  #maskedIn: Hash | null = null
  #ready: readonly PeerId[] | null = null
  #overAtMs = Number.POSITIVE_INFINITY
  #effects: RoundSumEffect[] = []

  constructor(init: RoundSumInit) {
    this.#init = init
    this.#groups = sumGroups(init.task, init.id, init.head).map((members, index) => {
      const attempts = Array.from({ length: SUM_ATTEMPTS_MAX }, (_, attempt) => attempt)
      const sessions = attempts.map((attempt) => sessionOf(sumTerms(init, { group: index, members, attempt })))
      return { index, members, sessions, attempt: 0, isOver: false }
    })
    for (const group of this.#groups)
      for (const [attempt, session] of group.sessions.entries()) this.#places.set(session, { group, attempt })
  }

  step(event: RoundSumEvent): RoundSumEffect[] {
    this.#effects = []
    const { nowMs } = event
    this.#apply(event, nowMs)
    for (const attempt of this.#attempts.values()) this.#settle(attempt, nowMs)
    for (const group of this.#groups) this.#goOn(group, nowMs)
    this.#effects.push({ type: 'wakeAt', atMs: this.#wakeAtMs(nowMs) })
    return this.#effects
  }

  #apply(event: RoundSumEvent, nowMs: number): void {
    switch (event.type) {
      case 'offer':
        this.#input = event.values
        this.#commitment = event.commitment
        return this.#join(nowMs)
      case 'begin':
        if (this.#ready !== null) return
        this.#ready = event.ready
        this.#overAtMs = nowMs + sumPatienceMs(this.#init.task)
        for (const group of this.#groups) this.#at(group, group.attempt).begin(event.ready, nowMs)
        return
      case 'message':
        if (event.message.type === 'sumWant')
          return this.#attempts.get(event.message.session)?.asked(event.from, event.message.digests)
        for (const message of event.message.statements)
          this.#of(message.decoded.statement.body.session)?.hear(message, nowMs)
        return
      case 'signed':
        return this.#of(event.message.decoded.statement.body.session)?.signed(event.message, nowMs)
      case 'pulled':
        return this.#attempts.get(event.session)?.pulled(event, nowMs)
      case 'agreed':
      case 'worked':
        return this.#attempts.get(event.session)?.step(event, nowMs)
      case 'proved':
      case 'proofPulled':
      case 'proofsVerified':
        return this.#attempts.get(event.session)?.proofStep(event, nowMs)
      case 'tick':
        for (const attempt of this.#attempts.values()) attempt.tick(nowMs)
        return
    }
  }

  // ---------------------------------------------------------------- attempts

  #at(group: Group, attempt: number): SumAttempt {
    const known = this.#attempts.get(group.sessions[attempt] as Hash)
    if (known !== undefined) return known
    const { self, task, head, random } = this.#init
    const { index, members } = group
    const terms = sumTerms(this.#init, { group: index, members, attempt })
    const callers = callersInTurn(members, { head, attempt })
    const made = new SumAttempt({ self, terms, callers, stageMs: task.voteMs, random })
    this.#attempts.set(made.session, made)
    return made
  }

  /** The attempt of a session; nothing when it is none of this round's. */
  #of(session: Hash): SumAttempt | undefined {
    const place = this.#places.get(session)
    return place === undefined ? undefined : this.#at(place.group, place.attempt)
  }

  #join(nowMs: number): void {
    if (this.#input === null || this.#maskedIn !== null) return
    const commitment = this.#commitment
    const event: SecureSumEvent = { type: 'join', ...(commitment === undefined ? {} : { commitment }) }
    for (const group of this.#groups)
      if (group.members.includes(this.#init.self)) this.#at(group, group.attempt).step(event, nowMs)
  }

  /** Takes what attempts came to until nothing more comes of it. */
  #settle(attempt: SumAttempt, nowMs: number): void {
    for (;;) {
      const { effects, news } = attempt.take()
      this.#effects.push(...effects)
      if (news.length === 0) return
      for (const each of news) this.#take(attempt, each, nowMs)
    }
  }

  #take(attempt: SumAttempt, news: AttemptNews, nowMs: number): void {
    // A session that has an attempt has a place.
    const { group } = this.#places.get(attempt.session) as Place
    if (news.type === 'want-input') return this.#mask(attempt, nowMs)
    const updates = news.contributors.map((peer, at) => ({ peer, update: vectorCid(news.vectors[at] as Hash) }))
    group.isOver = true
    this.#effects.push({ type: 'summed', group: group.index, updates, values: news.values })
  }

  #mask(attempt: SumAttempt, nowMs: number): void {
    if (this.#input === null || (this.#maskedIn !== null && this.#maskedIn !== attempt.session)) return
    this.#maskedIn = attempt.session
    const values = this.#input
    this.#input = null
    try {
      attempt.step({ type: 'input', values }, nowMs)
    } catch (error) {
      if (!(error instanceof StarlingError)) throw error
      this.#effects.push({ type: 'refused', peer: this.#init.self, reason: 'overflow', detail: error.message })
    }
  }

  // ---------------------------------------------------------------- going on

  #goOn(group: Group, nowMs: number): void {
    if (group.isOver || this.#ready === null) return
    const attempt = this.#at(group, group.attempt)
    // Vectors were masked for a sum that will not be: there is no other in this round.
    const hasFailed = attempt.isMasking && attempt.outcome === 'failed'
    if (nowMs >= this.#overAtMs || hasFailed) {
      group.isOver = true
      this.#effects.push({ type: 'over', group: group.index, owing: attempt.owing() })
      return
    }
    const next = group.attempt + 1
    if (next >= SUM_ATTEMPTS_MAX || attempt.isMasking) return
    if (!attempt.isLost(nowMs) && !this.#hasMovedOn(group, next)) return
    group.attempt = next
    this.#at(group, next).begin(this.#ready, nowMs)
    this.#join(nowMs)
    this.#settle(this.#at(group, next), nowMs)
  }

  /** Whether others are in the next attempt: the one whose turn it was to call first, or more than may be lying. */
  #hasMovedOn(group: Group, next: number): boolean {
    const joined = this.#attempts.get(group.sessions[next] as Hash)?.joined() ?? new Set()
    if (joined.size > tolerated(group.members.length)) return true
    const [caller] = callersInTurn(group.members, { head: this.#init.head, attempt: group.attempt })
    return caller !== undefined && joined.has(caller)
  }

  #wakeAtMs(nowMs: number): number {
    const times = [...this.#attempts.values()].map((attempt) => attempt.wakeAtMs(nowMs))
    const next = Math.min(...times, this.#overAtMs > nowMs ? this.#overAtMs : Number.POSITIVE_INFINITY)
    return Number.isFinite(next) ? next : nowMs + PRESENCE_INTERVAL_MS
  }
}
