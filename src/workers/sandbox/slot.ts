import type { UnitExecution } from '../../core/tasks/unit.ts'
import type {
  PoolToWorker,
  SandboxWorker,
  SandboxWorkerStats,
  SpawnSandboxWorker,
  UnitMessage,
  WorkerToPool,
} from './contract.ts'
import type { PlainError } from './errors.ts'
import { CANCEL_GRACE_MS, DEADLINE_RECHECK_MS, SPAWN_READY_MS, STALL_MS } from './limits.ts'
import type { CachedModule } from './module-cache.ts'

/** One execution from `execute` to its end. Two slots may hold it when the first stalls: whoever settles it first counts. */
export interface Entry {
  readonly unit: UnitMessage
  readonly module: CachedModule
  attempts: number
  settled: boolean
  /** When it was last handed to a worker, ms of the pool's clock. */
  handedAt: number
}

/** Why a slot ended by itself. */
export type SlotEnd =
  | { readonly cause: 'timeout'; readonly culprit: Entry }
  | { readonly cause: 'dropped' }
  | { readonly cause: 'crashed'; readonly culprit: Entry | null; readonly reason: string; readonly wasReady: boolean }

export interface SlotEvents {
  ready(slot: Slot): void
  done(slot: Slot, entry: Entry, execution: UnitExecution): void
  /** The machine failed under this unit; the worker still answers, but its memory is not to be trusted to suffice. */
  fault(slot: Slot, entry: Entry, error: PlainError): void
  /** The running unit takes long: these wait behind it. */
  stalled(slot: Slot, waiting: readonly Entry[]): void
  /** The worker is gone. `rest` were handed over but not begun. */
  ended(slot: Slot, end: SlotEnd, rest: readonly Entry[]): void
}

/** One worker of the pool: what it was handed, whether it keeps its deadlines, and its end. */
export class Slot {
  readonly #events: SlotEvents
  readonly #worker: SandboxWorker
  readonly #modules = new Set<string>()
  /** Handed over, oldest first; the first one runs. */
  readonly #inFlight: Entry[] = []
  #staged: Entry[] = []
  #ready = false
  #gone = false
  #stallTold = false
  #headSince = 0
  #timer: ReturnType<typeof setTimeout> | null = null
  #timerAt = Number.POSITIVE_INFINITY
  /** Set once a deadline passed: until then its answer may still come. */
  #graceUntil = 0
  /** No more units; it ends when it has none left. */
  leaving = false

  constructor(spawn: SpawnSandboxWorker, events: SlotEvents) {
    this.#events = events
    this.#headSince = performance.now()
    this.#worker = spawn({
      message: (message) => this.#receive(message),
      failed: (reason) => this.#crash(reason),
    })
    this.#arm()
  }

  get ready(): boolean {
    return this.#ready && !this.#gone
  }

  get load(): number {
    return this.#inFlight.length + this.#staged.length
  }

  /** Expected work handed over, ms. */
  backlogMs(): number {
    let sum = 0
    for (const entry of this.#inFlight) sum += entry.module.unitMs ?? 0
    for (const entry of this.#staged) sum += entry.module.unitMs ?? 0
    return sum
  }

  stats(): SandboxWorkerStats {
    const head = this.#inFlight[0]
    return {
      state: this.leaving ? 'leaving' : !this.#ready ? 'starting' : head === undefined ? 'idle' : 'running',
      module: head?.module.cid ?? null,
      units: this.load,
      runningMs: head === undefined ? 0 : Math.max(0, performance.now() - this.#headSince),
    }
  }

  configure(cpuShare: number): void {
    this.#post({ type: 'configure', cpuShare })
  }

  forget(key: string): void {
    if (this.#modules.delete(key)) this.#post({ type: 'forget', key })
  }

  hold(busy: boolean): void {
    if (!this.#gone) this.#worker.hold(busy)
  }

  /** Takes a unit; nothing is sent before {@link flush}. */
  stage(entry: Entry): void {
    this.#staged.push(entry)
  }

  /** Hands all staged units over in one message, after the modules they need. */
  flush(): void {
    if (this.#staged.length === 0) return
    const now = performance.now()
    if (this.#inFlight.length === 0) this.#begin(now)
    for (const entry of this.#staged) {
      entry.handedAt = now
      this.#inFlight.push(entry)
      const { key, module } = entry.module
      if (this.#modules.has(key)) continue
      this.#modules.add(key)
      this.#post({ type: 'module', key, module })
    }
    const units = this.#staged.map((entry) => entry.unit)
    this.#staged = []
    this.#post({ type: 'run', units })
    this.#arm()
  }

  /** To be called when an entry it holds was settled elsewhere or cancelled. */
  noticeSettled(): void {
    this.#arm()
  }

  holds(entry: Entry): boolean {
    return this.#inFlight.includes(entry)
  }

  /** Ends the worker and gives back what it held. No event follows. */
  close(): readonly Entry[] {
    if (this.#gone) return []
    this.#gone = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#worker.terminate()
    return [...this.#inFlight.splice(0), ...this.#staged.splice(0)]
  }

  #post(message: PoolToWorker): void {
    if (!this.#gone) this.#worker.post(message)
  }

  #receive(message: WorkerToPool): void {
    if (this.#gone) return
    if (message.type === 'ready') {
      this.#ready = true
      this.#begin(performance.now())
      this.#arm()
      this.#events.ready(this)
      return
    }
    if (message.type !== 'done' && message.type !== 'fault') return
    const entry = this.#inFlight[0]
    // Answers come in the order of the units; anything else is a broken worker.
    if (entry === undefined || entry.unit.id !== message.id) return this.#crash('it answered out of turn')
    this.#inFlight.shift()
    this.#begin(performance.now() + (message.type === 'done' ? message.idleMs : 0))
    this.#arm()
    if (message.type === 'done') this.#events.done(this, entry, message.execution)
    else this.#events.fault(this, entry, message.error)
  }

  /** A new unit is the running one from `at` on. */
  #begin(at: number): void {
    this.#headSince = at
    this.#stallTold = false
    this.#graceUntil = 0
  }

  /** When something about the running unit is due, ms of the pool's clock. */
  #dueAt(): number {
    if (!this.#ready) return this.#headSince + SPAWN_READY_MS
    const head = this.#inFlight[0]
    if (head === undefined) return Number.POSITIVE_INFINITY
    if (!this.#stallTold && this.#inFlight.length > 1) {
      return this.#headSince + Math.min(STALL_MS, this.#wallMs(head))
    }
    return Math.max(this.#headSince + this.#wallMs(head), this.#graceUntil)
  }

  /** A settled unit is only in the way. Counted from its start: by the time it is noticed the grace may be over already. */
  #wallMs(head: Entry): number {
    return head.settled ? CANCEL_GRACE_MS : head.unit.limits.wallMsMax
  }

  /** Sets the timer, unless one is set that fires no later: tiny units would otherwise cost a timer each. */
  #arm(): void {
    if (this.#gone) return
    const dueAt = this.#dueAt()
    if (dueAt === Number.POSITIVE_INFINITY || (this.#timer !== null && this.#timerAt <= dueAt)) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerAt = dueAt
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, dueAt - performance.now()))
  }

  #fire(): void {
    this.#timer = null
    if (this.#gone) return
    // Timers may fire a fraction of a millisecond early.
    if (performance.now() + 1 < this.#dueAt()) return this.#arm()
    if (!this.#ready) return this.#crash(`it was not ready within ${SPAWN_READY_MS} ms`)
    const head = this.#inFlight[0]
    if (head === undefined) return
    const waitedMs = performance.now() - this.#headSince + 1
    if (!this.#stallTold && this.#inFlight.length > 1 && waitedMs >= STALL_MS) {
      this.#stallTold = true
      this.#events.stalled(this, this.#inFlight.slice(1))
    } else if (waitedMs >= this.#wallMs(head)) {
      // This thread may have been busy itself: the answer can lie in its queue.
      if (this.#graceUntil === 0) this.#graceUntil = performance.now() + DEADLINE_RECHECK_MS
      else this.#expire(head)
    }
    this.#arm()
  }

  #expire(head: Entry): void {
    const rest = this.close().filter((entry) => entry !== head)
    this.#events.ended(this, head.settled ? { cause: 'dropped' } : { cause: 'timeout', culprit: head }, rest)
  }

  #crash(reason: string): void {
    if (this.#gone) return
    const wasReady = this.#ready
    const [culprit = null, ...rest] = this.close()
    this.#events.ended(this, { cause: 'crashed', culprit, reason, wasReady }, rest)
  }
}
