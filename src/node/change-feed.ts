import type { LogEntry, NodeEvent, NodeSnapshot } from './contract.ts'

/** A snapshot without any change goes out this often, so that rates and times move. */
const SNAPSHOT_INTERVAL_MS = 1_000
/**
 * And with changes at most this often: figures that change faster cannot be read, and to lay out and paint them four times a second took as
 * much of a tab that works for others as all its messages.
 */
const CHANGED_INTERVAL_MS = 500

/** What is told to listeners. */
interface ChangeSources {
  now(): number
  snapshot(): NodeSnapshot
  /** Events since the last call. */
  takeEvents(): readonly NodeEvent[]
}

/** Tells listeners what changed, together and not too often. */
export class ChangeFeed {
  readonly #sources: ChangeSources
  readonly #listeners = new Map<number, (event: NodeEvent) => void>()
  #subscriptions = 0
  #changed = true
  #toldAt = 0
  #newLogs: LogEntry[] = []

  constructor(sources: ChangeSources) {
    this.#sources = sources
  }

  /** @returns What {@link remove} takes. */
  add(listener: (event: NodeEvent) => void): number {
    this.#listeners.set(++this.#subscriptions, listener)
    return this.#subscriptions
  }

  /** Tells this listener nothing more. */
  remove(subscription: number): void {
    this.#listeners.delete(subscription)
  }

  /** The next snapshot differs from the last. */
  changed(): void {
    this.#changed = true
  }

  /** A line for whoever reads the log. */
  logged(entry: LogEntry): void {
    this.#newLogs.push(entry)
  }

  /** Tells everything since the last call. */
  tell(): void {
    if (this.#listeners.size === 0) {
      this.#newLogs = []
      return
    }
    const now = this.#sources.now()
    const events: NodeEvent[] = [...this.#sources.takeEvents()]
    if (now - this.#toldAt >= (this.#changed ? CHANGED_INTERVAL_MS : SNAPSHOT_INTERVAL_MS)) {
      this.#changed = false
      this.#toldAt = now
      events.push({ type: 'snapshot', snapshot: this.#sources.snapshot() })
    }
    if (this.#newLogs.length > 0) events.push({ type: 'log', entries: this.#newLogs.splice(0) })
    for (const event of events) for (const listener of this.#listeners.values()) listener(event)
  }
}
