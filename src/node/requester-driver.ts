import { cidOfHash } from '../core/codec/cid.ts'
import type { JobId } from '../core/codec/ids.ts'
import { NONCE_BYTES } from '../core/identity/limits.ts'
import { UNIT_BYTES_MAX } from '../core/tasks/limits.ts'
import type { Manifest } from '../core/tasks/manifest.ts'
import { signReceipt } from '../core/tasks/receipt-codec.ts'
import { receiptOf } from '../core/tasks/receipt-of.ts'
import type { LoadedInput, RequesterEffect, RequesterEvent, RequesterNotice } from '../core/tasks/requester-events.ts'
import { EffectQueue } from './effect-queue.ts'
import type { InputStore } from './input-store.ts'
import type { NodePorts } from './ports.ts'
import type { ScheduledMachine } from './scheduled-machine.ts'
import { describe, type TaskLink } from './task-link.ts'
import type { UnitRunner } from './unit-runner.ts'
import { WakeTimer } from './wake-timer.ts'

/** A disk that fails to read may be busy; units are failed only for records that are wrong. */
const READ_RETRY_MS = 1_000

type Effect<T extends RequesterEffect['type']> = Extract<RequesterEffect, { type: T }>
type EventBody = RequesterEvent extends infer E ? (E extends unknown ? Omit<E, 'nowMs'> : never) : never

/** Performs what the requester core asks for: reads inputs, fetches outcomes, recomputes, sends. */
export class RequesterDriver {
  readonly #ports: NodePorts
  readonly #machine: ScheduledMachine<RequesterEvent, RequesterEffect>
  readonly #runner: UnitRunner
  readonly #inputs: InputStore
  readonly #manifestOf: (job: JobId) => Manifest | undefined
  readonly #link: () => TaskLink
  readonly #onNotice: (notice: RequesterNotice) => void
  readonly #queue: EffectQueue<RequesterEffect>
  readonly #timer: WakeTimer

  constructor(init: {
    readonly ports: NodePorts
    readonly machine: ScheduledMachine<RequesterEvent, RequesterEffect>
    readonly runner: UnitRunner
    readonly inputs: InputStore
    readonly manifestOf: (job: JobId) => Manifest | undefined
    readonly link: () => TaskLink
    readonly onNotice: (notice: RequesterNotice) => void
    readonly onStorageRefused: (error: unknown) => void
  }) {
    this.#ports = init.ports
    this.#machine = init.machine
    this.#runner = init.runner
    this.#inputs = init.inputs
    this.#manifestOf = init.manifestOf
    this.#link = init.link
    this.#onNotice = init.onNotice
    this.#queue = new EffectQueue(init.ports.store, (effect) => this.#perform(effect), init.onStorageRefused)
    this.#timer = new WakeTimer(init.ports.now, () => this.step({ type: 'tick' }))
  }

  step(event: EventBody): void {
    if (this.#queue.stopped) return
    // The event is the body and the time: the union is closed under adding `nowMs`.
    this.#queue.push(this.#machine.step({ ...event, nowMs: this.#ports.now() } as RequesterEvent))
  }

  stop(): void {
    this.#queue.stop()
    this.#timer.stop()
  }

  #perform(effect: Exclude<RequesterEffect, { type: 'persist' }>): void {
    switch (effect.type) {
      case 'wakeAt':
        return this.#timer.at(effect.atMs)
      case 'send':
        return this.#link().send(effect.peer, effect.message)
      case 'broadcast':
        return this.#link().broadcast(effect.message)
      case 'emit':
        return this.#onNotice(effect.event)
      case 'loadInputs':
        return void this.#loadInputs(effect)
      case 'fetchOutcome':
        return void this.#fetchOutcome(effect)
      case 'executeLocally':
        return void this.#executeLocally(effect)
    }
  }

  async #loadInputs(effect: Effect<'loadInputs'>): Promise<void> {
    const { job, units } = effect
    const found = await this.#inputs.load(job, units).catch((error: unknown) => {
      this.#ports.log.write('error', 'requester', `Inputs cannot be read now, trying again: ${describe(error)}`)
      return undefined
    })
    if (found === undefined) {
      setTimeout(() => !this.#queue.stopped && void this.#loadInputs(effect), READ_RETRY_MS)
      return
    }
    const inputs = found.filter((each) => !(each instanceof Error)) as LoadedInput[]
    if (inputs.length > 0) this.step({ type: 'inputsLoaded', job, inputs })
    for (const [index, each] of found.entries()) {
      const unit = units[index]
      if (!(each instanceof Error) || unit === undefined) continue
      this.#ports.log.write('error', 'requester', `Input of unit ${unit} cannot be read: ${describe(each)}`)
      this.step({ type: 'inputFailed', job, unit })
    }
  }

  async #fetchOutcome({ job, unit, outputHash, from }: Effect<'fetchOutcome'>): Promise<void> {
    const cid = cidOfHash(outputHash)
    try {
      const bytes = await this.#ports.source.fetch(cid, from, UNIT_BYTES_MAX * 2)
      await this.#ports.blocks.put(cid, bytes)
      this.step({ type: 'outcomeFetched', job, unit, outputHash })
    } catch (error) {
      this.#ports.log.write('warn', 'requester', `Outcome of unit ${unit} cannot be fetched: ${describe(error)}`)
      this.step({ type: 'outcomeUnavailable', job, unit, outputHash })
    }
  }

  async #executeLocally({ job, unit }: Effect<'executeLocally'>): Promise<void> {
    const manifest = this.#manifestOf(job)
    if (manifest === undefined) return this.step({ type: 'executedLocally', job, unit, key: null })
    try {
      const [input] = await this.#inputs.load(job, [unit])
      if (input === undefined || input instanceof Error) throw input ?? new Error('No input')
      const { hash, inline } = input
      const work = { job, manifest, unit, inputHash: hash, input: inline, from: [] }
      const executed = await this.#runner.run(work)
      const { exitCode, trap, outputHash, gas } = executed
      const { networkId: network, signer, now, random } = this.#ports
      // Signed like anybody's: should it contradict an executor, the two receipts are the evidence.
      const receipt = receiptOf({ job, unit, inputHash: hash }, { manifest, executed })
      const signed = await signReceipt(receipt, {
        network,
        signer,
        seq: 0,
        timestampMs: now(),
        nonce: random(NONCE_BYTES),
      })
      this.step({ type: 'executedLocally', job, unit, key: { exitCode, trap, outputHash, gas }, signed })
    } catch (error) {
      this.#ports.log.write('warn', 'requester', `Unit ${unit} could not be recomputed here: ${describe(error)}`)
      this.step({ type: 'executedLocally', job, unit, key: null })
    }
  }
}
