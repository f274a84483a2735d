import type { StoreOp } from './store.ts'

interface Waiting {
  readonly ops: readonly StoreOp[]
  resolve(): void
  reject(error: unknown): void
}

/**
 * Joins the batches that arrive while a transaction is being made durable, or soon after one began, into the next one, in order. A
 * durable commit costs milliseconds whatever its size, so this is what lets thousands of small batches a second each be durable.
 */
export class GroupCommit {
  readonly #commit: (ops: readonly StoreOp[]) => Promise<void>
  readonly #intervalMs: number
  readonly #burst: number
  /** When the commits made so far would have ended had each begun an interval after the last. */
  #paidUntil = Number.NEGATIVE_INFINITY
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  /**
   * @param commit - Makes one batch durable, all or nothing; never called twice at once.
   * @param options.intervalMs - Least time from the start of one commit to that of the next, in the long run. @default 0
   * @param options.burst - Commits that need not keep the interval after a rest: a few writes that wait for each other. @default 1
   */
  constructor(
    commit: (ops: readonly StoreOp[]) => Promise<void>,
    options: { readonly intervalMs?: number; readonly burst?: number } = {},
  ) {
    this.#commit = commit
    this.#intervalMs = options.intervalMs ?? 0
    this.#burst = options.burst ?? 1
  }

  /** Resolves when `ops` are durable. A batch keeps its order among all batches and is never split. */
  write(ops: readonly StoreOp[]): Promise<void> {
    if (ops.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ops, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when nothing is waiting any more. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #drain(): Promise<void> {
    // One turn of patience joins the batches that the same turn produces.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const pauseMs = this.#paidUntil - (this.#burst - 1) * this.#intervalMs - performance.now()
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
      this.#paidUntil = Math.max(this.#paidUntil, performance.now()) + this.#intervalMs
      const group = this.#waiting
      this.#waiting = []
      try {
        await this.#commit(lastOfEachKey(group.flatMap((each) => each.ops)))
        for (const each of group) each.resolve()
      } catch (error) {
        await this.#commitOneByOne(group, error)
      }
    }
    this.#running = undefined
  }

  /** A batch that cannot be stored must not take its neighbours with it. */
  async #commitOneByOne(group: readonly Waiting[], error: unknown): Promise<void> {
    if (group.length === 1) return group[0]?.reject(error)
    for (const each of group) {
      try {
        await this.#commit(each.ops)
        each.resolve()
      } catch (own) {
        each.reject(own)
      }
    }
  }
}

/** What was written and deleted again within one commit need not touch the disk twice. */
function lastOfEachKey(ops: readonly StoreOp[]): readonly StoreOp[] {
  const last = new Map<string, StoreOp>()
  for (const op of ops) last.set(`${op.bucket}\u0000${op.key}`, op)
  return last.size === ops.length ? ops : [...last.values()]
}
