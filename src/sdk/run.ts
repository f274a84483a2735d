import type { JobSummary, NodeApi, NodeEvent, ResultItem } from '../node/contract.ts'
import { JobEndedError } from './errors.ts'
import { POLL_INTERVAL_MS, RESULTS_PER_CALL } from './limits.ts'

export type ProgressListener = (summary: JobSummary) => void

const ENDED: ReadonlySet<string> = new Set(['done', 'cancelled', 'failed'])

/**
 * A running job. Iterating yields each accepted result once, as they are accepted; leaving the loop early stops listening, the job goes on.
 *
 * @throws {@link JobEndedError} From the iteration, when the job fails or somebody else cancels it.
 */
export class Run implements AsyncIterable<ResultItem> {
  /** Known once the node has taken the job. */
  readonly jobId: Promise<string>
  /** Resolves with the last state when the job is over, however it ended. */
  readonly done: Promise<JobSummary>
  readonly #api: NodeApi
  readonly #listeners = new Set<ProgressListener>()
  #summary: JobSummary | null = null
  #cancelled = false
  #news = Promise.withResolvers<void>()

  /** @param submit - Gives the job to the node and returns its id. */
  constructor(api: NodeApi, submit: () => Promise<string>) {
    this.#api = api
    const subscribed = api.subscribe((event) => this.#heard(event))
    this.jobId = subscribed.then(submit)
    this.done = this.#follow(subscribed)
    // Both are also awaited by whoever uses the run; alone they must not end the process.
    this.jobId.catch(() => undefined)
    this.done.catch(() => undefined)
  }

  /** The latest state; `null` until the first is known. */
  get summary(): JobSummary | null {
    return this.#summary
  }

  /** Calls `listener` at every change, at most a few times a second. Returns the unlisten. */
  onProgress(listener: ProgressListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends the job; what was accepted stays, and an iteration in progress ends after it. */
  async cancel(): Promise<void> {
    this.#cancelled = true
    await this.#api.cancelJob(await this.jobId)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ResultItem, void, undefined> {
    const jobId = await this.jobId
    for (let cursor = 0; ; ) {
      // Read before fetching: what is accepted in between is fetched next time round.
      const news = this.#news.promise
      const ended = this.#summary !== null && ENDED.has(this.#summary.state)
      const batch = await this.#api.results(jobId, cursor, RESULTS_PER_CALL)
      cursor += batch.length
      yield* batch
      if (batch.length > 0) continue
      if (ended) return this.#check()
      await Promise.race([news, this.done])
    }
  }

  /** The same results in the order of their units; later ones wait for earlier ones. Units that failed are left out at the end. */
  async *ordered(): AsyncGenerator<ResultItem, void, undefined> {
    const waiting = new Map<number, ResultItem>()
    let next = 0
    for await (const item of this) {
      waiting.set(item.unit, item)
      for (let ready = waiting.get(next); ready !== undefined; ready = waiting.get(++next)) {
        waiting.delete(next)
        yield ready
      }
    }
    yield* [...waiting.values()].sort((a, b) => a.unit - b.unit)
  }

  async #follow(subscribed: Promise<number>): Promise<JobSummary> {
    const jobId = await this.jobId
    try {
      for (;;) {
        const news = this.#news.promise
        if (this.#summary !== null && ENDED.has(this.#summary.state)) return this.#summary
        const timer = Promise.withResolvers<void>()
        const timeout = setTimeout(timer.resolve, POLL_INTERVAL_MS)
        await Promise.race([news, timer.promise])
        clearTimeout(timeout)
        const detail = await this.#api.job(jobId)
        if (detail === null) throw new JobEndedError(`Job ${jobId} was removed`, { jobId })
        this.#take(detail)
      }
    } finally {
      await this.#api.unsubscribe(await subscribed)
    }
  }

  #heard(event: NodeEvent): void {
    if (event.type !== 'job') return
    // Events may come before the submission's own answer.
    void this.jobId.then((jobId) => jobId === event.jobId && this.#take(event.summary)).catch(() => undefined)
  }

  #take(summary: JobSummary): void {
    if (this.#summary !== null && ENDED.has(this.#summary.state)) return
    this.#summary = summary
    const { resolve } = this.#news
    this.#news = Promise.withResolvers<void>()
    resolve()
    for (const listener of this.#listeners) listener(summary)
  }

  #check(): void {
    const summary = this.#summary
    if (summary === null || summary.state === 'done' || (summary.state === 'cancelled' && this.#cancelled)) return
    const { jobId, state, reason, counts } = summary
    const why = reason === null ? '' : ` (${reason.code}${reason.detail === undefined ? '' : `: ${reason.detail}`})`
    throw new JobEndedError(`The job ${state}${why}: ${counts.accepted} of ${counts.units} units were accepted`, {
      jobId,
      state,
      accepted: counts.accepted,
      units: counts.units,
    })
  }
}
