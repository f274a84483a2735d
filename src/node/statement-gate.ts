import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { StarlingError } from '../core/codec/errors.ts'
import { integer, peerId, text } from '../core/codec/fields.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { NONCE_BYTES } from '../core/identity/limits.ts'
import type { Verifier } from '../core/identity/ports.ts'
import { type RefusalReason, refusalReason } from '../core/identity/refusal.ts'
import { type DecodedStatement, verifyStatement } from '../core/identity/statement.ts'
import { type GuardChanges, type GuardRecord, StatementGuard } from '../core/identity/statement-guard.ts'
import { isKnownKind, type KnownKind, type Recurrence, STATEMENT_KINDS } from '../core/identity/statement-kinds.ts'
import type { Misconduct } from '../core/trust/misconduct.ts'
import type { OnSecurityEvent, SecurityEventType } from '../core/trust/security-event.ts'
import type { Store, StoreOp } from '../storage/store.ts'
import type { SampledGauge } from './metrics.ts'

const RECORDS = 'replay'
const STATE = 'replay-state'
const FLOOR = 'floor'
const SEQUENCE = 'sequence'

/** Sequence numbers set aside with one write: numbers are times in milliseconds, so this is a minute of them. */
const SEQUENCE_RESERVED = 60_000

const LIMITS = { bytesMax: 512, depthMax: 1, itemsMax: 16 } as const
const count = integer(0, Number.MAX_SAFE_INTEGER)
const recordSchema = v.strictObject({ author: peerId, expiresAtMs: count, kind: text(1, 32), seq: count })

const TYPE_OF_REASON: Readonly<Record<RefusalReason, SecurityEventType>> = {
  signature: 'statement-forged',
  stale: 'statement-stale',
  replayed: 'statement-replayed',
  network: 'statement-foreign',
  kind: 'statement-foreign',
  limit: 'statement-oversized',
  malformed: 'statement-malformed',
}

export interface StatementGateInit {
  readonly network: string
  readonly verifier: Verifier
  readonly store: Store
  /** Milliseconds since 1970 by this device. */
  readonly now: () => number
  /** What the peers' clocks say is to be added to it. */
  readonly clockCorrectionMs: () => number
  readonly random: (bytes: number) => Uint8Array
  readonly onSecurityEvent: OnSecurityEvent
}

/** The parts of a statement that say when and how often it was made. */
export interface Stamp {
  readonly network: string
  readonly seq: number
  readonly timestampMs: number
  readonly nonce: Uint8Array
}

/** Who sent what was refused, and what it was. */
export interface RefusedFrom {
  /** Whoever sent or passed it on; a forwarder is not its author. */
  readonly from: PeerId | null
  readonly kind: KnownKind | 'message'
  readonly evidence?: Uint8Array
  /** What it says against `from`, when that surely made it. @default nothing */
  readonly misconduct?: Misconduct | null
}

/**
 * Where signed statements come in: each is for this network, of its time, not heard before, in order, and signed by its author, or it
 * is refused by name, counted and reported. What is acted upon once is durable before that, so that a restart reopens nothing.
 * Rules [S3] to [S5], [S8] and [S9].
 */
export class StatementGate {
  readonly #init: StatementGateInit
  readonly #guard: StatementGuard
  /** By reason and kind; both are fixed lists. */
  readonly #refused = new Map<string, { readonly reason: RefusalReason; readonly kind: string; count: number }>()
  #floorMs: number
  #sequence: number
  #sequenceReserved: number

  private constructor(init: StatementGateInit, kept: Awaited<ReturnType<typeof readKept>>) {
    this.#init = init
    this.#floorMs = kept.floorMs
    this.#sequence = kept.sequence
    this.#sequenceReserved = kept.sequence
    this.#guard = new StatementGuard(init.network, kept)
  }

  /** Comes back with what was heard before a restart. */
  static async open(init: StatementGateInit): Promise<StatementGate> {
    return new StatementGate(init, await readKept(init.store))
  }

  /** The time that timestamps are made with and compared with, milliseconds since 1970. */
  nowMs(): number {
    return Math.round(this.#init.now() + this.#init.clockCorrectionMs())
  }

  /** The stamp of this peer's next statement; its number is above all before, over restarts and corrections of the clock. */
  async stamp(): Promise<Stamp> {
    const timestampMs = this.nowMs()
    const seq = Math.max(this.#sequence + 1, timestampMs)
    this.#sequence = seq
    if (seq >= this.#sequenceReserved) {
      this.#sequenceReserved = seq + SEQUENCE_RESERVED
      await this.#init.store.write([{ bucket: STATE, key: SEQUENCE, value: encode(this.#sequenceReserved) }])
    }
    return { network: this.#init.network, seq, timestampMs, nonce: this.#init.random(NONCE_BYTES) }
  }

  /**
   * Refuses what {@link admit} would without verifying its signature, and takes no note.
   *
   * @throws Like {@link admit}.
   */
  check({ statement }: DecodedStatement<unknown>): void {
    this.#guard.check(statement, recurrenceOf(statement.kind), this.nowMs())
  }

  /**
   * Lets a statement in, once it is durable that it was heard.
   *
   * @throws A named error; {@link refuse} counts and reports it.
   */
  async admit(decoded: DecodedStatement<unknown>): Promise<void> {
    const { statement } = decoded
    const recurrence = recurrenceOf(statement.kind)
    this.#guard.check(statement, recurrence, this.nowMs())
    await verifyStatement(decoded, this.#init.verifier)
    // Again: another copy may have come while this one was verified.
    const changes = this.#guard.admit(statement, recurrence, this.nowMs())
    if (changes !== null) await this.#init.store.write(this.#opsOf(changes))
  }

  /** Counts and reports what was refused; says nothing of errors that are not the statement's fault. */
  refuse(error: unknown, { from, kind, evidence, misconduct = null }: RefusedFrom): void {
    const reason = refusalReason(error)
    if (reason === null) return
    this.count(reason, kind)
    this.#init.onSecurityEvent({
      type: TYPE_OF_REASON[reason],
      peerId: from,
      message: `Refused a ${kind}: ${error instanceof StarlingError ? error.message : String(error)}`,
      ...(evidence === undefined ? {} : { evidence: [evidence] }),
      misconduct,
    })
  }

  count(reason: RefusalReason, kind: KnownKind | 'message'): void {
    const key = `${reason}/${kind}`
    const entry = this.#refused.get(key)
    if (entry === undefined) this.#refused.set(key, { reason, kind, count: 1 })
    else entry.count++
  }

  /** For the metrics: labels come from fixed lists alone. */
  samples(): SampledGauge[] {
    const help = 'Signed statements and messages refused, by reason and kind'
    const name = 'starling_statements_refused_total'
    const refused = [...this.#refused.values()].map(({ reason, kind, count: value }): SampledGauge => {
      return { name, help, kind: 'counter', value, labels: { reason, kind } }
    })
    const remembered = 'Statements remembered so that they are not taken twice'
    return [
      ...refused,
      { name: 'starling_statements_remembered', help: remembered, kind: 'gauge', value: this.#guard.size },
    ]
  }

  #opsOf({ kept, forgotten, floorMs }: GuardChanges): StoreOp[] {
    const { author, expiresAtMs, kind, seq } = kept
    const ops: StoreOp[] = [{ bucket: RECORDS, key: kept.key, value: encode({ author, expiresAtMs, kind, seq }) }]
    for (const key of forgotten) ops.push({ bucket: RECORDS, key, value: undefined })
    if (floorMs > this.#floorMs) {
      this.#floorMs = floorMs
      ops.push({ bucket: STATE, key: FLOOR, value: encode(floorMs) })
    }
    return ops
  }
}

function recurrenceOf(kind: string): Recurrence {
  return isKnownKind(kind) ? STATEMENT_KINDS[kind] : 'once'
}

async function readKept(store: Store) {
  const records: GuardRecord[] = []
  const damaged: StoreOp[] = []
  for await (const [key, value] of store.list(RECORDS, '')) {
    try {
      const record = decode(value, { what: 'replay record', limits: LIMITS, schema: recordSchema })
      records.push({ key, ...record })
    } catch {
      damaged.push({ bucket: RECORDS, key, value: undefined })
    }
  }
  if (damaged.length > 0) await store.write(damaged)
  return { records, floorMs: await readCount(store, FLOOR), sequence: await readCount(store, SEQUENCE) }
}

async function readCount(store: Store, key: string): Promise<number> {
  const value = await store.get(STATE, key)
  if (value === undefined) return 0
  try {
    return decode(value, { what: `replay ${key}`, limits: LIMITS, schema: count })
  } catch {
    return 0
  }
}
