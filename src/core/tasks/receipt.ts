import type { Hash, PeerId } from '../codec/ids.ts'
import type { DecodedStatement } from '../identity/statement.ts'
import type { Trap } from './unit.ts'

/** What an executor swears to about one unit; the body of a signed statement of kind `receipt`, whose author is the executor. */
export interface Receipt {
  /** Hash of the manifest, which is the job's id. */
  readonly manifest: Hash
  readonly unit: number
  readonly inputHash: Hash
  readonly outputHash: Hash
  /** `trap === null && exitCode === 0`. */
  readonly success: boolean
  readonly exitCode: number
  readonly trap: Trap | null
  readonly gas: bigint
  /** Whole microseconds, rounded up. */
  readonly durationUs: number
  readonly memoryBytesPeak: number
  /** The executor's clock, milliseconds since the Unix epoch. */
  readonly startedAtMs: number
  readonly costMicroUnits: bigint
}

/** A receipt as received: its fields, who signed it, and the exact bytes that are the evidence. */
export interface SignedReceipt {
  readonly executor: PeerId
  readonly receipt: Receipt
  /** SHA-256 of `bytes`; what attestations refer to. */
  readonly hash: Hash
  /** The encoded signed statement. */
  readonly bytes: Uint8Array
  /** The statement it is, where this peer signed it itself: what lets several travel together. */
  readonly origin?: DecodedStatement<Receipt>
}

/**
 * The body of a statement of kind `attestation`: its author ran the same units of the same job and got the same outcomes as each
 * of these receipts states.
 */
export interface Attestation {
  readonly manifest: Hash
  readonly receipts: readonly Hash[]
}

export interface SignedAttestation {
  readonly attester: PeerId
  readonly attestation: Attestation
  readonly bytes: Uint8Array
}
