import * as v from 'valibot'
import { compareBytes, toHex } from '../codec/bytes.ts'
import { decode, encode } from '../codec/cbor.ts'
import { bytes, list, rootId } from '../codec/fields.ts'
import { sha256Bytes } from '../codec/hash.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { InvalidLineageError } from './errors.ts'
import {
  LINEAGE_BYTES_MAX,
  LINEAGE_DEVICE_REVOCATIONS_MAX,
  LINEAGE_FORKS_MAX,
  LINEAGE_REVOCATIONS_MAX,
  LINEAGE_STATEMENT_BYTES_MAX,
  LINEAGE_SUCCESSIONS_MAX,
} from './limits.ts'
import type { Verifier } from './ports.ts'
import { type DeviceRevocation, decodeDeviceRevocation, decodeRevocation, type Revocation } from './revocation.ts'
import { firstKeyOf } from './root.ts'
import { verifyStatement } from './statement.ts'
import { decodeSuccession, linkOf, type Succession, verifySuccession } from './succession.ts'

/** Everything public that says which keys stand for an identity. Its parts are in one order, so one lineage has one encoding. */
export interface Lineage {
  readonly root: RootId
  readonly successions: readonly Succession[]
  /** At most one for each key. */
  readonly revocations: readonly Revocation[]
  /** At most one for each device. */
  readonly deviceRevocations: readonly DeviceRevocation[]
}

declare const verified: unique symbol
/** A lineage all of whose signatures were found good. */
export interface VerifiedLineage extends Lineage {
  readonly [verified]: true
}

const statementBytes = bytes(1, LINEAGE_STATEMENT_BYTES_MAX)

const schema = v.strictObject({
  version: v.literal(1),
  root: rootId,
  successions: list(statementBytes, 0, LINEAGE_SUCCESSIONS_MAX),
  revocations: list(statementBytes, 0, LINEAGE_REVOCATIONS_MAX),
  deviceRevocations: list(statementBytes, 0, LINEAGE_DEVICE_REVOCATIONS_MAX),
})

const LIMITS = { bytesMax: LINEAGE_BYTES_MAX, depthMax: 2, itemsMax: 96 }

/** A lineage without any statement: the first key is in force. Nothing needs verifying. */
export function newLineage(root: RootId): VerifiedLineage {
  return { root, successions: [], revocations: [], deviceRevocations: [] } as unknown as VerifiedLineage
}

/** The bytes by which a lineage travels and is kept. */
export function encodeLineage(lineage: Lineage): Uint8Array {
  const all = (parts: readonly { readonly bytes: Uint8Array }[]): Uint8Array[] => parts.map((part) => part.bytes)
  return encode({
    version: 1,
    root: lineage.root,
    successions: all(lineage.successions),
    revocations: all(lineage.revocations),
    deviceRevocations: all(lineage.deviceRevocations),
  })
}

/**
 * Reads a lineage and checks how its parts fit together. Signatures are still to be verified.
 *
 * @throws `InvalidMessageError`, `LimitExceededError` or {@link InvalidLineageError} Naming the field.
 */
export function decodeLineage(encoded: Uint8Array): Lineage {
  const { root, ...parts } = decode(encoded, { what: 'lineage', limits: LIMITS, schema })
  const lineage = ordered({
    root,
    successions: parts.successions.map(decodeSuccession),
    revocations: parts.revocations.map(decodeRevocation),
    deviceRevocations: parts.deviceRevocations.map(decodeDeviceRevocation),
  })
  checkLinks(lineage)
  return lineage
}

/**
 * Verifies every signature: at most 105 of them.
 *
 * @throws `BadSignatureError` When one is not by its key.
 */
export async function verifyLineage(lineage: Lineage, verifier: Verifier): Promise<VerifiedLineage> {
  for (const succession of lineage.successions) await verifySuccession(succession, verifier)
  for (const revocation of lineage.revocations) await verifyStatement(revocation, verifier)
  for (const revocation of lineage.deviceRevocations) await verifyStatement(revocation, verifier)
  return lineage as VerifiedLineage
}

/**
 * What two readers know of one identity, together. Where both hold more than a lineage may, what was there first stays.
 *
 * @throws {@link InvalidLineageError} When they are of different identities.
 */
export function mergeLineages(known: VerifiedLineage, heard: VerifiedLineage): VerifiedLineage {
  if (known.root !== heard.root) refuse('root', heard.root, known.root)
  const merged = ordered({
    root: known.root,
    successions: joinSuccessions([...known.successions, ...heard.successions]),
    revocations: uniqueBy([...known.revocations, ...heard.revocations], ({ statement }) => statement.author).slice(
      0,
      LINEAGE_REVOCATIONS_MAX,
    ),
    deviceRevocations: newestRevocations([...known.deviceRevocations, ...heard.deviceRevocations]),
  })
  return merged as VerifiedLineage
}

/** A lineage with one more statement, made or verified here. */
export function extendLineage(
  lineage: VerifiedLineage,
  more: Partial<Pick<Lineage, 'successions' | 'revocations' | 'deviceRevocations'>>,
): VerifiedLineage {
  const extended = mergeLineages(lineage, { ...newLineage(lineage.root), ...more })
  checkLinks(extended)
  return extended
}

/** Whether two lineages say the same. */
export function sameLineage(a: Lineage, b: Lineage): boolean {
  return compareBytes(encodeLineage(a), encodeLineage(b)) === 0
}

function refuse(field: string, value: string | number, limit: string | number): never {
  throw new InvalidLineageError(`lineage.${field} is ${value}, limit ${limit}`, {
    field: `lineage.${field}`,
    value,
    limit,
  })
}

/** One order for all: a succession before those that follow it, and otherwise by what is signed. */
function ordered(lineage: Lineage): Lineage {
  const digest = new Map(
    lineage.successions.map((succession) => [succession, toHex(sha256Bytes(succession.payload))] as const),
  )
  const key = (succession: Succession): string => digest.get(succession) ?? ''
  const by = <T>(items: readonly T[], text: (item: T) => string): T[] =>
    [...items].sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0))
  return {
    root: lineage.root,
    successions: [...lineage.successions].sort(
      (a, b) => a.statement.seq - b.statement.seq || (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0),
    ),
    revocations: by(lineage.revocations, ({ statement }) => statement.author),
    deviceRevocations: by(lineage.deviceRevocations, ({ statement }) => statement.body.device),
  }
}

/** Every statement must hang on the first key, and no key may come to follow itself. Rules [I4], [I5]. */
function checkLinks({ root, successions, revocations, deviceRevocations }: Lineage): void {
  /** Successions by the key they brought; the first key was brought by none. */
  const brought = new Map<PeerId, (Succession | null)[]>([[firstKeyOf(root), [null]]])
  const forks = new Map<PeerId, number>()
  for (const succession of successions) {
    const { body } = succession.statement
    if (body.root !== root) refuse('successions.root', body.root, root)
    const origin = brought.get(body.old)?.find((previous) => linkOf(root, previous) === body.prevHash)
    if (origin === undefined) refuse('successions.prevHash', body.prevHash, 'the succession that brought the old key')
    if (body.seq !== (origin?.statement.seq ?? 0) + 1) {
      refuse('successions.seq', body.seq, (origin?.statement.seq ?? 0) + 1)
    }
    if (body.notBeforeMs < (origin?.statement.body.notBeforeMs ?? 0)) {
      refuse('successions.notBeforeMs', body.notBeforeMs, 'that of the succession before')
    }
    const siblings = (forks.get(body.old) ?? 0) + 1
    if (siblings > LINEAGE_FORKS_MAX) refuse('successions of one key', siblings, LINEAGE_FORKS_MAX)
    forks.set(body.old, siblings)
    brought.set(body.new, [...(brought.get(body.new) ?? []), succession])
  }
  checkAcyclic(root, successions)
  const signers = new Set<PeerId>()
  for (const { statement } of revocations) {
    if (statement.body.root !== root) refuse('revocations.root', statement.body.root, root)
    if (!brought.has(statement.author)) refuse('revocations.author', statement.author, 'a key of the lineage')
    if (signers.has(statement.author)) refuse('revocations.author', statement.author, 'one for each key')
    signers.add(statement.author)
  }
  const devices = new Set<PeerId>()
  for (const { statement } of deviceRevocations) {
    const { body, author } = statement
    if (body.root !== root) refuse('deviceRevocations.root', body.root, root)
    if (!brought.has(author)) refuse('deviceRevocations.author', author, 'a key of the lineage')
    if (devices.has(body.device)) refuse('deviceRevocations.device', body.device, 'one for each device')
    devices.add(body.device)
  }
}

/** Takes away keys that nothing leads to any more until none is left; what remains leads in a circle. */
function checkAcyclic(root: RootId, successions: readonly Succession[]): void {
  let left = successions.map(({ statement }) => statement.body)
  while (left.length > 0) {
    const led = new Set(left.map((terms) => terms.new))
    const rest = left.filter((terms) => led.has(terms.old))
    if (rest.length === left.length) refuse('successions.new', left[0]?.new ?? root, 'a key that came not before')
    left = rest
  }
}

function uniqueBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  const first = new Map<string, T>()
  for (const item of items) if (!first.has(key(item))) first.set(key(item), item)
  return [...first.values()]
}

/** The union, without what a full lineage has no room for, and without what would then hang in the air. */
function joinSuccessions(all: readonly Succession[]): Succession[] {
  const unique = uniqueBy(all, ({ payload }) => toHex(sha256Bytes(payload)))
  const forks = new Map<PeerId, number>()
  const kept: Succession[] = []
  const links = new Set<string>()
  // By seq, so that what a succession hangs on was decided before it; `sort` keeps the order of equals.
  for (const succession of unique.sort((a, b) => a.statement.seq - b.statement.seq)) {
    const { body } = succession.statement
    const siblings = (forks.get(body.old) ?? 0) + 1
    const hangs = body.seq > 1 && !links.has(body.prevHash)
    if (siblings > LINEAGE_FORKS_MAX || hangs || kept.length === LINEAGE_SUCCESSIONS_MAX) continue
    forks.set(body.old, siblings)
    links.add(linkOf(body.root, succession))
    kept.push(succession)
  }
  return kept
}

/** For each device the one that refuses most; the oldest are let go where there are too many. */
function newestRevocations(all: readonly DeviceRevocation[]): DeviceRevocation[] {
  const issuedMax = ({ statement }: DeviceRevocation): number => statement.body.issuedMsMax
  const newestFirst = [...all].sort((a, b) => issuedMax(b) - issuedMax(a))
  return uniqueBy(newestFirst, ({ statement }) => statement.body.device).slice(0, LINEAGE_DEVICE_REVOCATIONS_MAX)
}
