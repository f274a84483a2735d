import { encode } from '../../core/codec/cbor.ts'
import { cidOf } from '../../core/codec/cid.ts'
import type { Cid, Hash, LearningTaskId, PeerId } from '../../core/codec/ids.ts'
import { peerIdOf } from '../../core/identity/peer-id.ts'
import { prepareStatement, sealStatement } from '../../core/identity/statement.ts'
import { decodeCommit, outcomeHash } from '../../core/learning/message-codec.ts'
import type { CommittedRound, LearningStatement, RoundMessage, SumsMessage } from '../../core/learning/messages.ts'
import type { RoundEffect, RoundEventBody, StatementDraft } from '../../core/learning/round-events.ts'
import { isDone, type RoundHead } from '../../core/learning/round-head.ts'
import { commitKey, LEARNING_BUCKETS, loadRounds } from '../../core/learning/round-records.ts'
import { RoundSums } from '../../core/learning/round-sums.ts'
import { Rounds } from '../../core/learning/rounds.ts'
import { participantsMin } from '../../core/learning/rules.ts'
import { isSecret, sumGroups } from '../../core/learning/sum-plan.ts'
import {
  type AggregationMode,
  type LearningTask,
  learningTaskId,
  validateLearningTask,
} from '../../core/learning/task.ts'
import { learningTask } from '../learning-fixtures.ts'
import { seededBytes } from '../seeded-bytes.ts'
import { EffectRunner } from './effect-runner.ts'
import { SumActor, type SumBehaviour, SumTruth } from './learning-sums.ts'
import { SimStore } from './sim-store.ts'
import { World } from './world.ts'

/**
 * `equivocator`: signs two updates, two proposals and two votes and sends each half of the others one of them. `poisoner`: sends an update
 * that everyone finds bad. `mute`: announces and never votes. Together fewer than a third of all.
 */
export type LearningBehaviour = 'equivocator' | 'poisoner' | 'mute' | SumBehaviour

const PLAIN_BEHAVIOURS = ['equivocator', 'equivocator', 'poisoner', 'mute'] as const
const SECRET_BEHAVIOURS = ['equivocator', 'mute', 'false-dealer', 'spoiler', 'liar', 'twice', 'deserter'] as const
const PROVING_BEHAVIOURS = [...SECRET_BEHAVIOURS, 'false-prover', 'false-prover', 'false-prover'] as const

export interface LearningSimOptions {
  readonly peers?: number
  readonly rounds?: number
  /** @default 'plain' */
  readonly mode?: AggregationMode
  /** Members prove the norm of what they sum up; some hostile ones falsely. For a secure mode. */
  readonly proofs?: boolean
  /** Broken on purpose. */
  readonly quorum?: (members: number) => number
  /** Virtual time after the faults in which every honest peer must be through. @default 600,000 */
  readonly livenessMs?: number
  readonly trace?: (line: string) => void
}

export interface LearningSimReport {
  readonly seed: number
  readonly peers: number
  readonly hostile: number
  readonly rounds: number
  readonly merged: number
  readonly finished: number
  readonly attemptsMax: number
  /** Of secure modes: sums found, those with fewer contributors than members (each peer counts), and convictions. */
  readonly sums: { readonly found: number; readonly withDropouts: number; readonly convicted: number } | null
  readonly steps: number
  readonly virtualMs: number
}

/** A broken promise of the rounds. */
export class LearningViolation extends Error {
  override readonly name = 'LearningViolation'
}

interface Links {
  readonly delayMsMax: number
  readonly lossPpm: number
  readonly duplicatePpm: number
}

const ROUND_MS = 12_000
/** Parameters of the task's model. */
const VALUES = 6

class Run {
  readonly world: World
  readonly links: Links
  readonly faultsEndMs: number
  readonly task: LearningTask
  readonly id: LearningTaskId
  readonly actors = new Map<PeerId, Actor>()
  readonly options: LearningSimOptions
  readonly partitions: { fromMs: number; toMs: number; side: Set<PeerId> }[] = []
  /** First outcome that any honest peer committed, by round. */
  readonly decided = new Map<number, Hash>()
  attemptsMax = 0
  readonly truth = new SumTruth({
    violated: (what) => {
      throw new LearningViolation(what)
    },
    isHonest: (peer) => this.actors.get(peer)?.behaviour === 'honest',
  })

  constructor(seed: number, options: LearningSimOptions) {
    this.options = options
    this.world = new World(seed, options.trace ?? null)
    const { world } = this
    const mode = options.mode ?? 'plain'
    const grouped = mode === 'grouped'
    const count = options.peers ?? (grouped ? world.between(16, 22) : world.between(4, mode === 'plain' ? 16 : 10))
    const calm = world.rng.below(4) === 0
    this.links = {
      delayMsMax: world.between(20, 400),
      lossPpm: calm ? 0 : world.between(0, 200_000),
      duplicatePpm: calm ? 0 : world.between(0, 100_000),
    }
    this.faultsEndMs = calm ? 0 : world.between(20_000, 90_000)
    const ids = Array.from({ length: count }, () =>
      peerIdOf(Uint8Array.from({ length: 32 }, () => world.rng.below(256))),
    )
    const creator = ids[0] as PeerId
    const least = Math.max(mode === 'plain' ? 2 : grouped ? 12 : 3, Math.ceil(count * 0.6))
    this.task = validateLearningTask(
      learningTask(creator, {
        nonce: Uint8Array.from({ length: 16 }, () => world.rng.below(256)),
        name: 'simulated',
        // Nobody really trains.
        training: {
          optimiser: 'sgd',
          learningRateMillionths: 1_000,
          momentumMillionths: 0,
          proximalMuMillionths: 0,
          batchSize: 1,
          localSteps: 1,
        },
        rounds: options.rounds ?? world.between(2, 5),
        participantsMin: least,
        participantsTarget: Math.max(least, Math.floor(count * 0.8)),
        joinMs: 5_000,
        trainMs: ROUND_MS,
        voteMs: 2_000,
        mode,
        rule: grouped ? { rule: 'median', byzantineMax: 1 } : { rule: 'mean', byzantineMax: 0 },
        ...(options.proofs === true ? { proofs: { projections: 62 } } : {}),
        createdAtMs: world.nowMs,
      }),
    )
    this.id = learningTaskId(this.task)
    // Of any set of members that trains, fewer than a third are hostile.
    const hostileMax = grouped ? 1 : Math.floor((least - 1) / 3)
    let hostile = 0
    for (const [i, peer] of ids.entries()) {
      const wicked = i > 0 && hostile < hostileMax && world.rng.below(3) === 0
      if (wicked) hostile++
      const secret = options.proofs === true ? PROVING_BEHAVIOURS : SECRET_BEHAVIOURS
      const behaviours = mode === 'plain' ? PLAIN_BEHAVIOURS : secret
      const behaviour = wicked ? (behaviours[world.rng.below(behaviours.length)] as LearningBehaviour) : 'honest'
      this.actors.set(peer, new Actor(this, peer, behaviour))
    }
    if (!calm) {
      for (let i = world.rng.below(3); i > 0; i--) {
        const fromMs = world.rng.below(this.faultsEndMs)
        const toMs = Math.min(this.faultsEndMs, fromMs + world.between(3_000, 25_000))
        this.partitions.push({ fromMs, toMs, side: new Set(ids.filter(() => world.rng.below(2) === 0)) })
      }
    }
  }

  get faulty(): boolean {
    return this.world.sinceStartMs < this.faultsEndMs
  }

  deliver(from: PeerId, to: PeerId, message: RoundMessage | SumsMessage): void {
    const { world } = this
    const now = world.sinceStartMs
    if (this.partitions.some((cut) => now >= cut.fromMs && now < cut.toMs && cut.side.has(from) !== cut.side.has(to)))
      return
    if (this.faulty && world.chance(this.links.lossPpm)) return
    const send = () =>
      world.after(world.between(1, this.links.delayMsMax), () => this.actors.get(to)?.receive(from, message))
    send()
    if (this.faulty && world.chance(this.links.duplicatePpm)) send()
  }

  committed(peer: PeerId, commit: CommittedRound): void {
    const hash = outcomeHash(commit.outcome)
    this.attemptsMax = Math.max(this.attemptsMax, commit.view + 1)
    const before = this.decided.get(commit.outcome.round)
    if (before !== undefined && before !== hash)
      throw new LearningViolation(`[one-model] round ${commit.outcome.round} was decided twice, last by ${peer}`)
    this.decided.set(commit.outcome.round, hash)
    for (const { peer: member } of commit.outcome.rejected) {
      const behaviour = this.actors.get(member)?.behaviour
      if (behaviour === 'honest') throw new LearningViolation(`[just-rejection] honest ${member} was rejected`)
    }
    // An outcome is a function of what came before: the same set must have made it.
    const made = isSecret(this.task) ? this.truth.modelOf(commit.outcome) : modelOf(commit)
    const expected = commit.outcome.skipped === null ? made : null
    if (expected !== null && expected !== commit.outcome.model)
      throw new LearningViolation(`[same-bytes] round ${commit.outcome.round} has another model than its updates make`)
  }
}

function modelOf({ outcome }: CommittedRound): Cid {
  return mergedModel(outcome.base, outcome.updates)
}

/** Stands for the arithmetic: a name that follows from the round before and the set alone. */
function mergedModel(base: Hash, updates: CommittedRound['outcome']['updates']): Cid {
  return cidOf(encode({ base, updates }), 'raw')
}

/** One peer of the run: the real machine, its store, and what its effects do. */
class Actor {
  readonly behaviour: LearningBehaviour
  readonly store = new SimStore()
  readonly #run: Run
  readonly #peer: PeerId
  #machine: Rounds | null = null
  #sums: SumActor | null = null
  #input: Int32Array | null = null
  #runner: EffectRunner<RoundEffect> | null = null
  #life = 0
  #wakeAtMs = Number.POSITIVE_INFINITY
  #statements = 0

  constructor(run: Run, peer: PeerId, behaviour: LearningBehaviour) {
    this.#run = run
    this.#peer = peer
    this.behaviour = behaviour
  }

  get up(): boolean {
    return this.#machine !== null
  }

  get machine(): Rounds | null {
    return this.#machine
  }

  async boot(): Promise<void> {
    const { world, task, id, options } = this.#run
    const life = ++this.#life
    const { head, record } = await loadRounds(this.store, id)
    const machine = new Rounds({
      self: this.#peer,
      id,
      task,
      ...(options.quorum !== undefined && { quorum: options.quorum }),
    })
    this.#machine = machine
    this.#wakeAtMs = Number.POSITIVE_INFINITY
    this.#runner = new EffectRunner(world, {
      alive: () => this.#life === life && this.#machine !== null,
      write: (ops) => this.store.write(ops),
      wakeAt: (atMs) => this.#wake(atMs, life),
      perform: (effect) => this.#perform(effect as RoundEffect),
    })
    this.step({ type: 'start', head, record })
    this.step({ type: 'want', wants: 'in' })
  }

  crash(): void {
    this.#sums?.close()
    this.#sums = null
    this.#life++
    this.#machine = null
  }

  step(event: RoundEventBody): void {
    const machine = this.#machine
    if (machine === null) return
    this.#runner?.push(machine.step({ ...event, nowMs: this.#run.world.nowMs }))
  }

  receive(from: PeerId, message: RoundMessage | SumsMessage): void {
    if (message.type === 'sum' || message.type === 'sumWant') this.#sums?.step({ type: 'message', from, message })
    else this.step({ type: 'message', from, message })
  }

  #wake(atMs: number, life: number): void {
    if (atMs === this.#wakeAtMs) return
    this.#wakeAtMs = atMs
    const { world } = this.#run
    world.after(atMs - world.nowMs, () => {
      if (this.#life !== life || this.#wakeAtMs !== atMs) return
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.step({ type: 'tick' })
    })
  }

  #perform(effect: RoundEffect): void {
    const { world, actors, id } = this.#run
    switch (effect.type) {
      case 'sign':
        return this.#sign(effect.draft)
      case 'publish':
        for (const peer of actors.keys()) if (peer !== this.#peer) this.#run.deliver(this.#peer, peer, effect.message)
        return
      case 'send':
        return this.#run.deliver(this.#peer, effect.peer, effect.message)
      case 'sendCommits': {
        const commits: CommittedRound[] = []
        for (let round = effect.round; commits.length < 20; round++) {
          const stored = this.store.read(LEARNING_BUCKETS.commits, commitKey(id, round))
          if (stored === undefined) break
          commits.push(decodeCommit(stored))
        }
        if (commits.length > 0) this.#run.deliver(this.#peer, effect.peer, { type: 'commits', task: id, commits })
        return
      }
      case 'fetchModel':
        return this.#later(world.between(1, 50), { type: 'modelReady', model: effect.model })
      case 'watchSums':
        return this.#watch(effect.head)
      case 'offerUpdate':
        if (this.#input !== null && this.#sums?.base === effect.base) {
          this.#run.truth.offered(effect.base, this.#peer, this.#input)
          this.#sums.offer(this.#input)
        }
        return
      case 'sum':
        return this.#sums?.base === effect.base ? this.#sums.step({ type: 'begin', ready: effect.ready }) : undefined
      case 'train': {
        if (isSecret(this.#run.task)) {
          this.#input = Int32Array.from({ length: VALUES }, () => world.rng.below(40_001) - 20_000)
          const event = { type: 'trained', base: effect.base, update: null, norm: null, commitment: null } as const
          return this.#later(world.between(200, world.rng.below(20) === 0 ? 2 * ROUND_MS : 3_000), event)
        }
        const update = cidOf(encode({ peer: this.#peer, base: effect.base, draw: world.rng.below(1e9) }), 'raw')
        const event = { type: 'trained', base: effect.base, update, norm: 1, commitment: null } as const
        // Now and then one is too slow for the round.
        return this.#later(world.between(200, world.rng.below(20) === 0 ? 2 * ROUND_MS : 3_000), event)
      }
      case 'checkUpdate': {
        const { base, peer, announcement } = effect
        const bad = actors.get(peer)?.behaviour === 'poisoner'
        return this.#later(world.between(1, 300), {
          type: 'updateChecked',
          base,
          peer,
          update: announcement.update,
          verdict: bad ? 'bad' : 'good',
        })
      }
      case 'aggregate': {
        const { base, key, head, updates } = effect
        if (this.#sums !== null) return this.#mergeSums(this.#sums, effect)
        const result = { model: mergedModel(head.base, updates), state: null, worse: false }
        return this.#later(world.between(1, 100), { type: 'aggregated', base, key, result })
      }
      case 'emit':
        if (effect.notice.type === 'committed' && this.behaviour === 'honest')
          this.#run.committed(this.#peer, effect.notice.commit)
        if (effect.notice.type === 'committed') {
          const { outcome } = effect.notice.commit
          world.trace(
            () =>
              `${this.#peer.slice(-4)} round ${outcome.round} ${outcome.skipped ?? 'merged'} ${outcomeHash(outcome).slice(0, 8)} view ${effect.notice.type === 'committed' ? effect.notice.commit.view : 0}`,
          )
        }
        return
    }
  }

  #watch(head: RoundHead): void {
    const { world, actors, task, id, truth } = this.#run
    this.#sums?.close()
    const life = this.#life
    const { base } = head
    const known = ['false-dealer', 'spoiler', 'liar', 'twice', 'deserter', 'false-prover'] as const
    const sums = new SumActor({
      self: this.#peer,
      id,
      task,
      head,
      world,
      truth,
      random: seededBytes(world.rng.below(2 ** 32)),
      behaviour: known.find((behaviour) => behaviour === this.behaviour) ?? 'honest',
      others: [...actors.keys()].filter((peer) => peer !== this.#peer),
      alive: () => this.#life === life,
      deliver: (to, message) => this.#run.deliver(this.#peer, to, message),
      // In a turn of its own: a machine is not stepped from within its own effects.
      summed: (group, updates) => this.#later(0, { type: 'summed', base, group, updates }),
      convicted: (peer, statements) => {
        if (actors.get(peer)?.behaviour === 'honest')
          throw new LearningViolation(`[just-rejection] honest ${peer} was convicted`)
        this.#later(0, { type: 'convicted', base, peer, statements })
      },
    })
    this.#sums = sums
  }

  #mergeSums(sums: SumActor, { base, key, head, updates }: Extract<RoundEffect, { type: 'aggregate' }>): void {
    const { task, id, world, truth } = this.#run
    const parts = new RoundSums(sumGroups(task, id, head)).parts(updates)
    const values = parts.map((part) => [...(sums.sumOf(part) ?? [])]).filter(({ length }) => length > 0)
    const model = cidOf(encode({ base, values }), 'raw')
    if (values.length < participantsMin(task.rule))
      return this.#later(1, { type: 'aggregated', base, key, result: null })
    if (this.behaviour === 'honest') truth.merged(base, updates, model)
    this.#later(world.between(1, 100), {
      type: 'aggregated',
      base,
      key,
      result: { model, state: null, worse: false },
    })
  }

  #later(delayMs: number, event: RoundEventBody): void {
    const life = this.#life
    this.#run.world.after(delayMs, () => {
      if (this.#life === life) this.step(event)
    })
  }

  /** Signatures are not simulated: a statement is what its author made. */
  #sign(draft: StatementDraft): void {
    if (this.behaviour === 'mute' && draft.kind === 'update-vote') return
    this.#run.world.trace(() => `${this.#peer.slice(-4)} ${this.behaviour} says ${described(draft)}`)
    const statement = this.#statement(draft)
    if (this.behaviour === 'equivocator' && draft.kind !== 'learning-membership') this.#contradict(draft)
    this.#later(1, { type: 'signed', statement })
  }

  #statement(draft: StatementDraft): LearningStatement {
    const { world } = this.#run
    const timestampMs = world.nowMs
    const nonce = new Uint8Array(16)
    new DataView(nonce.buffer).setUint32(0, this.#statements++)
    const prepared = prepareStatement<unknown>({ network: 'sim', seq: 0, timestampMs, nonce, ...draft }, this.#peer)
    const { bytes } = sealStatement(prepared, new Uint8Array(64))
    // Kind and body belong together in the draft.
    return { ...draft, author: this.#peer, timestampMs, bytes } as LearningStatement
  }

  /** Tells some of the others something else. */
  #contradict(draft: StatementDraft): void {
    const { world, actors, id } = this.#run
    const other = contradiction(draft)
    if (other === null) return
    const message: RoundMessage = { type: 'bundle', task: id, statements: [this.#statement(other)] }
    for (const peer of actors.keys())
      if (peer !== this.#peer && world.rng.below(2) === 0) this.#run.deliver(this.#peer, peer, message)
  }
}

function described(draft: StatementDraft): string {
  if (draft.kind === 'learning-membership') return draft.body.wants
  const at = `${draft.kind} round ${draft.body.round}`
  if (draft.kind === 'update-announcement') return at
  if (draft.kind === 'round-proposal') {
    const { updates, rejected, joined, left, skipped } = draft.body.outcome
    const short = (peers: readonly { readonly peer: PeerId }[]) => peers.map(({ peer }) => peer.slice(-4)).join(',')
    const change = `joined ${joined.length} left ${left.map(({ peer, reason }) => `${peer.slice(-4)} ${reason}`).join(',')}`
    return `${at} view ${draft.body.view} ${skipped ?? 'merged'} ${short(updates)} rejected ${short(rejected)} ${change}`
  }
  const { step, view, outcome, reason, scores } = draft.body
  const bad = scores.filter((score) => score.bad).map(({ peer }) => peer.slice(-4))
  return `${at} ${step} view ${view} ${outcome?.slice(0, 8) ?? 'against'} ${reason ?? ''} ${step === 'score' ? `${scores.length} bad ${bad.join(',')}` : ''}`
}

/** A statement of the same place that says something else. */
function contradiction(draft: StatementDraft): StatementDraft | null {
  if (draft.kind === 'update-announcement' && draft.body.update === null) return null
  if (draft.kind === 'update-announcement')
    return { kind: draft.kind, body: { ...draft.body, update: cidOf(encode([draft.body.update]), 'raw') } }
  if (draft.kind === 'round-proposal') {
    const { outcome } = draft.body
    if (outcome.updates.length < 2 || outcome.skipped !== null) return null
    const updates = outcome.updates.slice(1)
    return {
      kind: draft.kind,
      body: { ...draft.body, outcome: { ...outcome, updates, model: mergedModel(outcome.base, updates) } },
    }
  }
  if (draft.kind === 'update-vote' && draft.body.step !== 'score')
    return { kind: draft.kind, body: { ...draft.body, outcome: draft.body.outcome === null ? draft.body.base : null } }
  return null
}

const LIVENESS_MS = 600_000

/**
 * Runs one seed to its end.
 *
 * @throws {@link LearningViolation} When the rounds break a promise.
 */
export async function runLearning(seed: number, options: LearningSimOptions = {}): Promise<LearningSimReport> {
  const run = new Run(seed, options)
  const { world, actors } = run
  const boot = (actor: Actor) => {
    world.blocker = (world.blocker ?? Promise.resolve()).then(() => actor.boot())
  }
  for (const actor of actors.values()) {
    const late = world.rng.below(6) === 0
    world.after(late ? world.between(5_000, 40_000) : world.between(0, 3_000), () => boot(actor))
  }
  // Churn: peers crash and come back while faults last.
  for (let i = 0; i < actors.size && run.faultsEndMs > 0; i++) {
    if (world.rng.below(3) > 0) continue
    const actor = [...actors.values()][i] as Actor
    world.after(world.between(4_000, run.faultsEndMs), () => {
      actor.crash()
      world.after(world.between(100, 20_000), () => boot(actor))
    })
  }
  const honest = [...actors.values()].filter(({ behaviour }) => behaviour === 'honest')
  const through = () =>
    world.sinceStartMs >= run.faultsEndMs &&
    honest.every(({ machine }) => machine !== null && isDone(machine.head, run.task))
  const ended = await world.run(through, run.faultsEndMs + (options.livenessMs ?? LIVENESS_MS))
  if (!ended) {
    const at = honest.map(({ machine }) => (machine === null ? 'down' : JSON.stringify(machine.progress)))
    throw new LearningViolation(`[liveness] not all honest peers finished: ${at.join(' ')}`)
  }
  const models = new Set(honest.map(({ machine }) => machine?.head.model))
  if (models.size !== 1) throw new LearningViolation(`[same-model] honest peers ended with ${models.size} models`)
  return {
    seed,
    peers: actors.size,
    hostile: actors.size - honest.length,
    rounds: run.decided.size,
    merged: run.task.rounds,
    finished: honest.length,
    attemptsMax: run.attemptsMax,
    sums: isSecret(run.task)
      ? { found: run.truth.summed, withDropouts: run.truth.dropouts, convicted: run.truth.convicted }
      : null,
    steps: world.steps,
    virtualMs: world.sinceStartMs,
  }
}
