import type { RootId } from '../../core/codec/ids.ts'
import { type Rng, seededRng } from '../../core/tasks/rng.ts'
import { auditPpmFor, type Candidate, selectExecutors } from '../../core/trust/assignment.ts'
import { AuditDraw } from '../../core/trust/audit-draw.ts'
import { ofPpm, toPpm } from '../../core/trust/fixed.ts'
import { TASK_MS, TASKS_MIN } from '../../core/trust/limits.ts'
import { RecomputationBudget } from '../../core/trust/recomputation-budget.ts'
import { TRUST_RULES, type TrustRules } from '../../core/trust/rules.ts'
import { tasksOf } from '../../core/trust/score.ts'
import { TrustState } from '../../core/trust/trust-state.ts'
import { type Actor, deedOf, newActor, type Plan, type Role } from './trust-actor.ts'

/** One tick is the time of one task. */
export const TICKS_PER_HOUR = 3_600_000 / TASK_MS
const PPM = 1_000_000
/** Neighbours of a requester that bid in one tick. */
const READY = 20
/** Simulated time begins here, so that no time is near zero. */
const START_MS = 1_700_000_000_000

export interface TrustWorldInit {
  readonly seed: number
  readonly peers: number
  readonly requesters: number
  /** Peers that a requester is connected to. */
  readonly degree: number
  /** Tasks a requester wants to lend in each tick. */
  readonly demand: number
  readonly attackers: { readonly role: Role; readonly count: number }
  readonly plan: Plan
  /** Whether a clique's members attest each other. */
  readonly cliqueAttests: boolean
  /** Machine time that one identity costs, in tasks: half a minute on the cores of a laptop. */
  readonly identityTasks: number
  /** Machines a Sybil or whitewasher mines its identities on. */
  readonly machines: number
  readonly rules: TrustRules
  /** Whether conflicts are shown to others and acted upon. */
  readonly evidence: boolean
}

export const TRUST_WORLD: Omit<TrustWorldInit, 'attackers'> = {
  seed: 1,
  peers: 500,
  requesters: 40,
  degree: 60,
  demand: 3,
  plan: { sleeperTurnsAfter: 200, whitewasherPatience: TASKS_MIN },
  cliqueAttests: true,
  identityTasks: 4,
  machines: 10,
  rules: TRUST_RULES,
  evidence: true,
}

/** A requester: its opinion of others, and whom it is connected to. */
interface Requester {
  readonly actor: Actor
  readonly trust: TrustState
  /** Who is connected now; whoever is barred is not. */
  readonly neighbours: Actor[]
  /** Who ever was. */
  readonly known: Set<Actor>
  readonly dealt: Map<RootId, number>
  readonly audits: Map<RootId, AuditDraw>
  readonly budget: RecomputationBudget
}

interface ShownConflict {
  readonly accused: Actor
  readonly accuser: Requester
  /** Whether the accused did lie. */
  readonly true: boolean
}

/** What an hour looked like. */
export interface HourReport {
  readonly hour: number
  readonly lent: number
  readonly lentToAttackers: number
  readonly identities: number
}

/**
 * Many peers, some hostile, that judge each other with the real trust core. Machines, networks and signatures are left out: a unit is
 * lent in one tick and judged in the next. The same seed gives the same run.
 */
export class TrustWorld {
  readonly init: TrustWorldInit
  readonly actors: Actor[] = []
  readonly requesters: Requester[] = []
  readonly hours: HourReport[] = []
  /** Tick at which the last requester that knew an identity barred it. */
  readonly excludedTick = new Map<RootId, number>()
  /** Tick at which the first requester barred it. */
  readonly firstBarredTick = new Map<RootId, number>()
  /** Requesters that barred an honest peer at some time. */
  honestBarred = 0
  recomputed = 0
  audited = 0
  /** Machine time attackers spent on identities, in tasks. */
  minedTasks = 0
  readonly #rng: Rng
  readonly #barred = new Map<RootId, Set<Requester>>()
  #tick = 0
  #mined = 0
  #shown: ShownConflict[] = []

  constructor(init: TrustWorldInit) {
    this.init = init
    this.#rng = seededRng(init.seed)
    const { peers, attackers } = init
    // Sybils and whitewashers come through mining, the others were there before.
    const later = attackers.role === 'sybil' || attackers.role === 'whitewasher'
    for (let index = 0; index < peers; index++) {
      const hostile = !later && index < attackers.count
      this.#born(hostile ? attackers.role : 'honest')
    }
    // Slanderers are requesters all: only a requester can show a conflict.
    const slanderers = this.actors.filter(({ role }) => role === 'slanderer')
    const honest = this.actors.filter(({ role }) => role === 'honest')
    const step = Math.floor(honest.length / init.requesters)
    for (const actor of slanderers) this.#addRequester(actor)
    for (let index = 0; this.requesters.length < init.requesters; index++) {
      // There are more honest peers than requesters.
      this.#addRequester(honest[index * step] as Actor)
    }
  }

  get nowMs(): number {
    return START_MS + this.#tick * TASK_MS
  }

  get tick(): number {
    return this.#tick
  }

  runHours(hours: number): void {
    for (let hour = 0; hour < hours; hour++) {
      const before = this.#counts()
      for (let tick = 0; tick < TICKS_PER_HOUR; tick++) this.#step()
      this.#attestAll()
      for (const { trust } of this.requesters) trust.tick(this.nowMs)
      const after = this.#counts()
      this.hours.push({
        hour: this.hours.length,
        lent: after.lent - before.lent,
        lentToAttackers: after.attackers - before.attackers,
        identities: this.actors.length,
      })
    }
  }

  attackers(): Actor[] {
    return this.actors.filter(({ role }) => role !== 'honest')
  }

  /** Part of the tasks of the last `hours` that attackers got. */
  attackerShare(hours: number): number {
    const last = this.hours.slice(-hours)
    const lent = last.reduce((sum, hour) => sum + hour.lent, 0)
    return last.reduce((sum, hour) => sum + hour.lentToAttackers, 0) / Math.max(1, lent)
  }

  #counts(): { lent: number; attackers: number } {
    let [lent, attackers] = [0, 0]
    for (const { tasks, role } of this.actors) {
      lent += tasks
      if (role !== 'honest') attackers += tasks
    }
    return { lent, attackers }
  }

  #born(role: Role): Actor {
    const index = this.actors.length
    // Attackers sit behind few addresses; the others behind many.
    const subnet = role === 'honest' ? `net-${index % 200}` : `net-x${index % 8}`
    const actor = newActor(index, { role, subnet, bornTick: this.#tick, rng: this.#rng })
    this.actors.push(actor)
    return actor
  }

  #addRequester(actor: Actor): void {
    const { degree, rules } = this.init
    const trust = new TrustState({ self: actor.root, quotas: true, rules })
    const requester: Requester = {
      actor,
      trust,
      neighbours: [],
      known: new Set(),
      dealt: new Map(),
      audits: new Map(),
      budget: new RecomputationBudget(),
    }
    const others = this.actors.filter((other) => other !== actor)
    while (requester.neighbours.length < degree) {
      const [other] = others.splice(this.#rng.below(others.length), 1)
      if (other !== undefined) this.#connect(requester, other)
    }
    this.requesters.push(requester)
  }

  #connect(requester: Requester, other: Actor): void {
    requester.neighbours.push(other)
    requester.known.add(other)
    const { root, peer, subnet } = other
    requester.trust.step({ type: 'seen', nowMs: this.nowMs, root, peer, subnet })
  }

  #step(): void {
    this.#tick++
    this.#mine()
    const shown = this.#shown
    this.#shown = []
    for (const conflict of shown) this.#hear(conflict)
    this.#slander()
    // Nobody is always first in the queue.
    const first = this.#rng.below(this.requesters.length)
    for (let index = 0; index < this.requesters.length; index++) {
      this.#lend(this.requesters[(first + index) % this.requesters.length] as Requester)
    }
  }

  /** Attackers with machines to spare make identities as fast as work allows, and bring them to requesters. */
  #mine(): void {
    const { attackers, machines, identityTasks } = this.init
    if (attackers.role !== 'sybil' && attackers.role !== 'whitewasher') return
    const living = this.attackers().filter(({ root }) => !this.excludedTick.has(root)).length
    const wanted = (attackers.count - living) * identityTasks - this.#mined
    if (wanted <= 0) return
    const mined = Math.min(machines, wanted)
    this.#mined += mined
    this.minedTasks += mined
    for (let born = living; this.#mined >= identityTasks && born < attackers.count; born++) {
      this.#mined -= identityTasks
      const actor = this.#born(attackers.role)
      const { requesters, degree, peers } = this.init
      // It gets about as many connections as anybody has.
      const links = Math.ceil((requesters * degree) / peers)
      for (let link = 0; link < links; link++) {
        const requester = this.requesters[this.#rng.below(requesters)] as Requester
        if (!requester.neighbours.includes(actor)) this.#connect(requester, actor)
      }
    }
  }

  #lend(requester: Requester): void {
    const { trust } = requester
    const candidates: (Candidate & { readonly actor: Actor })[] = []
    // Some of the neighbours have a free slot at this moment, others not.
    const first = this.#rng.below(requester.neighbours.length)
    for (let index = 0; index < Math.min(READY, requester.neighbours.length); index++) {
      const actor = requester.neighbours[(first + index) % requester.neighbours.length]
      if (actor === undefined || actor.busyUntilTick > this.#tick) continue
      const view = trust.view(actor.peer, actor.root, this.nowMs)
      if (view.quotaLeftPpm >= PPM) candidates.push({ actor, view, slots: 1, held: 0, priceClass: 0 })
    }
    for (const { actor, view } of selectExecutors(candidates, { count: this.init.demand, rng: this.#rng })) {
      trust.charge(actor.root, this.nowMs, PPM)
      actor.busyUntilTick = this.#tick + 1
      actor.tasks++
      const dealtBefore = requester.dealt.get(actor.root) ?? 0
      requester.dealt.set(actor.root, dealtBefore + 1)
      const deed = deedOf(actor, { tick: this.#tick, dealtBefore, plan: this.init.plan, rng: this.#rng })
      const audits = requester.audits.get(actor.root) ?? new AuditDraw()
      requester.audits.set(actor.root, audits)
      const audited = audits.due(auditPpmFor(view, { quorum: 1, auditPpm: 0 }), this.#rng)
      this.#judge(requester, { actor, deed, audited })
    }
  }

  #judge(
    requester: Requester,
    of: { readonly actor: Actor; readonly deed: 'good' | 'failed' | 'wrong'; readonly audited: boolean },
  ): void {
    const { actor, deed, audited } = of
    const { root, peer } = actor
    const at = { nowMs: this.nowMs, root, peer, category: 'unit' }
    if (audited) this.audited++
    if (deed === 'failed') requester.trust.step({ ...at, type: 'failed', sharePpm: PPM, cause: 'failed' })
    else if (deed === 'good' || !audited) {
      if (deed === 'good') actor.good++
      else {
        actor.undetected++
        actor.wrong.set(requester.actor.root, (actor.wrong.get(requester.actor.root) ?? 0) + 1)
      }
      const measure = { durationUs: actor.durationUs, costMicro: actor.durationUs, megagas: 30_000 }
      requester.trust.step({ ...at, type: 'good', measure, sharePpm: PPM })
    } else {
      actor.wrong.set(requester.actor.root, (actor.wrong.get(requester.actor.root) ?? 0) + 1)
      requester.trust.step({ ...at, type: 'wrong', proof: 'recomputed' })
      if (this.init.evidence) this.#shown.push({ accused: actor, accuser: requester, true: true })
    }
    this.#noteBarred(requester, actor)
  }

  /** Everybody hears of a conflict one tick later; who lends to the accused looks into it, within its bound. */
  #hear({ accused, accuser, true: isTrue }: ShownConflict): void {
    const { nowMs } = this
    for (const requester of this.requesters) {
      if (requester === accuser || requester.trust.isBarred(accused.root, nowMs)) continue
      const by = { accuser: accuser.actor.root, nowMs }
      if (requester.trust.isBarred(by.accuser, nowMs)) continue
      requester.trust.accuse(accused.root, by)
      const credible = requester.trust.credibility(by.accuser, nowMs) > 0
      if (requester.neighbours.includes(accused) && requester.budget.take(by.accuser, { nowMs, credible })) {
        this.recomputed++
        const conflict = { accused: accused.root, accuser: by.accuser, witness: by.accuser }
        requester.trust.settle(conflict, { accusedWrong: isTrue, witnessWrong: !isTrue, nowMs })
      }
      this.#noteBarred(requester, accused)
      this.#noteBarred(requester, accuser.actor)
    }
  }

  /** A slanderer shows a receipt of its own making against somebody who did right. */
  #slander(): void {
    if (this.init.attackers.role !== 'slanderer') return
    for (const accuser of this.requesters) {
      if (accuser.actor.role !== 'slanderer' || this.#rng.below(10) > 0) continue
      const accused = accuser.neighbours[this.#rng.below(accuser.neighbours.length)] as Actor
      if (accused.role !== 'slanderer' && accused.good > 0) this.#shown.push({ accused, accuser, true: false })
    }
  }

  #noteBarred(requester: Requester, actor: Actor): void {
    if (!requester.trust.isBarred(actor.root, this.nowMs)) return
    const by = this.#barred.get(actor.root) ?? new Set()
    if (by.has(requester)) return
    by.add(requester)
    this.#barred.set(actor.root, by)
    if (actor.role === 'honest') this.honestBarred++
    if (!this.firstBarredTick.has(actor.root)) this.firstBarredTick.set(actor.root, this.#tick)
    const place = requester.neighbours.indexOf(actor)
    if (place >= 0) requester.neighbours.splice(place, 1)
    const knowing = this.requesters.filter(({ known }) => known.has(actor)).length
    const barring = [...by].filter(({ known }) => known.has(actor)).length
    if (barring === knowing && !this.excludedTick.has(actor.root)) this.excludedTick.set(actor.root, this.#tick)
  }

  /** Once an hour everybody says what it found, and a clique what it wants believed. */
  #attestAll(): void {
    const { nowMs } = this
    const say = (attester: RootId, about: { subject: RootId; good: number; bad: number; scorePpm: number }): void => {
      const { subject, good, bad, scorePpm } = about
      const heard = {
        attester,
        subject,
        good,
        bad,
        score: ofPpm(scorePpm),
        atMs: nowMs,
        seq: this.#tick,
        bytes: NOTHING,
      }
      for (const { actor, trust, neighbours } of this.requesters) {
        if (actor.root !== attester && neighbours.some(({ root }) => root === subject)) trust.attestations.add(heard)
      }
    }
    for (const { actor, trust, neighbours } of this.requesters) {
      for (const { root } of neighbours) {
        const record = trust.record(root)
        const score = trust.ownScore(root, nowMs)
        if (record === undefined || score === null || tasksOf(record.total) < TASKS_MIN) continue
        say(actor.root, { subject: root, good: record.total.good, bad: record.total.bad, scorePpm: toPpm(score) })
      }
    }
    if (this.init.attackers.role !== 'clique' || !this.init.cliqueAttests) return
    const members = this.attackers()
    for (const { root: attester } of members) {
      for (const { root: subject } of members) {
        if (attester !== subject) say(attester, { subject, good: 1_000, bad: 0, scorePpm: PPM })
      }
    }
  }
}

const NOTHING = new Uint8Array()
