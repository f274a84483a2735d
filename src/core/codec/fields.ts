import * as v from 'valibot'
import { isPeerId } from '../identity/peer-id.ts'
import { isCid } from './cid.ts'
import type { Cid, Hash, JobId, PeerId, RootId } from './ids.ts'
import { INTEGER_MAX } from './limits.ts'

/** Schemas of the fields that messages share. Each bounds its value, so that a decoded message is bounded as a whole. */

/** A whole number in a range that floats hold exactly. */
export const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max))

/** A whole number up to 63 bits. The decoder gives small ones as numbers; here all become bigint. */
export const bigInteger = (min: bigint, max: bigint = INTEGER_MAX) =>
  v.pipe(
    v.union([v.bigint(), v.pipe(v.number(), v.safeInteger())]),
    v.transform((value) => BigInt(value)),
    v.minValue(min),
    v.maxValue(max),
  )

/** Text of a bounded number of UTF-16 code units. */
export const text = (min: number, max: number) => v.pipe(v.string(), v.minLength(min), v.maxLength(max))

export const bytes = (min: number, max: number) =>
  v.pipe(
    v.instance(Uint8Array),
    v.check((value) => value.length >= min && value.length <= max, `${min} to ${max} bytes`),
  )

export const list = <T>(item: v.GenericSchema<unknown, T>, min: number, max: number) =>
  v.pipe(v.array(item), v.minLength(min), v.maxLength(max))

export const peerId = v.pipe(
  v.string(),
  v.check(isPeerId, 'an Ed25519 peer id in base58'),
  v.transform((value) => value as PeerId),
)

export const rootId = v.pipe(
  v.string(),
  v.check(isPeerId, 'a root id: an Ed25519 peer id in base58'),
  v.transform((value) => value as string as RootId),
)

export const cid = v.pipe(
  v.string(),
  v.check(isCid, 'a CIDv1 in base32 with SHA-256'),
  v.transform((value) => value as Cid),
)

const HASH = /^[0-9a-f]{64}$/

export const hash = v.pipe(
  v.string(),
  v.regex(HASH),
  v.transform((value) => value as Hash),
)

export const jobId = v.pipe(
  v.string(),
  v.regex(HASH),
  v.transform((value) => value as JobId),
)
