import type { JobDetail, JobSummary, NodeApi, ResultItem, UnitGrid } from '../../node/contract.ts'
import { DETAIL_REFRESH_MS, GRID_RESYNC_MS, RESULTS_BATCH, RESULTS_REFRESH_MS, SUMMARY_REFRESH_MS } from '../limits.ts'
import { type Coalesced, coalesce } from './coalesce.ts'
import { errorText, type NodeSession } from './session.ts'
import { createStore, type Store } from './store.ts'

export interface JobView {
  /** `undefined` while asking, `null` when the node has no such job. */
  readonly detail: JobDetail | null | undefined
  readonly summary: JobSummary | null
  readonly error: string | null
}

/** Which cells differ from the last grid; `null` when all must be painted. */
export type GridListener = (grid: UnitGrid, changed: readonly number[] | null) => void

/**
 * Follows one job for its page. What changes often (cells, results) goes to painters directly, past React; what React shows is
 * in `view` and changes about once a second.
 */
export class JobWatch {
  readonly view: Store<JobView> = createStore<JobView>({ detail: undefined, summary: null, error: null })
  grid: UnitGrid | null = null
  readonly #session: NodeSession
  readonly #jobId: string
  readonly #gridListeners = new Set<GridListener>()
  readonly #feeds = new Set<Coalesced>()
  readonly #detail: Coalesced
  readonly #summary: Coalesced
  #newest: JobSummary | null = null
  readonly #cells: Coalesced
  readonly #unlisten: () => void

  constructor(session: NodeSession, jobId: string) {
    this.#session = session
    this.#jobId = jobId
    this.#detail = coalesce(() => this.#readDetail(), DETAIL_REFRESH_MS)
    this.#summary = coalesce(async () => this.#patch({ summary: this.#newest }), SUMMARY_REFRESH_MS)
    this.#cells = coalesce(() => this.#readGrid(), GRID_RESYNC_MS)
    this.#unlisten = session.listen((event) => {
      if (event.type === 'snapshot') this.#onSummaries(event.snapshot.jobs)
      if ((event.type !== 'job' && event.type !== 'units') || event.jobId !== jobId) return
      if (event.type === 'job') this.#note(event.summary)
      if (event.type === 'units') this.#apply(event.changes, event.peers)
      this.#detail.request()
      for (const feed of this.#feeds) feed.request()
    })
    this.refresh()
  }

  /** Reads everything again soon; for after an action. */
  refresh(): void {
    this.#detail.request()
    this.#cells.request()
    for (const feed of this.#feeds) feed.request()
  }

  stop(): void {
    this.#unlisten()
    this.#detail.stop()
    this.#summary.stop()
    this.#cells.stop()
    for (const feed of this.#feeds) feed.stop()
  }

  /** Calls `listener` with the grid now, if there is one, and at each change. */
  onGrid(listener: GridListener): () => void {
    this.#gridListeners.add(listener)
    if (this.grid !== null) listener(this.grid, null)
    return () => this.#gridListeners.delete(listener)
  }

  /** Hands every accepted result to `take`, from the first on, in batches as they arrive. Returns the stop. */
  followResults(take: (items: readonly ResultItem[]) => void | Promise<void>): () => void {
    let cursor = 0
    let stopped = false
    const api = this.#api
    const jobId = this.#jobId
    const feed = coalesce(async () => {
      for (;;) {
        const items = await api.results(jobId, cursor, RESULTS_BATCH).catch(() => [])
        if (stopped || items.length === 0) return
        cursor += items.length
        await take(items)
      }
    }, RESULTS_REFRESH_MS)
    this.#feeds.add(feed)
    feed.request()
    return () => {
      stopped = true
      feed.stop()
      this.#feeds.delete(feed)
    }
  }

  get #api(): NodeApi {
    return this.#session.api
  }

  #onSummaries(jobs: readonly JobSummary[]): void {
    const summary = jobs.find((job) => job.jobId === this.#jobId)
    const last = this.view.get().summary
    if (summary === undefined || (last !== null && sameProgress(last, summary))) return
    this.#note(summary)
    this.refresh()
  }

  #note(summary: JobSummary): void {
    this.#newest = summary
    this.#summary.request()
  }

  async #readDetail(): Promise<void> {
    try {
      const detail = await this.#api.job(this.#jobId)
      this.#newest = detail
      this.#patch({ detail, summary: detail, error: null })
    } catch (error) {
      this.#patch({ error: errorText(error) })
    }
  }

  #apply(changes: Uint32Array, peers: readonly string[]): void {
    const { grid } = this
    // Changes before the first grid are in it already: answers and events come in order.
    if (grid === null) return
    const changed: number[] = []
    for (let at = 0; at + 2 < changes.length; at += 3) {
      const unit = changes[at] ?? 0
      if (unit >= grid.states.length) continue
      grid.states[unit] = changes[at + 1] ?? 0
      grid.executors[unit] = changes[at + 2] ?? 0
      changed.push(unit)
    }
    this.grid = { ...grid, peers }
    for (const listener of this.#gridListeners) listener(this.grid, changed)
  }

  async #readGrid(): Promise<void> {
    const next = await this.#api.unitGrid(this.#jobId).catch(() => null)
    if (next === null) return
    const last = this.grid
    this.grid = next
    const changed = last === null ? null : changedCells(last, next)
    if (changed !== null && changed.length === 0) return
    for (const listener of this.#gridListeners) listener(next, changed)
  }

  #patch(part: Partial<JobView>): void {
    this.view.set({ ...this.view.get(), ...part })
  }
}

function sameProgress(a: JobSummary, b: JobSummary): boolean {
  return (
    a.state === b.state &&
    a.counts.accepted === b.counts.accepted &&
    a.counts.leased === b.counts.leased &&
    a.counts.verified === b.counts.verified &&
    a.counts.failed === b.counts.failed
  )
}

/** Indices of the units whose state or first executor differs; `null` when the grids are of different jobs or sizes. */
export function changedCells(last: UnitGrid, next: UnitGrid): readonly number[] | null {
  if (last.states.length !== next.states.length) return null
  const changed: number[] = []
  for (let unit = 0; unit < next.states.length; unit++) {
    if (last.states[unit] !== next.states[unit] || last.executors[unit] !== next.executors[unit]) changed.push(unit)
  }
  return changed
}
