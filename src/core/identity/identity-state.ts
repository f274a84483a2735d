import type { PeerId } from '../codec/ids.ts'
import type { IdentityRecord } from './identity-record.ts'
import type { ResolvedLineage } from './resolve-lineage.ts'

/** How a peer's own identity stands; every situation has exactly one. Rule [I10]. */
export type IdentityStateName =
  | 'provisional'
  | 'protected'
  | 'rotating'
  | 'superseded'
  | 'revoked'
  | 'conflicted'
  | 'expired'
  | 'lost'

/** What is asked of the owner, or why the identity cannot be used; codes that a page makes sentences of. */
export type IdentityReason =
  | 'identity-one-unlocker'
  | 'identity-no-unlocker'
  | 'identity-unproved'
  | 'identity-unprotected'
  | 'identity-rotating'
  | 'identity-superseded'
  | 'identity-revoked'
  | 'identity-conflicted'
  | 'identity-expired'
  | 'identity-key-lost'
  | 'identity-locked'
  | 'identity-clock-behind'

export interface IdentityFacts {
  readonly record: IdentityRecord
  readonly lineage: ResolvedLineage
  /** Root keys that this device holds, and of these those that wait for a passphrase or key ring. */
  readonly held: ReadonlySet<PeerId>
  readonly locked: ReadonlySet<PeerId>
  /** Whether the copy of the active key from which unlockers are made is still there. */
  readonly copy: boolean
  /** Whether this device's own certificate holds now. */
  readonly certified: boolean
}

export interface IdentityStanding {
  readonly state: IdentityStateName
  readonly reason: IdentityReason | null
}

/** Two, so that the loss of one is not the loss of the identity. */
export const UNLOCKERS_MIN = 2

/** Names how an identity stands. Pure; what is worst is said first. */
export function identityState(facts: IdentityFacts): IdentityStanding {
  const { record, lineage, held, locked } = facts
  const { activeKey } = lineage
  if (lineage.state === 'revoked') return { state: 'revoked', reason: 'identity-revoked' }
  if (lineage.state === 'conflicted') return { state: 'conflicted', reason: 'identity-conflicted' }
  if (locked.has(activeKey)) {
    return { state: facts.certified ? 'protected' : 'expired', reason: 'identity-locked' }
  }
  if (!held.has(activeKey)) {
    // Its own rotation lies in the future: this clock was set back since.
    if (lineage.pending.some((terms) => held.has(terms.new)))
      return { state: 'rotating', reason: 'identity-clock-behind' }
    const older = lineage.line.some((key) => held.has(key) || locked.has(key))
    return older
      ? { state: 'superseded', reason: 'identity-superseded' }
      : { state: 'lost', reason: 'identity-key-lost' }
  }
  if (record.rotation !== null) return { state: 'rotating', reason: 'identity-rotating' }
  if (!facts.certified) return { state: 'expired', reason: 'identity-expired' }
  const unlockers = record.unlockers.filter(({ key }) => key === activeKey)
  const proved = unlockers.some(({ provedAtMs }) => provedAtMs !== null)
  const reason =
    unlockers.length === 0
      ? 'identity-no-unlocker'
      : unlockers.length < UNLOCKERS_MIN
        ? 'identity-one-unlocker'
        : !proved
          ? 'identity-unproved'
          : facts.copy
            ? 'identity-unprotected'
            : null
  return { state: facts.copy ? 'provisional' : 'protected', reason }
}
