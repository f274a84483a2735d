import type { ExecutorEffect } from '../../core/tasks/executor-events.ts'
import type { RequesterRecords } from '../../core/tasks/records.ts'
import type { RequesterEffect } from '../../core/tasks/requester-events.ts'
import { REQUESTER_RULES, type RequesterRules } from '../../core/tasks/requester-rules.ts'
import type { InvariantName } from './checker.ts'

/** A scheduler broken on purpose, and the invariant that must name the break. */
export interface Mutation {
  readonly caughtBy: InvariantName
  readonly rules?: RequesterRules
  readonly records?: (records: RequesterRecords) => RequesterRecords
  readonly effects?: (effects: RequesterEffect[]) => RequesterEffect[]
  readonly executorEffects?: (effects: ExecutorEffect[]) => ExecutorEffect[]
}

/** Broken in one decision each. */
export const MUTATIONS = {
  'accepts without quorum': {
    caughtBy: 'quorum',
    rules: { ...REQUESTER_RULES, quorumReached: (agreeing) => agreeing >= 1 },
  },
  'forgets on restart': {
    caughtBy: 'restart-continues',
    records: (records) => ({ ...records, decided: [], votes: [] }),
  },
  're-lends to the failing executor': {
    caughtBy: 'no-relend',
    rules: { ...REQUESTER_RULES, mayLend: (unit, peer) => !unit.leases.has(peer) && !unit.votes.has(peer) },
  },
  'acknowledges before it persists': {
    caughtBy: 'acknowledged-durable',
    effects: (effects) => [
      ...effects.filter((effect) => effect.type !== 'persist'),
      ...effects.filter((effect) => effect.type === 'persist'),
    ],
  },
  'accepts a unit again': {
    caughtBy: 'accepted-once',
    rules: { ...REQUESTER_RULES, takesResults: () => true },
  },
  'never lends again': {
    caughtBy: 'liveness',
    rules: { ...REQUESTER_RULES, mayLend: (unit, peer) => REQUESTER_RULES.mayLend(unit, peer) && unit.attempts < 3 },
  },
} as const satisfies Record<string, Mutation>

export type MutationName = keyof typeof MUTATIONS
