import type { Cid, Hash, JobId, PeerId } from '../../core/codec/ids.ts'
import { Executor } from '../../core/tasks/executor.ts'
import type { ExecutionId, ExecutorEffect, ExecutorEvent } from '../../core/tasks/executor-events.ts'
import { EXECUTIONS_PER_WORKER_MAX } from '../../core/tasks/limits.ts'
import type { Capability } from '../../core/tasks/matching.ts'
import { decodeTaskMessage, encodeTaskMessage, isFromRequester } from '../../core/tasks/message-codec.ts'
import type { ExecutorMessage, TaskMessage, UnitResult } from '../../core/tasks/messages.ts'
import { loadOutbox, loadRequesterRecords } from '../../core/tasks/record-codec.ts'
import { BUCKETS } from '../../core/tasks/records.ts'
import { Requester } from '../../core/tasks/requester.ts'
import type { RequesterEffect, RequesterEvent } from '../../core/tasks/requester-events.ts'
import type { Checker } from './checker.ts'
import { EffectRunner } from './effect-runner.ts'
import { FairnessWatch } from './fairness.ts'
import type { Mutation } from './mutations.ts'
import { type SimNetwork, short } from './network.ts'
import type { JobPlan, PeerPlan } from './scenario.ts'
import { SimStore } from './sim-store.ts'
import { inputOf, type Outcome, outcomeOf, simAttestation, simReceipt } from './truth.ts'
import type { World } from './world.ts'

/** What a peer shares with all others of its run. */
export interface PeerContext {
  readonly world: World
  readonly network: SimNetwork
  readonly checker: Checker
  readonly jobs: ReadonlyMap<JobId, JobPlan>
  readonly peers: ReadonlyMap<PeerId, SimPeer>
  readonly mutation: Mutation | null
  jobDone(job: JobId): void
}

const CAPABILITY: Capability = {
  abis: ['reactor', 'wasi-command'],
  memoryBytesMax: 2 ** 30,
  cores: 8,
  wallMsMax: 600_000,
  stackBytesMax: 2 ** 24,
  gasMax: 2n ** 60n,
  outputBytesMax: 2 ** 26,
  microUnitsPerSecondMin: 0n,
  microUnitsPerMebibyteMin: 0n,
  uptimePpm: 1_000_000,
  failurePpm: 0,
  reputationPpm: 1_000_000,
}

/** One message in twenty goes through the real codec: enough to find what it cannot carry. */
const CODEC_PPM = 50_000

const FETCH_ATTEMPTS_MAX = 8
const FETCH_RETRY_MS = 2_000

/** One peer: the two machines of the real core, a store that outlives them, and simulated hardware. */
export class SimPeer {
  readonly plan: PeerPlan
  readonly store = new SimStore()
  /** Large outcomes it can serve; durable. */
  readonly blocks = new Set<Hash>()
  up = false
  readonly #context: PeerContext
  readonly #submitted: JobPlan[] = []
  #incarnation = 0
  #requester: Requester | null = null
  #executor: Executor | null = null
  #requesterEffects: EffectRunner<RequesterEffect> | null = null
  #executorEffects: EffectRunner<ExecutorEffect> | null = null
  #cancelled = new Set<ExecutionId>()
  #fairness: FairnessWatch

  constructor(plan: PeerPlan, context: PeerContext) {
    this.plan = plan
    this.#context = context
    this.#fairness = new FairnessWatch(plan.peer)
  }

  get peer(): PeerId {
    return this.plan.peer
  }

  #now(): number {
    return Math.floor(this.#context.world.nowMs) + this.plan.clockSkewMs
  }

  /** Starts, or starts again from what is durable. */
  boot(): void {
    const { world, mutation } = this.#context
    const incarnation = ++this.#incarnation
    world.trace(() => `boot ${short(this.peer)} (${this.plan.behaviour})`)
    this.up = true
    this.#cancelled = new Set()
    this.#fairness = new FairnessWatch(this.peer)
    this.#requester = new Requester({
      self: this.peer,
      rng: world.rng,
      ...(mutation?.rules && { rules: mutation.rules }),
    })
    this.#executor = new Executor({ self: this.peer, capability: CAPABILITY })
    this.#requesterEffects = this.#runner((effect: RequesterEffect) => this.#performRequester(effect), 'requester')
    this.#executorEffects = this.#runner((effect: ExecutorEffect) => this.#performExecutor(effect), 'executor')
    world.blocker = Promise.all([world.blocker, this.#load(incarnation)]).then(() => undefined)
  }

  async #load(incarnation: number): Promise<void> {
    const { records, damaged } = await loadRequesterRecords(this.store)
    const { outbox, damaged: damagedOutbox } = await loadOutbox(this.store)
    const first = [...damaged, ...damagedOutbox][0]
    if (first !== undefined) throw first.error
    if (incarnation !== this.#incarnation || !this.up) return
    const { checker, mutation } = this.#context
    const nowMs = this.#now()
    this.stepRequester({ type: 'start', nowMs, session: nowMs, records: mutation?.records?.(records) ?? records })
    if (!this.up) return
    checker.restarted(this.peer, { store: this.store, progress: this.#requester?.progress() ?? [] })
    this.stepExecutor({ type: 'start', nowMs, outbox })
    this.stepExecutor({ type: 'controls', nowMs, controls: { optedIn: true, workers: this.plan.workers, weights: [] } })
    for (const plan of this.#submitted) this.#submit(plan)
    this.stepRequester({ type: 'peerConnected', nowMs, peer: this.peer })
    for (const other of this.#context.peers.values()) this.connect(other)
  }

  /** Both sides learn that they can talk. */
  connect(other: SimPeer): void {
    if (other === this || !this.up || !other.up || !this.#context.network.connected(this.peer, other.peer)) return
    this.stepRequester({ type: 'peerConnected', nowMs: this.#now(), peer: other.peer })
    other.stepRequester({ type: 'peerConnected', nowMs: other.#now(), peer: this.peer })
  }

  /** Learns that another peer is out of reach; often nobody tells. */
  disconnected(peer: PeerId): void {
    this.stepRequester({ type: 'peerDisconnected', nowMs: this.#now(), peer })
    this.stepExecutor({ type: 'peerDisconnected', nowMs: this.#now(), peer })
  }

  submit(plan: JobPlan): void {
    this.#submitted.push(plan)
    if (this.up) this.#submit(plan)
  }

  /** A person submits again what was lost before it was stored. */
  #submit(plan: JobPlan): void {
    if (this.store.has(BUCKETS.jobs, plan.job)) return
    this.stepRequester({ type: 'submit', nowMs: this.#now(), job: plan.job, spec: plan.spec })
  }

  crash(): void {
    const { world, peers, network } = this.#context
    world.trace(() => `crash ${short(this.peer)}`)
    this.up = false
    this.#incarnation++
    for (const other of peers.values()) {
      const noticed = other !== this && world.rng.below(2) === 0
      if (noticed) world.after(world.between(50, 500), () => !this.up && other.disconnected(this.peer))
    }
    if (network.faulty) world.after(world.between(500, 10_000), () => !this.up && this.boot())
    else this.boot()
  }

  receive(from: PeerId, message: unknown): void {
    if (!this.up) return
    // Only peers send over the simulated network, and only task messages.
    let read = message as TaskMessage
    if (this.#context.world.chance(CODEC_PPM)) read = decodeTaskMessage(encodeTaskMessage(read)).message
    this.#context.world.trace(() => `${short(this.peer)} < ${short(from)} ${summary(read)}`)
    const nowMs = this.#now()
    if (isFromRequester(read)) this.stepExecutor({ type: 'message', nowMs, from, message: read })
    else this.stepRequester({ type: 'message', nowMs, from, message: read as ExecutorMessage })
  }

  stepRequester(event: RequesterEvent): void {
    if (!this.up || this.#requester === null) return
    const effects = this.#requester.step(event)
    this.#requesterEffects?.push(this.#context.mutation?.effects?.(effects) ?? effects)
  }

  stepExecutor(event: ExecutorEvent): void {
    if (!this.up || this.#executor === null) return
    if (event.type === 'start' || event.type === 'tick')
      this.#context.world.trace(() => `${short(this.peer)} ${event.type}`)
    const effects = this.#executor.step(event)
    this.#fairness.check(this.#executor.queueLengths(), this.plan.workers * EXECUTIONS_PER_WORKER_MAX)
    this.#executorEffects?.push(this.#context.mutation?.executorEffects?.(effects) ?? effects)
  }

  #runner<Effect extends { readonly type: string }>(
    perform: (effect: Effect) => void,
    machine: 'requester' | 'executor',
  ): EffectRunner<Effect> {
    const { world, network, checker } = this.#context
    const incarnation = this.#incarnation
    let wakes = 0
    return new EffectRunner<Effect>(world, {
      alive: () => {
        if (incarnation !== this.#incarnation) return false
        if (!network.faulty || !world.chance(this.plan.crashPpm)) return true
        this.crash()
        return false
      },
      write: (ops) => {
        this.store.write(ops)
        checker.wrote(ops)
      },
      wakeAt: (atMs) => {
        const wake = ++wakes
        world.after(atMs - this.#now(), () => {
          if (wake !== wakes || incarnation !== this.#incarnation) return
          if (machine === 'requester') this.stepRequester({ type: 'tick', nowMs: this.#now() })
          else this.stepExecutor({ type: 'tick', nowMs: this.#now() })
        })
      },
      perform,
    })
  }

  /** Does something later, unless the peer has crashed by then. */
  #later(delayMs: number, action: () => void): void {
    const incarnation = this.#incarnation
    this.#context.world.after(delayMs, () => {
      if (incarnation === this.#incarnation && this.up) action()
    })
  }

  #job(job: JobId): JobPlan {
    const plan = this.#context.jobs.get(job)
    if (plan === undefined) throw new Error(`Unknown job ${job}`)
    return plan
  }

  // The requester's effects

  #performRequester(effect: RequesterEffect): void {
    const { world, network, checker, peers } = this.#context
    switch (effect.type) {
      case 'send':
        checker.sent(this.peer, effect.peer, effect.message, this.store)
        return network.send(this.peer, effect.peer, effect.message)
      case 'broadcast':
        for (const peer of peers.keys()) if (peer !== this.peer) network.send(this.peer, peer, effect.message)
        return
      case 'loadInputs': {
        const { job, units } = effect
        const inputs = units.map((unit) => inputOf(job, unit))
        return this.#later(world.between(0, 20), () =>
          this.stepRequester({ type: 'inputsLoaded', nowMs: this.#now(), job, inputs }),
        )
      }
      case 'fetchOutcome':
        return this.#fetchOutcome(effect, 1)
      case 'executeLocally': {
        const { job, unit } = effect
        const key = outcomeOf(job, unit)
        return this.#later(this.#job(job).unitMs, () =>
          this.stepRequester({ type: 'executedLocally', nowMs: this.#now(), job, unit, key }),
        )
      }
      case 'emit':
        world.trace(() => `${short(this.peer)} ! ${effect.event.type} ${noticeSummary(effect.event)}`)
        checker.announced(this.peer, effect.event, this.store)
        if (effect.event.type === 'jobChanged' && effect.event.progress.state.state === 'done') {
          this.#context.jobDone(effect.event.progress.job)
        }
    }
  }

  #fetchOutcome(effect: Extract<RequesterEffect, { type: 'fetchOutcome' }>, attempt: number): void {
    const { world, network, peers } = this.#context
    const { job, unit, outputHash, from } = effect
    this.#later(world.between(20, 300), () => {
      const source = from
        .map((peer) => peers.get(peer))
        .find((peer) => peer?.up && network.connected(this.peer, peer.peer))
      if (source?.blocks.has(outputHash)) {
        this.blocks.add(outputHash)
        this.stepRequester({ type: 'outcomeFetched', nowMs: this.#now(), job, unit, outputHash })
      } else if (attempt < FETCH_ATTEMPTS_MAX) {
        this.#later(FETCH_RETRY_MS, () => this.#fetchOutcome(effect, attempt + 1))
      } else {
        this.stepRequester({ type: 'outcomeUnavailable', nowMs: this.#now(), job, unit, outputHash })
      }
    })
  }

  // The executor's effects

  #performExecutor(effect: ExecutorEffect): void {
    const { world, checker } = this.#context
    switch (effect.type) {
      case 'send':
        return this.#sendAsExecutor(effect.peer, effect.message)
      case 'fetchManifest':
        return this.#fetchManifest(effect.job, effect.cid, effect.from)
      case 'prepareModule': {
        const { job, from: requester } = effect
        return this.#later(world.between(5, 200), () =>
          this.stepExecutor({ type: 'moduleReady', nowMs: this.#now(), requester, job }),
        )
      }
      case 'execute':
        return this.#execute(effect)
      case 'cancelExecution':
        this.#cancelled.add(effect.id)
        return
      case 'signReceipts': {
        const receipts = effect.receipts.map(({ id, receipt }) => {
          const signed = simReceipt(receipt, { author: this.peer, nonce: this.#nonce() })
          checker.signed(this.peer, signed.hash)
          return { id, signed }
        })
        return this.#later(world.between(0, 1), () =>
          this.stepExecutor({ type: 'receiptsSigned', nowMs: this.#now(), receipts }),
        )
      }
      case 'signAttestation': {
        const by = { author: this.peer, nonce: this.#nonce(), nowMs: this.#now() }
        const signed = simAttestation(effect.attestation, by)
        const { requester, job } = effect
        return this.#later(world.between(0, 1), () =>
          this.stepExecutor({ type: 'attestationSigned', nowMs: this.#now(), requester, job, signed }),
        )
      }
    }
  }

  #nonce(): Uint8Array {
    return Uint8Array.from({ length: 16 }, () => this.#context.world.rng.below(256))
  }

  #sendAsExecutor(to: PeerId, message: ExecutorMessage): void {
    const { network, checker, world } = this.#context
    checker.sent(this.peer, to, message, this.store)
    network.send(this.peer, to, message)
    if (this.plan.behaviour !== 'equivocator' || message.type !== 'results') return
    const results = message.results.map((result) => this.#equivocate(result))
    this.#later(world.between(0, 500), () => network.send(this.peer, to, { ...message, results }))
  }

  /** Signs something else about the same unit. */
  #equivocate(result: UnitResult): UnitResult {
    const { manifest, unit } = result.receipt.receipt
    // A receipt's manifest is its job.
    const other = outcomeOf(manifest as JobId, unit, `other ${this.#context.world.rng.below(1e6)}`)
    const receipt = { ...result.receipt.receipt, outputHash: other.outputHash }
    const signed = simReceipt(receipt, { author: this.peer, nonce: this.#nonce() })
    this.#context.checker.signed(this.peer, signed.hash)
    return { receipt: signed, outcome: other.encoded }
  }

  #fetchManifest(job: JobId, _cid: Cid, requester: PeerId): void {
    const { world, network, peers } = this.#context
    this.#later(world.between(10, 300), () => {
      const nowMs = this.#now()
      const reachable = peers.get(requester)?.up && network.connected(this.peer, requester)
      const { manifest } = this.#job(job).spec
      if (reachable) this.stepExecutor({ type: 'manifestReady', nowMs, requester, job, manifest })
      else this.stepExecutor({ type: 'manifestFailed', nowMs, requester, job, reason: 'unreachable' })
    })
  }

  #execute(effect: Extract<ExecutorEffect, { type: 'execute' }>): void {
    const { world } = this.#context
    const { id, job, unit } = effect
    const plan = this.#job(job)
    if (this.plan.behaviour === 'hung') return
    const durationUs = Math.ceil((plan.unitMs * this.plan.paceMille * world.between(500, 1_500)) / 1_000)
    const { wallMsMax } = plan.spec.manifest.resources
    const startedAtMs = this.#now()
    const tooLong = durationUs > wallMsMax * 1_000
    const breaks = this.plan.behaviour === 'flaky' && world.rng.below(5) < 2
    this.#later(Math.min(durationUs / 1_000, wallMsMax), () => {
      if (this.#cancelled.delete(id)) return
      const nowMs = this.#now()
      if (tooLong || breaks) {
        const reason = tooLong ? 'wall-limit' : 'worker-crash'
        return this.stepExecutor({ type: 'executionFailed', nowMs, id, reason })
      }
      const found = this.#found(job, unit)
      const outcome = plan.largeOutcomes ? null : found.encoded
      if (outcome === null) this.blocks.add(found.outputHash)
      this.#fairness.served(plan.requester, durationUs)
      const measured = { durationUs, memoryBytesPeak: 65_536 * world.between(1, 16), startedAtMs }
      const { outputHash, exitCode, trap, gas } = found
      const executed = { outputHash, outcome, exitCode, trap, gas, ...measured }
      this.stepExecutor({ type: 'executed', nowMs, id, executed })
    })
  }

  /** What this executor says came out. */
  #found(job: JobId, unit: number): Outcome {
    switch (this.plan.behaviour) {
      case 'wrong-output':
        return outcomeOf(job, unit, `lie of ${this.peer}`)
      case 'colluder':
        return outcomeOf(job, unit, 'the lie agreed on')
      case 'wrong-gas': {
        const truth = outcomeOf(job, unit)
        // Two that lie apart do not lie alike.
        return { ...truth, gas: truth.gas + BigInt(this.plan.clockSkewMs + 3_000) }
      }
      default:
        return outcomeOf(job, unit)
    }
  }
}

function summary(message: TaskMessage): string {
  switch (message.type) {
    case 'lease':
      return `lease ${message.job.slice(0, 4)} ${message.leases.map(({ unit }) => unit).join(',')} (grant ${message.grant})`
    case 'results':
      return `results ${message.job.slice(0, 4)} ${message.results.map(({ receipt }) => receipt.receipt.unit).join(',')}`
    case 'ack':
    case 'cancel':
      return `${message.type} ${message.job.slice(0, 4)} ${message.units.join(',')}`
    case 'release':
      return `release ${message.job.slice(0, 4)} ${message.releases.map(({ unit, reason }) => `${unit}:${reason}`).join(',')}`
    case 'bid':
      return `bid ${message.slots} of ${message.jobs.length} jobs, holds ${message.held.flatMap(({ queued, running }) => [...queued, ...running]).join(',')}`
    default:
      return message.type
  }
}

function noticeSummary(notice: object): string {
  return JSON.stringify(notice, (key, value) =>
    key === 'type' ? undefined : typeof value === 'bigint' ? String(value) : value,
  ).slice(0, 200)
}
