import fc from 'fast-check'
import { expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { encode } from '../codec/cbor.ts'
import type { RootId } from '../codec/ids.ts'
import { GRACE_MS, LINEAGE_SUCCESSIONS_MAX, TIMESTAMP_WINDOW_MS } from './limits.ts'
import {
  decodeLineage,
  encodeLineage,
  extendLineage,
  type Lineage,
  mergeLineages,
  newLineage,
  sameLineage,
  type VerifiedLineage,
  verifyLineage,
} from './lineage.ts'
import { resolveLineage } from './resolve-lineage.ts'
import { signDeviceRevocation, signRevocation } from './revocation.ts'
import { rootIdOf } from './root.ts'
import { decodeSuccession, linkOf, type Succession, type SuccessionReason, signSuccession } from './succession.ts'

// Tests for docs/PROTOCOL.md, [I4] to [I7].

const NOW_MS = Date.UTC(2027, 0, 1)
const keys = Array.from({ length: 40 }, (_, index) => testSigner(index))
const key = (index: number) => keys[index] as (typeof keys)[number]
const ROOT = rootIdOf(key(0).author)
const nonce = new Uint8Array(16)

interface Link {
  readonly from: number
  readonly to: number
  readonly previous?: Succession | null
  readonly reason?: SuccessionReason
  readonly notBeforeMs?: number
  readonly seq?: number
  readonly root?: RootId
}

function link({ from, to, previous = null, reason = 'planned', notBeforeMs = NOW_MS, seq, root = ROOT }: Link) {
  const terms = {
    root,
    old: key(from).author,
    new: key(to).author,
    seq: seq ?? (previous?.statement.seq ?? 0) + 1,
    notBeforeMs,
    reason,
    prevHash: linkOf(root, previous),
  }
  return signSuccession(terms, { old: key(from), next: key(to), timestampMs: NOW_MS, nonce })
}

/** A chain through keys 0, 1, …, count. */
async function chain(count: number, reason: SuccessionReason = 'planned'): Promise<Succession[]> {
  const successions: Succession[] = []
  for (let i = 0; i < count; i++) {
    successions.push(await link({ from: i, to: i + 1, previous: successions.at(-1) ?? null, reason }))
  }
  return successions
}

const raw = (parts: Partial<Lineage>): Uint8Array => encodeLineage({ ...newLineage(ROOT), ...parts })
const read = async (parts: Partial<Lineage>): Promise<VerifiedLineage> =>
  await verifyLineage(decodeLineage(raw(parts)), testVerifier)
const stamp = { timestampMs: NOW_MS, nonce }

it('[I5] a new lineage has its first key in force', () => {
  const resolved = resolveLineage(newLineage(ROOT), NOW_MS)
  expect(resolved).toMatchObject({ state: 'valid', activeKey: key(0).author, changesAtMs: null })
  expect([...resolved.keys]).toEqual([[key(0).author, null]])
})

it('[I4] [I5] a replaced key counts until its grace ends, to the millisecond', async () => {
  for (const reason of ['planned', 'lost', 'compromised'] as const) {
    const lineage = await read({ successions: [await link({ from: 0, to: 1, reason })] })
    const endMs = NOW_MS + GRACE_MS[reason]
    expect(resolveLineage(lineage, endMs - 1).keys.has(key(0).author)).toBe(reason !== 'compromised')
    expect(resolveLineage(lineage, endMs).keys.has(key(0).author)).toBe(false)
    expect(resolveLineage(lineage, endMs)).toMatchObject({ activeKey: key(1).author, changesAtMs: null })
  }
})

it('[I5] a succession begins at its time, less what clocks may differ', async () => {
  const notBeforeMs = NOW_MS + 86_400_000
  const lineage = await read({ successions: [await link({ from: 0, to: 1, notBeforeMs })] })
  const startMs = notBeforeMs - TIMESTAMP_WINDOW_MS
  expect(resolveLineage(lineage, startMs - 1)).toMatchObject({ activeKey: key(0).author, changesAtMs: startMs })
  expect(resolveLineage(lineage, startMs).activeKey).toBe(key(1).author)
})

it('[I5] a key that two follow is a conflict in which none counts, until the lines meet', async () => {
  const a = await link({ from: 0, to: 1 })
  const b = await link({ from: 0, to: 2 })
  const forked = await read({ successions: [a, b] })
  const conflict = resolveLineage(forked, NOW_MS)
  expect(conflict).toMatchObject({ state: 'conflicted', activeKey: key(0).author })
  expect(conflict.keys.size).toBe(0)
  expect(new Set(conflict.heads)).toEqual(new Set([key(1).author, key(2).author]))
  const met = extendLineage(forked, { successions: [await link({ from: 2, to: 1, previous: b })] })
  expect(resolveLineage(met, NOW_MS)).toMatchObject({
    state: 'valid',
    heads: [key(1).author],
    activeKey: key(1).author,
  })
})

it('[I6] a revocation ends the identity, unless its key was given up as compromised', async () => {
  const revocations = [await signRevocation(ROOT, stamp, key(0))]
  for (const reason of ['planned', 'lost', 'compromised'] as const) {
    const lineage = await read({ revocations, successions: [await link({ from: 0, to: 1, reason })] })
    expect(resolveLineage(lineage, NOW_MS).state).toBe(reason === 'compromised' ? 'valid' : 'revoked')
  }
})

it('[I6] whoever holds a stolen key cannot take the revocation away: a rival succession brings it back', async () => {
  const thief = await link({ from: 0, to: 1, reason: 'compromised' })
  const owner = await link({ from: 0, to: 2 })
  const revocations = [await signRevocation(ROOT, stamp, key(0))]
  expect(resolveLineage(await read({ successions: [thief, owner], revocations }), NOW_MS).state).toBe('revoked')
})

it('[I7] a device revocation counts as long as its key does', async () => {
  const device = key(9).author
  const deviceRevocations = [await signDeviceRevocation({ root: ROOT, device, issuedMsMax: NOW_MS }, stamp, key(0))]
  const lineage = await read({ deviceRevocations, successions: [await link({ from: 0, to: 1 })] })
  expect(resolveLineage(lineage, NOW_MS).revokedDevices.get(device)).toBe(NOW_MS)
  expect(resolveLineage(lineage, NOW_MS + GRACE_MS.planned).revokedDevices.size).toBe(0)
})

it('[I4] refuses what does not hang together, each by its field', async () => {
  const [first, second] = (await chain(2)) as [Succession, Succession]
  const bad: readonly [Partial<Lineage>, string][] = [
    [{ successions: [second] }, 'prevHash'],
    [{ successions: [first, await link({ from: 1, to: 2, previous: first, seq: 3 })] }, 'seq'],
    [{ successions: [first, await link({ from: 1, to: 2, previous: null, seq: 2 })] }, 'prevHash'],
    [{ successions: [await link({ from: 0, to: 1, root: rootIdOf(key(5).author) })] }, 'root'],
    [{ successions: [first, await link({ from: 1, to: 0, previous: first })] }, 'new'],
    [{ successions: [first, await link({ from: 1, to: 2, previous: first, notBeforeMs: NOW_MS - 1 })] }, 'notBeforeMs'],
    [{ successions: [await link({ from: 0, to: 1, notBeforeMs: NOW_MS + 31 * 86_400_000 })] }, 'notBeforeMs'],
    [{ revocations: [await signRevocation(ROOT, stamp, key(7))] }, 'author'],
    [{ revocations: [await signRevocation(rootIdOf(key(3).author), stamp, key(0))] }, 'root'],
    [
      {
        deviceRevocations: [
          await signDeviceRevocation({ root: ROOT, device: key(9).author, issuedMsMax: 0 }, stamp, key(7)),
        ],
      },
      'author',
    ],
  ]
  for (const [parts, field] of bad) {
    expect(() => decodeLineage(raw(parts)), field).toThrow(expect.objectContaining({ name: 'InvalidLineageError' }))
    expect(() => decodeLineage(raw(parts))).toThrow(field)
  }
})

it('[I2] refuses a succession that names a network, though it is well signed', async () => {
  const { signStatement } = await import('./statement.ts')
  const { body } = (await link({ from: 0, to: 1 })).statement
  const init = { network: 'a-room', kind: 'succession', seq: 1, timestampMs: NOW_MS, nonce, body }
  const { bytes } = await signStatement(init, key(0))
  expect(() => decodeSuccession(bytes)).toThrow('network')
})

it('[I4] refuses a succession that one of its keys did not sign', async () => {
  const terms = { ...(await link({ from: 0, to: 1 })).statement.body }
  const liar = { author: key(1).author, sign: key(2).sign }
  const unaccepted = await signSuccession(terms, { old: key(0), next: liar, timestampMs: NOW_MS, nonce })
  await expect(read({ successions: [unaccepted] })).rejects.toMatchObject({ name: 'BadSignatureError' })
  const forger = { author: key(0).author, sign: key(2).sign }
  const forged = await signSuccession(terms, { old: forger, next: key(1), timestampMs: NOW_MS, nonce })
  await expect(read({ successions: [forged] })).rejects.toMatchObject({ name: 'BadSignatureError' })
})

it('decodeLineage takes the limit and refuses one more', async () => {
  const successions = await chain(LINEAGE_SUCCESSIONS_MAX + 1)
  expect(decodeLineage(raw({ successions: successions.slice(0, -1) })).successions).toHaveLength(
    LINEAGE_SUCCESSIONS_MAX,
  )
  expect(() => decodeLineage(raw({ successions }))).toThrow(expect.objectContaining({ name: 'InvalidMessageError' }))
  const large = encode({
    version: 1,
    root: ROOT,
    successions: [new Uint8Array(80_000)],
    revocations: [],
    deviceRevocations: [],
  })
  expect(() => decodeLineage(large)).toThrow(expect.objectContaining({ name: 'LimitExceededError' }))
})

it('decodeLineage gives typed errors for whatever bytes it gets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeLineage(bytes)
        return false
      } catch (error) {
        return ['InvalidMessageError', 'LimitExceededError', 'InvalidLineageError'].includes((error as Error).name)
      }
    }),
  )
})

it('[I5] lineages say the same whatever order their parts were heard in', async () => {
  const trunk = await chain(4)
  const fork = await link({ from: 1, to: 20, previous: trunk[0] as Succession })
  const successions = [...trunk, fork, await link({ from: 20, to: 21, previous: fork })]
  const whole = await read({ successions })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 }), async (order) => {
      let heard: VerifiedLineage = newLineage(ROOT)
      for (const last of [...order, 5, 3]) {
        // What a device shows is always whole: a part never comes without what it hangs on.
        const upTo = last < 4 ? trunk.slice(0, last + 1) : [...trunk.slice(0, 1), ...successions.slice(4, last + 1)]
        heard = mergeLineages(heard, await read({ successions: upTo }))
      }
      expect(sameLineage(heard, whole)).toBe(true)
      expect(resolveLineage(heard, NOW_MS)).toEqual(resolveLineage(whole, NOW_MS))
    }),
    { numRuns: 20 },
  )
})

it('mergeLineages never grows beyond what may be sent, whatever a thief signs', async () => {
  let heard = await read({ successions: await chain(LINEAGE_SUCCESSIONS_MAX) })
  for (let i = 33; i < 40; i++)
    heard = mergeLineages(heard, await read({ successions: [await link({ from: 0, to: i })] }))
  expect(resolveLineage(heard, NOW_MS).state).toBe('conflicted')
  expect(sameLineage(decodeLineage(encodeLineage(heard)), heard)).toBe(true)
})
