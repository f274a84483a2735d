import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, integer, jobId, list, peerId, rootId, text } from '../codec/fields.ts'
import { RECORD_LIMITS } from '../codec/limits.ts'
import { UNITS_MAX } from '../tasks/limits.ts'
import type { HeardAttestation } from './attestation.ts'
import type { Barred } from './blacklist.ts'
import { ONE } from './fixed.ts'
import { HourQuota } from './hour-quota.ts'
import {
  ACCUSATIONS_PER_ROOT_MAX,
  ATTESTATION_BYTES_MAX,
  CATEGORIES_MAX,
  CATEGORY_CHARS_MAX,
  DEVICES_PER_ROOT_MAX,
  HISTORY_POINTS_MAX,
  PROOFS_MAX,
  STANDING_MAX,
} from './limits.ts'
import type { Tally } from './score.ts'
import type { TrustRecord } from './trust-record.ts'

/** How trust looks in the store. What is read back is checked like a message: a disk may be damaged or shared. */

const count = integer(0, Number.MAX_SAFE_INTEGER)
const fixed = integer(0, ONE)
const tally: v.GenericSchema<unknown, Tally> = v.strictObject({
  good: count,
  bad: count,
  durationUs: count,
  costMicro: count,
  megagas: count,
})

const REASON_CHARS_MAX = 200

const barred: v.GenericSchema<unknown, Barred> = v.strictObject({
  root: rootId,
  sinceMs: count,
  untilMs: v.nullable(count),
  by: v.picklist(['score', 'evidence', 'owner']),
  reason: text(0, REASON_CHARS_MAX),
})

const recordSchema = v.strictObject({
  root: rootId,
  devices: list(peerId, 0, DEVICES_PER_ROOT_MAX),
  firstSeenMs: count,
  lastTaskMs: v.nullable(count),
  total: tally,
  categories: list(v.strictObject({ name: text(0, CATEGORY_CHARS_MAX), tally }), 0, CATEGORIES_MAX),
  model: v.strictObject({ score: fixed, updates: count }),
  standingMilli: integer(0, STANDING_MAX * 1_000),
  outvoted: count,
  barred: v.nullable(barred),
  accusations: list(v.strictObject({ accuser: rootId, atMs: count }), 0, ACCUSATIONS_PER_ROOT_MAX),
  slandererUntilMs: count,
  subnet: v.nullable(text(0, 80)),
  /** What was used of the hour's quota when this was written, and when. */
  quota: v.strictObject({ usedPpm: count, atMs: count }),
  history: list(
    v.strictObject({ atMs: count, score: fixed, standing: integer(0, STANDING_MAX), cause: text(0, 60) }),
    0,
    HISTORY_POINTS_MAX,
  ),
  proofs: list(v.strictObject({ job: jobId, unit: integer(0, UNITS_MAX - 1) }), 0, PROOFS_MAX),
})

/** The stored form of what is known of one root. */
export function encodeTrustRecord(record: TrustRecord, nowMs: number): Uint8Array {
  const { devices, categories, quota, ...rest } = record
  return encode({
    ...rest,
    devices: [...devices],
    categories: [...categories].map(([name, each]) => ({ name, tally: each })),
    quota: { usedPpm: quota.used(nowMs), atMs: Math.floor(nowMs) },
  })
}

/** @throws `InvalidMessageError` Or a limit, naming the field, when the record is damaged. */
export function decodeTrustRecord(value: Uint8Array): TrustRecord {
  const stored = decode(value, { what: 'trust record', limits: RECORD_LIMITS, schema: recordSchema })
  const { devices, categories, quota: used, ...rest } = stored
  const quota = new HourQuota()
  // All of it counts as used when it was written: a restart never gives quota back early.
  quota.charge(used.atMs, used.usedPpm)
  return {
    ...rest,
    devices: new Set(devices),
    categories: new Map(categories.map(({ name, tally: each }) => [name, each])),
    quota,
  }
}

const attestationSchema: v.GenericSchema<unknown, HeardAttestation> = v.strictObject({
  attester: rootId,
  subject: rootId,
  score: fixed,
  good: count,
  bad: count,
  atMs: count,
  seq: count,
  bytes: bytes(1, ATTESTATION_BYTES_MAX),
})

/** The stored form of an attestation that was checked when it came. */
export function encodeHeardAttestation(heard: HeardAttestation): Uint8Array {
  return encode({ ...heard })
}

/** @throws `InvalidMessageError` Or a limit, naming the field, when the record is damaged. */
export function decodeHeardAttestation(value: Uint8Array): HeardAttestation {
  return decode(value, { what: 'attestation record', limits: RECORD_LIMITS, schema: attestationSchema })
}
