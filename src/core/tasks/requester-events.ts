import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import type { TrustPolicy } from './executor-trust.ts'
import type { AcceptedUnit, ExclusionReason, JobProgress, JobSpec, UnitFailure } from './job.ts'
import type { ExecutorMessage, RequesterMessage } from './messages.ts'
import type { SignedReceipt } from './receipt.ts'
import type { RequesterRecords } from './records.ts'
import type { CommonEffect } from './store-ops.ts'
import type { Trap } from './unit.ts'

/** A unit's input as its source has it. */
export interface LoadedInput {
  readonly unit: number
  readonly hash: Hash
  readonly bytes: number
  /** The encoded input when at most `INLINE_INPUT_BYTES_MAX`; otherwise `null`, and the block is served under its hash. */
  readonly inline: Uint8Array | null
}

/** What executors must agree on. */
export interface OutcomeKey {
  readonly exitCode: number
  readonly trap: Trap | null
  readonly outputHash: Hash
  readonly gas: bigint
}

/** What may happen to a requester. `nowMs` is the peer's clock and never runs backwards. */
export type RequesterEvent = { readonly nowMs: number } & (
  | { readonly type: 'start'; readonly session: number; readonly records: RequesterRecords }
  | { readonly type: 'tick' }
  | { readonly type: 'submit'; readonly spec: JobSpec; readonly job: JobId }
  | { readonly type: 'cancelJob'; readonly job: JobId }
  | { readonly type: 'pauseJob'; readonly job: JobId }
  | { readonly type: 'resumeJob'; readonly job: JobId }
  | { readonly type: 'peerConnected'; readonly peer: PeerId }
  | { readonly type: 'peerDisconnected'; readonly peer: PeerId }
  /** Decoded, and every signature in it verified. */
  | { readonly type: 'message'; readonly from: PeerId; readonly message: ExecutorMessage }
  /** Something from this peer was refused at the edge: malformed, a bad signature, an outcome that does not match its hash. */
  | { readonly type: 'badMessage'; readonly from: PeerId }
  /** Replaces what was known of executors. */
  | { readonly type: 'trust'; readonly policy: TrustPolicy }
  | { readonly type: 'inputsLoaded'; readonly job: JobId; readonly inputs: readonly LoadedInput[] }
  | { readonly type: 'inputFailed'; readonly job: JobId; readonly unit: number }
  /** The outcome block is verified and stored. */
  | { readonly type: 'outcomeFetched'; readonly job: JobId; readonly unit: number; readonly outputHash: Hash }
  | { readonly type: 'outcomeUnavailable'; readonly job: JobId; readonly unit: number; readonly outputHash: Hash }
  /** The answer to `executeLocally`; `null` when it could not be run here. `signed`: this peer's own receipt, to stand against a liar's. */
  | {
      readonly type: 'executedLocally'
      readonly job: JobId
      readonly unit: number
      readonly key: OutcomeKey | null
      readonly signed?: SignedReceipt
    }
)

/** What a requester asks of its peer. */
export type RequesterEffect =
  | CommonEffect
  | { readonly type: 'send'; readonly peer: PeerId; readonly message: RequesterMessage }
  | { readonly type: 'broadcast'; readonly message: RequesterMessage }
  /** Read and hash these units' inputs; answered by `inputsLoaded` (any grouping) or `inputFailed`. */
  | { readonly type: 'loadInputs'; readonly job: JobId; readonly units: readonly number[] }
  /** Fetch, verify and store the outcome block; answered by `outcomeFetched` or `outcomeUnavailable`. */
  | {
      readonly type: 'fetchOutcome'
      readonly job: JobId
      readonly unit: number
      readonly outputHash: Hash
      readonly from: readonly PeerId[]
    }
  /** Recompute the unit here, outside of any executor; answered by `executedLocally`. */
  | { readonly type: 'executeLocally'; readonly job: JobId; readonly unit: number }
  | { readonly type: 'emit'; readonly event: RequesterNotice }

/** For the user interface, metrics and logs. */
export type RequesterNotice =
  | { readonly type: 'jobChanged'; readonly progress: JobProgress }
  | { readonly type: 'unitsLent'; readonly job: JobId; readonly peer: PeerId; readonly units: readonly number[] }
  | { readonly type: 'unitAccepted'; readonly job: JobId; readonly accepted: AcceptedUnit }
  /** Out of attempts, or its input cannot be read. */
  | { readonly type: 'unitFailed'; readonly job: JobId; readonly unit: number; readonly reason: UnitFailure }
  /** A lease ended without a result. */
  | {
      readonly type: 'leaseEnded'
      readonly job: JobId
      readonly unit: number
      readonly peer: PeerId
      readonly reason: LeaseEnd
    }
  | { readonly type: 'disagreement'; readonly job: JobId; readonly unit: number; readonly peers: readonly PeerId[] }
  | { readonly type: 'excluded'; readonly job: JobId; readonly peer: PeerId; readonly reason: ExclusionReason }
  | { readonly type: 'executorJoined'; readonly peer: PeerId; readonly slots: number }
  | { readonly type: 'executorLeft'; readonly peer: PeerId; readonly reason: 'goodbye' | 'disconnected' | 'silent' }

/** How a lease ended without a result. */
export type LeaseEnd = 'released' | 'failed' | 'vanished' | 'lost' | 'deadline' | 'cancelled'
