import { significant } from './number.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** `now`, `12 s ago`, `in 3 min`: the distance from `now` in one unit. */
export function relative(at: number, now: number): string {
  const ms = at - now
  const size = Math.abs(ms)
  if (size < 2_000) return 'now'
  const text = span(size)
  return ms < 0 ? `${text} ago` : `in ${text}`
}

/** A span in whole units, as a person says it: `12 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`
  if (ms < 2 * DAY_MS) return `${significant(Math.round((ms / HOUR_MS) * 10) / 10)} h`
  return `${Math.round(ms / DAY_MS)} d`
}

const ABSOLUTE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const CLOCK_SECONDS = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** Date and time to the second, in the reader's own way of writing them. */
export function absolute(at: number): string {
  return ABSOLUTE.format(at)
}

/** Hours and minutes. */
export function clock(at: number): string {
  return CLOCK.format(at)
}

export function clockSeconds(at: number): string {
  return CLOCK_SECONDS.format(at)
}
