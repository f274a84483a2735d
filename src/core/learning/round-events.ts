import type { Cid, Hash, PeerId } from '../codec/ids.ts'
import type { CommonEffect } from '../tasks/store-ops.ts'
import type {
  CommittedRound,
  LearningStatement,
  Membership,
  RejectionCode,
  RoundMessage,
  RoundOutcome,
  RoundProposal,
  UpdateAnnouncement,
  UpdateVote,
} from './messages.ts'
import type { RoundHead } from './round-head.ts'

/** A statement that is to be signed in this peer's name. */
export type StatementDraft =
  | { readonly kind: 'learning-membership'; readonly body: Membership }
  | { readonly kind: 'update-announcement'; readonly body: UpdateAnnouncement }
  | { readonly kind: 'round-proposal'; readonly body: RoundProposal }
  | { readonly kind: 'update-vote'; readonly body: UpdateVote }

/** What an update turned out to be: `good` or `bad` on the held-out samples here, `unscored` without any, or why it is refused. */
export type UpdateVerdict = 'good' | 'bad' | 'unscored' | UpdateRefusal
export type UpdateRefusal = 'unavailable' | 'wrong-shape' | 'norm-over-bound' | 'norm-differs' | 'bad-proof'

/** What this peer had said of the round it was in, and with which data it takes part. */
export interface RoundRecord {
  readonly round: number
  readonly base: Hash
  readonly view: number
  readonly locked: { readonly view: number; readonly hash: Hash } | null
  readonly valid: { readonly view: number; readonly hash: Hash } | null
  readonly said: readonly StatementDraft[]
}

type Event =
  | { readonly type: 'start'; readonly head: RoundHead | null; readonly record: RoundRecord | null }
  | { readonly type: 'want'; readonly wants: 'in' | 'out' }
  /** A paused member does not train; it is counted out at the deadline and comes back when resumed. */
  | { readonly type: 'pause'; readonly paused: boolean }
  | { readonly type: 'tick' }
  /** Verified statements; `from` passed them on and need not be their author. */
  | { readonly type: 'message'; readonly from: PeerId; readonly message: RoundMessage }
  | { readonly type: 'signed'; readonly statement: LearningStatement }
  | { readonly type: 'modelReady'; readonly model: Cid }
  /** `update: null` in a secure mode, where it stays here until it is masked. */
  | {
      readonly type: 'trained'
      readonly base: Hash
      readonly update: Cid | null
      readonly norm: number | null
      readonly commitment: Uint8Array | null
    }
  | {
      readonly type: 'updateChecked'
      readonly base: Hash
      readonly peer: PeerId
      readonly update: Cid
      readonly verdict: UpdateVerdict
    }
  /** `worse`: whether the candidate is worse on the held-out samples here than the task allows. `result: null`: the rule refused. */
  | {
      readonly type: 'aggregated'
      readonly base: Hash
      readonly key: Hash
      readonly result: { readonly model: Cid; readonly state: Cid | null; readonly worse: boolean } | null
    }

  /** A secure sum is here, or time ran out for it (`null`; it may still come). `updates`: its contributors and their masked vectors. */
  | {
      readonly type: 'summed'
      readonly base: Hash
      readonly group: number
      readonly updates: RoundOutcome['updates'] | null
      /** Members whose proof was waited for in vain. */
      readonly owing?: readonly PeerId[]
    }
  /** Its own statements prove that a member broke a secure sum. */
  | {
      readonly type: 'convicted'
      readonly base: Hash
      readonly peer: PeerId
      /** Absent when it broke the sum itself. */
      readonly reason?: 'bad-proof'
      readonly statements: readonly Uint8Array[]
    }

/** What happens to one task at one peer. */
export type RoundEvent = Event & { readonly nowMs: number }
export type RoundEventBody = Event

export type RoundEffect =
  | CommonEffect
  | { readonly type: 'sign'; readonly draft: StatementDraft }
  | { readonly type: 'publish'; readonly message: RoundMessage }
  | { readonly type: 'send'; readonly peer: PeerId; readonly message: RoundMessage }
  /** Answer with the stored outcomes from a round on. */
  | { readonly type: 'sendCommits'; readonly peer: PeerId; readonly round: number }
  /** Have this model, and the rule's state, at hand; from the store or from one of these. */
  | { readonly type: 'fetchModel'; readonly model: Cid; readonly state: Cid | null; readonly from: readonly PeerId[] }
  | { readonly type: 'train'; readonly round: number; readonly base: Hash; readonly model: Cid }
  /** In a secure mode: follow the sums of this round from now on. */
  | { readonly type: 'watchSums'; readonly head: RoundHead }
  /** Put this peer's update into its sum: that it is ready was said, and is durable. */
  | { readonly type: 'offerUpdate'; readonly base: Hash }
  /** Go through with the sums; these members are ready. */
  | { readonly type: 'sum'; readonly base: Hash; readonly ready: readonly PeerId[] }
  | {
      readonly type: 'checkUpdate'
      readonly base: Hash
      readonly model: Cid
      readonly announcement: UpdateAnnouncement & { readonly update: Cid }
      readonly peer: PeerId
      readonly from: readonly PeerId[]
    }
  | {
      readonly type: 'aggregate'
      readonly base: Hash
      readonly key: Hash
      readonly head: RoundHead
      readonly updates: RoundOutcome['updates']
    }
  | { readonly type: 'emit'; readonly notice: RoundNotice }

/** What others of this peer want to know. */
export type RoundNotice =
  | {
      readonly type: 'committed'
      readonly commit: CommittedRound
      readonly head: RoundHead
      readonly durationMs: number
      readonly rejected: readonly RoundRejection[]
      /** Members whose update counted as good here, and whose did not: what moves reputation. */
      readonly good: readonly PeerId[]
      readonly missed: readonly PeerId[]
    }
  /** Two signed statements of one author that contradict each other. */
  | { readonly type: 'evidence'; readonly peer: PeerId; readonly statements: readonly Uint8Array[] }
  | { readonly type: 'refused'; readonly peer: PeerId; readonly code: RefusalCode }
  | { readonly type: 'changed' }

export type RefusalCode =
  | 'wrong-round'
  | 'wrong-mode'
  | 'not-a-member'
  | 'replayed'
  | 'stale'
  | 'wrong-coordinator'
  | 'bad-outcome'
  | 'bad-commit'

export interface RoundRejection {
  readonly peer: PeerId
  readonly reason: RejectionCode | UpdateRefusal
  readonly votes: { readonly bad: number; readonly all: number } | null
}

/** Where the running round is, for people. */
export interface RoundProgress {
  readonly round: number
  readonly view: number
  readonly phase: 'wait' | 'train' | 'collect' | 'agree'
  readonly announced: number
  readonly scored: number
  readonly votes: number
  readonly quorum: number
  readonly deadlineMs: number
  /** Members that are heard of. */
  readonly present: number
}
