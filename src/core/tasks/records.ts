import type { JobId, PeerId } from '../codec/ids.ts'
import type { DecidedUnit, ExclusionReason, JobSpec, JobState } from './job.ts'
import type { SignedReceipt } from './receipt.ts'

/** Buckets of the durable store that the schedulers write. Keys are `<job>/<unit, 8 digits>` unless said otherwise. */
export const BUCKETS = {
  /** Key `<job>`: spec, state, exclusions. */
  jobs: 'jobs',
  /** Decided units, without their bytes. */
  units: 'units',
  /** The agreeing signed receipts of an accepted unit, as one CBOR list. */
  receipts: 'receipts',
  /** Key `<job>/<unit>/<output hash>`: encoded outcomes that came inline. Larger ones are blocks. */
  outcomes: 'outcomes',
  /** Key `<job>/<unit>/<executor>`: receipts of units not yet decided. */
  votes: 'votes',
  /** Key `<job>/<unit>/<executor>`: executors that failed at the unit. */
  failures: 'failures',
  /** Key `<job>/<unit>/<executor>`: two conflicting signed receipts, as one CBOR list. */
  evidence: 'evidence',
  /** Key `<job>/s/<hash>`: signed attestations; key `<job>/r/<receipt hash>/<attester>`: the hash of one that covers the receipt. */
  attestations: 'attestations',
  /** Key `<requester>/<job>/<unit>`: an executor's results that wait for their acknowledgement. */
  outbox: 'outbox',
} as const

/** A job as stored. */
export interface JobRecord {
  readonly job: JobId
  readonly spec: JobSpec
  readonly state: JobState
  readonly createdAtMs: number
  readonly excluded: readonly { readonly peer: PeerId; readonly reason: ExclusionReason }[]
}

/** Everything durable that a requester continues from. */
export interface RequesterRecords {
  /** Jobs that are not finished. */
  readonly jobs: readonly JobRecord[]
  readonly decided: readonly { readonly job: JobId; readonly decided: DecidedUnit }[]
  /** `outcomeStored`: the outcome came inline and is kept. */
  readonly votes: readonly { readonly job: JobId; readonly vote: SignedReceipt; readonly outcomeStored: boolean }[]
  readonly failures: readonly { readonly job: JobId; readonly unit: number; readonly peer: PeerId }[]
}
