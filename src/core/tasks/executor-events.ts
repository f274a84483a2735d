import type { Cid, Hash, JobId, PeerId } from '../codec/ids.ts'
import type { Manifest } from './manifest.ts'
import type { Capability, Mismatch } from './matching.ts'
import type { ExecutorMessage, ReleaseReason, RequesterMessage, UnitResult } from './messages.ts'
import type { Attestation, Receipt, SignedAttestation, SignedReceipt } from './receipt.ts'
import type { CommonEffect } from './store-ops.ts'
import type { Trap } from './unit.ts'

/** Why an executor takes no work although it could; each is worth one sentence. */
export type PauseReason = 'user' | 'battery' | 'metered' | 'quota' | 'hidden' | 'offline' | 'storage-full' | 'stopping'

/** A reason to pause. `untilMs: null` lasts until it is lifted. */
export interface Pause {
  readonly reason: PauseReason
  readonly untilMs: number | null
}

/** What the owner of the device allows. */
export interface ExecutorControls {
  /** Nothing is executed for others before the owner says yes. The owner's own jobs do not need it. */
  readonly optedIn: boolean
  readonly workers: number
  /** Weight of a requester in the fair queue; 1 when not named. */
  readonly weights: readonly { readonly requester: PeerId; readonly weight: number }[]
}

/** What an executor does right now, and why, in codes that map to one sentence each. */
export type ExecutorStatus =
  | { readonly state: 'working'; readonly running: number; readonly queued: number }
  | { readonly state: 'idle'; readonly reason: 'no-offers' | 'no-match' | 'preparing' | 'waiting-for-leases' }
  | {
      readonly state: 'paused'
      readonly reasons: readonly ('not-opted-in' | 'no-workers' | PauseReason)[]
      readonly untilMs: number | null
    }

/** Names one execution at this peer, from its start to its receipt. */
export type ExecutionId = number

/** What a finished execution measured and where its outcome is. */
export interface Executed {
  readonly outputHash: Hash
  /** The encoded outcome when at most `INLINE_OUTCOME_BYTES_MAX`; otherwise `null`, and the block is served under its hash. */
  readonly outcome: Uint8Array | null
  readonly exitCode: number
  readonly trap: Trap | null
  readonly gas: bigint
  readonly durationUs: number
  readonly memoryBytesPeak: number
  readonly startedAtMs: number
}

/** A result an executor persisted because nobody had acknowledged it yet. */
export interface OutboxRecord {
  readonly requester: PeerId
  readonly job: JobId
  readonly result: UnitResult
}

/** What may happen to an executor. `nowMs` is the peer's clock and never runs backwards. */
export type ExecutorEvent = { readonly nowMs: number } & (
  | { readonly type: 'start'; readonly outbox: readonly OutboxRecord[] }
  | { readonly type: 'tick' }
  | { readonly type: 'controls'; readonly controls: ExecutorControls }
  | { readonly type: 'capability'; readonly capability: Capability }
  | { readonly type: 'pause'; readonly pause: Pause }
  | { readonly type: 'resume'; readonly reason: PauseReason }
  | { readonly type: 'peerDisconnected'; readonly peer: PeerId }
  /** Decoded, and every signature in it verified. Offers may come by gossip: `from` is then their origin. */
  | { readonly type: 'message'; readonly from: PeerId; readonly message: RequesterMessage }
  /** The manifest is the one asked for, valid, and signed by the requester it names. */
  | { readonly type: 'manifestReady'; readonly requester: PeerId; readonly job: JobId; readonly manifest: Manifest }
  | { readonly type: 'manifestFailed'; readonly requester: PeerId; readonly job: JobId; readonly reason: string }
  | { readonly type: 'moduleReady'; readonly requester: PeerId; readonly job: JobId }
  | { readonly type: 'moduleFailed'; readonly requester: PeerId; readonly job: JobId; readonly reason: string }
  | { readonly type: 'executed'; readonly id: ExecutionId; readonly executed: Executed }
  | { readonly type: 'executionFailed'; readonly id: ExecutionId; readonly reason: ReleaseReason }
  | {
      readonly type: 'receiptsSigned'
      readonly receipts: readonly { readonly id: ExecutionId; readonly signed: SignedReceipt }[]
    }
  | {
      readonly type: 'attestationSigned'
      readonly requester: PeerId
      readonly job: JobId
      readonly signed: SignedAttestation
    }
)

/** What a finished unit's receipt says, before it is signed. */
export interface UnsignedReceipt {
  readonly id: ExecutionId
  readonly receipt: Receipt
}

/** What an executor asks of its peer. */
export type ExecutorEffect =
  | CommonEffect
  | { readonly type: 'send'; readonly peer: PeerId; readonly message: ExecutorMessage }
  /** Fetch, decode and verify the signed manifest; answered by `manifestReady` or `manifestFailed`. */
  | { readonly type: 'fetchManifest'; readonly job: JobId; readonly cid: Cid; readonly from: PeerId }
  /** Fetch and prepare the module and fetch the shared files; answered by `moduleReady` or `moduleFailed`. */
  | { readonly type: 'prepareModule'; readonly job: JobId; readonly manifest: Manifest; readonly from: PeerId }
  /** Run one unit; answered by `executed` or `executionFailed`. */
  | {
      readonly type: 'execute'
      readonly id: ExecutionId
      readonly job: JobId
      readonly manifest: Manifest
      readonly unit: number
      readonly inputHash: Hash
      readonly inputBytes: number
      readonly input: Uint8Array | null
      readonly from: PeerId
    }
  /** No answer is expected, and none is heard. */
  | { readonly type: 'cancelExecution'; readonly id: ExecutionId }
  /** Sign each as a statement of kind `receipt`, together; answered by `receiptsSigned`, or by `executionFailed` for each. */
  | { readonly type: 'signReceipts'; readonly receipts: readonly UnsignedReceipt[] }
  /** Sign as a statement of kind `attestation`; answered by `attestationSigned`. */
  | {
      readonly type: 'signAttestation'
      readonly requester: PeerId
      readonly job: JobId
      readonly attestation: Attestation
    }
  | { readonly type: 'emit'; readonly event: ExecutorNotice }

/** For the user interface, metrics and logs. */
export type ExecutorNotice =
  | { readonly type: 'statusChanged'; readonly status: ExecutorStatus }
  | {
      readonly type: 'offerDeclined'
      readonly job: JobId
      readonly requester: PeerId
      readonly mismatches: readonly Mismatch[]
    }
  | { readonly type: 'offerFailed'; readonly job: JobId; readonly requester: PeerId; readonly reason: string }
  | { readonly type: 'unitStarted'; readonly job: JobId; readonly requester: PeerId; readonly unit: number }
  | {
      readonly type: 'unitFinished'
      readonly job: JobId
      readonly requester: PeerId
      readonly unit: number
      readonly success: boolean
      readonly durationUs: number
      readonly memoryBytesPeak: number
      readonly costMicroUnits: bigint
    }
  | {
      readonly type: 'unitReleased'
      readonly job: JobId
      readonly requester: PeerId
      readonly unit: number
      readonly reason: ReleaseReason
    }
  | { readonly type: 'unitAcknowledged'; readonly job: JobId; readonly requester: PeerId; readonly unit: number }
