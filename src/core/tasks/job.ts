import type { Cid, Hash, JobId, PeerId } from '../codec/ids.ts'
import type { Manifest } from './manifest.ts'
import type { Trap } from './unit.ts'

/** What a requester hands to its scheduler. Module, signed manifest and inputs are stored before it is submitted. */
export interface JobSpec {
  readonly manifest: Manifest
  /** Block that holds the signed manifest. */
  readonly manifestCid: Cid
  readonly unitCount: number
  /** Whether the requester's own peer may execute units like any other executor. */
  readonly executeHere: boolean
  /** What to do while fewer able executors are known than `quorum` needs. */
  readonly shortage: { readonly policy: 'wait' } | { readonly policy: 'fail'; readonly afterMs: number }
}

/**
 * Why a job does not advance right now. `no-executors`: nobody able has bid; `few-executors`: fewer than its quorum needs;
 * `not-yet-valid`: before `validFromMs`.
 */
export type JobWait = 'no-executors' | 'few-executors' | 'not-yet-valid'

export type JobState =
  | { readonly state: 'running' }
  | { readonly state: 'waiting'; readonly reason: JobWait; readonly executors: number; readonly needed: number }
  | { readonly state: 'paused' }
  /** Every unit is decided; `failed` units ran out of attempts. */
  | { readonly state: 'done' }
  | { readonly state: 'cancelled' }
  | { readonly state: 'failed'; readonly reason: 'expired' | 'few-executors' }

/** Counters of one job; `accepted + failed + open = unitCount`. */
export interface JobProgress {
  readonly job: JobId
  readonly state: JobState
  readonly unitCount: number
  readonly accepted: number
  /** Accepted units whose outcome says exit code 0 and no trap. */
  readonly succeeded: number
  readonly failed: number
  readonly inFlight: number
  readonly executors: number
  readonly costMicroUnits: bigint
}

/** One accepted unit, as kept and as shown. */
export interface AcceptedUnit {
  readonly unit: number
  readonly outputHash: Hash
  readonly exitCode: number
  readonly trap: Trap | null
  readonly gas: bigint
  /** Of the first agreeing receipt, microseconds. */
  readonly durationUs: number
  /** Sum of the agreeing receipts. */
  readonly costMicroUnits: bigint
  /** Distinct executors whose receipts agree, in the order they arrived. */
  readonly executors: readonly PeerId[]
  /** Whether the requester recomputed it. */
  readonly audited: boolean
}

/** Why an executor gets no more units of a job. */
export type ExclusionReason = 'wrong-result' | 'equivocation' | 'unreliable' | 'bad-messages'

/** What became of a unit, as kept. */
export type DecidedUnit =
  | { readonly verdict: 'accepted'; readonly accepted: AcceptedUnit }
  | { readonly verdict: 'failed'; readonly unit: number; readonly reason: UnitFailure }

/** Why a unit has no result: too many executors failed at it, nobody agreed, or its input or outcome cannot be had. */
export type UnitFailure = 'attempts' | 'input'
