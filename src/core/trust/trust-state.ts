import type { PeerId, RootId } from '../codec/ids.ts'
import type { ExecutorView } from './assignment.ts'
import type { HeardAttestation } from './attestation.ts'
import { AttestationBook } from './attestation-book.ts'
import { type Barred, type BarredBy, isInForce, stronger } from './blacklist.ts'
import { eigenTrust, type TrustEdge } from './eigentrust.ts'
import { type Fixed, HALF, multiply, ONE, ofPpm } from './fixed.ts'
import {
  ACCUSATION_TTL_MS,
  ACCUSATIONS_PER_ROOT_MAX,
  ACCUSERS_MIN,
  BLACKLIST_MS,
  BLACKLIST_SCORE_PPM,
  CATEGORIES_BASELINE_MAX,
  LIAR_MS,
  OUTVOTED_MAX,
  ROOTS_MAX,
  TASKS_MIN,
} from './limits.ts'
import { TRUST_RULES, type TrustRules } from './rules.ts'
import {
  countBad,
  countGood,
  countUpdate,
  decayed,
  EMPTY_TALLY,
  type ModelRecord,
  NEUTRAL,
  NEW_MODEL_RECORD,
  onProbation,
  scoreOf,
  type Tally,
  type TaskMeasure,
  tasksOf,
  weightedMean,
} from './score.ts'
import { standingAfter, standingOf, type TaskEnd } from './standing.ts'
import { type Tier, type TierQuota, type TierQuotas, tierOf, tierQuotas } from './tier.ts'
import { newRecord, noteDevice, notePoint, type TrustRecord, tallyBoth } from './trust-record.ts'

/** How a wrong result is known to be wrong. */
export type WrongProof = 'recomputed' | 'equivocation' | 'outvoted'

/** What may happen to trust. `root` and `peer` name the executor. */
export type TrustEvent = { readonly nowMs: number; readonly root: RootId; readonly peer: PeerId } & (
  | { readonly type: 'seen'; readonly subnet: string | null }
  | { readonly type: 'good'; readonly category: string; readonly measure: TaskMeasure; readonly sharePpm: number }
  | { readonly type: 'failed'; readonly category: string; readonly sharePpm: number; readonly cause: string }
  | { readonly type: 'wrong'; readonly category: string; readonly proof: WrongProof }
  | { readonly type: 'model'; readonly good: boolean }
)

/** What followed from it, for the log. */
export type TrustChange =
  | { readonly type: 'blacklisted'; readonly barred: Barred }
  | { readonly type: 'unblacklisted'; readonly root: RootId; readonly by: 'expiry' | 'owner' }
  | { readonly type: 'tier'; readonly root: RootId; readonly from: Tier; readonly to: Tier }
  | { readonly type: 'suspected'; readonly root: RootId; readonly accuser: RootId }
  | { readonly type: 'slandered'; readonly root: RootId; readonly accuser: RootId }
  /** No room was left for it. */
  | { readonly type: 'forgotten'; readonly root: RootId }

export interface TrustStateInit {
  readonly self: RootId
  /** Roots trusted before any dealing: this peer's own, and such as the network's founder. */
  readonly preTrusted?: readonly RootId[]
  /** Whether the network's policy has quotas, trials and tiers. In a room of friends it has not. */
  readonly quotas: boolean
  readonly rules?: TrustRules
  readonly records?: readonly TrustRecord[]
}

/** Recomputed at most this often: trust flows slowly. */
const FLOW_INTERVAL_MS = 10 * 60_000
/** What others' word makes of somebody is looked up this long: it rests on up to 64 attestations, and every lending asks. */
const WORD_INTERVAL_MS = 60_000

/**
 * What one peer thinks of all others: from its own dealings first, from their word second. Deterministic: the same events in the same
 * order give the same state on every engine. Rules [T2] to [T24].
 */
export class TrustState {
  #self: RootId
  #preTrusted: ReadonlySet<RootId>
  #quotas: boolean
  #table: TierQuotas = tierQuotas()
  readonly #rules: TrustRules
  /** Longest idle first. */
  readonly #records = new Map<RootId, TrustRecord>()
  readonly #heard = new AttestationBook()
  #baseline: Tally = EMPTY_TALLY
  readonly #baselines = new Map<string, Tally>()
  /** Answers of {@link attested}, emptied as a whole. */
  readonly #words = new Map<RootId, { readonly score: Fixed; readonly confidence: Fixed }>()
  /** Weights of attesters that went into {@link #words}. */
  readonly #weights = new Map<RootId, Fixed>()
  /** Answers of {@link blendedScore}, each good for the record it was made of. */
  readonly #blended = new Map<
    RootId,
    { readonly total: Tally; readonly model: ModelRecord; readonly score: Fixed | null }
  >()
  #wordsSinceMs = 0
  #forgotten: RootId[] = []
  #flow: { readonly atMs: number; readonly trust: ReadonlyMap<RootId, number>; readonly reference: number } | null =
    null

  constructor(init: TrustStateInit) {
    this.#self = init.self
    this.#preTrusted = new Set([init.self, ...(init.preTrusted ?? [])])
    this.#quotas = init.quotas
    this.#rules = init.rules ?? TRUST_RULES
    for (const record of init.records ?? []) {
      this.#records.set(record.root, record)
      this.#addBaseline(record)
    }
  }

  get roots(): Iterable<TrustRecord> {
    return this.#records.values()
  }

  get attestations(): AttestationBook {
    return this.#heard
  }

  /** Whether quotas, trials and tiers count: the network's policy says so, and may come to be known late. */
  enforce(quotas: boolean, table: TierQuotas = tierQuotas()): void {
    this.#quotas = quotas
    this.#table = table
  }

  /** What a tier may do in this network. */
  quotaOf(tier: Tier): TierQuota {
    return this.#table[tier]
  }

  /** How many devices of one root may be linked to this peer at once; without bound where there are no quotas. */
  connectionsMax(root: RootId): number {
    if (!this.#quotas || root === this.#self) return Number.POSITIVE_INFINITY
    return this.quotaOf(tierOf(standingOf(this.#records.get(root)?.standingMilli ?? 0))).connectionsMax
  }

  get enforced(): boolean {
    return this.#quotas
  }

  record(root: RootId): TrustRecord | undefined {
    return this.#records.get(root)
  }

  /**
   * This peer has another identity now, as after a restore. What it thinks of others stays; of itself it thinks nothing.
   *
   * @returns Whether that identity was known here as somebody else's.
   */
  become(self: RootId): boolean {
    this.#preTrusted = new Set([...this.#preTrusted].map((root) => (root === this.#self ? self : root)))
    this.#self = self
    this.#forgetWords()
    this.#flow = null
    return this.#records.delete(self)
  }

  /**
   * Takes over what this peer's owner knew of somebody on another device. Of two records the one of more dealings holds; a bar of either
   * does. Rule [T27].
   */
  adopt(record: TrustRecord, nowMs: number): TrustChange[] {
    if (record.root === this.#self) return []
    const known = this.#records.get(record.root)
    const kept = known !== undefined && tasksOf(known.total) >= tasksOf(record.total) ? known : record
    const other = kept === record ? known : record
    if (other !== undefined) {
      if (other.barred !== null && isInForce(other.barred, nowMs)) kept.barred = stronger(kept.barred, other.barred)
      kept.slandererUntilMs = Math.max(kept.slandererUntilMs, other.slandererUntilMs)
      for (const device of other.devices) noteDevice(kept, device)
    }
    this.#records.set(kept.root, kept)
    if (kept === record) this.#addBaseline(record)
    this.#touch(kept.root, nowMs)
    this.#forgetWords()
    this.#flow = null
    return this.#forgotten.splice(0).map((root) => ({ type: 'forgotten', root }))
  }

  // Own dealings

  step(event: TrustEvent): TrustChange[] {
    // Nobody judges itself.
    if (event.root === this.#self) return []
    const record = this.#touch(event.root, event.nowMs)
    noteDevice(record, event.peer)
    const changes = this.#apply(record, event)
    for (const root of this.#forgotten.splice(0)) changes.push({ type: 'forgotten', root })
    return changes
  }

  #apply(record: TrustRecord, event: TrustEvent): TrustChange[] {
    switch (event.type) {
      case 'seen':
        if (event.subnet !== null) record.subnet = event.subnet
        return []
      case 'good':
        return this.#good(record, event)
      case 'failed':
        tallyBoth(record, event.category, countBad)
        return this.#judged(record, { ...event, end: 'failed' })
      case 'wrong':
        return this.#wrong(record, event)
      case 'model':
        record.model = countUpdate(record.model, event.good)
        return this.#judged(record, {
          nowMs: event.nowMs,
          end: event.good ? 'good' : 'failed',
          sharePpm: 0,
          cause: event.good ? 'model-good' : 'model-bad',
        })
    }
  }

  #good(record: TrustRecord, event: Extract<TrustEvent, { type: 'good' }>): TrustChange[] {
    const { measure, category, sharePpm, nowMs } = event
    tallyBoth(record, category, (tally) => countGood(tally, measure))
    this.#baseline = countGood(this.#baseline, measure)
    this.#countCategory(category, measure)
    return this.#judged(record, { nowMs, end: 'good', sharePpm, cause: 'accepted' })
  }

  #wrong(record: TrustRecord, event: Extract<TrustEvent, { type: 'wrong' }>): TrustChange[] {
    const { category, proof, nowMs } = event
    tallyBoth(record, category, countBad)
    if (proof === 'outvoted') record.outvoted++
    const changes = this.#judged(record, { nowMs, end: 'wrong', sharePpm: 0, cause: `wrong-${proof}` })
    if (proof === 'outvoted' && record.outvoted < OUTVOTED_MAX) return changes
    return [...changes, ...this.#convict(record, nowMs, `wrong-${proof}`)]
  }

  /** Standing and history after a task, and the bar when the score falls too low. */
  #judged(
    record: TrustRecord,
    by: { readonly nowMs: number; readonly end: TaskEnd; readonly sharePpm: number; readonly cause: string },
  ): TrustChange[] {
    const { nowMs, end, sharePpm, cause } = by
    const before = tierOf(standingOf(record.standingMilli))
    record.lastTaskMs = nowMs
    record.standingMilli = standingAfter(record.standingMilli, end, sharePpm)
    const standing = standingOf(record.standingMilli)
    const score = this.#ownScore(record, nowMs)
    notePoint(record, { atMs: nowMs, score: score ?? NEUTRAL, standing, cause })
    const after = tierOf(standing)
    const changes: TrustChange[] =
      before === after ? [] : [{ type: 'tier', root: record.root, from: before, to: after }]
    if (score !== null && score < ofPpm(BLACKLIST_SCORE_PPM)) {
      changes.push(...this.#bar(record, { by: 'score', untilMs: nowMs + BLACKLIST_MS, reason: 'score-low', nowMs }))
    }
    return changes
  }

  #countCategory(category: string, measure: TaskMeasure): void {
    const tally = countGood(this.#baselines.get(category) ?? EMPTY_TALLY, measure)
    this.#baselines.delete(category)
    this.#baselines.set(category, tally)
    const [oldest] = this.#baselines.keys()
    if (this.#baselines.size > CATEGORIES_BASELINE_MAX && oldest !== undefined) this.#baselines.delete(oldest)
  }

  #addBaseline({ total, categories }: TrustRecord): void {
    const add = (a: Tally, b: Tally): Tally => ({
      good: a.good + b.good,
      bad: a.bad,
      durationUs: a.durationUs + b.durationUs,
      costMicro: a.costMicro + b.costMicro,
      megagas: a.megagas + b.megagas,
    })
    this.#baseline = add(this.#baseline, total)
    for (const [name, tally] of categories) {
      if (this.#baselines.size < CATEGORIES_BASELINE_MAX) {
        this.#baselines.set(name, add(this.#baselines.get(name) ?? EMPTY_TALLY, tally))
      }
    }
  }

  // Scores

  /** Quality by own dealings, decayed; `null` below the minimum of tasks. */
  ownScore(root: RootId, nowMs: number): Fixed | null {
    const record = this.#records.get(root)
    return record === undefined ? null : this.#ownScore(record, nowMs)
  }

  #ownScore(record: TrustRecord, nowMs: number): Fixed | null {
    const tasks = tasksOf(record.total)
    if (tasks + record.model.updates < TASKS_MIN) return null
    const ageMs = nowMs - record.firstSeenMs
    const parts = [
      { score: scoreOf(record.total, { baseline: this.#baseline, ageMs }), weight: tasks },
      { score: record.model.score, weight: record.model.updates },
    ]
    const score = weightedMean(parts) ?? NEUTRAL
    return decayed(score, nowMs - (record.lastTaskMs ?? nowMs))
  }

  categoryScore(record: TrustRecord, category: string, nowMs: number): Fixed | null {
    const tally = record.categories.get(category)
    if (tally === undefined || tasksOf(tally) < TASKS_MIN) return null
    const baseline = this.#baselines.get(category) ?? this.#baseline
    const score = scoreOf(tally, { baseline, ageMs: nowMs - record.firstSeenMs })
    return decayed(score, nowMs - (record.lastTaskMs ?? nowMs))
  }

  /** Own experience and others' word together; `null` while there is too little of either. Rule [T16]. */
  blendedScore(root: RootId, nowMs: number): Fixed | null {
    this.#refreshWords(nowMs)
    const record = this.#records.get(root)
    const [total, model] = [record?.total ?? EMPTY_TALLY, record?.model ?? NEW_MODEL_RECORD]
    const known = this.#blended.get(root)
    if (known !== undefined && known.total === total && known.model === model) return known.score
    const score = this.#blend(root, record, nowMs)
    this.#blended.set(root, { total, model, score })
    return score
  }

  #blend(root: RootId, record: TrustRecord | undefined, nowMs: number): Fixed | null {
    const own = record === undefined ? null : this.#ownScore(record, nowMs)
    const { score, confidence } = this.attested(root, nowMs)
    if (own === null) return confidence >= HALF ? NEUTRAL + multiply(score - NEUTRAL, confidence) : null
    const share = this.#rules.attestedShare(record === undefined ? 0 : tasksOf(record.total), confidence)
    return own + multiply(score - own, share)
  }

  /** What rests on others' word is looked up for a while and then made anew. */
  #refreshWords(nowMs: number): void {
    if (nowMs - this.#wordsSinceMs < WORD_INTERVAL_MS) return
    this.#forgetWords()
    this.#wordsSinceMs = nowMs
  }

  #forgetWords(): void {
    this.#words.clear()
    this.#weights.clear()
    this.#blended.clear()
  }

  /** What others say of somebody: their mean, and how much their words weigh together. Rule [T15]. */
  attested(root: RootId, nowMs: number): { readonly score: Fixed; readonly confidence: Fixed } {
    this.#refreshWords(nowMs)
    const known = this.#words.get(root)
    if (known !== undefined) return known
    const word = this.#wordOfOthers(root, nowMs)
    this.#words.set(root, word)
    return word
  }

  #wordOfOthers(root: RootId, nowMs: number): { readonly score: Fixed; readonly confidence: Fixed } {
    let [sum, confidence] = [0, 0]
    const bySubnet = new Map<string, { heard: { score: Fixed; weight: Fixed }[]; weight: Fixed }>()
    for (const heard of this.#heard.about(root)) {
      const weight = this.#weights.get(heard.attester) ?? this.attesterWeight(heard, nowMs)
      this.#weights.set(heard.attester, weight)
      if (weight === 0) continue
      const subnet = this.#records.get(heard.attester)?.subnet ?? ''
      const group = bySubnet.get(subnet) ?? { heard: [], weight: 0 }
      group.heard.push({ score: heard.score, weight })
      group.weight += weight
      bySubnet.set(subnet, group)
    }
    for (const group of bySubnet.values()) {
      const allowed = this.#rules.subnetWeight(group.weight)
      for (const { score, weight } of group.heard) {
        const counted = Math.floor((weight * allowed) / group.weight)
        sum += score * counted
        confidence += counted
      }
    }
    if (confidence === 0) return { score: NEUTRAL, confidence: 0 }
    return { score: Math.floor(sum / confidence), confidence: Math.min(ONE, confidence) }
  }

  attesterWeight({ attester }: HeardAttestation, nowMs: number): Fixed {
    return this.#rules.attesterWeight(this.credibility(attester, nowMs))
  }

  /** How far somebody's word is believed, 0 to `ONE`: its own score here, or the trust that flows to it. Rule [T17]. */
  credibility(root: RootId, nowMs: number): Fixed {
    const record = this.#records.get(root)
    if (this.isBarred(root, nowMs) || (record !== undefined && nowMs < record.slandererUntilMs)) return 0
    if (this.#preTrusted.has(root)) return ONE
    const own = record === undefined ? null : this.#ownScore(record, nowMs)
    if (own !== null) return own
    const { trust, reference } = this.#flowAt(nowMs)
    return Math.floor(this.#rules.strangerCredibility(trust.get(root) ?? 0, reference))
  }

  /** The flow of trust, and what a peer of good own record gets of it on average. */
  #flowAt(nowMs: number): { readonly trust: ReadonlyMap<RootId, number>; readonly reference: number } {
    if (this.#flow !== null && nowMs - this.#flow.atMs < FLOW_INTERVAL_MS) return this.#flow
    const edges: TrustEdge<RootId>[] = []
    let [known, count] = [0, 0]
    for (const record of this.#records.values()) {
      const { good, bad } = record.total
      const weight = Math.min(1_000, good - 10 * bad)
      if (good + bad < TASKS_MIN || weight <= 0 || this.isBarred(record.root, nowMs)) continue
      edges.push({ from: this.#self, to: record.root, weight })
      count++
    }
    for (const edge of this.#heard.edges()) {
      if (edge.from !== this.#self && !this.isBarred(edge.from, nowMs)) edges.push(edge)
    }
    const trust = eigenTrust(edges, new Map([...this.#preTrusted].map((root) => [root, 1])))
    for (const { from, to } of edges) if (from === this.#self) known += trust.get(to) ?? 0
    this.#flow = { atMs: nowMs, trust, reference: count === 0 ? 0 : Math.floor(known / count) }
    return this.#flow
  }

  // The list of those barred

  isBarred(root: RootId, nowMs: number): boolean {
    const barred = this.#records.get(root)?.barred
    return barred !== undefined && barred !== null && isInForce(barred, nowMs)
  }

  /** By the owner's own hand; `untilMs: null` lasts until lifted. */
  block(
    root: RootId,
    by: { readonly nowMs: number; readonly untilMs: number | null; readonly reason: string },
  ): TrustChange[] {
    if (root === this.#self) return []
    return this.#bar(this.#touch(root, by.nowMs), { ...by, by: 'owner' })
  }

  /** Lifts whatever bars it; accusations and strikes that led to it are forgotten, what it did is not. */
  unblock(root: RootId, nowMs: number): TrustChange[] {
    const record = this.#records.get(root)
    if (record === undefined || record.barred === null) return []
    this.#letBack(record, nowMs, 'unblocked')
    return [{ type: 'unblacklisted', root, by: 'owner' }]
  }

  #convict(record: TrustRecord, nowMs: number, reason: string): TrustChange[] {
    return this.#bar(record, { by: 'evidence', untilMs: nowMs + LIAR_MS, reason, nowMs })
  }

  #bar(
    record: TrustRecord,
    why: { readonly by: BarredBy; readonly untilMs: number | null; readonly reason: string; readonly nowMs: number },
  ): TrustChange[] {
    const { by, untilMs, reason, nowMs } = why
    const next: Barred = { root: record.root, sinceMs: nowMs, untilMs, by, reason }
    const before = record.barred !== null && isInForce(record.barred, nowMs) ? record.barred : null
    const barred = stronger(before, next)
    if (barred === before) return []
    record.barred = barred
    // Its word is worth nothing from now on.
    this.#forgetWords()
    notePoint(record, {
      atMs: nowMs,
      score: NEUTRAL,
      standing: standingOf(record.standingMilli),
      cause: `barred-${by}`,
    })
    return before === null || before.by !== by ? [{ type: 'blacklisted', barred }] : []
  }

  #letBack(record: TrustRecord, nowMs: number, cause: string): void {
    record.barred = null
    record.outvoted = 0
    record.accusations.length = 0
    record.total = onProbation(record.total)
    for (const [name, tally] of record.categories) record.categories.set(name, onProbation(tally))
    notePoint(record, { atMs: nowMs, score: NEUTRAL, standing: standingOf(record.standingMilli), cause })
  }

  /** Ends what has run out, and forgets what is too old. To be called every minute or so. */
  tick(nowMs: number): TrustChange[] {
    const changes: TrustChange[] = []
    for (const record of this.#records.values()) {
      if (record.barred !== null && !isInForce(record.barred, nowMs)) {
        this.#letBack(record, nowMs, 'blacklist-expired')
        changes.push({ type: 'unblacklisted', root: record.root, by: 'expiry' })
      }
      const stale = record.accusations.findIndex(({ atMs }) => nowMs - atMs > ACCUSATION_TTL_MS)
      if (stale >= 0) record.accusations.splice(stale, 1)
    }
    this.#heard.prune(nowMs)
    return changes
  }

  // Others' accusations

  /**
   * Takes note that a credible peer showed a conflict. The accused is under suspicion until it is settled: only checked work, and no
   * work at all once enough have accused it, unless this peer knows it better. Rule [T22].
   */
  accuse(accused: RootId, by: { readonly accuser: RootId; readonly nowMs: number }): TrustChange[] {
    const { accuser, nowMs } = by
    if (accused === this.#self || accused === accuser || this.credibility(accuser, nowMs) === 0) return []
    const record = this.#touch(accused, nowMs)
    if (record.accusations.some((known) => known.accuser === accuser)) return []
    if (record.accusations.length >= ACCUSATIONS_PER_ROOT_MAX) record.accusations.shift()
    record.accusations.push({ accuser, atMs: nowMs })
    const changes: TrustChange[] = [{ type: 'suspected', root: accused, accuser }]
    if (this.#ownScore(record, nowMs) !== null) return changes
    const weight = record.accusations.reduce((sum, known) => sum + this.credibility(known.accuser, nowMs), 0)
    if (!this.#rules.accusersConvict(weight, record.accusations.length, ACCUSERS_MIN)) return changes
    return [...changes, ...this.#convict(record, nowMs, 'accused-by-many')]
  }

  /** The conflict was recomputed here: whoever signed the wrong outcome lied, and an accuser of the right one slandered. Rule [T23]. */
  settle(
    conflict: { readonly accused: RootId; readonly accuser: RootId; readonly witness: RootId | null },
    verdict: { readonly accusedWrong: boolean; readonly witnessWrong: boolean; readonly nowMs: number },
  ): TrustChange[] {
    const { nowMs } = verdict
    const changes: TrustChange[] = []
    const convict = (root: RootId, reason: string) => {
      if (root !== this.#self) changes.push(...this.#convict(this.#touch(root, nowMs), nowMs, reason))
    }
    if (verdict.accusedWrong) convict(conflict.accused, 'wrong-shown')
    else {
      const record = this.#records.get(conflict.accused)
      const index = record?.accusations.findIndex(({ accuser }) => accuser === conflict.accuser) ?? -1
      if (index >= 0) record?.accusations.splice(index, 1)
      if (conflict.accuser !== this.#self) {
        this.#touch(conflict.accuser, nowMs).slandererUntilMs = nowMs + LIAR_MS
        this.#heard.forgetAttester(conflict.accuser)
        this.#forgetWords()
        changes.push({ type: 'slandered', root: conflict.accused, accuser: conflict.accuser })
      }
    }
    if (verdict.witnessWrong && conflict.witness !== null) convict(conflict.witness, 'wrong-shown')
    return changes
  }

  /** One peer signed two outcomes of one unit: no recomputation is needed, whoever shows it. */
  convictEquivocator(root: RootId, nowMs: number): TrustChange[] {
    return root === this.#self ? [] : this.#convict(this.#touch(root, nowMs), nowMs, 'equivocation')
  }

  /** It did too often what no honest peer does. For a day, as for a low score: the peer may be broken, not hostile. Rule [T26]. */
  convictMisconduct(root: RootId, nowMs: number): TrustChange[] {
    if (root === this.#self) return []
    const untilMs = nowMs + BLACKLIST_MS
    return this.#bar(this.#touch(root, nowMs), { by: 'evidence', untilMs, reason: 'misconduct', nowMs })
  }

  isSuspect(root: RootId): boolean {
    return (this.#records.get(root)?.accusations.length ?? 0) > 0
  }

  // What follows for work

  /** What the scheduler needs to know of a device's root now. `root: null` is a guest. */
  view(peer: PeerId, root: RootId | null, nowMs: number): ExecutorView {
    if (root === null || root === this.#self) {
      const own = root !== null
      return {
        peer,
        root,
        tier: own ? 'elite' : 'guest',
        score: own ? ONE : null,
        quotaLeftPpm: own ? FREE : 0,
        ...CLEAR,
      }
    }
    const record = this.#records.get(root)
    const tier = tierOf(standingOf(record?.standingMilli ?? 0))
    const barred = this.isBarred(root, nowMs)
    const suspect = this.isSuspect(root)
    const score = this.blendedScore(root, nowMs)
    if (!this.#quotas) return { peer, root, tier, score: score ?? NEUTRAL, quotaLeftPpm: FREE, barred, suspect }
    const { tasksPerHour } = this.quotaOf(tier)
    const quotaLeftPpm = record === undefined ? tasksPerHour * 1_000_000 : record.quota.left(nowMs, tasksPerHour)
    return { peer, root, tier, score, quotaLeftPpm, barred, suspect }
  }

  /** Counts lent work against the hour. */
  charge(root: RootId, nowMs: number, sharePpm: number): void {
    if (this.#quotas && root !== this.#self) this.#touch(root, nowMs).quota.charge(nowMs, sharePpm)
  }

  #touch(root: RootId, nowMs: number): TrustRecord {
    const record = this.#records.get(root) ?? newRecord(root, nowMs)
    this.#records.delete(root)
    this.#records.set(root, record)
    if (this.#records.size > ROOTS_MAX) this.#forgetOne(nowMs)
    return record
  }

  /** Forgets the longest idle that is not barred; if all are, the longest idle of them. */
  #forgetOne(nowMs: number): void {
    let victim: RootId | undefined
    for (const root of this.#records.keys()) {
      victim ??= root
      if (this.isBarred(root, nowMs)) continue
      victim = root
      break
    }
    if (victim === undefined) return
    this.#records.delete(victim)
    this.#forgotten.push(victim)
  }
}

/** A quota that never ends. */
const FREE = Number.MAX_SAFE_INTEGER
const CLEAR = { barred: false, suspect: false } as const
