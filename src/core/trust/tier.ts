import { STANDING_MAX, TIER_QUOTAS, TIER_STANDING_MIN } from './limits.ts'

/** What a peer may do, by its standing; `guest` is one that was not admitted. */
export type Tier = 'guest' | 'newcomer' | 'established' | 'trusted' | 'elite'

export interface TierQuota {
  /** A task is up to `TASK_MS` of work; smaller units count by their share. */
  readonly tasksPerHour: number
  readonly connectionsMax: number
}

const QUARTER = STANDING_MAX / 4
const ASCENDING = ['newcomer', 'established', 'trusted', 'elite'] as const

/** One entry per 250 of standing, so that the tier is one look-up. The last is for the very top, 1,000. */
const BY_QUARTER = [0, 1, 2, 3, 4].map((quarter) =>
  ASCENDING.findLast((tier) => TIER_STANDING_MIN[tier] <= quarter * QUARTER),
)

/** The tier of a standing, 0 to 1,000, in constant time. Rule [T7]. */
export function tierOf(standing: number): Exclude<Tier, 'guest'> {
  // Standings are kept within 0 to 1,000.
  return BY_QUARTER[Math.floor(standing / QUARTER)] as Exclude<Tier, 'guest'>
}

export type TierQuotas = Readonly<Record<Tier, TierQuota>>

/**
 * The quotas of a network: the defaults, but where its policy says otherwise by a parameter such as `newcomerTasksPerHour` or
 * `eliteConnectionsMax`. Rule [T7].
 */
export function tierQuotas(parameters: Readonly<Record<string, number>> = {}): TierQuotas {
  const quotaOf = (tier: Tier): TierQuota => ({
    // The schema of policies has made whole numbers of them. A guest gets no tasks in any network.
    tasksPerHour: tier === 'guest' ? 0 : (parameters[`${tier}TasksPerHour`] ?? TIER_QUOTAS[tier].tasksPerHour),
    connectionsMax: parameters[`${tier}ConnectionsMax`] ?? TIER_QUOTAS[tier].connectionsMax,
  })
  const [guest, newcomer, established] = [quotaOf('guest'), quotaOf('newcomer'), quotaOf('established')]
  return { guest, newcomer, established, trusted: quotaOf('trusted'), elite: quotaOf('elite') }
}
