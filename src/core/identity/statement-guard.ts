import { type Remembered, ReplayWindow, SequenceGuard } from './replay-window.ts'
import { checkStatementNetwork, type Statement } from './statement.ts'
import type { Recurrence } from './statement-kinds.ts'

/** One statement that was acted upon, as it is kept over a restart. */
export interface GuardRecord extends Remembered {
  readonly kind: string
  readonly seq: number
}

/** What is to be durable before the statement is acted upon. */
export interface GuardChanges {
  readonly kept: GuardRecord
  /** Keys of records that are of no use any more. */
  readonly forgotten: readonly string[]
  readonly floorMs: number
}

export interface GuardSnapshot {
  readonly floorMs: number
  readonly records: readonly GuardRecord[]
}

/**
 * Decides whether a statement whose signature is good may be acted upon now, in this network. Rules [S3], [S4], [S5] and [S8].
 *
 * Numbers need not be remembered longer than nonces: what is older than both is refused by its timestamp. So the records of the
 * window restore both.
 */
export class StatementGuard {
  readonly #network: string
  readonly #window: ReplayWindow
  readonly #sequence = new SequenceGuard()

  constructor(network: string, snapshot: GuardSnapshot = { floorMs: 0, records: [] }) {
    this.#network = network
    const byExpiry = [...snapshot.records].sort((a, b) => a.expiresAtMs - b.expiresAtMs)
    this.#window = new ReplayWindow({ floorMs: snapshot.floorMs, remembered: byExpiry })
    const highest = new Map<string, GuardRecord>()
    for (const record of snapshot.records) {
      const name = `${record.author}/${record.kind}`
      if (record.seq >= (highest.get(name)?.seq ?? 0)) highest.set(name, record)
    }
    for (const record of highest.values()) this.#sequence.restore(record)
  }

  /** Statements remembered. */
  get size(): number {
    return this.#window.size
  }

  /**
   * Refuses what {@link admit} would, but for want of room, and takes no note: to be asked before the signature is verified.
   *
   * @param nowMs - This peer's clock, corrected by its peers'.
   * @throws {@link ForeignStatementError} {@link StaleStatementError} {@link ReplayedStatementError}
   */
  check(statement: Statement<unknown>, recurrence: Recurrence, nowMs: number): void {
    checkStatementNetwork(statement, this.#network)
    if (recurrence === 'evidence') return
    const { author, timestampMs, nonce } = statement
    this.#window.check({ author, timestampMs, nonce }, nowMs)
    if (recurrence === 'once') this.#sequence.check(statement, nowMs)
  }

  /**
   * Takes note of a statement whose signature was found good.
   *
   * @returns What is to be made durable before it is acted upon; `null` when nothing is to be remembered of it.
   * @throws Like {@link check}, and {@link LimitExceededError} when there is no room to remember it.
   */
  admit(statement: Statement<unknown>, recurrence: Recurrence, nowMs: number): GuardChanges | null {
    this.check(statement, recurrence, nowMs)
    if (recurrence !== 'once') return null
    const { kind, seq } = statement
    const { entry, forgotten } = this.#window.admit(statement, nowMs)
    this.#sequence.admit(statement, nowMs)
    return { kept: { ...entry, kind, seq }, forgotten, floorMs: this.#window.floorMs }
  }
}
