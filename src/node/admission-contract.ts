/** The part of the node's contract that is about being let in. Plain data only. */
import type { Reason } from './contract.ts'

export type PolicyKind = 'room' | 'open' | 'members'

/** What a network's founder signed at its creation; shown to whoever joins. */
export interface PolicyInfo {
  readonly kind: PolicyKind
  readonly name: string
  readonly founder: string
  readonly createdAt: number
  readonly quotas: boolean
  readonly subnetLimits: boolean
  readonly work: {
    readonly difficultyBitsMin: number
    readonly difficultyBitsMax: number
    readonly memoryKibibytes: number
  }
}

export interface MiningInfo {
  readonly state: 'running' | 'paused'
  readonly workers: number
  readonly difficultyBits: number
  readonly memoryKibibytes: number
  readonly epoch: number
  readonly hashes: number
  /** Mean number of hashes that such a proof takes: 2^difficultyBits. */
  readonly hashesExpected: number
  readonly hashesPerSecond: number
  /** Mean time that is left at this rate; chance has no memory, so it does not shrink with hashes done. */
  readonly etaMs: number | null
  readonly elapsedMs: number
}

export interface AdmissionInfo {
  readonly policy: PolicyInfo | null
  /** `guest`: connected, with tight quotas and without tasks. */
  readonly state: 'guest' | 'mining' | 'admitted' | 'refused'
  readonly means: 'invite' | 'work' | 'member' | 'founder' | null
  readonly reason: Reason | null
  readonly mining: MiningInfo | null
  readonly expiresAt: number | null
}

export interface AdmissionApi {
  admission(): Promise<AdmissionInfo>
  startMining(): Promise<void>
  pauseMining(): Promise<void>
  /**
   * Takes what a link invites with (`#invite=…`), and keeps it.
   *
   * @throws `InvalidMessageError` When it does not invite to this network.
   */
  useInvite(invite: string): Promise<AdmissionInfo>
}
