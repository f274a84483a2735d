import type { BlacklistEntry, SecurityEvent, Tier } from '../../node/trust-contract.ts'
import { significant } from './number.ts'

export const TIER_WORDS: Readonly<Record<Tier, { readonly word: string; readonly meaning: string }>> = {
  guest: { word: 'Guest', meaning: 'Not let in yet: gets no work' },
  newcomer: { word: 'Newcomer', meaning: 'Standing below 250: 10 tasks an hour where the network has quotas' },
  established: { word: 'Established', meaning: 'Standing from 250: 50 tasks an hour where the network has quotas' },
  trusted: { word: 'Trusted', meaning: 'Standing from 500: 200 tasks an hour where the network has quotas' },
  elite: { word: 'Elite', meaning: 'Standing from 750: 1,000 tasks an hour where the network has quotas' },
}

/** A score, 0 to 1, in two digits after the point. */
export function scoreWords(score: number | null): string {
  return score === null ? 'not judged yet' : score.toFixed(2)
}

/** Shorter, for a table. */
export function scoreCell(score: number | null): string {
  return score === null ? '–' : score.toFixed(2)
}

const CAUSES: Readonly<Record<string, string>> = {
  accepted: 'Work accepted',
  failed: 'Work failed',
  deadline: 'Missed its deadline',
  'wrong-recomputed': 'Result recomputed here and found wrong',
  'wrong-equivocation': 'Signed two results of one unit',
  'wrong-outvoted': 'Outvoted by the other executors',
  'model-good': 'Good update of a shared model',
  'model-bad': 'Bad update of a shared model',
  'barred-score': 'Blacklisted: score below 0.30',
  'barred-evidence': 'Blacklisted on evidence',
  'barred-owner': 'Blacklisted by hand',
  'blacklist-expired': 'Blacklisting over, on trial again',
  unblocked: 'Taken off the blacklist by hand',
}

export function causeWords(cause: string): string {
  return CAUSES[cause] ?? cause
}

const GROUNDS: Readonly<Record<BlacklistEntry['by'], string>> = {
  score: 'Its score',
  evidence: 'Evidence',
  owner: 'By hand',
}

export function groundWords(by: BlacklistEntry['by']): string {
  return GROUNDS[by]
}

export const SEVERITY_WORDS: Readonly<Record<SecurityEvent['severity'], string>> = {
  info: 'Info',
  warning: 'Warning',
  serious: 'Serious',
}

/** `peer-blacklisted` as `Peer blacklisted`. */
export function eventWords(type: string): string {
  const words = type.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Tasks with a share of one: `2.4 of 10`. */
export function quotaWords({
  usedTasks,
  tasksPerHour,
}: {
  readonly usedTasks: number
  readonly tasksPerHour: number
}): string {
  return `${significant(usedTasks)} of ${significant(tasksPerHour)}`
}
