import type { JobSummary } from '../node/contract.ts'

/** A duration for a person: `840 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toPrecision(3)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const WORDS: Readonly<Record<string, string>> = {
  'no-executors': 'waiting for peers that lend',
  'few-executors': 'waiting for more peers that lend',
  'not-yet-valid': 'waiting for its time to begin',
}

/** One line on where a job is. */
export function progressText(summary: JobSummary): string {
  const { counts, executors, unitsPerSecond, etaMs, reason } = summary
  const parts = [
    `${bar(counts.accepted, counts.units)} ${counts.accepted} of ${counts.units} units`,
    `${executors} ${executors === 1 ? 'peer' : 'peers'}`,
  ]
  if (unitsPerSecond > 0) parts.push(`${unitsPerSecond.toPrecision(3)} units/s`)
  if (etaMs !== null && counts.accepted < counts.units) parts.push(`about ${durationText(etaMs.middle)} left`)
  if (counts.failed > 0) parts.push(`${counts.failed} failed`)
  if (reason !== null) parts.push(WORDS[reason.code] ?? reason.code)
  return parts.join(', ')
}

/** One line on how a job ended. */
export function resultText(summary: JobSummary, wallMs: number): string {
  const { counts, executors, name } = summary
  const bad = [
    ...(counts.unsuccessful > 0 ? [`${counts.unsuccessful} ended with an error`] : []),
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.accepted + counts.failed < counts.units
      ? [`${counts.units - counts.accepted - counts.failed} not done`]
      : []),
  ]
  return [
    `${name}: ${counts.accepted} of ${counts.units} units on ${executors} ${executors === 1 ? 'peer' : 'peers'}`,
    `${counts.verified} verified`,
    ...bad,
    durationText(wallMs),
  ].join(', ')
}

function bar(done: number, all: number): string {
  const width = 20
  const full = all === 0 ? 0 : Math.floor((done / all) * width)
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`
}
