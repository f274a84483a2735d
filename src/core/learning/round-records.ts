import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { cid, hash, integer, list, peerId } from '../codec/fields.ts'
import type { LearningTaskId } from '../codec/ids.ts'
import { RECORD_LIMITS } from '../codec/limits.ts'
import type { RecordReader, StoreOp } from '../tasks/store-ops.ts'
import { MEMBERS_MAX, STRIKES_MAX } from './limits.ts'
import { encodeCommit, statementBodySchema } from './message-codec.ts'
import type { CommittedRound } from './messages.ts'
import type { RoundRecord, StatementDraft } from './round-events.ts'
import type { RoundHead } from './round-head.ts'

/** Buckets of the durable store that learning writes. */
export const LEARNING_BUCKETS = {
  /** Key `<task>`: where the chain of outcomes stands. */
  heads: 'learning-heads',
  /** Key `<task>/<round, 8 digits>`: outcome and the votes that decided it. */
  commits: 'learning-commits',
  /** Key `<task>`: what this peer said of the running round. */
  said: 'learning-said',
} as const

const count = integer(0, Number.MAX_SAFE_INTEGER)
const members = list(peerId, 0, MEMBERS_MAX)
const lock = v.nullable(v.strictObject({ view: count, hash }))

const headSchema: v.GenericSchema<unknown, RoundHead> = v.strictObject({
  round: count,
  base: hash,
  roster: members,
  model: cid,
  state: v.nullable(cid),
  merged: count,
  strikes: list(v.strictObject({ peer: peerId, count: integer(0, STRIKES_MAX) }), 0, MEMBERS_MAX),
  removed: v.array(peerId),
})

const SAID_MAX = 1_024

const recordSchema: v.GenericSchema<unknown, RoundRecord> = v.strictObject({
  round: count,
  base: hash,
  view: count,
  locked: lock,
  valid: lock,
  said: list(statementBodySchema as v.GenericSchema<unknown, StatementDraft>, 0, SAID_MAX),
})

/** Keys sort as rounds do. */
export function commitKey(task: LearningTaskId, round: number): string {
  return `${task}/${String(round).padStart(8, '0')}`
}

export function commitOps(
  task: LearningTaskId,
  { commit, head }: { readonly commit: CommittedRound; readonly head: RoundHead },
): readonly StoreOp[] {
  return [
    { bucket: LEARNING_BUCKETS.commits, key: commitKey(task, commit.outcome.round), value: encodeCommit(commit) },
    { bucket: LEARNING_BUCKETS.heads, key: task, value: encode(head) },
  ]
}

export function recordOps(task: LearningTaskId, record: RoundRecord): readonly StoreOp[] {
  return [{ bucket: LEARNING_BUCKETS.said, key: task, value: encode(record) }]
}

/** Where a task stood here. @throws {@link InvalidMessageError} When a record is damaged. */
export async function loadRounds(
  reader: RecordReader,
  task: LearningTaskId,
): Promise<{ readonly head: RoundHead | null; readonly record: RoundRecord | null }> {
  const head = await reader.get(LEARNING_BUCKETS.heads, task)
  const record = await reader.get(LEARNING_BUCKETS.said, task)
  return {
    head: head === undefined ? null : decode(head, { what: 'head', limits: RECORD_LIMITS, schema: headSchema }),
    record:
      record === undefined ? null : decode(record, { what: 'round', limits: RECORD_LIMITS, schema: recordSchema }),
  }
}
