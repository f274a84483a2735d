import { fromHex, toHex } from '../codec/bytes.ts'
import { cidOfDigest, parseCid } from '../codec/cid.ts'
import { sha256Bytes } from '../codec/hash.ts'
import type { Cid, Hash, PeerId } from '../codec/ids.ts'
import type { ByteSource } from './byte-source.ts'
import { REPEAT_MS_MAX, REPEAT_MS_MIN } from './limits.ts'
import { BLINDING_COORDINATES } from './proofs/limits.ts'
import type { FailureReason, RefusalReason, SecureSumEffect, SecureSumEvent } from './secure-sum/events.ts'
import { SUM_CALLERS_MAX, SUM_ROSTERS_FOLLOWED_MAX, SUM_STATEMENTS_MAX, SUM_WANTS_MAX } from './secure-sum/limits.ts'
import type { RosterStage, SecureSumMessage } from './secure-sum/messages.ts'
import { SecureSum } from './secure-sum/secure-sum.ts'
import type { SecureSumTerms } from './secure-sum/session.ts'
import { rosterDigestOf, sameBytes } from './secure-sum/statement-book.ts'
import { STAGES } from './secure-sum/sum-roster.ts'
import type { RoundSumEffect, RoundSumEventBody } from './sum-events.ts'
import { type ProofNews, SumProofs } from './sum-proofs.ts'

export interface SumAttemptInit {
  readonly self: PeerId
  readonly terms: SecureSumTerms
  /** Who may call the stages, one after the other. */
  readonly callers: readonly PeerId[]
  /** How long a stage waits for those that are slow. */
  readonly stageMs: number
  readonly random: ByteSource
}

/**
 * A roster is judged by the stages before it, and a peer that opened these with another caller's rosters judges it wrongly: it is refused, and no
 * evidence. Everything else that convicts says by hash what it answers.
 */
const NOT_PROOF: ReadonlySet<string> = new Set(['malformed-roster', 'exposing-roster'])

/** Numbers of questions that each machine of an attempt has for itself. */
const IDS_PER_MACHINE = 1_000_000

/** What an attempt came to, told once. */
export type AttemptNews = Extract<SecureSumEffect, { type: 'sum' | 'want-input' }>

/**
 * One session of a secure sum with what a network asks for around it: whose turn it is to call a stage, statements said again, asked for
 * and passed on, vectors pulled. The caller whose turn it is calls when everybody expected is there, or after `stageMs`; when no roster
 * comes, the next takes over after twice that. Rule [GS3].
 */
export class SumAttempt {
  readonly session: Hash
  readonly #init: SumAttemptInit
  readonly #sum: SecureSum
  readonly #proofs: SumProofs
  readonly #members: ReadonlySet<PeerId>
  readonly #statements = new Map<string, SecureSumMessage>()
  readonly #counts = new Map<PeerId, number>()
  readonly #mine: SecureSumMessage[] = []
  readonly #rosters = new Map<RosterStage, readonly PeerId[]>()
  /** Masked vectors that are here, by hash. */
  readonly #vectors = new Set<Hash>()
  readonly #pulledAtMs = new Map<Hash, number>()
  readonly #wanted = new Map<string, Uint8Array>()
  readonly #called = new Set<RosterStage>()
  readonly #relayed = new Set<string>()
  /** Followed without taking part: sums of survivors that another roster named than the one that was answered here. */
  readonly #followed: { readonly roster: Uint8Array; readonly sum: SecureSum }[] = []
  /** Rosters of callers whose turn has not come. */
  #held: SecureSumMessage[] = []
  /** Whom a statement is asked of next. */
  #askedAt = 0
  #ready: readonly PeerId[] = []
  /** Since when the next stage is waited for; `null` before this peer began. */
  #stageAtMs: number | null = null
  #repeatMs = REPEAT_MS_MIN
  #repeatAtMs = Number.POSITIVE_INFINITY
  #nowMs = 0
  #effects: RoundSumEffect[] = []
  #news: AttemptNews[] = []

  constructor(init: SumAttemptInit) {
    this.#init = init
    this.#sum = new SecureSum(init)
    this.session = this.#sum.session
    const { self, terms } = init
    this.#proofs = new SumProofs({ self, session: this.session, members: terms.callers })
    this.#members = new Set(init.terms.callers)
  }

  get outcome(): 'sum' | 'failed' | null {
    return this.#proofs.isSpoiled ? 'failed' : this.#sum.outcome
  }

  /** Members whose proof keeps a sum from being taken. */
  owing(): readonly PeerId[] {
    return this.#proofs.owing()
  }

  /** Whether vectors are being masked, or were: from here on there is no way back. */
  get isMasking(): boolean {
    return this.#rosters.has('mask')
  }

  /** Whether it will not come to masks: it failed, or every caller had its turn. */
  isLost(nowMs: number): boolean {
    if (this.#sum.outcome === 'failed') return true
    if (this.isMasking || this.#stageAtMs === null) return false
    return nowMs >= this.#stageAtMs + 2 * SUM_CALLERS_MAX * this.#init.stageMs
  }

  /** Members that announced keys. */
  joined(): ReadonlySet<PeerId> {
    return this.#authorsOf('secure-sum-keys')
  }

  /** Effects and news since the last call. */
  take(): { readonly effects: readonly RoundSumEffect[]; readonly news: readonly AttemptNews[] } {
    const taken = { effects: this.#effects, news: this.#news }
    this.#effects = []
    this.#news = []
    return taken
  }

  begin(ready: readonly PeerId[], nowMs: number): void {
    this.#ready = ready
    this.#stageAtMs ??= nowMs
    this.#repeatAtMs = Math.min(this.#repeatAtMs, nowMs + this.#repeatMs)
  }

  step(event: SecureSumEvent, nowMs: number): void {
    this.#nowMs = nowMs
    this.#answer(event)
    this.#goOn()
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs
    this.#goOn()
  }

  /** An own statement, to be told to all. */
  signed(message: SecureSumMessage, nowMs: number): void {
    this.#nowMs = nowMs
    this.#mine.push(message)
    this.#repeatMs = REPEAT_MS_MIN
    this.#repeatAtMs = nowMs + this.#repeatMs
    this.#effects.push({ type: 'publish', statements: [message] })
    if (message.kind === 'secure-sum-masked') this.#vectors.add(message.decoded.statement.body.valuesHash)
    this.#keep(message, digestOf(message))
    this.#give(message)
    this.#goOn()
  }

  /** A statement of another member. */
  hear(message: SecureSumMessage, nowMs: number): void {
    this.#nowMs = nowMs
    const { author } = message.decoded.statement
    const name = digestOf(message)
    if (!this.#members.has(author) || this.#statements.has(name)) return
    const count = this.#counts.get(author) ?? 0
    if (count >= SUM_STATEMENTS_MAX && !this.#wanted.has(name)) return
    this.#counts.set(author, count + 1)
    this.#keep(message, name)
    if (message.kind === 'secure-sum-roster' && !this.#isTurn(author)) this.#held.push(message)
    else this.#give(message)
    this.#goOn()
  }

  /** A member asks for what it has not heard. */
  asked(peer: PeerId, digests: readonly Uint8Array[]): void {
    const statements =
      digests.length === 0
        ? [...this.#statements.values()].filter(({ kind }) => kind === 'secure-sum-unmask')
        : digests.flatMap((digest) => this.#statements.get(toHex(digest)) ?? [])
    if (statements.length > 0) this.#effects.push({ type: 'send', peer, statements })
  }

  pulled({ of, vector, bytes }: { of: PeerId; vector: Cid; bytes: Uint8Array }, nowMs: number): void {
    this.#vectors.add(parseCid(vector).hash)
    this.step({ type: 'values', of, bytes }, nowMs)
  }

  /** An answer that is about proofs. */
  proofStep(
    event: Extract<RoundSumEventBody, { type: 'proved' | 'proofPulled' | 'proofsVerified' }>,
    nowMs: number,
  ): void {
    this.#nowMs = nowMs
    if (event.type === 'proved') this.#proofs.proved(event)
    else if (event.type === 'proofPulled') this.#proofs.pulled(event)
    else this.#proofs.verified(event)
    this.#goOn()
  }

  /** When there is something to do without news from outside. */
  wakeAtMs(nowMs: number): number {
    const times = [this.#repeatAtMs]
    const { stageMs } = this.#init
    // Turns begin and end on a grid of `stageMs` from the stage's start.
    if (this.#stageAtMs !== null && this.#sum.outcome === null)
      times.push(this.#stageAtMs + stageMs * (1 + Math.max(0, Math.floor((nowMs - this.#stageAtMs) / stageMs))))
    return Math.min(...times.filter((time) => time > nowMs))
  }

  // ---------------------------------------------------------------- the machines

  #give(message: SecureSumMessage): void {
    if (message.kind !== 'secure-sum-proof') return this.#feed({ type: 'message', message })
    const other = this.#proofs.hear(message)
    if (other === null) return
    this.#convict(message.decoded.statement.author, 'equivocation', [other.decoded.bytes, message.decoded.bytes])
  }

  #convict(peer: PeerId, reason: RefusalReason | FailureReason, statements: readonly Uint8Array[]): void {
    this.#effects.push({ type: 'convicted', peer, reason, statements })
    this.#relay(statements)
  }

  #feed(event: SecureSumEvent): void {
    const stage = this.#sum.stage
    for (const effect of this.#sum.step(event)) this.#perform(effect)
    if (this.#sum.stage !== stage) this.#stageAtMs = this.#nowMs
    const isShared = event.type === 'values' || (event.type === 'message' && event.message.kind !== 'secure-sum-roster')
    if (isShared) for (const lane of this.#followed.keys()) this.#feedFollowed(lane, event)
  }

  /** Gives an answer to the machine that asked. */
  #answer(event: SecureSumEvent): void {
    if (event.type !== 'agreed' && event.type !== 'worked') return this.#feed(event)
    const lane = Math.floor(event.id / IDS_PER_MACHINE)
    if (lane === 0) return this.#feed(event)
    this.#feedFollowed(lane - 1, { ...event, id: event.id % IDS_PER_MACHINE })
  }

  #feedFollowed(lane: number, event: SecureSumEvent): void {
    const effects = this.#followed[lane]?.sum.step(event) ?? []
    const firstId = (lane + 1) * IDS_PER_MACHINE
    for (const effect of effects) {
      if (effect.type === 'agree' || effect.type === 'work') this.#perform({ ...effect, id: effect.id + firstId })
      else if (effect.type === 'sum' || effect.type === 'want' || effect.type === 'evidence') this.#perform(effect)
    }
  }

  /**
   * The first roster of a stage is the one that is answered, and two callers may have been first to different peers. What came of the other
   * roster is found here too, by a machine that hears only that roster and those it builds on.
   */
  #follow(): void {
    if (this.#sum.outcome === 'sum') return
    const answered = this.#sum.opened('unmask')
    for (const message of [...this.#statements.values()]) {
      if (message.kind !== 'secure-sum-roster' || message.decoded.statement.body.stage !== 'unmask') continue
      const roster = rosterDigestOf(message.decoded.statement.body)
      if (answered !== null && sameBytes(answered, roster)) continue
      if (this.#followed.some((other) => sameBytes(other.roster, roster))) continue
      const chain = this.#chainOf(message)
      if (chain === null || this.#followed.length >= SUM_ROSTERS_FOLLOWED_MAX) continue
      const lane = this.#followed.push({ roster, sum: new SecureSum(this.#init) }) - 1
      for (const each of chain) this.#feedFollowed(lane, { type: 'message', message: each })
      for (const each of this.#statements.values())
        if (each.kind !== 'secure-sum-roster') this.#feedFollowed(lane, { type: 'message', message: each })
    }
  }

  /** The rosters that one of the unmask stage builds on, and itself; `null` while not all are here. */
  #chainOf(unmask: SecureSumMessage): SecureSumMessage[] | null {
    const chain = [unmask]
    for (;;) {
      const { body } = (chain[0] as SecureSumMessage).decoded.statement
      if (!('stage' in body)) return null
      if (body.stage === 'share') return chain
      const named = this.#statements.get(toHex(body.entries[0]?.digest ?? new Uint8Array()))?.decoded.statement.body
      if (named === undefined || !('roster' in named)) return null
      const before = this.#rosterOf(named.roster)
      if (before === undefined || chain.length >= STAGES.length) return null
      chain.unshift(before)
    }
  }

  #rosterOf(digest: Uint8Array): SecureSumMessage | undefined {
    return [...this.#statements.values()].find(
      (message) =>
        message.kind === 'secure-sum-roster' && sameBytes(rosterDigestOf(message.decoded.statement.body), digest),
    )
  }

  #perform(effect: SecureSumEffect): void {
    const { session } = this
    switch (effect.type) {
      case 'publish': {
        const { content, values = null } = effect
        this.#effects.push({ type: 'sign', session, content, values })
        return
      }
      case 'agree':
        return void this.#effects.push({ type: 'agree', session, id: effect.id, request: effect.request })
      case 'work':
        return void this.#effects.push({ type: 'work', session, id: effect.id, work: effect.work })
      case 'want':
        if (effect.what === 'statement') this.#want(effect.digest)
        // Vectors are pulled as soon as their statements are here; one that came too early is pulled again.
        else this.#vectors.delete(toHex(effect.digest) as Hash)
        return
      case 'want-input':
        return void this.#news.push(effect)
      case 'sum':
        if (this.#init.terms.proved === true) return this.#proofs.begin(effect)
        return void this.#news.push(effect)
      case 'refused':
        return void this.#effects.push({
          type: 'refused',
          peer: effect.from,
          reason: effect.reason,
          detail: effect.detail,
        })
      case 'evidence':
        if (NOT_PROOF.has(effect.reason)) return
        return this.#convict(effect.against, effect.reason, effect.statements)
      case 'stage':
        this.#effects.push({ type: 'stage', stage: effect.stage, peers: effect.peers })
        return void this.#rosters.set(effect.stage, effect.peers)
      case 'failed':
        return void this.#effects.push({
          type: 'refused',
          peer: this.#init.self,
          reason: effect.reason,
          detail: effect.detail,
        })
    }
  }

  #goOn(): void {
    this.#takeHeld()
    this.#call()
    this.#pull()
    this.#prove()
    this.#repeat()
  }

  #prove(): void {
    this.#proofs.goOn(this.#nowMs)
    const { effects, news } = this.#proofs.take()
    this.#effects.push(...effects)
    for (const each of news) this.#judged(each)
  }

  #judged(news: ProofNews): void {
    if (news.type === 'proved') {
      const { sum } = news
      const values = sum.values.slice(0, sum.values.length - BLINDING_COORDINATES)
      return void this.#news.push({ ...sum, values })
    }
    for (const { peer, message } of news.culprits) this.#convict(peer, 'bad-proof', [message.decoded.bytes])
    if (news.culprits.length > 0) return
    const detail = 'The commitments do not open to the sum'
    this.#effects.push({ type: 'refused', peer: this.#init.self, reason: 'sum-not-opened', detail })
  }

  // ---------------------------------------------------------------- calling

  /** Whether a member's rosters count already: the first caller's at once, each other's when those before it had their time. */
  #isTurn(caller: PeerId): boolean {
    const turn = this.#init.callers.indexOf(caller)
    if (turn === 0) return true
    if (turn < 0 || turn >= SUM_CALLERS_MAX || this.#stageAtMs === null) return false
    // One `stageMs` early, since nobody's clock began at the same moment.
    return this.#nowMs >= this.#stageAtMs + (2 * turn - 1) * this.#init.stageMs
  }

  #takeHeld(): void {
    if (this.#held.length === 0) return
    const held = this.#held
    this.#held = []
    for (const message of held) {
      if (this.#isTurn(message.decoded.statement.author)) this.#feed({ type: 'message', message })
      else this.#held.push(message)
    }
  }

  #call(): void {
    const turn = this.#init.callers.indexOf(this.#init.self)
    const stage = STAGES[this.#rosters.size]
    if (turn < 0 || turn >= SUM_CALLERS_MAX || stage === undefined || this.#sum.outcome !== null) return
    if (this.#stageAtMs === null || this.#called.has(stage)) return
    const { stageMs } = this.#init
    const dueMs = this.#stageAtMs + (turn === 0 ? 1 : 2 * turn) * stageMs
    if (this.#nowMs < dueMs && !(turn === 0 && this.#isComplete(stage))) return
    this.#called.add(stage)
    this.#feed({ type: 'close', stage })
  }

  /** Whether everybody that a stage may expect is there. */
  #isComplete(stage: RosterStage): boolean {
    if (stage === 'share') return this.#ready.every((peer) => !this.#members.has(peer) || this.joined().has(peer))
    const before = this.#rosters.get(stage === 'mask' ? 'share' : 'mask') ?? []
    if (stage === 'mask') {
      const dealt = this.#authorsOf('secure-sum-shares')
      return before.every((peer) => dealt.has(peer))
    }
    const masked = this.#maskedVectors()
    return before.every((peer) => masked.some(({ author, hash }) => author === peer && this.#vectors.has(hash)))
  }

  #authorsOf(kind: SecureSumMessage['kind']): Set<PeerId> {
    const authors = new Set<PeerId>()
    for (const message of this.#statements.values())
      if (message.kind === kind) authors.add(message.decoded.statement.author)
    return authors
  }

  #maskedVectors(): { readonly author: PeerId; readonly hash: Hash }[] {
    const found: { author: PeerId; hash: Hash }[] = []
    for (const message of this.#statements.values()) {
      if (message.kind !== 'secure-sum-masked') continue
      const { author, body } = message.decoded.statement
      found.push({ author, hash: body.valuesHash })
    }
    return found
  }

  // ---------------------------------------------------------------- getting and giving

  #keep(message: SecureSumMessage, name: string): void {
    this.#statements.set(name, message)
    this.#wanted.delete(name)
    this.#repeatAtMs = Math.min(this.#repeatAtMs, this.#nowMs + this.#repeatMs)
  }

  #want(digest: Uint8Array): void {
    const name = toHex(digest)
    const known = this.#statements.get(name)
    // Kept out as one version too many: what a roster names is looked at all the same.
    if (known !== undefined) return this.#feed({ type: 'message', message: known })
    if (this.#wanted.has(name)) return
    this.#wanted.set(name, digest)
    this.#ask()
  }

  /** Asks one member after the other for what is missing; whoever called a stage has it. */
  #ask(): void {
    const others = this.#init.callers.filter((peer) => peer !== this.#init.self)
    const peer = others[this.#askedAt++ % others.length]
    const digests = [...this.#wanted.values()].slice(0, SUM_WANTS_MAX)
    if (peer === undefined) return
    if (digests.length > 0) this.#effects.push({ type: 'ask', peer, session: this.session, digests })
    // No roster names what unmasks, and whoever said it may be gone.
    const isUnmasking = this.#sum.stage === 'unmask' || this.#followed.length > 0
    if (isUnmasking && !this.#isSummed) this.#effects.push({ type: 'ask', peer, session: this.session, digests: [] })
  }

  #pull(): void {
    if (this.#followed.length === 0 && (!this.isMasking || this.#sum.outcome !== null)) return
    if (this.#isSummed) return
    for (const { author, hash } of this.#maskedVectors()) {
      const beforeMs = this.#pulledAtMs.get(hash) ?? Number.NEGATIVE_INFINITY
      if (this.#vectors.has(hash) || this.#nowMs < beforeMs + REPEAT_MS_MIN) continue
      this.#pulledAtMs.set(hash, this.#nowMs)
      const from = [author, ...this.#init.callers.filter((peer) => peer !== author && peer !== this.#init.self)]
      this.#effects.push({ type: 'pull', session: this.session, of: author, vector: vectorCid(hash), from })
    }
  }

  /** Own statements and the rosters that are open, again, while others may still lack them. */
  #repeat(): void {
    if (this.#nowMs < this.#repeatAtMs) return
    this.#repeatMs = Math.min(this.#repeatMs * 2, REPEAT_MS_MAX)
    this.#repeatAtMs = this.#nowMs + this.#repeatMs
    this.#follow()
    const rosters = [...this.#statements.values()].filter(({ kind }) => kind === 'secure-sum-roster')
    const statements = [...new Set([...this.#mine, ...rosters])]
    if (statements.length > 0) this.#effects.push({ type: 'publish', statements })
    this.#ask()
  }

  get #isSummed(): boolean {
    return this.#sum.outcome === 'sum' || this.#followed.some(({ sum }) => sum.outcome === 'sum')
  }

  /** Unless all hear both of two statements that contradict each other, they do not agree on who is to be put out. */
  #relay(evidence: readonly Uint8Array[]): void {
    const statements = [...this.#statements].flatMap(([name, message]) => {
      if (this.#relayed.has(name) || !evidence.some((bytes) => sameBytes(bytes, message.decoded.bytes))) return []
      this.#relayed.add(name)
      return [message]
    })
    if (statements.length > 0) this.#effects.push({ type: 'publish', statements })
  }
}

/** What rosters name a statement by. */
function digestOf({ decoded }: SecureSumMessage): string {
  return toHex(sha256Bytes(decoded.payload))
}

/** The block of a masked vector. */
export function vectorCid(hash: Hash): Cid {
  return cidOfDigest(fromHex(hash), 'raw')
}
