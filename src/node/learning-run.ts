import type { Cid, Hash, LearningTaskId, PeerId } from '../core/codec/ids.ts'
import { FIXED_ONE } from '../core/learning/fixed.ts'
import { COMMITS_PER_MESSAGE_MAX, MILLIONTHS } from '../core/learning/limits.ts'
import { decodeCommit } from '../core/learning/message-codec.ts'
import type { CommittedRound, SumsMessage } from '../core/learning/messages.ts'
import { parameterCount } from '../core/learning/model.ts'
import { PrivacyLedger } from '../core/learning/privacy/ledger.ts'
import { stepOfPlan } from '../core/learning/privacy/noise.ts'
import type { RoundEffect, RoundEventBody, RoundNotice } from '../core/learning/round-events.ts'
import { commitKey, LEARNING_BUCKETS, loadRounds } from '../core/learning/round-records.ts'
import { Rounds } from '../core/learning/rounds.ts'
import { isSecret, noisePlanOf } from '../core/learning/sum-plan.ts'
import type { LearningTask } from '../core/learning/task.ts'
import type { Commitment } from '../workers/proofs/contract.ts'
import { EffectQueue } from './effect-queue.ts'
import type { LearningData } from './learning-contract.ts'
import { LearningHistory } from './learning-history.ts'
import type { LearningLink } from './learning-link.ts'
import { LearningSums } from './learning-sums.ts'
import { LearningWorker, type LearningWorkers } from './learning-worker.ts'
import { recordReader } from './machines.ts'
import type { NodePorts } from './ports.ts'
import { describe } from './task-link.ts'
import { WakeTimer } from './wake-timer.ts'

/** Between attempts to get the model of a round that nobody gave. */
const MODEL_RETRY_MS = 1_000
/** Between attempts to train after one failed. */
const TRAIN_RETRY_MS = 2_000
/** Models kept: the newest, and those that members one or two rounds behind still ask for. */
const MODELS_KEPT = 3
/** Bytes of outcomes in one answer: below the transport's 4 MiB. */
const COMMITS_BYTES_MAX = 2 * 1024 * 1024

const HISTORY_BUCKET = 'learning-history'
const PRIVACY_BUCKET = 'learning-privacy'

type Effect<T extends RoundEffect['type']> = Extract<RoundEffect, { type: T }>

export interface LearningRunInit {
  readonly ports: NodePorts
  readonly link: LearningLink
  readonly workers: LearningWorkers
  readonly id: LearningTaskId
  readonly task: LearningTask
  readonly onChange: () => void
  readonly onNotice: (notice: RoundNotice) => void
  readonly onRefused: (error: unknown) => void
  /** The privacy budget does not have another round. */
  readonly onBudgetSpent: () => void
}

/** One task that this peer takes part in, or that it created: performs what the rounds ask for. */
export class LearningRun {
  readonly id: LearningTaskId
  readonly task: LearningTask
  readonly history: LearningHistory
  readonly worker: LearningWorker
  readonly #init: LearningRunInit
  readonly #machine: Rounds
  readonly #queue: EffectQueue<RoundEffect>
  readonly #timer: WakeTimer
  readonly #checking = new Set<string>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  readonly #models: Cid[] = []
  readonly #updates: Cid[][] = []
  readonly #ledger: PrivacyLedger | null
  readonly #sums: LearningSums
  /** What was trained in this round and is not masked yet, in a secure mode. */
  #secret: { readonly base: Hash; readonly values: Int32Array; readonly opening: Commitment | null } | null = null
  #stepsDone = 0
  #trainLoss: number | null = null
  #job: string | null = null

  private constructor(
    init: LearningRunInit,
    stored: { history: Uint8Array | undefined; ledger: PrivacyLedger | null },
  ) {
    this.#init = init
    this.id = init.id
    this.task = init.task
    this.history = new LearningHistory(init.ports.self, stored.history)
    this.#ledger = stored.ledger
    this.worker = new LearningWorker(init.ports, init.task, init.workers)
    this.#machine = new Rounds({ self: init.ports.self, id: init.id, task: init.task })
    this.#queue = new EffectQueue(init.ports.store, (effect) => this.#perform(effect), init.onRefused)
    this.#timer = new WakeTimer(init.ports.now, () => this.step({ type: 'tick' }))
    const { ports, link, id, task } = init
    this.#sums = new LearningSums({ ports, link, worker: this.worker, id, task, tell: (event) => this.step(event) })
  }

  /** Comes back with where the task stood here. */
  static async open(init: LearningRunInit, data: LearningData | null): Promise<LearningRun> {
    const { store } = init.ports
    const [history, ledger] = [await store.get(HISTORY_BUCKET, init.id), await store.get(PRIVACY_BUCKET, init.id)]
    const run = new LearningRun(init, { history, ledger: ledgerOf(init.task, ledger) })
    if (data !== null) await run.worker.load(data)
    const records = await loadRounds(recordReader(store), init.id)
    init.link.follow(init.id)
    run.step({ type: 'start', ...records })
    return run
  }

  get machine(): Rounds {
    return this.#machine
  }

  get ledger(): PrivacyLedger | null {
    return this.#ledger
  }

  /** Steps of the training under way. */
  get stepsDone(): number {
    return this.#stepsDone
  }

  step(event: RoundEventBody): void {
    if (this.#queue.stopped) return
    this.#queue.push(this.#machine.step({ ...event, nowMs: this.#init.ports.now() }))
    this.#init.onChange()
  }

  stop(): void {
    this.#queue.stop()
    this.#timer.stop()
    for (const timer of this.#timers) clearTimeout(timer)
    if (this.#job !== null) this.worker.cancel(this.#job)
    this.#sums.stop()
    this.#init.link.unfollow(this.id)
  }

  hearSums(from: PeerId, message: SumsMessage): void {
    this.#sums.hear(from, message)
  }

  #perform(effect: Exclude<RoundEffect, { type: 'persist' }>): void {
    const { link } = this.#init
    switch (effect.type) {
      case 'wakeAt':
        return this.#timer.at(effect.atMs)
      case 'publish':
        return link.publish(effect.message)
      case 'send':
        return link.send(effect.peer, effect.message)
      case 'sign':
        return void this.#sign(effect)
      case 'sendCommits':
        return void this.#sendCommits(effect).catch((error: unknown) => this.#complain('answer', error))
      case 'fetchModel':
        return void this.#fetchModel(effect)
      case 'train':
        return void this.#train(effect)
      case 'watchSums':
        return this.#sums.watch(effect.head)
      case 'offerUpdate':
        return this.#offer(effect)
      case 'sum':
        return this.#sums.begin(effect.base, effect.ready)
      case 'checkUpdate':
        return void this.#check(effect)
      case 'aggregate':
        return void this.#aggregate(effect)
      case 'emit':
        // In a turn of its own: a machine must not be stepped from within its own effects.
        return queueMicrotask(() => this.#noticed(effect.notice))
    }
  }

  async #sign({ draft }: Effect<'sign'>): Promise<void> {
    try {
      this.step({ type: 'signed', statement: await this.#init.link.sign(draft) })
    } catch (error) {
      this.#complain(`sign a ${draft.kind}`, error)
    }
  }

  async #sendCommits({ peer, round }: Effect<'sendCommits'>): Promise<void> {
    const { store } = this.#init.ports
    const commits: CommittedRound[] = []
    let bytes = 0
    for (let next = round; commits.length < COMMITS_PER_MESSAGE_MAX; next++) {
      const stored = await store.get(LEARNING_BUCKETS.commits, commitKey(this.id, next))
      if (stored === undefined || bytes + stored.length > COMMITS_BYTES_MAX) break
      bytes += stored.length
      commits.push(decodeCommit(stored))
    }
    if (commits.length > 0) this.#init.link.send(peer, { type: 'commits', task: this.id, commits })
  }

  async #fetchModel({ model, state, from }: Effect<'fetchModel'>): Promise<void> {
    if (model !== this.#machine.head.model) return
    try {
      await this.worker.have(model, from)
      if (state !== null) await this.worker.have(state, from)
      await this.#evaluate(model)
      this.step({ type: 'modelReady', model })
    } catch (error) {
      if (model !== this.#machine.head.model) return
      this.#complain('get the model', error)
      this.#later(MODEL_RETRY_MS, () => void this.#fetchModel({ type: 'fetchModel', model, state, from }))
    }
  }

  /** Keeps the curve: what the newest model does on the samples held out here. */
  async #evaluate(model: Cid): Promise<void> {
    const evaluation = await this.worker.evaluation(model)
    const { round } = this.#machine.head
    if (evaluation !== null) this.history.measured(round - 1, { loss: evaluation.loss, accuracy: evaluation.accuracy })
    await this.#saveHistory()
  }

  /** The update of a round goes into one sum; it is nowhere else, on disk neither. */
  #offer({ base }: Effect<'offerUpdate'>): void {
    const secret = this.#secret
    this.#secret = null
    if (secret?.base === base) this.#sums.offer(base, secret.values, secret.opening)
  }

  async #train({ round, base, model }: Effect<'train'>): Promise<void> {
    if (base !== this.#machine.head.base) return
    const plan = noisePlanOf(this.task)
    if (plan !== null && this.#ledger !== null) {
      const step = stepOfPlan(plan, { length: parameterCount(this.task.architecture) })
      if (this.#ledger.stepsLeft(step) === 0) return queueMicrotask(() => this.#init.onBudgetSpent())
    }
    const job = `${this.id}/${round}`
    this.#job = job
    this.#stepsDone = 0
    try {
      const trained = await this.worker.train({
        job,
        model,
        ledger: this.#ledger,
        charged: (ledger) =>
          this.#init.ports.store.write([{ bucket: PRIVACY_BUCKET, key: this.id, value: ledger.encode() }]),
        onProgress: ({ step }) => {
          this.#stepsDone = step
          this.#init.onChange()
        },
      })
      this.#stepsDone = this.task.training.localSteps
      this.#trainLoss = trained.loss
      if (isSecret(this.task)) {
        const opening = this.task.proofs === undefined ? null : await this.worker.commit(trained.values)
        this.#secret = { base, values: trained.values, opening }
        return this.step({ type: 'trained', base, update: null, norm: null, commitment: null })
      }
      const { cid: update, norm } = await this.worker.publishable(trained.values)
      this.step({ type: 'trained', base, update, norm, commitment: null })
    } catch (error) {
      if (base !== this.#machine.head.base || this.#queue.stopped) return
      this.#complain('train', error)
      this.#later(TRAIN_RETRY_MS, () => void this.#train({ type: 'train', round, base, model }))
    }
  }

  async #check({ base, model, announcement, peer, from }: Effect<'checkUpdate'>): Promise<void> {
    const { update, norm } = announcement
    const key = `${base}/${peer}/${update}`
    if (this.#checking.has(key)) return
    this.#checking.add(key)
    try {
      const verdict = await this.worker.check({ model, update, norm, from })
      if (base !== this.#machine.head.base) return
      if (norm !== null) this.history.announced(peer, norm / FIXED_ONE)
      this.step({ type: 'updateChecked', base, peer, update, verdict })
    } catch (error) {
      this.#complain('check an update', error)
    } finally {
      this.#checking.delete(key)
    }
  }

  async #aggregate({ base, key, head, updates }: Effect<'aggregate'>): Promise<void> {
    try {
      const result = await this.worker.aggregate(head, updates)
      this.step({ type: 'aggregated', base, key, result })
    } catch (error) {
      this.#complain('merge updates', error)
      this.step({ type: 'aggregated', base, key, result: null })
    }
  }

  #noticed(notice: RoundNotice): void {
    if (notice.type === 'committed') {
      if (this.#job !== null && this.#job !== `${this.id}/${notice.head.round}`) this.worker.cancel(this.#job)
      this.#sums.keepOnly(this.#machine.head.base)
      this.history.committed(notice, this.#init.ports.now())
      const { round, updates } = notice.commit.outcome
      const epsilon = this.#ledger === null ? null : this.#ledger.spent().epsilon
      this.history.measured(round, { trainLoss: this.#trainLoss, epsilon })
      this.#trainLoss = null
      void this.#forget(
        notice.head.model,
        updates.map(({ update }) => update),
      )
      void this.#saveHistory()
    } else if (notice.type === 'refused') {
      this.#init.ports.log.write('debug', 'learning', `Refused from ${notice.peer.slice(-6)}: ${notice.code}`)
    }
    this.#init.onNotice(notice)
    this.#init.onChange()
  }

  /** Models and updates of rounds that nobody asks for any more. */
  async #forget(model: Cid, updates: readonly Cid[]): Promise<void> {
    if (!this.#models.includes(model)) this.#models.push(model)
    this.#updates.push([...updates])
    const old: Cid[] = []
    while (this.#models.length > MODELS_KEPT) old.push(this.#models.shift() as Cid)
    while (this.#updates.length > MODELS_KEPT) old.push(...(this.#updates.shift() as Cid[]))
    const kept = new Set([this.task.initialModel, ...this.#models])
    const gone = old.filter((cid) => !kept.has(cid))
    if (gone.length > 0) await this.worker.forget(gone).catch((error: unknown) => this.#complain('tidy up', error))
  }

  async #saveHistory(): Promise<void> {
    if (this.#queue.stopped) return
    await this.#init.ports.store
      .write([{ bucket: HISTORY_BUCKET, key: this.id, value: this.history.encode() }])
      .catch((error: unknown) => this.#init.onRefused(error))
  }

  #later(delayMs: number, work: () => void): void {
    if (this.#queue.stopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, delayMs)
    this.#timers.add(timer)
  }

  #complain(what: string, error: unknown): void {
    if (this.#queue.stopped) return
    this.#init.ports.log.write('warn', 'learning', `Could not ${what} of "${this.task.name}": ${describe(error)}`)
  }
}

/** Buckets and keys that hold what is known of a task here, but for its data. */
export async function forgetRunOps(ports: NodePorts, id: LearningTaskId) {
  const ops = [HISTORY_BUCKET, PRIVACY_BUCKET, LEARNING_BUCKETS.heads, LEARNING_BUCKETS.said].map((bucket) => ({
    bucket,
    key: id as string,
    value: undefined,
  }))
  for await (const [key] of ports.store.list(LEARNING_BUCKETS.commits, `${id}/`))
    ops.push({ bucket: LEARNING_BUCKETS.commits, key, value: undefined })
  return ops
}

function ledgerOf({ privacy }: LearningTask, stored: Uint8Array | undefined): PrivacyLedger | null {
  if (privacy === null) return null
  if (stored !== undefined) return PrivacyLedger.decode(stored)
  const perTrillion = privacy.deltaBillionths * 1_000
  return new PrivacyLedger({
    epsilonPpm: Math.round((privacy.epsilonMillionths / MILLIONTHS) * MILLIONTHS),
    deltaPerTrillion: perTrillion,
  })
}
