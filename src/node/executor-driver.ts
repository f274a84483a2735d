import { InvalidMessageError } from '../core/codec/errors.ts'
import type { JobId } from '../core/codec/ids.ts'
import type { ExecutionId, ExecutorEffect, ExecutorEvent, ExecutorNotice } from '../core/tasks/executor-events.ts'
import type { Manifest } from '../core/tasks/manifest.ts'
import { verifyManifest } from '../core/tasks/manifest-schema.ts'
import type { ReleaseReason } from '../core/tasks/messages.ts'
import { signAttestation, type signReceipt, signReceipts } from '../core/tasks/receipt-codec.ts'
import { misconductOf } from '../core/trust/misconduct.ts'
import { EffectQueue } from './effect-queue.ts'
import type { NodePorts } from './ports.ts'
import type { ScheduledMachine } from './scheduled-machine.ts'
import { describe, type TaskLink } from './task-link.ts'
import type { UnitRunner } from './unit-runner.ts'
import { WakeTimer } from './wake-timer.ts'

/** A signed manifest; the codec's own bound for statements is what counts, this one guards the fetch. */
const MANIFEST_BYTES_MAX = 256 * 1024

type Effect<T extends ExecutorEffect['type']> = Extract<ExecutorEffect, { type: T }>
type EventBody = ExecutorEvent extends infer E ? (E extends unknown ? Omit<E, 'nowMs'> : never) : never

/** Performs what the executor core asks for: fetches, runs, signs and sends. */
export class ExecutorDriver {
  readonly #ports: NodePorts
  readonly #machine: ScheduledMachine<ExecutorEvent, ExecutorEffect>
  readonly #runner: UnitRunner
  readonly #link: () => TaskLink
  readonly #onNotice: (notice: ExecutorNotice) => void
  readonly #onManifest: (job: JobId, manifest: Manifest) => void
  readonly #queue: EffectQueue<ExecutorEffect>
  readonly #timer: WakeTimer
  readonly #running = new Map<ExecutionId, AbortController>()
  #receiptSeq = 0

  constructor(init: {
    readonly ports: NodePorts
    readonly machine: ScheduledMachine<ExecutorEvent, ExecutorEffect>
    readonly runner: UnitRunner
    readonly link: () => TaskLink
    readonly onNotice: (notice: ExecutorNotice) => void
    readonly onManifest: (job: JobId, manifest: Manifest) => void
    readonly onStorageRefused: (error: unknown) => void
  }) {
    this.#ports = init.ports
    this.#machine = init.machine
    this.#runner = init.runner
    this.#link = init.link
    this.#onNotice = init.onNotice
    this.#onManifest = init.onManifest
    this.#queue = new EffectQueue(init.ports.store, (effect) => this.#perform(effect), init.onStorageRefused)
    this.#timer = new WakeTimer(init.ports.now, () => this.step({ type: 'tick' }))
  }

  step(event: EventBody): void {
    if (this.#queue.stopped) return
    // The event is the body and the time: the union is closed under adding `nowMs`.
    this.#queue.push(this.#machine.step({ ...event, nowMs: this.#ports.now() } as ExecutorEvent))
  }

  stop(): void {
    this.#queue.stop()
    this.#timer.stop()
    for (const controller of this.#running.values()) controller.abort()
  }

  #perform(effect: Exclude<ExecutorEffect, { type: 'persist' }>): void {
    switch (effect.type) {
      case 'wakeAt':
        return this.#timer.at(effect.atMs)
      case 'send':
        return this.#link().send(effect.peer, effect.message)
      case 'emit':
        return this.#onNotice(effect.event)
      case 'fetchManifest':
        return void this.#fetchManifest(effect)
      case 'prepareModule':
        return void this.#prepareModule(effect)
      case 'execute':
        return void this.#execute(effect)
      case 'cancelExecution':
        return this.#running.get(effect.id)?.abort()
      case 'signReceipts':
        return void this.#signReceipts(effect.receipts)
      case 'signAttestation':
        return void this.#signAttestation(effect)
    }
  }

  async #fetchManifest({ job, cid, from }: Effect<'fetchManifest'>): Promise<void> {
    const { verifier, networkId: network, statements } = this.#ports
    let bytes: Uint8Array | undefined
    try {
      bytes = await this.#ports.source.fetch(cid, [from], MANIFEST_BYTES_MAX)
      const verified = await verifyManifest(bytes, { verifier, network })
      checkManifest('job', verified.job, job)
      checkManifest('requester', verified.manifest.requester, from)
      this.#onManifest(job, verified.manifest)
      this.step({ type: 'manifestReady', requester: from, job, manifest: verified.manifest })
    } catch (error) {
      this.#ports.log.write('warn', 'executor', `Manifest refused: ${describe(error)}`)
      // The bytes are what the offer's author named by their hash, whoever handed them over.
      if (bytes !== undefined) {
        statements.refuse(error, { from, kind: 'manifest', evidence: bytes, misconduct: misconductOf(error) })
      }
      this.step({ type: 'manifestFailed', requester: from, job, reason: describe(error) })
    }
  }

  async #prepareModule({ job, manifest, from }: Effect<'prepareModule'>): Promise<void> {
    try {
      await this.#runner.prepare(job, manifest, [from])
      this.step({ type: 'moduleReady', requester: from, job })
    } catch (error) {
      this.#ports.log.write('warn', 'executor', `Module of "${manifest.name}" refused: ${describe(error)}`)
      this.step({ type: 'moduleFailed', requester: from, job, reason: describe(error) })
    }
  }

  async #execute(effect: Effect<'execute'>): Promise<void> {
    const { id, job, manifest, unit, inputHash, input, from } = effect
    const controller = new AbortController()
    this.#running.set(id, controller)
    try {
      const { signal } = controller
      const executed = await this.#runner.run({ job, manifest, unit, inputHash, input, from: [from], signal })
      this.step({ type: 'executed', id, executed })
    } catch (error) {
      if (controller.signal.aborted) return
      const reason = releaseReason(error)
      this.#ports.log.write('warn', 'executor', `Unit ${unit} of "${manifest.name}" failed here: ${describe(error)}`)
      this.step({ type: 'executionFailed', id, reason })
    } finally {
      this.#running.delete(id)
    }
  }

  async #signReceipts(asked: Effect<'signReceipts'>['receipts']): Promise<void> {
    const init = (): Omit<Parameters<typeof signReceipt>[1], 'signer'> => {
      const { signer: _, ...rest } = this.#signing()
      return rest
    }
    try {
      const receipts = asked.map(({ receipt }) => ({ receipt, init: init() }))
      const signed = await signReceipts(receipts, this.#ports.signer)
      // As many as were asked for, in their order. All at once: what was signed together travels together.
      const signedOnes = signed.map((each, index) => ({ id: asked[index]?.id as ExecutionId, signed: each }))
      this.step({ type: 'receiptsSigned', receipts: signedOnes })
    } catch (error) {
      this.#ports.log.write('error', 'executor', `Receipts could not be signed: ${describe(error)}`)
      for (const { id } of asked) this.step({ type: 'executionFailed', id, reason: 'internal' })
    }
  }

  async #signAttestation({ requester, job, attestation }: Effect<'signAttestation'>): Promise<void> {
    const signed = await signAttestation(attestation, this.#signing())
    this.step({ type: 'attestationSigned', requester, job, signed })
  }

  #signing(): Parameters<typeof signReceipt>[1] {
    const { networkId: network, signer } = this.#ports
    return { network, signer, seq: this.#receiptSeq++, timestampMs: this.#ports.now(), nonce: this.#ports.random(16) }
  }
}

/** Which failures count against this executor, and which are nobody's fault. */
function releaseReason(error: unknown): ReleaseReason {
  const name = error instanceof Error ? error.name : ''
  switch (name) {
    case 'WallClockError':
      return 'wall-limit'
    case 'SandboxFaultError':
      return 'worker-crash'
    case 'BlockUnavailableError':
    case 'InvalidMessageError':
      return 'input-unavailable'
    case 'InvalidModuleError':
    case 'ModuleNotPreparedError':
      return 'module-refused'
    case 'SandboxClosedError':
    case 'ExecutionCancelledError':
      return 'declined'
    case 'LimitExceededError':
      return 'overloaded'
    default:
      return 'internal'
  }
}

function checkManifest(field: string, value: string, limit: string): void {
  if (value === limit) return
  throw new InvalidMessageError(`manifest.${field} is ${value}, limit ${limit}`, {
    field: `manifest.${field}`,
    value,
    limit,
  })
}
