import type { RootId } from '../codec/ids.ts'

/** Why somebody is barred: by a low score, by proof of a lie, or by the owner of this device. */
export type BarredBy = 'score' | 'evidence' | 'owner'

export interface Barred {
  readonly root: RootId
  readonly sinceMs: number
  /** `null` lasts until lifted by hand. */
  readonly untilMs: number | null
  readonly by: BarredBy
  readonly reason: string
}

const RANK: Readonly<Record<BarredBy, number>> = { score: 0, evidence: 1, owner: 2 }

/** Whether it holds at this time; it ends exactly at `untilMs`. Rule [T11]. */
export function isInForce(barred: Barred, nowMs: number): boolean {
  return barred.untilMs === null || nowMs < barred.untilMs
}

/**
 * Which of two holds: the later end, and of equal ends the weightier ground. An owner's word replaces any, also by a shorter one.
 * Rule [T13].
 */
export function stronger(before: Barred | null, next: Barred): Barred {
  if (before === null || next.by === 'owner') return next
  if (before.by === 'owner' && before.untilMs === null) return before
  const [a, b] = [before.untilMs ?? Number.POSITIVE_INFINITY, next.untilMs ?? Number.POSITIVE_INFINITY]
  if (a !== b) return a > b ? before : next
  return RANK[before.by] > RANK[next.by] ? before : next
}
