import type { RootId } from '../core/codec/ids.ts'
import type { Barred } from '../core/trust/blacklist.ts'
import { isInForce } from '../core/trust/blacklist.ts'
import { toNumber } from '../core/trust/fixed.ts'
import { tasksOf } from '../core/trust/score.ts'
import { standingOf } from '../core/trust/standing.ts'
import { tierOf } from '../core/trust/tier.ts'
import type { TrustRecord } from '../core/trust/trust-record.ts'
import type { TrustState, WrongProof } from '../core/trust/trust-state.ts'
import type { BlacklistEntry, TrustEntry, TrustHistory } from './trust-contract.ts'

/** What the pages see of one root. */
export function entryOf(state: TrustState, record: TrustRecord, nowMs: number): TrustEntry {
  const { root, total, categories } = record
  const standing = standingOf(record.standingMilli)
  const tier = tierOf(standing)
  const { tasksPerHour, connectionsMax } = state.quotaOf(tier)
  const own = state.ownScore(root, nowMs)
  const blended = state.blendedScore(root, nowMs)
  return {
    rootId: root,
    devices: [...record.devices],
    tier,
    standing,
    score: own === null ? null : toNumber(own),
    blended: blended === null ? null : toNumber(blended),
    tasks: { good: total.good, bad: total.bad },
    byCategory: [...categories].reverse().map(([category, tally]) => {
      const score = state.categoryScore(record, category, nowMs)
      return { category, score: score === null ? null : toNumber(score), tasks: tasksOf(tally) }
    }),
    quota: { usedTasks: record.quota.used(nowMs) / 1_000_000, tasksPerHour, connectionsMax },
    firstSeenAt: record.firstSeenMs,
    lastTaskAt: record.lastTaskMs,
    blacklisted: record.barred !== null && isInForce(record.barred, nowMs) ? blacklistEntryOf(record.barred) : null,
  }
}

function blacklistEntryOf(barred: Barred): BlacklistEntry {
  const { root, sinceMs, untilMs, by, reason } = barred
  return { rootId: root, since: sinceMs, until: untilMs, by, reason: by === 'owner' ? reason : groundWords(reason) }
}

/** How somebody came to be judged as it is, oldest first. */
export function historyPoints(record: TrustRecord): TrustHistory['points'] {
  return record.history.map(({ atMs, score, standing, cause }) => ({
    at: atMs,
    score: toNumber(score),
    standing,
    cause,
  }))
}

/** What others say of a root, weightiest first. */
export function attestationsOf(state: TrustState, root: RootId, nowMs: number): TrustHistory['attestations'] {
  return [...state.attestations.about(root)]
    .map((heard) => ({
      by: heard.attester as string,
      score: toNumber(heard.score),
      tasks: heard.good + heard.bad,
      weight: toNumber(state.attesterWeight(heard, nowMs)),
      at: heard.atMs,
    }))
    .sort((a, b) => b.weight - a.weight || b.at - a.at)
}

/** How a wrong result was found, in words that follow "was". */
export function causeWords(proof: WrongProof): string {
  switch (proof) {
    case 'recomputed':
      return 'recomputed here and found wrong'
    case 'equivocation':
      return 'answered twice with different results'
    case 'outvoted':
      return 'answered otherwise than the others did'
  }
}

const GROUNDS: Readonly<Record<string, string>> = {
  'score-low': 'Its score fell below 0.3',
  'wrong-recomputed': 'A result of it was recomputed here and found wrong',
  'wrong-equivocation': 'It signed two different results of one unit',
  'wrong-outvoted': 'Others outvoted its results twice',
  'wrong-shown': 'Another peer showed a wrong result of it, and recomputing here agreed',
  equivocation: 'It signed two different results of one unit',
  misconduct: 'It sent too much that no honest peer sends',
  'accused-by-many': 'Several peers of good record showed wrong results of it',
}

/** The ground of a bar in words; the codes are the core's. */
function groundWords(reason: string): string {
  return GROUNDS[reason] ?? reason
}

/** One sentence for the log. */
export function reasonWords(barred: Barred): string {
  const until = barred.untilMs === null ? 'until it is lifted' : `until ${new Date(barred.untilMs).toISOString()}`
  const ground = barred.by === 'owner' ? `By hand: ${barred.reason}` : groundWords(barred.reason)
  return `${ground}; blacklisted ${until}`
}
