import type { Cid, Hash, JobId } from '../codec/ids.ts'
import type { Abi, Payment, Resources, ServiceLevel } from './manifest.ts'
import type { SignedAttestation, SignedReceipt } from './receipt.ts'

/** Direct messages between requester and executor. The transport says who sent one. */
export const TASKS_PROTOCOL = '/starling/tasks/1.0.0'
/** Gossip topic of offers. The network id is appended: `starling/offers/1/<network>`. */
export const OFFERS_TOPIC_PREFIX = 'starling/offers/1/'

/** One job that a requester has work for. */
export interface Offer {
  readonly job: JobId
  /** Block that holds the signed manifest. */
  readonly manifestCid: Cid
  readonly moduleCid: Cid
  readonly abi: Abi
  readonly unitsLeft: number
  readonly payment: Payment
  readonly resources: Resources
  readonly serviceLevel: ServiceLevel
  readonly priority: number
  readonly validUntilMs: number
}

/** Requester to everybody (gossip) or to one new neighbour. Repeated while work remains. */
export interface OfferMessage {
  readonly type: 'offer'
  readonly offers: readonly Offer[]
}

/** What an executor still has of a job: in its queue, in a worker, or finished and not yet acknowledged. */
export interface HeldUnits {
  readonly job: JobId
  readonly queued: readonly number[]
  readonly running: readonly number[]
  readonly done: readonly number[]
}

/**
 * Executor to requester: how much work it wants and what it has. Sent at first, on change, and again every heartbeat, so that
 * either side may lose any message or restart. `slots: 0` says goodbye.
 */
export interface BidMessage {
  readonly type: 'bid'
  /** Jobs whose module it has ready. */
  readonly jobs: readonly JobId[]
  /** Units it wants to hold at once, queued ones that hide the latency included. */
  readonly slots: number
  readonly workers: number
  /** Gas per second of one worker over its recent units; 0 when unknown. */
  readonly gasPerSecond: number
  /** Session and highest grant number it has seen from this requester: what it does not hold of those is lost. */
  readonly session: number
  readonly grant: number
  readonly held: readonly HeldUnits[]
}

export interface Lease {
  readonly unit: number
  /** Counts the times this unit was lent, from 1. */
  readonly attempt: number
  readonly inputHash: Hash
  readonly inputBytes: number
  /** The encoded input when small; `null` when it must be fetched as the block with that hash. */
  readonly input: Uint8Array | null
}

/** Requester to executor: run these. */
export interface LeaseMessage {
  readonly type: 'lease'
  readonly job: JobId
  /** Changes when the requester restarts. */
  readonly session: number
  /** Counts this requester's lease messages to this executor within the session, from 1. */
  readonly grant: number
  /** From receipt of this message until the requester gives the units to others. */
  readonly deadlineMs: number
  readonly leases: readonly Lease[]
}

export interface UnitResult {
  readonly receipt: SignedReceipt
  /** The encoded outcome when small; `null` when it must be fetched as the block with the receipt's output hash. */
  readonly outcome: Uint8Array | null
}

/** Executor to requester. Resent until acknowledged. */
export interface ResultsMessage {
  readonly type: 'results'
  readonly job: JobId
  readonly results: readonly UnitResult[]
}

/** Requester to executor: these are durable, or not wanted any more; forget them. */
export interface AckMessage {
  readonly type: 'ack'
  readonly job: JobId
  readonly units: readonly number[]
}

/**
 * Why an executor gives a unit back. `paused`, `overloaded` and `declined` are nobody's fault; after any other the unit is never
 * lent to this executor again.
 */
export type ReleaseReason =
  | 'paused'
  | 'overloaded'
  | 'declined'
  | 'wall-limit'
  | 'worker-crash'
  | 'input-unavailable'
  | 'module-refused'
  | 'internal'

export interface Release {
  readonly unit: number
  readonly reason: ReleaseReason
}

/** Executor to requester. */
export interface ReleaseMessage {
  readonly type: 'release'
  readonly job: JobId
  readonly releases: readonly Release[]
}

/** Requester to executor: these leases are not wanted any more. An empty list means every unit of the job. */
export interface CancelMessage {
  readonly type: 'cancel'
  readonly job: JobId
  readonly units: readonly number[]
}

/** Requester to executor: you ran these units too; attest the receipts of others that agree with yours. */
export interface CountersignMessage {
  readonly type: 'countersign'
  readonly job: JobId
  readonly receipts: readonly SignedReceipt[]
}

/** Executor to requester: the answer to `countersign`. */
export interface AttestationMessage {
  readonly type: 'attestation'
  readonly job: JobId
  readonly attestation: SignedAttestation
}

export type RequesterMessage = OfferMessage | LeaseMessage | AckMessage | CancelMessage | CountersignMessage
export type ExecutorMessage = BidMessage | ResultsMessage | ReleaseMessage | AttestationMessage
export type TaskMessage = RequesterMessage | ExecutorMessage
