import type { JobId, PeerId } from '../codec/ids.ts'
import { UNITS_PER_MESSAGE_MAX } from './limits.ts'
import type { RequesterMessage } from './messages.ts'
import type { RequesterEffect, RequesterNotice } from './requester-events.ts'
import type { StoreOp } from './store-ops.ts'

type UnitLists = Map<PeerId, Map<JobId, number[]>>

/** Collects what one step asks for, and orders it: records first, so that nothing is told to anybody before it is durable. */
export class StepOutput {
  readonly #ops: StoreOp[] = []
  readonly #effects: RequesterEffect[] = []
  readonly #acks: UnitLists = new Map()
  readonly #cancels: UnitLists = new Map()
  readonly #notices: RequesterNotice[] = []

  persist(...ops: readonly StoreOp[]): void {
    this.#ops.push(...ops)
  }

  effect(effect: RequesterEffect): void {
    this.#effects.push(effect)
  }

  send(peer: PeerId, message: RequesterMessage): void {
    this.#effects.push({ type: 'send', peer, message })
  }

  ack(peer: PeerId, job: JobId, unit: number): void {
    add(this.#acks, peer, { job, unit })
  }

  cancel(peer: PeerId, job: JobId, unit: number): void {
    add(this.#cancels, peer, { job, unit })
  }

  emit(event: RequesterNotice): void {
    this.#notices.push(event)
  }

  finish(): RequesterEffect[] {
    const effects: RequesterEffect[] = this.#ops.length > 0 ? [{ type: 'persist', ops: this.#ops }] : []
    // Acknowledgements go first: they free the executors' memory.
    for (const message of messagesOf('ack', this.#acks)) effects.push(message)
    for (const message of messagesOf('cancel', this.#cancels)) effects.push(message)
    effects.push(...this.#effects)
    for (const event of this.#notices) effects.push({ type: 'emit', event })
    return effects
  }
}

function add(lists: UnitLists, peer: PeerId, { job, unit }: { job: JobId; unit: number }): void {
  const jobs: Map<JobId, number[]> = lists.get(peer) ?? new Map()
  lists.set(peer, jobs)
  const units = jobs.get(job)
  if (units === undefined) jobs.set(job, [unit])
  else units.push(unit)
}

function* messagesOf(type: 'ack' | 'cancel', lists: UnitLists): Generator<RequesterEffect> {
  for (const [peer, jobs] of lists) {
    for (const [job, units] of jobs) {
      for (let i = 0; i < units.length; i += UNITS_PER_MESSAGE_MAX) {
        yield { type: 'send', peer, message: { type, job, units: units.slice(i, i + UNITS_PER_MESSAGE_MAX) } }
      }
    }
  }
}
