import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RootId } from '../core/codec/ids.ts'
import { TASKS_MIN } from '../core/trust/limits.ts'
import { TrustState } from '../core/trust/trust-state.ts'
import { SecurityLog } from '../node/security-log.ts'
import { TrustStore } from '../node/trust-store.ts'
import { loadDeviceKeyFile } from '../storage/device-key-file.node.ts'
import { SqliteStore } from '../storage/sqlite-store.node.ts'
import { type Ended, runStarling } from '../testing/run-starling.ts'
import { testPeer } from '../testing/task-fixtures.ts'

const dir = mkdtempSync(join(tmpdir(), 'starling-trust-'))
const GOOD = testPeer(7)
const UNKNOWN = testPeer(8)

/** The command as a person starts it, on the folder of these tests. */
const starling = (...args: readonly string[]): Promise<Ended> =>
  runStarling(['trust', ...args, '--data-dir', dir, '--no-key-ring'])

beforeAll(async () => {
  await loadDeviceKeyFile(join(dir, 'device.key'))
  const store = new SqliteStore(join(dir, 'starling.sqlite'))
  const onProblem = (message: string): void => expect.unreachable(message)
  const state = new TrustState({ self: testPeer(1) as string as RootId, quotas: false })
  const measure = { durationUs: 1_000_000, costMicro: 0, megagas: 100 }
  const at = { nowMs: Date.now(), root: GOOD as string as RootId, peer: GOOD, category: 'test', sharePpm: 1_000_000 }
  for (let task = 0; task < TASKS_MIN; task++) state.step({ ...at, type: 'good', measure })
  const trust = new TrustStore({ store, now: Date.now, onProblem })
  for (const record of state.roots) trust.changed(record)
  await trust.flush()
  const log = await SecurityLog.open({ store, now: Date.now, onProblem })
  log.add({ type: 'statement-replayed', peerId: GOOD, message: 'Seen twice', evidence: [Uint8Array.of(1, 2)] })
  await log.flush()
  await store.close()
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('starling trust', () => {
  it('lists and shows what the folder holds', async () => {
    const list = await starling('list')
    expect(list.code).toBe(0)
    expect(list.stdout).toMatch(new RegExp(`${GOOD} +newcomer +10 +0\\.\\d\\d +10 +0 +judged`))
    const json = await starling('list', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ rootId: GOOD, tasks: { good: TASKS_MIN, bad: 0 } })
    const show = await starling('show', GOOD)
    expect(show.stdout).toContain('10 good, 0 bad')
    expect(show.stdout).toContain('accepted')
    expect((await starling('show', UNKNOWN)).code).toBe(2)
  }, 60_000)

  it('blocks, writes that down, and unblocks', async () => {
    expect((await starling('block', GOOD, '--hours', '2', '--reason', 'too slow')).code).toBe(0)
    expect((await starling('list')).stdout).toContain('blacklisted until')
    const events = await starling('events', '--type', 'peer-blacklisted')
    expect(events.stdout).toContain('too slow')
    expect((await starling('unblock', GOOD)).code).toBe(0)
    expect((await starling('list')).stdout).not.toContain('blacklisted')
    expect((await starling('unblock', GOOD)).code).toBe(2)
    expect((await starling('block', 'nobody')).code).toBe(2)
  }, 60_000)

  it('gives the security log as lines of JSON, evidence in base64', async () => {
    const { stdout } = await starling('events', '--json', '--severity', 'warning')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ type: 'statement-replayed', evidence: ['AQI='] }])
    expect((await starling('events', '--type', 'nonsense')).code).toBe(2)
  }, 60_000)
})
