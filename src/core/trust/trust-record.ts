import type { JobId, PeerId, RootId } from '../codec/ids.ts'
import type { Barred } from './blacklist.ts'
import type { Fixed } from './fixed.ts'
import { HourQuota } from './hour-quota.ts'
import { CATEGORIES_MAX, CATEGORY_CHARS_MAX, DEVICES_PER_ROOT_MAX, HISTORY_POINTS_MAX, PROOFS_MAX } from './limits.ts'
import { EMPTY_TALLY, type ModelRecord, NEW_MODEL_RECORD, type Tally } from './score.ts'

/** One step of somebody's history. */
export interface HistoryPoint {
  readonly atMs: number
  readonly score: Fixed
  readonly standing: number
  readonly cause: string
}

/** One peer's word that another lied. */
export interface Accusation {
  readonly accuser: RootId
  readonly atMs: number
}

/** Everything this peer knows of one root from its own dealings. */
export interface TrustRecord {
  readonly root: RootId
  readonly devices: Set<PeerId>
  readonly firstSeenMs: number
  lastTaskMs: number | null
  total: Tally
  /** Least recently used first. */
  readonly categories: Map<string, Tally>
  model: ModelRecord
  standingMilli: number
  /** Wrong results that others outvoted. */
  outvoted: number
  barred: Barred | null
  readonly accusations: Accusation[]
  /** It accused somebody falsely: its word is worth nothing until then. */
  slandererUntilMs: number
  subnet: string | null
  readonly quota: HourQuota
  readonly history: HistoryPoint[]
  /** Accepted units whose receipts prove the dealing, newest last. */
  readonly proofs: { readonly job: JobId; readonly unit: number }[]
}

export function newRecord(root: RootId, nowMs: number): TrustRecord {
  return {
    root,
    devices: new Set(),
    firstSeenMs: nowMs,
    lastTaskMs: null,
    total: EMPTY_TALLY,
    categories: new Map(),
    model: NEW_MODEL_RECORD,
    standingMilli: 0,
    outvoted: 0,
    barred: null,
    accusations: [],
    slandererUntilMs: 0,
    subnet: null,
    quota: new HourQuota(),
    history: [],
    proofs: [],
  }
}

/** Changes all tallies that a task of this category belongs to. */
export function tallyBoth(record: TrustRecord, category: string, change: (tally: Tally) => Tally): void {
  record.total = change(record.total)
  const name = category.slice(0, CATEGORY_CHARS_MAX)
  const tally = change(record.categories.get(name) ?? EMPTY_TALLY)
  record.categories.delete(name)
  record.categories.set(name, tally)
  const [oldest] = record.categories.keys()
  if (record.categories.size > CATEGORIES_MAX && oldest !== undefined) record.categories.delete(oldest)
}

export function noteDevice(record: TrustRecord, peer: PeerId): void {
  record.devices.delete(peer)
  record.devices.add(peer)
  const [oldest] = record.devices
  if (record.devices.size > DEVICES_PER_ROOT_MAX && oldest !== undefined) record.devices.delete(oldest)
}

/** Points of one cause this close together are one point: a job of a thousand units is not a thousand lines. */
const HISTORY_STEP_MS = 60_000

/** Adds a point. When the history is full every second of its older half goes: long ago needs less detail. */
export function notePoint(record: TrustRecord, point: HistoryPoint): void {
  const { history } = record
  const last = history.at(-1)
  if (last !== undefined && last.cause === point.cause && point.atMs - last.atMs < HISTORY_STEP_MS) {
    history[history.length - 1] = { ...point, atMs: last.atMs }
    return
  }
  history.push(point)
  if (history.length <= HISTORY_POINTS_MAX) return
  const half = Math.floor(history.length / 2)
  const thinned = history.filter((_, index) => index >= half || index % 2 === 0)
  history.splice(0, history.length, ...thinned)
}

/** Remembers a unit whose receipt can be shown. Of one job only the newest: several jobs prove more than many units of one. */
export function noteProof(record: TrustRecord, proof: { readonly job: JobId; readonly unit: number }): void {
  const same = record.proofs.findIndex(({ job }) => job === proof.job)
  if (same >= 0) record.proofs.splice(same, 1)
  record.proofs.push(proof)
  if (record.proofs.length > PROOFS_MAX) record.proofs.shift()
}
