import type { PeerId, RootId } from '../codec/ids.ts'
import { IdentityConflictedError, IdentityRevokedError } from './errors.ts'
import { TIMESTAMP_WINDOW_MS } from './limits.ts'
import type { VerifiedLineage } from './lineage.ts'
import { firstKeyOf } from './root.ts'
import { graceEndMs, type SuccessionTerms } from './succession.ts'

export type LineageState = 'valid' | 'conflicted' | 'revoked'

/** Which keys stand for an identity at one moment. */
export interface ResolvedLineage {
  readonly root: RootId
  readonly state: LineageState
  /** The key in force; while the lineage is conflicted, the last one that was undisputed. */
  readonly activeKey: PeerId
  /** The keys that are the last of their line: one unless the lineage is conflicted. */
  readonly heads: readonly PeerId[]
  /** Every key that counts or counted, in order; of a conflict, all of them. */
  readonly line: readonly PeerId[]
  /** Until when each key counts, ms since epoch; `null` for the one in force. Keys that count no more are not in it. */
  readonly keys: ReadonlyMap<PeerId, number | null>
  /** Devices taken out, with the issue time up to which their certificates are refused. */
  readonly revokedDevices: ReadonlyMap<PeerId, number>
  /** Known, and not yet in force. */
  readonly pending: readonly SuccessionTerms[]
  /** When this answer may change by time alone, ms since epoch; `null` for never. */
  readonly changesAtMs: number | null
}

/**
 * Decides which keys stand for the identity now. Rules [I5] to [I7]. Pure: one lineage and one time give one answer everywhere.
 *
 * A key that two others follow is a conflict, and none of them counts, until the lines meet in one key again.
 */
export function resolveLineage(lineage: VerifiedLineage, nowMs: number): ResolvedLineage {
  const all = lineage.successions.map(({ statement }) => statement.body)
  // Clocks differ: what begins within the window has begun, or a new key would be refused wherever a clock is a second behind.
  const inForce = all.filter((terms) => terms.notBeforeMs <= nowMs + TIMESTAMP_WINDOW_MS)
  const reached = reach(firstKeyOf(lineage.root), inForce)
  const heads = reached.filter((key) => !inForce.some((terms) => terms.old === key))
  const conflicted = heads.length !== 1
  const revoked = lineage.revocations.some(({ statement }) => conflicted || !isCompromised(statement.author, inForce))
  const keys = conflicted || revoked ? new Map<PeerId, number | null>() : countingKeys(reached, inForce, nowMs)
  const revokedDevices = new Map<PeerId, number>()
  for (const { statement } of lineage.deviceRevocations) {
    if (keys.has(statement.author)) revokedDevices.set(statement.body.device, statement.body.issuedMsMax)
  }
  const pending = all.filter((terms) => !inForce.includes(terms))
  const changes = [
    ...pending.map((terms) => terms.notBeforeMs - TIMESTAMP_WINDOW_MS),
    ...[...keys.values()].filter((until) => until !== null),
  ]
  return {
    root: lineage.root,
    state: revoked ? 'revoked' : conflicted ? 'conflicted' : 'valid',
    activeKey: conflicted ? lastUndisputed(lineage.root, inForce) : (heads[0] ?? firstKeyOf(lineage.root)),
    heads,
    line: reached,
    keys,
    revokedDevices,
    pending,
    changesAtMs: changes.length === 0 ? null : Math.min(...changes),
  }
}

/**
 * @throws {@link IdentityRevokedError} or {@link IdentityConflictedError} When no key of the identity counts.
 */
export function checkLineageState({ root, state, heads }: ResolvedLineage): void {
  if (state === 'revoked') {
    throw new IdentityRevokedError(`The identity ${root} was revoked by its owner`, { field: 'lineage', value: root })
  }
  if (state === 'conflicted') {
    throw new IdentityConflictedError(`The identity ${root} has ${heads.length} keys in force, limit 1`, {
      field: 'lineage.heads',
      value: heads.length,
      limit: 1,
    })
  }
}

/** Keys that successions lead to from the first, in order. */
function reach(first: PeerId, inForce: readonly SuccessionTerms[]): PeerId[] {
  const reached = new Set([first])
  // A set grows while it is walked: each key is seen once.
  for (const key of reached) for (const terms of inForce) if (terms.old === key) reached.add(terms.new)
  return [...reached]
}

function countingKeys(
  reached: readonly PeerId[],
  inForce: readonly SuccessionTerms[],
  nowMs: number,
): Map<PeerId, number | null> {
  const keys = new Map<PeerId, number | null>()
  for (const key of reached) {
    const following = inForce.filter((terms) => terms.old === key)
    // A key in others' hands has no grace, not even that of clocks which differ.
    const untilMs = Math.min(...following.map((terms) => (terms.reason === 'compromised' ? 0 : graceEndMs(terms))))
    if (following.length === 0) keys.set(key, null)
    else if (untilMs > nowMs) keys.set(key, untilMs)
  }
  return keys
}

/** A key that its owner gave up as being in others' hands may not end the identity. */
function isCompromised(key: PeerId, inForce: readonly SuccessionTerms[]): boolean {
  const following = inForce.filter((terms) => terms.old === key)
  return following.length > 0 && following.every((terms) => terms.reason === 'compromised')
}

function lastUndisputed(root: RootId, inForce: readonly SuccessionTerms[]): PeerId {
  let key = firstKeyOf(root)
  for (;;) {
    const next = new Set(inForce.filter((terms) => terms.old === key).map((terms) => terms.new))
    const [only] = next
    if (next.size !== 1 || only === undefined) return key
    key = only
  }
}
