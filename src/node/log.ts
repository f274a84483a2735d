import type { LogEntry } from './contract.ts'

/** Entries kept; older ones are dropped, so a flood costs memory once. */
const ENTRIES_MAX = 2_000
/** Longer messages are cut: a log line is for a person. */
const MESSAGE_CHARACTERS_MAX = 500

/** The peer's own log: bounded, leveled, readable in Diagnostics. Never holds bytes from the network. */
export class Log {
  readonly #entries: LogEntry[] = []
  readonly #listeners = new Set<(entry: LogEntry) => void>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  write(level: LogEntry['level'], scope: string, message: string): void {
    const cut = message.length > MESSAGE_CHARACTERS_MAX ? `${message.slice(0, MESSAGE_CHARACTERS_MAX)}…` : message
    const entry: LogEntry = { at: this.#now(), level, scope, message: cut }
    this.#entries.push(entry)
    // Cutting in blocks keeps the cost of a write constant.
    if (this.#entries.length > ENTRIES_MAX * 1.25) this.#entries.splice(0, this.#entries.length - ENTRIES_MAX)
    for (const listener of this.#listeners) listener(entry)
  }

  entries(): readonly LogEntry[] {
    return this.#entries.slice(-ENTRIES_MAX)
  }

  listen(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
