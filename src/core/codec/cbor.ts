import * as v from 'valibot'
import { InvalidMessageError } from './errors.ts'
import type { DecodeLimits } from './limits.ts'
import { readCbor } from './scan.ts'
import { writeCbor } from './write.ts'

/**
 * Deterministic CBOR: the same value gives the same bytes everywhere. Integers, text, bytes, lists, maps, booleans, null.
 *
 * @throws TypeError For anything else, floats and `undefined` among it.
 */
export function encode(value: unknown): Uint8Array {
  return writeCbor(value)
}

export interface DecodeOptions<T> {
  /** Names the thing in errors. */
  readonly what: string
  readonly limits: DecodeLimits
  readonly schema: v.GenericSchema<unknown, T>
}

/**
 * Reads untrusted bytes: limits and form over the raw bytes, then the shape. What comes out is typed; meaning is the caller's to check.
 *
 * @throws {@link LimitExceededError} When it is too large, deep or many.
 * @throws {@link InvalidMessageError} When it is malformed or of the wrong shape; names field, value and limit.
 */
export function decode<T>(bytes: Uint8Array, options: DecodeOptions<T>): T {
  return conform(readCbor(bytes, options), options)
}

/**
 * Checks the shape of a value.
 *
 * @throws {@link InvalidMessageError} Naming the first field that is wrong, its value and its limit.
 */
export function conform<T>(value: unknown, options: { what: string; schema: v.GenericSchema<unknown, T> }): T {
  const result = v.safeParse(options.schema, value, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = v.getDotPath(issue)
  const field = path === null ? options.what : `${options.what}.${path}`
  const { requirement } = issue as { requirement?: unknown }
  // A check's requirement is its code, which says nothing to a person; its message is the limit in words.
  const stated = typeof requirement === 'function' ? issue.message : (requirement ?? issue.message)
  const limit = String(issue.expected ?? stated).slice(0, 120)
  const received = issue.received.slice(0, 120)
  throw new InvalidMessageError(`${field} is ${received}, limit ${limit}`, { field, value: received, limit })
}
