import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { bytes, integer, list, text } from '../core/codec/fields.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { RECORD_LIMITS } from '../core/codec/limits.ts'
import {
  EVIDENCE_BYTES_MAX,
  EVIDENCE_ITEMS_MAX,
  SECURITY_EVENTS_MAX,
  SECURITY_MESSAGE_CHARS_MAX,
  SECURITY_REPEATS_MAX,
  SECURITY_REPEATS_WINDOW_MS,
} from '../core/trust/limits.ts'
import type { Misconduct } from '../core/trust/misconduct.ts'
import { SECURITY_EVENT_TYPES, type SecurityEventType, type SecurityReport } from '../core/trust/security-event.ts'
import type { Store, StoreOp } from '../storage/store.ts'
import type { SampledGauge } from './metrics.ts'
import type { SecurityEvent, SecurityFilter } from './trust-contract.ts'

const BUCKET = 'security'
/** Records that are not serious are written together at most this late: an attack must not turn into as many disk writes. */
const FLUSH_MS = 500
/** What a question without a limit gets. */
const ANSWER_MAX = 500
/** (type, peer) pairs whose repetitions are counted; the oldest give way. */
const REPEATS_TRACKED_MAX = 1_024
/** Sixteen digits sort like the numbers they are. */
const keyOf = (id: number): string => String(id).padStart(16, '0')

const recordSchema: v.GenericSchema<unknown, SecurityEvent> = v.strictObject({
  id: integer(1, Number.MAX_SAFE_INTEGER),
  at: integer(0, Number.MAX_SAFE_INTEGER),
  severity: v.picklist(['info', 'warning', 'serious']),
  type: text(1, 40),
  peerId: v.nullable(text(1, 80)),
  rootId: v.nullable(text(1, 80)),
  message: text(0, SECURITY_MESSAGE_CHARS_MAX + 80),
  evidence: list(bytes(0, EVIDENCE_BYTES_MAX), 0, EVIDENCE_ITEMS_MAX),
})

interface Repeats {
  sinceMs: number
  written: number
  suppressed: number
}

/** One act that no honest peer does, and who did it. */
export interface MisconductReport {
  readonly peer: PeerId
  readonly kind: Misconduct
  readonly evidence: Uint8Array | undefined
}

export interface SecurityLogInit {
  readonly store: Store
  readonly now: () => number
  /** Told of a record that the disk could not keep or give back; the log goes on in memory. */
  readonly onProblem?: (message: string) => void
}

/**
 * Everything refused, punished, rotated or revoked, with its evidence: bounded in number and bytes, kept over restarts, and counted
 * by type for the metrics. One peer's flood of one type is written a few times and counted after that. Rule [T25].
 *
 * @example
 * const log = await SecurityLog.open({ store, now })
 * log.add({ type: 'statement-replayed', peerId: peer, message: 'A receipt was sent twice; it was refused' })
 */
export class SecurityLog {
  readonly #store: Store
  readonly #now: () => number
  readonly #onProblem: (message: string) => void
  readonly #events: SecurityEvent[] = []
  readonly #counts = new Map<SecurityEventType, number>()
  readonly #repeats = new Map<string, Repeats>()
  readonly #listeners = new Set<(event: SecurityEvent) => void>()
  #onMisconduct: (report: MisconductReport) => void = () => undefined
  #nextId = 1
  #unsaved: StoreOp[] = []
  #timer: ReturnType<typeof setTimeout> | null = null

  private constructor({ store, now, onProblem }: SecurityLogInit) {
    this.#store = store
    this.#now = now
    this.#onProblem = onProblem ?? (() => undefined)
  }

  /** Comes back with what was kept; a damaged record is dropped. */
  static async open(init: SecurityLogInit): Promise<SecurityLog> {
    const log = new SecurityLog(init)
    for await (const [key, value] of init.store.list(BUCKET, '')) log.#restore(key, value)
    log.#cut()
    return log
  }

  /** Writes an event down. Never throws: what reports must not fail for it. */
  add(report: SecurityReport): void {
    this.#counts.set(report.type, (this.#counts.get(report.type) ?? 0) + 1)
    this.#write(report)
    // After it was written, and also when it was not: what is only counted here is still done by somebody.
    const { peerId, misconduct, evidence } = report
    if (peerId == null || misconduct == null) return
    this.#onMisconduct({ peer: peerId, kind: misconduct, evidence: evidence?.[0] })
  }

  /** Whoever measures what peers do is told of each act that is surely theirs. */
  onMisconduct(listener: (report: MisconductReport) => void): void {
    this.#onMisconduct = listener
  }

  #write(report: SecurityReport): void {
    const suppressed = this.#repeated(report)
    if (suppressed === null) return
    const more = suppressed > 0 ? ` (and ${suppressed} more like it before)` : ''
    const event: SecurityEvent = {
      id: this.#nextId++,
      at: Math.floor(this.#now()),
      severity: report.severity ?? SECURITY_EVENT_TYPES[report.type],
      type: report.type,
      peerId: report.peerId ?? null,
      rootId: report.rootId ?? null,
      message: cut(report.message) + more,
      // What is cut would prove nothing, so what is too large is left out whole.
      evidence: (report.evidence ?? [])
        .filter((piece) => piece.length <= EVIDENCE_BYTES_MAX)
        .slice(0, EVIDENCE_ITEMS_MAX)
        .map((piece) => piece.slice()),
    }
    this.#events.push(event)
    this.#save({ bucket: BUCKET, key: keyOf(event.id), value: encode(event) })
    this.#cut()
    // What somebody is punished for must not be forgotten by a reload in the next moment; repetitions are bounded above.
    if (event.severity === 'serious') void this.flush()
    for (const listener of this.#listeners) listener(event)
  }

  /** Newest first. */
  list(filter: SecurityFilter = {}): readonly SecurityEvent[] {
    const { types, severities, peer, before, limit = ANSWER_MAX } = filter
    const found: SecurityEvent[] = []
    for (let index = this.#events.length - 1; index >= 0 && found.length < limit; index--) {
      // The index is within the list.
      const event = this.#events[index] as SecurityEvent
      if (before !== undefined && event.id >= before) continue
      if (types !== undefined && types.length > 0 && !types.includes(event.type)) continue
      if (severities !== undefined && severities.length > 0 && !severities.includes(event.severity)) continue
      if (peer !== undefined && event.peerId !== peer && event.rootId !== peer) continue
      found.push(event)
    }
    return found
  }

  /** As lines of JSON, oldest first, evidence in base64. */
  export(filter: SecurityFilter = {}): Uint8Array {
    const events = this.list({ ...filter, limit: filter.limit ?? SECURITY_EVENTS_MAX })
    const lines = [...events]
      .reverse()
      .map((event) => JSON.stringify({ ...event, evidence: event.evidence.map(base64) }))
    return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))
  }

  listen(listener: (event: SecurityEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** For the metrics: one counter for each type that ever happened in this session, so labels are as many as types. */
  samples(): readonly SampledGauge[] {
    return [...this.#counts].map(([type, value]) => ({
      name: 'reputation_trust_events_total',
      help: 'Security events by type, repetitions included',
      kind: 'counter' as const,
      value,
      labels: { event_type: type },
    }))
  }

  /** Resolves when everything so far is durable, or was given up on. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const ops = this.#unsaved
    this.#unsaved = []
    if (ops.length === 0) return
    try {
      await this.#store.write(ops)
    } catch (error) {
      this.#onProblem(`Security events could not be stored: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** How many alike were left out before this one; `null` when this one is left out too. */
  #repeated({ type, peerId, rootId }: SecurityReport): number | null {
    // Sightings that name nobody share one bound.
    const key = `${type} ${rootId ?? peerId ?? ''}`
    const nowMs = this.#now()
    const known = this.#repeats.get(key)
    if (known !== undefined && nowMs - known.sinceMs < SECURITY_REPEATS_WINDOW_MS) {
      if (known.written < SECURITY_REPEATS_MAX) {
        known.written++
        return 0
      }
      known.suppressed++
      return null
    }
    this.#repeats.delete(key)
    this.#repeats.set(key, { sinceMs: nowMs, written: 1, suppressed: 0 })
    if (this.#repeats.size > REPEATS_TRACKED_MAX) {
      const [oldest] = this.#repeats.keys()
      if (oldest !== undefined) this.#repeats.delete(oldest)
    }
    return known?.suppressed ?? 0
  }

  #restore(key: string, value: Uint8Array): void {
    try {
      const event = decode(value, { what: 'security event', limits: RECORD_LIMITS, schema: recordSchema })
      this.#events.push(event)
      this.#nextId = Math.max(this.#nextId, event.id + 1)
    } catch (error) {
      this.#onProblem(`Damaged security event ${key}: ${error instanceof Error ? error.message : String(error)}`)
      this.#save({ bucket: BUCKET, key, value: undefined })
    }
  }

  /** Drops the oldest beyond the bound, the mild ones before the serious. */
  #cut(): void {
    while (this.#events.length > SECURITY_EVENTS_MAX) {
      const mild = this.#events.findIndex(({ severity }) => severity !== 'serious')
      const [dropped] = this.#events.splice(Math.max(0, mild), 1)
      if (dropped !== undefined) this.#save({ bucket: BUCKET, key: keyOf(dropped.id), value: undefined })
    }
  }

  #save(op: StoreOp): void {
    this.#unsaved.push(op)
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.flush()
    }, FLUSH_MS)
  }
}

function cut(message: string): string {
  return message.length > SECURITY_MESSAGE_CHARS_MAX ? `${message.slice(0, SECURITY_MESSAGE_CHARS_MAX - 1)}…` : message
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
