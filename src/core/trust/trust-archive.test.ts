import { describe, expect, it } from 'vitest'
import { testPeer } from '../../testing/task-fixtures.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { BLACKLIST_MS, TASKS_MIN, TRUST_ARCHIVE_BYTES_MAX, TRUST_ARCHIVE_RECORDS_MAX } from './limits.ts'
import { decodeTrustArchive, encodeTrustArchive } from './trust-archive.ts'
import { TrustState } from './trust-state.ts'

const NOW_MS = 1_800_000_000_000
const measure = { durationUs: 1_000_000, costMicro: 1_000, megagas: 1_000 }
const root = (index: number): RootId => testPeer(index) as string as RootId

function state(self = 0): TrustState {
  return new TrustState({ self: root(self), quotas: true })
}

function worked(of: TrustState, who: RootId, tasks: number, nowMs = NOW_MS): void {
  for (let task = 0; task < tasks; task++) {
    const at = { nowMs: nowMs + task, root: who, peer: who as string as PeerId, category: 'kind', sharePpm: 1_000_000 }
    of.step({ ...at, type: 'good', measure })
  }
}

function carried(from: TrustState, to: TrustState, nowMs = NOW_MS): void {
  for (const record of decodeTrustArchive(encodeTrustArchive(from.roots, nowMs))) to.adopt(record, nowMs)
}

describe('an archive of trust', () => {
  it('[T27] brings scores, standing and bars to another device', () => {
    const [before, after] = [state(), state()]
    worked(before, root(1), 2 * TASKS_MIN)
    before.convictMisconduct(root(2), NOW_MS)
    carried(before, after)
    expect(after.ownScore(root(1), NOW_MS)).toBe(before.ownScore(root(1), NOW_MS))
    expect(after.record(root(1))?.standingMilli).toBe(before.record(root(1))?.standingMilli)
    expect(after.record(root(1))?.devices).toEqual(new Set([root(1)]))
    expect(after.isBarred(root(2), NOW_MS + BLACKLIST_MS - 1)).toBe(true)
    expect(after.isBarred(root(2), NOW_MS + BLACKLIST_MS)).toBe(false)
  })

  it('[T27] leaves the record of more dealings, and the bar of either', () => {
    const [before, after] = [state(), state()]
    worked(before, root(1), 20)
    worked(before, root(2), 5)
    before.convictMisconduct(root(2), NOW_MS)
    worked(after, root(1), 3)
    worked(after, root(2), 9)
    carried(before, after)
    expect(after.record(root(1))?.total.good).toBe(20)
    expect(after.record(root(2))?.total.good).toBe(9)
    expect(after.isBarred(root(2), NOW_MS)).toBe(true)
  })

  it('[T27] never judges whom it has become', () => {
    const [before, after] = [state(1), state(3)]
    worked(before, root(2), 20)
    worked(before, root(3), 20)
    worked(after, root(1), 20)
    // A restore: the device of 3 is one of 1 from now on.
    expect(after.become(root(1))).toBe(true)
    carried(before, after)
    expect(after.record(root(1))).toBeUndefined()
    expect(after.record(root(2))?.total.good).toBe(20)
    expect(after.credibility(root(1), NOW_MS)).toBeGreaterThan(after.credibility(root(9), NOW_MS))
    worked(after, root(1), 20)
    expect(after.record(root(1))).toBeUndefined()
  })

  it('[T27] holds those barred first, then those dealt with most, within its limits', () => {
    const of = state()
    const count = 250
    for (let index = 1; index <= count; index++) worked(of, root(index), 1 + (index % 7))
    of.block(root(3), { nowMs: NOW_MS, untilMs: null, reason: 'r'.repeat(200) })
    of.step({ nowMs: NOW_MS, root: root(count + 1), peer: testPeer(count + 1), type: 'seen', subnet: null })
    const archive = encodeTrustArchive(of.roots, NOW_MS)
    expect(archive.length).toBeLessThanOrEqual(TRUST_ARCHIVE_BYTES_MAX)
    const records = decodeTrustArchive(archive)
    expect(records.length).toBeLessThanOrEqual(TRUST_ARCHIVE_RECORDS_MAX)
    expect(records.length).toBeGreaterThan(80)
    expect(records.length).toBeLessThan(count)
    expect(records[0]?.root).toBe(root(3))
    const tasks = records.slice(1).map(({ total }) => total.good)
    expect(tasks).toEqual([...tasks].sort((a, b) => b - a))
    expect(records.some(({ root: each }) => each === root(count + 1))).toBe(false)
  })

  it('[T27] is refused whole when a byte is missing', () => {
    const of = state()
    worked(of, root(1), 3)
    const archive = encodeTrustArchive(of.roots, NOW_MS)
    for (let end = 0; end < archive.length; end++) {
      expect(() => decodeTrustArchive(archive.subarray(0, end))).toThrow(/trust archive|trust record/)
    }
    expect(() => decodeTrustArchive(new Uint8Array(TRUST_ARCHIVE_BYTES_MAX + 1))).toThrow(
      expect.objectContaining({ name: 'LimitExceededError' }),
    )
  })
})
