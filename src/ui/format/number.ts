/** Measured figures have at most three significant digits and always a unit; counts of things are exact up to 9,999. */

const SPACE = ' '
const KIBI = 1024
const MICRO_PER_UNIT = 1_000_000

// Making a formatter costs far more than using it, and figures change several times a second.
const SIGNIFICANT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** A measured number with at most three significant digits, grouped: `0.0123`, `4.2`, `143`, `12,300`. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return SIGNIFICANT.format(value)
}

/** How many there are: exact while a person might count along, then `12.3 k`, `4.56 M`. */
export function count(value: number): string {
  const size = Math.abs(value)
  if (size < 10_000) return WHOLE.format(value)
  if (size < 999_500) return `${significant(value / 1e3)}${SPACE}k`
  if (size < 999_500_000) return `${significant(value / 1e6)}${SPACE}M`
  return `${significant(value / 1e9)}${SPACE}G`
}

/** `1 peer`, `7 peers`. */
export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)}${SPACE}${value === 1 ? noun : nouns}`
}

/** Bytes in binary units: `512 B`, `4 KiB`, `1.25 MiB`. */
export function bytes(value: number): string {
  if (value < KIBI) return `${significant(value)}${SPACE}B`
  if (value < KIBI ** 2) return `${significant(value / KIBI)}${SPACE}KiB`
  if (value < KIBI ** 3) return `${significant(value / KIBI ** 2)}${SPACE}MiB`
  return `${significant(value / KIBI ** 3)}${SPACE}GiB`
}

export function bytesPerSecond(value: number): string {
  return `${bytes(value)}/s`
}

/** A share of one, as a percentage that says 100 % only when it is all of it. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  const value = share * 100
  const shown = share < 1 && value > 99.9 ? 99.9 : value
  return `${significant(shown)}${SPACE}%`
}

/** `verified` of `done` as a percentage; a dash while nothing is done. */
export function percentOf(part: number, whole: number): string {
  return whole === 0 ? '–' : percent(part / whole)
}

/** Time that something takes, from milliseconds: `0.4 ms`, `240 ms`, `4.2 s`, `3.5 min`, `2.1 h`, `3 d`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${significant(ms)}${SPACE}ms`
  if (ms < 59_950) return `${significant(ms / 1e3)}${SPACE}s`
  if (ms < 59.95 * 60_000) return `${significant(ms / 60_000)}${SPACE}min`
  if (ms < 47.95 * 3_600_000) return `${significant(ms / 3_600_000)}${SPACE}h`
  return `${significant(ms / 86_400_000)}${SPACE}d`
}

/** Things per second, or per minute when they are slow. */
export function rate(perSecond: number, noun: string): string {
  if (perSecond > 0 && perSecond < 0.5) return `${significant(perSecond * 60)}${SPACE}${noun}/min`
  return `${significant(perSecond)}${SPACE}${noun}/s`
}

/** Money: micro-units below 10,000, units above. A unit is a million micro-units. */
export function money(micro: bigint | number): string {
  const value = Number(micro)
  if (Math.abs(value) < 10_000) return `${significant(value)}${SPACE}µ`
  const units = value / MICRO_PER_UNIT
  return `${significant(units)}${SPACE}${units === 1 ? 'unit' : 'units'}`
}

/** Gas, the deterministic count of work: `12.3 M gas`. */
export function gas(value: bigint): string {
  return `${count(Number(value))}${SPACE}gas`
}

/** `QmAb…x9Yz`: enough of an identifier to compare by eye; the whole is shown on hover and copied. */
export function shortId(id: string, head = 6, tail = 6): string {
  return id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`
}
