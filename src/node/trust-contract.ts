/** The part of the node's contract that is about how far others are trusted, and why. Plain data only. */

export type Tier = 'guest' | 'newcomer' | 'established' | 'trusted' | 'elite'

export interface TrustEntry {
  readonly rootId: string
  readonly devices: readonly string[]
  readonly tier: Tier
  /** 0 to 1,000, earned slowly and lost fast. */
  readonly standing: number
  /** 0 to 1, quality as judged here; `null` until the minimum of tasks. */
  readonly score: number | null
  /** 0 to 1, with what others attest. */
  readonly blended: number | null
  readonly tasks: { readonly good: number; readonly bad: number }
  readonly byCategory: readonly { readonly category: string; readonly score: number | null; readonly tasks: number }[]
  readonly quota: { readonly usedTasks: number; readonly tasksPerHour: number; readonly connectionsMax: number }
  readonly firstSeenAt: number
  readonly lastTaskAt: number | null
  readonly blacklisted: BlacklistEntry | null
}

export interface BlacklistEntry {
  readonly rootId: string
  readonly since: number
  /** `null` lasts until lifted by hand. */
  readonly until: number | null
  readonly by: 'score' | 'evidence' | 'owner'
  readonly reason: string
}

export interface TrustHistory {
  readonly entry: TrustEntry
  /** Oldest first; bounded. */
  readonly points: readonly {
    readonly at: number
    readonly score: number
    readonly standing: number
    readonly cause: string
  }[]
  readonly attestations: readonly {
    readonly by: string
    readonly score: number
    readonly tasks: number
    readonly weight: number
    readonly at: number
  }[]
  readonly evidence: readonly SecurityEvent[]
}

export interface SecurityEvent {
  /** Counts up; never reused. */
  readonly id: number
  readonly at: number
  readonly severity: 'info' | 'warning' | 'serious'
  /** One of a fixed list, such as `statement-replayed`, `result-conflict`, `peer-blacklisted`, `key-rotated`. */
  readonly type: string
  readonly peerId: string | null
  readonly rootId: string | null
  readonly message: string
  /** The bytes it is about, when there are any; most are signed and prove it to others too. */
  readonly evidence: readonly Uint8Array[]
}

export interface SecurityFilter {
  readonly types?: readonly string[]
  readonly severities?: readonly SecurityEvent['severity'][]
  readonly peer?: string
  readonly before?: number
  readonly limit?: number
}

export interface TrustApi {
  /** Everyone dealt with, best first. */
  trustEntries(): Promise<readonly TrustEntry[]>
  trustHistory(rootId: string): Promise<TrustHistory | null>
  blacklist(): Promise<readonly BlacklistEntry[]>
  /** `durationMs: null` lasts until lifted. */
  blacklistPeer(rootId: string, options: { readonly durationMs: number | null; readonly reason: string }): Promise<void>
  unblacklistPeer(rootId: string): Promise<void>
  /** Newest first. */
  securityEvents(filter: SecurityFilter): Promise<readonly SecurityEvent[]>
  /** As lines of JSON, evidence in base64. */
  exportSecurityEvents(filter: SecurityFilter): Promise<Uint8Array>
}
