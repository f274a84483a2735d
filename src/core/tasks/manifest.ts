import type { Cid, PeerId } from '../codec/ids.ts'

/** `wasi-command`: a WASI preview 1 program with `_start`. `reactor`: `starling_alloc` and `starling_run`, for tiny units. */
export type Abi = 'wasi-command' | 'reactor'

/** What one unit may use; the sandbox enforces each. */
export interface Resources {
  readonly memoryBytesMax: number
  /** CPU cores one unit keeps busy. Guests have no threads, so 1 is the only value a unit can profit from. */
  readonly cores: number
  readonly wallMsMax: number
  readonly stackBytesMax: number
  readonly gasMax: bigint
  /** stdout, stderr and the files under `/out` together. */
  readonly outputBytesMax: number
}

/** Prices in integer micro-units (a millionth of the unit of account). */
export interface Payment {
  readonly microUnitsPerSecond: bigint
  /** Per MiB of peak memory. */
  readonly microUnitsPerMebibyte: bigint
  /** Upper bound of the cost of one receipt. */
  readonly microUnitsTotalMax: bigint
}

/** What the requester asks of an executor's record, in parts per million. */
export interface ServiceLevel {
  readonly uptimePpmMin: number
  readonly failurePpmMax: number
  readonly reputationPpmMin: number
}

export interface Verification {
  /** Distinct executors each unit is lent to at first. */
  readonly replicas: number
  /** Distinct executors that must agree on (exit code, trap, output hash, gas); `1 <= quorum <= replicas`. */
  readonly quorum: number
  /** Share of units the requester recomputes itself, in parts per million. */
  readonly auditPpm: number
  /** Whether a slow unit may be lent a further time when no unit is pending. */
  readonly speculation: boolean
}

/** What the bytes of an input or output are. */
export interface DataSchema {
  readonly mediaType: string
  readonly bytesMin: number
  readonly bytesMax: number
  /** Plain words; may be empty. */
  readonly description: string
}

/** A read-only input file that every unit of the job sees under `/in`. */
export interface SharedFile {
  readonly path: string
  readonly cid: Cid
  readonly bytes: number
}

/** The terms of a job: all that an executor must know to run a unit of it. Signed by the requester. */
export interface Manifest {
  readonly version: 1
  readonly requester: PeerId
  /** 16 bytes that make the job distinct; the same nonce and terms give the same unit seeds again. */
  readonly nonce: Uint8Array
  /** Also `argv[0]`. */
  readonly name: string
  readonly module: Cid
  readonly abi: Abi
  /** Before each unit's own arguments. */
  readonly args: readonly string[]
  /** Before each unit's own variables. */
  readonly env: readonly (readonly [string, string])[]
  readonly files: readonly SharedFile[]
  readonly resources: Resources
  readonly payment: Payment
  readonly serviceLevel: ServiceLevel
  readonly verification: Verification
  readonly input: DataSchema
  readonly output: DataSchema
  /** 0 (lowest) to 9; weighs the requester's own jobs against each other. */
  readonly priority: number
  /** Milliseconds since the Unix epoch; no unit is lent outside of `[validFromMs, validUntilMs)`. */
  readonly validFromMs: number
  readonly validUntilMs: number
}
