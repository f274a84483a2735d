import type { Cid, Hash, LearningTaskId, PeerId } from '../codec/ids.ts'
import type { SecureSumMessage } from './secure-sum/messages.ts'

/** Direct messages between peers that take part in a learning task. */
export const LEARNING_PROTOCOL = '/starling/learning/1.0.0'
/** Gossip topic of tasks. The network id is appended. */
export const LEARNING_TASKS_TOPIC_PREFIX = 'starling/learning-tasks/1/'
/** Gossip topic of one task's rounds. Network id and task id are appended, with a slash between. */
export const LEARNING_ROUNDS_TOPIC_PREFIX = 'starling/learning-rounds/1/'

/** A peer wants to be a member, with its data ready; or wants to be none any more. The newest of each author counts. */
export interface Membership {
  readonly task: LearningTaskId
  readonly wants: 'in' | 'out'
}

/** Binds a statement to one round of one chain of outcomes: a replay from any other round does not fit. */
export interface RoundRef {
  readonly task: LearningTaskId
  readonly round: number
  /** Hash of the outcome before; the task's id in round 0. */
  readonly base: Hash
}

/** A member has trained for a round. Its update is a raw block: I16F16, little-endian. */
export interface UpdateAnnouncement extends RoundRef {
  /** `null` in a secure mode: nobody sees the update, and this says that it is ready to be summed. */
  readonly update: Cid | null
  /** L2 norm, I16F16 units, rounded up; `null` where it is secret. */
  readonly norm: number | null
  /** A commitment to the update, where the task asks for proofs. */
  readonly commitment: Uint8Array | null
}

/** `spoiled-sum`: its own signed statements prove that it broke a secure sum; `bad-proof`: that its proof of a norm is false. */
export type RejectionCode = 'voted-out' | 'equivocated' | 'spoiled-sum' | 'bad-proof'
export type LeaveCode = 'absent' | 'left'
/** Why a round merged nothing. `roster`: only the members change. `sum-failed`: enough trained, yet no secure sum came about. */
export type SkipCode = 'roster' | 'too-few' | 'candidate-worse' | 'sum-failed'

/** What a round decides. Everyone who knows the one before and the updates computes the same. Its hash is the next round's `base`. */
export interface RoundOutcome extends RoundRef {
  /** Merged updates, ordered by peer id; in a secure mode the masked vectors, as blocks. Empty when skipped. */
  readonly updates: readonly { readonly peer: PeerId; readonly update: Cid }[]
  /** Members whose update was kept out. An equivocator is a member no more, nor is who was voted out too often in a row. */
  readonly rejected: readonly { readonly peer: PeerId; readonly reason: RejectionCode }[]
  /** Members from the next round on, by peer id. */
  readonly joined: readonly PeerId[]
  /** Members that are none from the next round on, by peer id: they vanished, or asked to leave. */
  readonly left: readonly { readonly peer: PeerId; readonly reason: LeaveCode }[]
  readonly skipped: SkipCode | null
  /** Raw block of the weights after the round. */
  readonly model: Cid
  /** Block of what the aggregation rule carries into the next round; `null` while it carries nothing. */
  readonly state: Cid | null
}

/** The coordinator of a view puts an outcome to the vote. Any member is one in turn; it has no other power. */
export interface RoundProposal extends RoundRef {
  /** Attempt to agree on this round, from 0. */
  readonly view: number
  /** View in which a quorum accepted this outcome before; −1 when none did. */
  readonly validView: number
  readonly outcome: RoundOutcome
}

export interface UpdateScore {
  readonly peer: PeerId
  readonly update: Cid
  /** Whether it makes the voter's loss on held-out samples worse than the task allows. */
  readonly bad: boolean
}

/**
 * `score`: how each update did on the voter's held-out samples; one of each author in a round.
 * `accept`: the first, `commit`: the second vote on a proposal; one of each author in a view. `outcome: null` is a vote against.
 */
export type VoteStep = 'score' | 'accept' | 'commit'

export interface UpdateVote extends RoundRef {
  readonly step: VoteStep
  readonly view: number
  readonly outcome: Hash | null
  /** Why against. */
  readonly reason: AgainstCode | null
  readonly scores: readonly UpdateScore[]
}

export type AgainstCode =
  | 'no-proposal'
  | 'update-unavailable'
  | 'update-refused'
  | 'left-out'
  | 'members'
  | 'model-differs'
  | 'candidate-worse'
  | 'locked'

/** A statement whose signature was found good. */
interface Signed<Kind extends string, Body> {
  readonly kind: Kind
  readonly author: PeerId
  readonly timestampMs: number
  readonly body: Body
  /** The envelope, as it travels and as evidence. */
  readonly bytes: Uint8Array
}

export type SignedMembership = Signed<'learning-membership', Membership>
export type SignedAnnouncement = Signed<'update-announcement', UpdateAnnouncement>
export type SignedProposal = Signed<'round-proposal', RoundProposal>
export type SignedVote = Signed<'update-vote', UpdateVote>
export type LearningStatement = SignedMembership | SignedAnnouncement | SignedProposal | SignedVote
export type LearningStatementKind = LearningStatement['kind']

/** An outcome with the commit votes of a quorum of the members it was decided by: proof to anyone who knows the outcome before. */
export interface CommittedRound {
  readonly outcome: RoundOutcome
  readonly view: number
  readonly votes: readonly SignedVote[]
}

/** Statements, own or passed on. */
export interface BundleMessage {
  readonly type: 'bundle'
  readonly task: LearningTaskId
  readonly statements: readonly LearningStatement[]
}

/** Which round the sender is in; the transport says who it is. */
export interface PresenceMessage {
  readonly type: 'presence'
  readonly task: LearningTaskId
  readonly round: number
}

/** Asks for the outcomes from a round on. */
export interface SyncMessage {
  readonly type: 'sync'
  readonly task: LearningTaskId
  readonly round: number
}

export interface CommitsMessage {
  readonly type: 'commits'
  readonly task: LearningTaskId
  /** Of consecutive rounds. */
  readonly commits: readonly CommittedRound[]
}

/** Statements of secure sums, own or passed on. Each names its session, and the session its round. */
export interface SumMessage {
  readonly type: 'sum'
  readonly task: LearningTaskId
  readonly statements: readonly SecureSumMessage[]
}

/** Asks for statements of a secure sum that a roster named, by the hashes of what was signed; without any, for what unmasks it. */
export interface SumWantMessage {
  readonly type: 'sumWant'
  readonly task: LearningTaskId
  readonly session: Hash
  readonly digests: readonly Uint8Array[]
}

/** Signed tasks, to everybody or to one new neighbour. */
export interface TasksMessage {
  readonly type: 'tasks'
  readonly tasks: readonly Uint8Array[]
}

export type RoundMessage = BundleMessage | PresenceMessage | SyncMessage | CommitsMessage
/** What members of a sum tell each other. */
export type SumsMessage = SumMessage | SumWantMessage
export type LearningMessage = RoundMessage | SumsMessage | TasksMessage
