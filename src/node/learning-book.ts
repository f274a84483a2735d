import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { cidOf } from '../core/codec/cid.ts'
import { StarlingError } from '../core/codec/errors.ts'
import { bytes } from '../core/codec/fields.ts'
import type { LearningTaskId, PeerId } from '../core/codec/ids.ts'
import { RECORD_LIMITS } from '../core/codec/limits.ts'
import { encodeVector, fromFixedVector, toFixedVector } from '../core/learning/fixed.ts'
import { TASKS_KNOWN_MAX, TASKS_PER_MESSAGE_MAX } from '../core/learning/limits.ts'
import { initialWeights, inputsOf, parameterCount } from '../core/learning/model.ts'
import { writeOnnx } from '../core/learning/model-onnx.ts'
import { writeSafetensors } from '../core/learning/model-safetensors.ts'
import { privacyMeaning } from '../core/learning/privacy/meaning.ts'
import { stepOfPlan } from '../core/learning/privacy/noise.ts'
import { normProofBytes } from '../core/learning/proofs/proof-size.ts'
import type { RoundNotice } from '../core/learning/round-events.ts'
import { isSecret, noisePlanOf } from '../core/learning/sum-plan.ts'
import {
  type LearningTask,
  learningTaskId,
  readTableSchema,
  signLearningTask,
  verifyLearningTask,
} from '../core/learning/task.ts'
import type { Network } from '../net/network.ts'
import type { StoreOp } from '../storage/store.ts'
import type { Reason } from './contract.ts'
import type {
  ConfusionMatrix,
  LearningApi,
  LearningBudget,
  LearningData,
  LearningDataSummary,
  LearningEvent,
  LearningFact,
  LearningOptions,
  LearningPrediction,
  LearningPreview,
  LearningProgress,
  LearningState,
  LearningTaskDetail,
  LearningTaskSpec,
  LearningTaskSummary,
} from './learning-contract.ts'
import { dataOps, forgetDataOps, readData, sourceToInspect } from './learning-data.ts'
import { LearningLink } from './learning-link.ts'
import { forgetRunOps, LearningRun } from './learning-run.ts'
import { optionsOf, optionsOfTask, taskOf } from './learning-spec.ts'
import { LearningWorker, type LearningWorkers } from './learning-worker.ts'
import type { SampledGauge } from './metrics.ts'
import type { NodePorts } from './ports.ts'
import { describe } from './task-link.ts'

/** No task of this id is known here, or it is not in a state for what was asked. */
export class LearningTaskError extends StarlingError {
  override readonly name = 'LearningTaskError'
}

const TASKS_BUCKET = 'learning-tasks'
/** Tasks one takes part in are announced this often, for peers that came since. */
const ANNOUNCE_INTERVAL_MS = 5_000
/** A link that was just made cannot carry a message of ours yet on the other side. */
const GREET_DELAY_MS = 1_000

const recordSchema = v.strictObject({
  signed: bytes(1, RECORD_LIMITS.bytesMax),
  wants: v.nullable(v.picklist(['in', 'out'])),
  paused: v.boolean(),
  stopped: v.nullable(v.string()),
})

interface Entry {
  readonly id: LearningTaskId
  readonly task: LearningTask
  readonly signed: Uint8Array
  wants: 'in' | 'out' | null
  paused: boolean
  /** Why it ended here by itself. */
  stopped: string | null
  run: LearningRun | null
  changed: boolean
}

export interface LearningBookInit {
  readonly ports: NodePorts
  readonly network: Network
  readonly workers: LearningWorkers
  readonly isBarred: (peer: PeerId) => boolean
  /** What moves reputation: an update of a peer was merged, or members voted it out. */
  readonly onModelUpdate: (peer: PeerId, good: boolean, detail: string) => void
}

/** The learning tasks of this peer: what pages and the CLI ask of them. */
export class LearningBook implements LearningApi {
  readonly #init: LearningBookInit
  readonly #link: LearningLink
  readonly #entries = new Map<LearningTaskId, Entry>()
  readonly #stops: (() => void)[] = []
  readonly #counts = { merged: 0, skipped: 0, rejected: 0, evidence: 0 }

  constructor(init: LearningBookInit) {
    this.#init = init
    this.#link = new LearningLink(init.ports, init.network, {
      isBarred: init.isBarred,
      message: (from, message) => this.#entries.get(message.task)?.run?.step({ type: 'message', from, message }),
      sums: (from, message) => this.#entries.get(message.task)?.run?.hearSums(from, message),
      tasks: (from, tasks) => void this.#heard(from, tasks),
    })
  }

  /** Goes on with what the store holds. */
  async start(): Promise<void> {
    const { ports, network } = this.#init
    this.#link.start()
    for await (const [key, value] of ports.store.list(TASKS_BUCKET, '')) await this.#restore(key, value)
    const timer = setInterval(() => this.#announce(), ANNOUNCE_INTERVAL_MS)
    this.#stops.push(
      () => clearInterval(timer),
      network.on('peer:connect', ({ peer }) => {
        const greeting = setTimeout(() => this.#greet(peer), GREET_DELAY_MS)
        this.#stops.push(() => clearTimeout(greeting))
      }),
    )
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
    for (const { run } of this.#entries.values()) run?.stop()
    this.#link.stop()
    this.#init.workers.stop()
  }

  // ---------------------------------------------------------------- contract

  async learningTasks(): Promise<readonly LearningTaskSummary[]> {
    return [...this.#entries.values()]
      .map((entry) => this.#summary(entry))
      .sort((a, b) => b.createdAt - a.createdAt || (a.taskId < b.taskId ? -1 : 1))
  }

  async learningTask(taskId: string): Promise<LearningTaskDetail | null> {
    const entry = this.#entries.get(taskId as LearningTaskId)
    return entry === undefined ? null : this.#detail(entry)
  }

  async learningOptions(spec: LearningTaskSpec): Promise<LearningOptions> {
    await this.#make(spec)
    return optionsOf(spec)
  }

  async createLearningTask(spec: LearningTaskSpec): Promise<string> {
    const { ports } = this.#init
    const { task, weights } = await this.#make(spec)
    const worker = new LearningWorker(ports, task, this.#init.workers)
    await worker.keep(weights)
    const signed = await signLearningTask(task, { ...(await ports.statements.stamp()), signer: ports.signer })
    const id = learningTaskId(task)
    const entry = this.#add(id, task, signed.bytes)
    await this.#save(entry)
    await this.#run(entry, null)
    this.#announce()
    return id
  }

  async inspectLearningData(data: Exclude<LearningData, { kind: 'samples' }>): Promise<LearningDataSummary> {
    const training = this.#init.workers.training()
    const loaded = await training.load({
      source: sourceToInspect(data),
      heldOutShare: 0,
      seed: 0,
      partition: null,
      samplesMax: null,
    })
    await training.unload(loaded.id)
    const { training: samples, features: inputs, labelNames: classes, perClass, picture, schema: table } = loaded
    return { samples, inputs, classes, perClass, picture, table }
  }

  async previewLearning(taskId: string, data: LearningData): Promise<LearningPreview> {
    const { task } = this.#entry(taskId)
    const worker = new LearningWorker(this.#init.ports, task, this.#init.workers)
    const { training, heldOut, perClass } = await worker.load(data)
    await worker.unload()
    const samples = training + heldOut
    const warnings: Reason[] = []
    if (samples < task.training.batchSize * 4) warnings.push({ code: 'few-samples', detail: String(samples) })
    const missing = task.classes.filter((_, at) => (perClass[at] ?? 0) === 0)
    if (missing.length > 0) warnings.push({ code: 'classes-missing', detail: missing.join(', ') })
    if (task.privacy === null) warnings.push({ code: 'no-noise' })
    if (task.participantsMin < 5) warnings.push({ code: 'few-members', detail: String(task.participantsMin) })
    const leaves: LearningFact[] = [
      ...(isSecret(task)
        ? [{ code: 'masked-update', bytes: worker.vectorBytes }, ...proofLeaves(task)]
        : [
            { code: 'update', bytes: worker.vectorBytes },
            { code: 'norm', bytes: 8 },
          ]),
      { code: 'votes', bytes: null },
      { code: 'presence', bytes: null },
    ]
    const stays: LearningFact[] = [
      { code: 'samples', bytes: samples * inputsOf(task.architecture) * 4 },
      { code: 'labels', bytes: samples },
      { code: 'device-key', bytes: null },
    ]
    return { samples, perClass, stays, leaves, warnings }
  }

  async joinLearning(taskId: string, data: LearningData): Promise<void> {
    const entry = this.#entry(taskId)
    if (entry.run === null) await this.#run(entry, data)
    else await entry.run.worker.load(data)
    await this.#init.ports.store.write(dataOps(entry.id, data))
    entry.wants = 'in'
    entry.stopped = null
    entry.paused = false
    await this.#save(entry)
    entry.run?.step({ type: 'pause', paused: false })
    entry.run?.step({ type: 'want', wants: 'in' })
    const head = entry.run?.machine.head
    // The curve begins with the model that is there.
    if (head !== undefined) void entry.run?.worker.evaluation(head.model).catch(() => undefined)
  }

  async leaveLearning(taskId: string): Promise<void> {
    await this.#end(this.#entry(taskId), null)
  }

  async pauseLearning(taskId: string): Promise<void> {
    await this.#pause(this.#entry(taskId), true)
  }

  async resumeLearning(taskId: string): Promise<void> {
    await this.#pause(this.#entry(taskId), false)
  }

  async removeLearning(taskId: string): Promise<void> {
    const entry = this.#entry(taskId)
    if (entry.wants === 'in' && entry.run?.machine.done !== true)
      throw new LearningTaskError('A task that is taken part in cannot be removed; leave it first', { task: taskId })
    entry.run?.stop()
    await entry.run?.worker.unload()
    this.#entries.delete(entry.id)
    const ops: StoreOp[] = [
      ...(await forgetRunOps(this.#init.ports, entry.id)),
      ...forgetDataOps(entry.id),
      { bucket: TASKS_BUCKET, key: entry.id, value: undefined },
    ]
    await this.#init.ports.store.write(ops)
  }

  async learningConfusion(taskId: string): Promise<ConfusionMatrix | null> {
    const { run, task } = this.#entry(taskId)
    if (run === null || !run.machine.modelReady) return null
    const { model, round, roster } = run.machine.head
    await run.worker.have(model, roster)
    const evaluation = await run.worker.evaluation(model)
    return evaluation === null ? null : { classes: task.classes, counts: evaluation.confusion, round }
  }

  async learningPredict(taskId: string, input: Float32Array): Promise<LearningPrediction> {
    const run = this.#running(taskId)
    const { model, round, roster } = run.machine.head
    await run.worker.have(model, roster)
    return { probabilities: await run.worker.predict(model, input), round }
  }

  async exportLearningModel(taskId: string, format: 'safetensors' | 'onnx'): Promise<Uint8Array> {
    const run = this.#running(taskId)
    const weights = fromFixedVector(await run.worker.have(run.machine.head.model, run.machine.head.roster))
    const { architecture, classes } = run.task
    const model = { architecture, weights, classes }
    return format === 'onnx' ? writeOnnx(model) : writeSafetensors(model)
  }

  // ---------------------------------------------------------------- for the peer

  /** What changed since the last call. */
  takeEvents(): LearningEvent[] {
    const events: LearningEvent[] = []
    for (const entry of this.#entries.values()) {
      if (!entry.changed) continue
      entry.changed = false
      events.push({ type: 'learning', summary: this.#summary(entry), current: this.#progress(entry) })
    }
    return events
  }

  samples(): SampledGauge[] {
    const counter = (name: string, help: string, value: number): SampledGauge => ({
      name: `starling_learning_${name}`,
      help,
      kind: 'counter',
      value,
    })
    const joined = [...this.#entries.values()].filter(({ wants }) => wants === 'in').length
    return [
      { name: 'starling_learning_tasks', help: 'Learning tasks taken part in', kind: 'gauge', value: joined },
      counter('rounds_merged_total', 'Rounds decided here that merged updates', this.#counts.merged),
      counter('rounds_skipped_total', 'Rounds decided here that merged nothing', this.#counts.skipped),
      counter('updates_rejected_total', 'Updates refused or voted out, as seen here', this.#counts.rejected),
      counter('evidence_total', 'Members caught saying two things', this.#counts.evidence),
    ]
  }

  // ---------------------------------------------------------------- inside

  async #make(spec: LearningTaskSpec): Promise<{ readonly task: LearningTask; readonly weights: Int32Array }> {
    const { ports } = this.#init
    const [seed = 0] = new Uint32Array(ports.random(4).buffer)
    const weights =
      spec.initialWeights === undefined ? initialWeights(spec.architecture, seed) : toFixedVector(spec.initialWeights)
    const length = parameterCount(spec.architecture)
    if (weights.length !== length) {
      throw new LearningTaskError(`Initial weights are ${weights.length}, the architecture has ${length}`, {
        field: 'initialWeights',
        value: weights.length,
        limit: length,
      })
    }
    const made = {
      creator: ports.self,
      nonce: ports.random(16),
      initialModel: cidOf(encodeVector(weights), 'raw'),
      nowMs: Math.round(ports.now()),
    }
    return { task: taskOf(spec, made), weights }
  }

  #add(id: LearningTaskId, task: LearningTask, signed: Uint8Array): Entry {
    const entry: Entry = { id, task, signed, wants: null, paused: false, stopped: null, run: null, changed: true }
    this.#entries.set(id, entry)
    return entry
  }

  async #run(entry: Entry, data: LearningData | null): Promise<void> {
    entry.run = await LearningRun.open(
      {
        ports: this.#init.ports,
        link: this.#link,
        workers: this.#init.workers,
        id: entry.id,
        task: entry.task,
        onChange: () => {
          entry.changed = true
        },
        onNotice: (notice) => this.#noticed(entry, notice),
        onRefused: (error) => {
          this.#init.ports.log.write('error', 'storage', `Storage refused a round's record: ${describe(error)}`)
          entry.stopped = 'storage-full'
          entry.changed = true
        },
        onBudgetSpent: () => void this.#end(entry, 'budget-spent'),
      },
      data,
    )
  }

  async #restore(key: string, value: Uint8Array): Promise<void> {
    const { ports } = this.#init
    try {
      const record = decode(value, { what: 'learning task', limits: RECORD_LIMITS, schema: recordSchema })
      const { task, id } = await verifyLearningTask(record.signed, {
        verifier: ports.verifier,
        network: ports.networkId,
      })
      const entry = this.#add(id, task, record.signed)
      Object.assign(entry, { wants: record.wants, paused: record.paused, stopped: record.stopped })
      const data = await readData(ports.store, id)
      await this.#run(entry, data)
      entry.run?.step({ type: 'pause', paused: entry.paused })
      if (entry.wants !== null) entry.run?.step({ type: 'want', wants: data === null ? 'out' : entry.wants })
      await this.#restIfOver(entry)
    } catch (error) {
      ports.log.write('error', 'learning', `Damaged learning task ${key} is left alone: ${describe(error)}`)
    }
  }

  async #save({ id, signed, wants, paused, stopped }: Entry): Promise<void> {
    const value = encode({ signed, wants, paused, stopped })
    await this.#init.ports.store.write([{ bucket: TASKS_BUCKET, key: id, value }])
  }

  async #end(entry: Entry, stopped: string | null): Promise<void> {
    entry.wants = 'out'
    entry.stopped = stopped
    entry.changed = true
    await this.#save(entry)
    entry.run?.step({ type: 'want', wants: 'out' })
  }

  /** Data that nothing will be trained on takes no room: there is some for few tasks, and done ones are kept for their models. */
  async #restIfOver({ id, run, wants }: Entry): Promise<void> {
    if (run === null || !(run.machine.done || (wants !== 'in' && !run.machine.isMember))) return
    await run.worker.rest(() => readData(this.#init.ports.store, id))
  }

  async #pause(entry: Entry, paused: boolean): Promise<void> {
    entry.paused = paused
    entry.changed = true
    await this.#save(entry)
    entry.run?.step({ type: 'pause', paused })
  }

  async #heard(from: PeerId, tasks: readonly Uint8Array[]): Promise<void> {
    const { ports } = this.#init
    for (const signed of tasks) {
      try {
        if ([...this.#entries.values()].some((entry) => sameBytes(entry.signed, signed))) continue
        const options = { verifier: ports.verifier, network: ports.networkId }
        const { task, id } = await verifyLearningTask(signed, options)
        if (this.#entries.has(id)) continue
        if (this.#entries.size >= TASKS_KNOWN_MAX) this.#forgetOldest()
        this.#add(id, task, signed)
      } catch (error) {
        ports.log.write('warn', 'learning', `Refused a task of ${from.slice(-6)}: ${describe(error)}`)
        ports.statements.refuse(error, { from, kind: 'learning-task', evidence: signed })
      }
    }
  }

  #forgetOldest(): void {
    for (const [id, { run }] of this.#entries) {
      if (run !== null) continue
      this.#entries.delete(id)
      return
    }
  }

  /** Tasks that go on and that others may still join. */
  #open(): Uint8Array[] {
    return [...this.#entries.values()]
      .filter(({ run, wants, task }) => run !== null && (wants === 'in' || task.creator === this.#init.ports.self))
      .slice(0, TASKS_PER_MESSAGE_MAX)
      .map(({ signed }) => signed)
  }

  #announce(): void {
    const tasks = this.#open()
    if (tasks.length > 0) this.#link.publishTasks(tasks)
  }

  #greet(peer: string): void {
    const tasks = this.#open()
    if (tasks.length > 0) this.#link.send(peer as PeerId, { type: 'tasks', tasks })
  }

  #noticed(entry: Entry, notice: RoundNotice): void {
    const { security, self } = this.#init.ports
    if (notice.type === 'evidence') {
      this.#counts.evidence++
      const message = `A member of "${entry.task.name}" signed statements that contradict each other`
      security.add({ type: 'result-equivocation', peerId: notice.peer, message, evidence: [...notice.statements] })
      return
    }
    if (notice.type !== 'committed') return
    void this.#restIfOver(entry)
    if (notice.commit.outcome.skipped === null) this.#counts.merged++
    else this.#counts.skipped++
    this.#counts.rejected += notice.rejected.length
    const { onModelUpdate } = this.#init
    for (const peer of notice.good) if (peer !== self) onModelUpdate(peer, true, 'merged')
    for (const { peer, reason } of notice.rejected)
      if (peer !== self && reason !== 'unavailable') onModelUpdate(peer, false, reason)
  }

  // ---------------------------------------------------------------- shown

  #stateOf({ run, wants, paused, stopped }: Entry): LearningState {
    if (run === null || wants === null) return run?.machine.done === true ? 'done' : 'announced'
    if (run.machine.done) return 'done'
    if (stopped !== null) return 'stopped'
    if (wants === 'out') return 'left'
    if (paused) return 'paused'
    if (!run.machine.isMember) return 'joining'
    const { phase, present, quorum } = run.machine.progress
    if (phase === 'wait' || present < quorum) return 'waiting'
    return phase === 'agree' ? 'agreeing' : 'training'
  }

  #reasonOf(entry: Entry, state: LearningState): Reason | null {
    const { run, stopped, task } = entry
    if (stopped !== null) return { code: stopped }
    if (run === null) return null
    if (state === 'paused') return { code: 'paused-by-owner' }
    if (state === 'joining' && run.machine.head.removed.includes(this.#init.ports.self)) return { code: 'removed' }
    if (state !== 'waiting') return null
    const { present, quorum } = run.machine.progress
    if (present < quorum) return { code: 'quorum-missing', detail: `${present}/${quorum}` }
    return { code: 'members-missing', detail: `${run.machine.head.roster.length}/${task.participantsTarget}` }
  }

  #summary(entry: Entry): LearningTaskSummary {
    const { id, task, run } = entry
    const state = this.#stateOf(entry)
    const last = run?.history.points.findLast(({ loss }) => loss !== null)
    return {
      taskId: id,
      name: task.name,
      creator: task.creator,
      own: task.creator === this.#init.ports.self,
      state,
      reason: this.#reasonOf(entry, state),
      rule: task.rule.rule,
      mode: task.mode,
      rounds: task.rounds,
      roundsDone: run?.machine.head.merged ?? 0,
      members: run?.machine.head.round === 0 ? 0 : (run?.machine.head.roster.length ?? 0),
      createdAt: task.createdAtMs,
      loss: last?.loss ?? null,
      accuracy: last?.accuracy ?? null,
    }
  }

  #detail(entry: Entry): LearningTaskDetail {
    const { task, run } = entry
    const members = run === null || run.machine.head.round === 0 ? [] : run.machine.head.roster
    const dataset = run?.worker.dataset
    return {
      ...this.#summary(entry),
      description: task.description,
      architecture: task.architecture,
      parameters: parameterCount(task.architecture),
      classes: task.classes,
      table: task.table === null ? null : readTableSchema(task.table),
      options: optionsOfTask(task),
      memberIds: members,
      samples: (dataset?.training ?? 0) + (dataset?.heldOut ?? 0),
      heldOut: dataset?.heldOut ?? 0,
      current: this.#progress(entry),
      roundPoints: run?.history.points ?? [],
      contributions: run?.history.contributions(new Set(members)) ?? [],
      rejections: run?.history.rejections ?? [],
      privacy: this.#budget(entry),
      modelHash: run?.machine.head.model ?? task.initialModel,
      modelBytes: parameterCount(task.architecture) * 4,
    }
  }

  #progress({ run, task }: Entry): LearningProgress | null {
    if (run === null || run.machine.done || !run.machine.isMember) return null
    const { round, view, phase, announced, scored, votes, quorum, deadlineMs } = run.machine.progress
    if (phase === 'wait') return null
    return {
      round,
      view,
      phase,
      step: run.stepsDone,
      steps: task.training.localSteps,
      announced,
      scored,
      votes,
      quorum,
      deadlineAt: deadlineMs,
    }
  }

  #budget({ task, run }: Entry): LearningBudget | null {
    const plan = noisePlanOf(task)
    const ledger = run?.ledger ?? null
    if (plan === null || task.privacy === null || ledger === null) return null
    const spent = ledger.spent()
    const participants = Math.max(task.participantsMin, run?.machine.head.roster.length ?? 0)
    const { caveats } = privacyMeaning({ epsilon: spent.epsilon, delta: spent.delta, participants })
    return {
      mode: task.privacy.mode,
      epsilonSpent: spent.epsilon,
      epsilonMax: ledger.budget.epsilonPpm / 1e6,
      delta: spent.delta,
      roundsLeft: ledger.stepsLeft(stepOfPlan(plan, { length: parameterCount(task.architecture) })),
      warnings: caveats.map((code) => ({ code })),
    }
  }

  #entry(taskId: string): Entry {
    const entry = this.#entries.get(taskId as LearningTaskId)
    if (entry === undefined) throw new LearningTaskError(`No learning task ${taskId} is known here`, { task: taskId })
    return entry
  }

  #running(taskId: string): LearningRun {
    const { run } = this.#entry(taskId)
    if (run === null) throw new LearningTaskError(`The model of task ${taskId} is not here`, { task: taskId })
    return run
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

/** What a member gives away besides its masked update. */
function proofLeaves(task: LearningTask): readonly { readonly code: string; readonly bytes: number }[] {
  if (task.proofs === undefined) return []
  const { projections } = task.proofs
  return [{ code: 'norm-proof', bytes: normProofBytes({ length: parameterCount(task.architecture), projections }) }]
}
