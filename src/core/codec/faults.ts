import { InvalidMessageError } from './errors.ts'

/** What is wrong with one field of a message: its value, and the limit it broke. */
export interface Fault {
  readonly field: string
  readonly value: string | number | bigint | boolean
  readonly limit: string | number | bigint
}

/** Strings of others are cut to this before they stand in an error. */
const SHOWN_CHARS_MAX = 120

/** The error of a fault. `what` is the message's name: its fields are told as `what.field`. */
export function faultError(what: string, { field, value, limit }: Fault): InvalidMessageError {
  const shown = typeof value === 'string' ? value.slice(0, SHOWN_CHARS_MAX) : value
  return new InvalidMessageError(`${what}.${field} is ${shown}, limit ${limit}`, {
    field: `${what}.${field}`,
    value: shown,
    limit,
  })
}

/**
 * Refuses a message that has faults. They may come from a generator: it is asked for the first alone.
 *
 * @throws {@link InvalidMessageError} Naming the first wrong field, its value and its limit.
 */
export function refuseFaults(what: string, faults: Iterable<Fault>): void {
  for (const fault of faults) throw faultError(what, fault)
}
