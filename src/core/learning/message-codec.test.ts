import { describe, expect, it } from 'vitest'
import { learningTask } from '../../testing/learning-fixtures.ts'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { encode } from '../codec/cbor.ts'
import { cidOf } from '../codec/cid.ts'
import { signedBytes, signStatement } from '../identity/statement.ts'
import { BUNDLE_STATEMENTS_MAX, VECTOR_NORM_MAX } from './limits.ts'
import { decodeLearningMessage, decodeLearningStatement, encodeLearningMessage, outcomeHash } from './message-codec.ts'
import type { LearningMessage, LearningStatement, RoundOutcome, SignedVote } from './messages.ts'
import type { StatementDraft } from './round-events.ts'
import { decodeSecureSumMessage } from './secure-sum/messages.ts'
import { learningTaskId } from './task.ts'

const signer = testSigner(3)
const task = learningTaskId(learningTask(signer.author))
const update = cidOf(new Uint8Array(8), 'raw')
const ref = { task, round: 4, base: task }
let seq = 0

async function signed(draft: StatementDraft): Promise<LearningStatement> {
  const init = { network: 'net', seq: seq++, timestampMs: 1, nonce: new Uint8Array(16) }
  const { bytes } = await signStatement<unknown>({ ...init, ...draft }, signer)
  return decodeLearningStatement(draft.kind, bytes).statement
}

const outcome: RoundOutcome = {
  ...ref,
  updates: [{ peer: signer.author, update }],
  rejected: [],
  joined: [],
  left: [],
  skipped: null,
  model: update,
  state: null,
}

const drafts: readonly StatementDraft[] = [
  { kind: 'learning-membership', body: { task, wants: 'in' } },
  { kind: 'update-announcement', body: { ...ref, update, norm: 3, commitment: null } },
  { kind: 'round-proposal', body: { ...ref, view: 1, validView: -1, outcome } },
  {
    kind: 'update-vote',
    body: {
      ...ref,
      step: 'commit',
      view: 1,
      outcome: outcomeHash(outcome),
      reason: null,
      scores: [{ peer: signer.author, update, bad: true }],
    },
  },
]

async function sumStatement() {
  const init = { network: 'net', seq: seq++, timestampMs: 1, nonce: new Uint8Array(16) }
  const body = { session: task, roster: new Uint8Array(32), length: 4, valuesHash: task }
  return decodeSecureSumMessage((await signStatement({ ...init, kind: 'secure-sum-masked', body }, signer)).bytes)
}

describe('learning messages', () => {
  it('come back as they were sent, of every type', async () => {
    const statements = await Promise.all(drafts.map(signed))
    const messages: readonly LearningMessage[] = [
      { type: 'bundle', task, statements },
      { type: 'presence', task, round: 4 },
      { type: 'sync', task, round: 0 },
      { type: 'commits', task, commits: [{ outcome, view: 1, votes: [statements[3] as SignedVote] }] },
      { type: 'tasks', tasks: [Uint8Array.of(1)] },
      { type: 'sum', task, statements: [await sumStatement()] },
      { type: 'sumWant', task, session: task, digests: [new Uint8Array(32)] },
      { type: 'sumWant', task, session: task, digests: [] },
    ]
    for (const message of messages)
      expect(decodeLearningMessage(encodeLearningMessage(message)).message).toEqual(message)
  })

  it('hand out every statement whose signature is to be verified', async () => {
    const statements = await Promise.all(drafts.map(signed))
    const { statements: found } = decodeLearningMessage(encodeLearningMessage({ type: 'bundle', task, statements }))
    expect(found).toHaveLength(drafts.length)
    for (const { statement, payload, signature } of found) {
      expect(await testVerifier.verify(statement.author, signedBytes(statement.kind, payload), signature)).toBe(true)
    }
  })

  it('hand out the statements of secure sums to be verified, and refuse other kinds among them', async () => {
    const message = await sumStatement()
    const { statements } = decodeLearningMessage(encodeLearningMessage({ type: 'sum', task, statements: [message] }))
    expect(statements).toEqual([message.decoded])
    const vote = await signed(drafts[3] as StatementDraft)
    const forged = encode({ type: 'sum', task, statements: [vote.bytes] })
    expect(() => decodeLearningMessage(forged)).toThrow(expect.objectContaining({ name: 'WrongKindError' }))
  })

  it('are refused when a statement is of another task than the bundle', async () => {
    const statements = [await signed(drafts[0] as StatementDraft)]
    const other = learningTaskId(learningTask(signer.author, { name: 'Other' }))
    const bytes = encodeLearningMessage({ type: 'bundle', task: other, statements })
    expect(() => decodeLearningMessage(bytes)).toThrow('message.task')
  })

  it('are refused when a statement is of another kind than it is called', async () => {
    const vote = await signed(drafts[3] as StatementDraft)
    const bytes = encode({
      type: 'bundle',
      task,
      statements: [{ kind: 'update-announcement', signed: vote.bytes }],
    })
    expect(() => decodeLearningMessage(bytes)).toThrow(expect.objectContaining({ name: 'WrongKindError' }))
  })

  const bad: readonly (readonly [string, unknown])[] = [
    ['an unknown type', { type: 'vote', task }],
    ['an unknown field', { type: 'presence', task, round: 1, leader: true }],
    ['a negative round', { type: 'presence', task, round: -1 }],
    ['a short task id', { type: 'sync', task: 'ab', round: 1 }],
    ['an empty bundle', { type: 'bundle', task, statements: [] }],
    [
      'too many statements',
      {
        type: 'bundle',
        task,
        statements: Array.from({ length: BUNDLE_STATEMENTS_MAX + 1 }, () => ({
          kind: 'update-vote',
          signed: new Uint8Array(1),
        })),
      },
    ],
    ['no votes', { type: 'commits', task, commits: [{ outcome, view: 0, votes: [] }] }],
  ]
  for (const [what, message] of bad) {
    it(`are refused with ${what}`, () => {
      expect(() => decodeLearningMessage(encode(message))).toThrow('message')
    })
  }

  it('are refused with a norm over the limit, and cut short anywhere', async () => {
    const big = { kind: 'update-announcement', body: { ...ref, update, norm: VECTOR_NORM_MAX + 1, commitment: null } }
    await expect(signed(big as StatementDraft)).rejects.toThrow('update-announcement.norm')
    const bytes = encodeLearningMessage({
      type: 'bundle',
      task,
      statements: [await signed(drafts[2] as StatementDraft)],
    })
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeLearningMessage(bytes.subarray(0, length))).toThrow()
  })
})
