import type { Abi } from './manifest.ts'

/** What an executor can and will do; compared with a manifest's terms. */
export interface Capability {
  readonly abis: readonly Abi[]
  readonly memoryBytesMax: number
  readonly cores: number
  readonly wallMsMax: number
  readonly stackBytesMax: number
  readonly gasMax: bigint
  readonly outputBytesMax: number
  /** The least it works for. */
  readonly microUnitsPerSecondMin: bigint
  readonly microUnitsPerMebibyteMin: bigint
  /** Its own record, parts per million. */
  readonly uptimePpm: number
  readonly failurePpm: number
  readonly reputationPpm: number
}

/** One reason why an executor cannot take a job: the manifest's field, its value, and the bound it breaks. */
export interface Mismatch {
  readonly field: string
  readonly value: string
  readonly limit: string
}
