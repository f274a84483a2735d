import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, list } from '../codec/fields.ts'
import {
  TRUST_ARCHIVE_BYTES_MAX,
  TRUST_ARCHIVE_POINTS_MAX,
  TRUST_ARCHIVE_RECORDS_MAX,
  TRUST_RECORD_BYTES_MAX,
} from './limits.ts'
import { decodeTrustRecord, encodeTrustRecord } from './record-codec.ts'
import { tasksOf } from './score.ts'
import type { TrustRecord } from './trust-record.ts'

const LIMITS = { bytesMax: TRUST_ARCHIVE_BYTES_MAX, depthMax: 2, itemsMax: TRUST_ARCHIVE_RECORDS_MAX + 8 }
/** The frame around the records, and the head of each. */
const FRAME_BYTES = 64
const RECORD_HEAD_BYTES = 8

const schema = v.strictObject({
  version: v.literal(1),
  records: list(bytes(1, TRUST_RECORD_BYTES_MAX), 0, TRUST_ARCHIVE_RECORDS_MAX),
})

/**
 * What a peer thinks of others, to be carried to another device: those barred first, then those dealt with most, as many as there is
 * room for. Their latest history comes along; receipts stay where the jobs are. Rule [T27].
 */
export function encodeTrustArchive(records: Iterable<TrustRecord>, nowMs: number): Uint8Array {
  const worth = ({ barred, total }: TrustRecord): number => (barred === null ? 0 : 1e9) + tasksOf(total)
  const chosen: Uint8Array[] = []
  let room = TRUST_ARCHIVE_BYTES_MAX - FRAME_BYTES
  for (const record of [...records].filter(isWorthKeeping).sort((a, b) => worth(b) - worth(a))) {
    const light = { ...record, history: record.history.slice(-TRUST_ARCHIVE_POINTS_MAX), proofs: [] }
    const encoded = encodeTrustRecord(light, nowMs)
    room -= encoded.length + RECORD_HEAD_BYTES
    if (room < 0 || chosen.length >= TRUST_ARCHIVE_RECORDS_MAX) break
    chosen.push(encoded)
  }
  return encode({ version: 1, records: chosen })
}

/** @throws `InvalidMessageError` or `LimitExceededError` Naming the field: an archive is taken whole or not at all. */
export function decodeTrustArchive(archive: Uint8Array): readonly TrustRecord[] {
  return decode(archive, { what: 'trust archive', limits: LIMITS, schema }).records.map(decodeTrustRecord)
}

/** Who was only seen is no news to another device. */
function isWorthKeeping({ total, model, barred, slandererUntilMs }: TrustRecord): boolean {
  return tasksOf(total) > 0 || model.updates > 0 || barred !== null || slandererUntilMs > 0
}
