import type { Cid, Hash, PeerId } from '../codec/ids.ts'
import type { RoundOutcome, SumsMessage } from './messages.ts'
import type { AgreeRequest, FailureReason, RefusalReason, SumWork } from './secure-sum/events.ts'
import type { RosterStage, SecureSumContent, SecureSumMessage } from './secure-sum/messages.ts'

/** What happens to the secure sums of one round at one peer. */
export type RoundSumEvent = RoundSumEventBody & { readonly nowMs: number }

export type RoundSumEventBody =
  /** This peer's clipped (and noised) update. Once it is masked it is in no other sum. */
  | {
      readonly type: 'offer'
      readonly values: Int32Array
      /** To the values, where the task asks for proofs; the last of them are the blinding's. Rule [Z6]. */
      readonly commitment?: Uint8Array
    }
  /** Members that are ready; who does not come in time is gone on without. */
  | { readonly type: 'begin'; readonly ready: readonly PeerId[] }
  /** Statements in it are verified; `from` passed them on. */
  | { readonly type: 'message'; readonly from: PeerId; readonly message: SumsMessage }
  /** Answer to `sign`. */
  | { readonly type: 'signed'; readonly message: SecureSumMessage }
  /** Answer to `pull`, whose bytes are those of their name. A vector that nobody gives is asked for again. */
  | {
      readonly type: 'pulled'
      readonly session: Hash
      readonly of: PeerId
      readonly vector: Cid
      readonly bytes: Uint8Array
    }
  | {
      readonly type: 'agreed'
      readonly session: Hash
      readonly id: number
      readonly secrets: readonly (Uint8Array | null)[]
    }
  | { readonly type: 'worked'; readonly session: Hash; readonly id: number; readonly values: Int32Array }
  /** Answer to `prove`: the block of this peer's proof. */
  | { readonly type: 'proved'; readonly session: Hash; readonly roster: Uint8Array; readonly proof: Cid }
  /** Answer to `pullProof`. A proof that nobody gives is asked for again. */
  | { readonly type: 'proofPulled'; readonly session: Hash; readonly proof: Cid }
  /** Answer to `verifyProofs`: in their order, and whether the commitments open to the sum. */
  | {
      readonly type: 'proofsVerified'
      readonly session: Hash
      readonly roster: Uint8Array
      readonly holds: readonly boolean[]
      readonly opens: boolean
    }
  | { readonly type: 'tick' }

/** What the secure sums of one round ask for. */
export type RoundSumEffect =
  /** Sign it and say it back as `signed`. `values`, a masked vector, is kept as a block before that. */
  | {
      readonly type: 'sign'
      readonly session: Hash
      readonly content: SecureSumContent
      readonly values: Uint8Array | null
    }
  | { readonly type: 'publish'; readonly statements: readonly SecureSumMessage[] }
  | { readonly type: 'send'; readonly peer: PeerId; readonly statements: readonly SecureSumMessage[] }
  | { readonly type: 'ask'; readonly peer: PeerId; readonly session: Hash; readonly digests: readonly Uint8Array[] }
  /** Get a masked vector's block, and keep it for others. */
  | {
      readonly type: 'pull'
      readonly session: Hash
      readonly of: PeerId
      readonly vector: Cid
      readonly from: readonly PeerId[]
    }
  | { readonly type: 'agree'; readonly session: Hash; readonly id: number; readonly request: AgreeRequest }
  | { readonly type: 'work'; readonly session: Hash; readonly id: number; readonly work: SumWork }
  /** Prove the norm of this peer's update, and keep the proof as a block. */
  | {
      readonly type: 'prove'
      readonly session: Hash
      readonly roster: Uint8Array
      readonly beacon: Uint8Array
      readonly commitment: Uint8Array
    }
  /** Get the block of a member's proof, and keep it for others. */
  | {
      readonly type: 'pullProof'
      readonly session: Hash
      readonly of: PeerId
      readonly proof: Cid
      readonly from: readonly PeerId[]
    }
  /** Verify all proofs together, and whether the commitments add up to the sum, blindings included. */
  | {
      readonly type: 'verifyProofs'
      readonly session: Hash
      readonly roster: Uint8Array
      readonly beacon: Uint8Array
      readonly proofs: readonly { readonly peer: PeerId; readonly commitment: Uint8Array; readonly proof: Cid }[]
      readonly sum: Int32Array
    }
  /** A stage of a sum opened here, for the log. */
  | { readonly type: 'stage'; readonly stage: RosterStage; readonly peers: readonly PeerId[] }
  /** Something of a member was refused, or (this peer's own name) an attempt failed; for the log. */
  | {
      readonly type: 'refused'
      readonly peer: PeerId
      readonly reason: RefusalReason | FailureReason | 'overflow'
      readonly detail: string
    }
  | {
      readonly type: 'convicted'
      readonly peer: PeerId
      readonly reason: RefusalReason | FailureReason
      readonly statements: readonly Uint8Array[]
    }
  /** A group's sum over its contributors, each with the block of its masked vector. */
  | {
      readonly type: 'summed'
      readonly group: number
      readonly updates: RoundOutcome['updates']
      readonly values: Int32Array
    }
  /** Time ran out for a group's sum. It may still come. `owing`: whose proof was waited for in vain. */
  | { readonly type: 'over'; readonly group: number; readonly owing: readonly PeerId[] }
  | { readonly type: 'wakeAt'; readonly atMs: number }
