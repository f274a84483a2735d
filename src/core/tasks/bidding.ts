import type { JobId, PeerId } from '../codec/ids.ts'
import type { ExecutorOutput } from './executor-output.ts'
import type { ExecutorState } from './executor-state.ts'
import * as limits from './limits.ts'
import type { HeldUnits } from './messages.ts'
import type { RequesterLink } from './requester-link.ts'

/** How much of each requester's work an executor wants, and what it tells it of what it holds. Rule [X2]. */
export class Bidding {
  readonly #state: ExecutorState

  constructor(state: ExecutorState) {
    this.#state = state
  }

  /** Units it wants to hold of one requester: its share of the workers, and enough queued to hide the round trip. Rule [X2]. */
  slotsFor(link: RequesterLink): number {
    if (!this.#isServing(link) || this.#state.outbox.size >= limits.OUTBOX_RESULTS_MAX) return 0
    let serving = 0
    for (const other of this.#state.links.values()) if (this.#isServing(other)) serving++
    const queued = link.meanUs === null ? 1 : Math.ceil((limits.PIPELINE_MS * 1_000) / Math.max(link.meanUs, 1))
    const depth = Math.min(limits.PIPELINE_PER_WORKER_MAX, Math.max(1, queued))
    const all = this.#state.controls.workers * (1 + depth)
    return Math.min(limits.SLOTS_MAX, Math.max(1, Math.ceil(all / serving)))
  }

  #isServing(link: RequesterLink): boolean {
    if (!this.#state.mayWorkFor(link.peer)) return false
    for (const offered of link.jobs.values()) if (offered.state === 'ready') return true
    return false
  }

  /** Tells a requester what this executor offers and holds. */
  bid(link: RequesterLink, held: ReadonlyMap<PeerId, readonly HeldUnits[]>, out: ExecutorOutput): void {
    const slots = this.slotsFor(link)
    const jobs = [...link.jobs.values()].filter((offered) => offered.state === 'ready').map((offered) => offered.job)
    const { session, grant } = link
    link.slotsBid = slots
    const load = { slots, workers: this.#state.controls.workers, gasPerSecond: link.gasPerSecond }
    const message = { type: 'bid', jobs, ...load, session, grant, held: held.get(link.peer) ?? [] } as const
    out.send(link.peer, message)
  }

  /** Lists everything this executor has of each requester. */
  heldBy(): Map<PeerId, HeldUnits[]> {
    const lists = new Map<string, { queued: number[]; running: number[]; done: number[] }>()
    const held = new Map<PeerId, HeldUnits[]>()
    const listFor = (requester: PeerId, job: JobId) => {
      const key = `${requester}/${job}`
      const known = lists.get(key)
      if (known !== undefined) return known
      const list = { queued: [], running: [], done: [] }
      lists.set(key, list)
      const jobs = held.get(requester) ?? []
      held.set(requester, jobs)
      if (jobs.length < limits.OFFERED_JOBS_PER_REQUESTER_MAX) jobs.push({ job, ...list })
      return list
    }
    const add = (list: number[], unit: number) => {
      if (list.length < limits.UNITS_PER_MESSAGE_MAX) list.push(unit)
    }
    const running = new Set([...this.#state.running.values()].map((each) => each.queued))
    for (const queued of this.#state.held.values()) {
      const list = listFor(queued.offered.requester, queued.offered.job)
      add(running.has(queued) ? list.running : list.queued, queued.unit)
    }
    for (const { requester, job, result } of this.#state.outbox.entries()) {
      add(listFor(requester, job).done, result.receipt.receipt.unit)
    }
    return held
  }

  /** A first guess of the slots is soon wrong by far for tiny units: say so at once. */
  rebidIfMisjudged(requester: PeerId, out: ExecutorOutput): void {
    const link = this.#state.links.get(requester)
    if (link === undefined) return
    const slots = this.slotsFor(link)
    if (slots >= link.slotsBid * 2 || slots * 2 <= link.slotsBid) out.bids.add(link)
  }
}
