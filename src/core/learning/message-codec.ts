import * as v from 'valibot'
import { decode, encode } from '../codec/cbor.ts'
import { faultError } from '../codec/faults.ts'
import { bytes, cid, hash, integer, list, peerId } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Hash, LearningTaskId } from '../codec/ids.ts'
import { MESSAGE_LIMITS, STATEMENT_LIMITS } from '../codec/limits.ts'
import { HASH_BYTES } from '../identity/limits.ts'
import { type DecodedStatement, decodeStatement } from '../identity/statement.ts'
import * as limits from './limits.ts'
import type {
  CommittedRound,
  LearningMessage,
  LearningStatement,
  LearningStatementKind,
  Membership,
  RoundOutcome,
  RoundProposal,
  SignedVote,
  UpdateAnnouncement,
  UpdateVote,
} from './messages.ts'
import { SUM_WANTS_MAX } from './secure-sum/limits.ts'
import { decodeSecureSumMessage } from './secure-sum/messages.ts'

const taskId = v.pipe(
  hash,
  v.transform((value) => value as LearningTaskId),
)
const round = integer(0, Number.MAX_SAFE_INTEGER)
const view = integer(0, Number.MAX_SAFE_INTEGER)
const ref = { task: taskId, round, base: hash }
const members = list(peerId, 0, limits.MEMBERS_MAX)

const membershipSchema: v.GenericSchema<unknown, Membership> = v.strictObject({
  task: taskId,
  wants: v.picklist(['in', 'out']),
})

const announcementSchema: v.GenericSchema<unknown, UpdateAnnouncement> = v.strictObject({
  ...ref,
  update: v.nullable(cid),
  norm: v.nullable(integer(0, limits.VECTOR_NORM_MAX)),
  commitment: v.nullable(bytes(limits.COMMITMENT_BYTES, limits.COMMITMENT_BYTES)),
})

const outcomeSchema: v.GenericSchema<unknown, RoundOutcome> = v.strictObject({
  ...ref,
  updates: list(v.strictObject({ peer: peerId, update: cid }), 0, limits.MEMBERS_MAX),
  rejected: list(
    v.strictObject({ peer: peerId, reason: v.picklist(['voted-out', 'equivocated', 'spoiled-sum', 'bad-proof']) }),
    0,
    limits.MEMBERS_MAX,
  ),
  joined: members,
  left: list(v.strictObject({ peer: peerId, reason: v.picklist(['absent', 'left']) }), 0, limits.MEMBERS_MAX),
  skipped: v.nullable(v.picklist(['roster', 'too-few', 'candidate-worse', 'sum-failed'])),
  model: cid,
  state: v.nullable(cid),
})

const proposalSchema: v.GenericSchema<unknown, RoundProposal> = v.strictObject({
  ...ref,
  view,
  validView: integer(-1, Number.MAX_SAFE_INTEGER),
  outcome: outcomeSchema,
})

const againstSchema = v.picklist([
  'no-proposal',
  'update-unavailable',
  'update-refused',
  'left-out',
  'members',
  'model-differs',
  'candidate-worse',
  'locked',
])

const voteSchema: v.GenericSchema<unknown, UpdateVote> = v.strictObject({
  ...ref,
  step: v.picklist(['score', 'accept', 'commit']),
  view,
  outcome: v.nullable(hash),
  reason: v.nullable(againstSchema),
  scores: list(v.strictObject({ peer: peerId, update: cid, bad: v.boolean() }), 0, limits.MEMBERS_MAX),
})

/** Hash of an outcome's canonical encoding: what votes name and the next round builds on. Rule [G3]. */
export function outcomeHash(outcome: RoundOutcome): Hash {
  const known = hashes.get(outcome)
  if (known !== undefined) return known
  const made = sha256Hex(encode(outcome))
  hashes.set(outcome, made)
  return made
}

/** Outcomes never change, and each is named many times. */
const hashes = new WeakMap<RoundOutcome, Hash>()

const KINDS: readonly LearningStatementKind[] = [
  'learning-membership',
  'update-announcement',
  'round-proposal',
  'update-vote',
]

const wireStatement = v.strictObject({ kind: v.picklist(KINDS), signed: bytes(1, STATEMENT_LIMITS.bytesMax) })

const wireCommit = v.strictObject({
  outcome: outcomeSchema,
  view,
  votes: list(bytes(1, STATEMENT_LIMITS.bytesMax), 1, limits.MEMBERS_MAX),
})

const wireSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('bundle'),
    task: taskId,
    statements: list(wireStatement, 1, limits.BUNDLE_STATEMENTS_MAX),
  }),
  v.strictObject({ type: v.literal('presence'), task: taskId, round }),
  v.strictObject({ type: v.literal('sync'), task: taskId, round }),
  v.strictObject({
    type: v.literal('commits'),
    task: taskId,
    commits: list(wireCommit, 1, limits.COMMITS_PER_MESSAGE_MAX),
  }),
  v.strictObject({
    type: v.literal('sum'),
    task: taskId,
    statements: list(bytes(1, STATEMENT_LIMITS.bytesMax), 1, limits.BUNDLE_STATEMENTS_MAX),
  }),
  v.strictObject({
    type: v.literal('sumWant'),
    task: taskId,
    session: hash,
    digests: list(bytes(HASH_BYTES, HASH_BYTES), 0, SUM_WANTS_MAX),
  }),
  v.strictObject({
    type: v.literal('tasks'),
    tasks: list(bytes(1, STATEMENT_LIMITS.bytesMax), 1, limits.TASKS_PER_MESSAGE_MAX),
  }),
])

/** A message in its typed form; the signatures of its statements are still to be verified. */
export interface DecodedLearningMessage {
  readonly message: LearningMessage
  readonly statements: readonly DecodedStatement<unknown>[]
}

export function encodeLearningMessage(message: LearningMessage): Uint8Array {
  switch (message.type) {
    case 'bundle':
      return encode({
        ...message,
        statements: message.statements.map(({ kind, bytes: signed }) => ({ kind, signed })),
      })
    case 'commits':
      return encode({ ...message, commits: message.commits.map(commitToWire) })
    case 'sum':
      return encode({ ...message, statements: message.statements.map(({ decoded }) => decoded.bytes) })
    default:
      return encode(message)
  }
}

/** A committed round as it is kept and sent. */
export function encodeCommit(commit: CommittedRound): Uint8Array {
  return encode(commitToWire(commit))
}

/** Reads a committed round of this peer's own store, where only checked ones are. */
export function decodeCommit(stored: Uint8Array): CommittedRound {
  return commitFromWire(decode(stored, { what: 'commit', limits: MESSAGE_LIMITS, schema: wireCommit }), [])
}

function commitToWire({ outcome, view: attempt, votes }: CommittedRound): unknown {
  return { outcome, view: attempt, votes: votes.map((vote) => vote.bytes) }
}

function commitFromWire(
  wire: v.InferOutput<typeof wireCommit>,
  statements: DecodedStatement<unknown>[],
): CommittedRound {
  const votes = wire.votes.map((signed) => {
    const { statement, decoded } = decodeLearningStatement('update-vote', signed)
    statements.push(decoded)
    // The kind that was asked for.
    return statement as SignedVote
  })
  return { outcome: wire.outcome, view: wire.view, votes }
}

/**
 * Reads a message and the statements in it.
 *
 * @throws {@link InvalidMessageError} Or a limit error, naming field, value and limit.
 */
export function decodeLearningMessage(encoded: Uint8Array): DecodedLearningMessage {
  const wire = decode(encoded, { what: 'message', limits: MESSAGE_LIMITS, schema: wireSchema })
  const statements: DecodedStatement<unknown>[] = []
  if (wire.type === 'bundle') {
    const read = wire.statements.map(({ kind, signed }) => {
      const { statement, decoded } = decodeLearningStatement(kind, signed)
      checkTask(statement.body.task, wire.task)
      statements.push(decoded)
      return statement
    })
    return { message: { ...wire, statements: read }, statements }
  }
  if (wire.type === 'commits') {
    const commits = wire.commits.map((commit) => {
      checkTask(commit.outcome.task, wire.task)
      return commitFromWire(commit, statements)
    })
    return { message: { ...wire, commits }, statements }
  }
  if (wire.type === 'sum') {
    const read = wire.statements.map((signed) => decodeSecureSumMessage(signed))
    statements.push(...read.map(({ decoded }) => decoded))
    return { message: { ...wire, statements: read }, statements }
  }
  return { message: wire, statements }
}

function checkTask(value: string, limit: string): void {
  if (value === limit) return
  throw faultError('message', { field: 'task', value, limit })
}

/** The body of a statement that this peer is about to make, as it is kept over a restart. */
export const statementBodySchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('learning-membership'), body: membershipSchema }),
  v.strictObject({ kind: v.literal('update-announcement'), body: announcementSchema }),
  v.strictObject({ kind: v.literal('round-proposal'), body: proposalSchema }),
  v.strictObject({ kind: v.literal('update-vote'), body: voteSchema }),
])

/** Reads one statement of a round. Its signature is still to be verified. */
export function decodeLearningStatement(
  kind: LearningStatementKind,
  signed: Uint8Array,
): { readonly statement: LearningStatement; readonly decoded: DecodedStatement<unknown> } {
  switch (kind) {
    case 'learning-membership':
      return read(kind, signed, membershipSchema)
    case 'update-announcement':
      return read(kind, signed, announcementSchema)
    case 'round-proposal':
      return read(kind, signed, proposalSchema)
    case 'update-vote':
      return read(kind, signed, voteSchema)
  }
}

function read<Kind extends LearningStatementKind, Body>(
  kind: Kind,
  signed: Uint8Array,
  body: v.GenericSchema<unknown, Body>,
): { readonly statement: LearningStatement; readonly decoded: DecodedStatement<unknown> } {
  const decoded = decodeStatement(signed, { kind, body })
  const { author, timestampMs, body: value } = decoded.statement
  // Kind and body belong together by the switch above.
  const statement = { kind, author, timestampMs, body: value, bytes: signed } as unknown as LearningStatement
  return { statement, decoded }
}
