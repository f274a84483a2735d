import { describe, expect, it } from 'vitest'
import type { PeerId } from '../core/codec/ids.ts'
import {
  EVIDENCE_BYTES_MAX,
  EVIDENCE_ITEMS_MAX,
  SECURITY_EVENTS_MAX,
  SECURITY_REPEATS_MAX,
  SECURITY_REPEATS_WINDOW_MS,
} from '../core/trust/limits.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { testSigner } from '../testing/signers.ts'
import { SecurityLog } from './security-log.ts'

const PEERS: readonly PeerId[] = [0, 1, 2].map((index) => testSigner(index).author)
// The list has every index that is asked for.
const peer = (index: number): PeerId => PEERS[index] as PeerId

async function setUp() {
  const clock = { nowMs: 1_000_000 }
  const store = new MemoryStore()
  const open = () => SecurityLog.open({ store, now: () => clock.nowMs })
  return { clock, store, open, log: await open() }
}

describe('SecurityLog', () => {
  it('[T25] comes back with what was kept, and numbers go on', async () => {
    const { log, open } = await setUp()
    log.add({ type: 'peer-blacklisted', peerId: peer(1), message: 'Barred', evidence: [Uint8Array.of(1, 2, 3)] })
    log.add({ type: 'key-rotated', message: 'Rotated' })
    await log.flush()
    const again = await open()
    expect(again.list()).toEqual(log.list())
    again.add({ type: 'key-rotated', message: 'Again' })
    expect(again.list().map(({ id }) => id)).toEqual([3, 2, 1])
    await again.flush()
  })

  it('filters by type, severity, peer and place, newest first', async () => {
    const { log } = await setUp()
    for (let index = 0; index < 4; index++) {
      log.add({ type: 'result-conflict', peerId: peer(index % 2), message: `${index}` })
      log.add({ type: 'tier-changed', peerId: peer(index % 2), message: `${index}` })
    }
    expect(log.list({ types: ['tier-changed'] }).map(({ id }) => id)).toEqual([8, 6, 4, 2])
    expect(log.list({ severities: ['serious'], peer: peer(1) }).map(({ id }) => id)).toEqual([7, 3])
    expect(log.list({ before: 4, limit: 2 }).map(({ id }) => id)).toEqual([3, 2])
    await log.flush()
  })

  it('exports a line of JSON for each, oldest first, evidence in base64', async () => {
    const { log } = await setUp()
    log.add({ type: 'result-conflict', message: 'Two receipts', evidence: [Uint8Array.of(255, 0), Uint8Array.of(1)] })
    log.add({ type: 'tier-changed', message: 'Up' })
    const lines = new TextDecoder().decode(log.export()).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { id: 1, type: 'result-conflict', severity: 'serious', evidence: ['/wA=', 'AQ=='] },
      { id: 2, type: 'tier-changed', evidence: [] },
    ])
    await log.flush()
  })

  it('[T25] holds its bounds: events, evidence, message; serious ones stay longest', async () => {
    const { log, clock, open } = await setUp()
    log.add({ type: 'result-conflict', message: 'x'.repeat(5_000), evidence: [new Uint8Array(EVIDENCE_BYTES_MAX)] })
    log.add({ type: 'result-conflict', message: '', evidence: [new Uint8Array(EVIDENCE_BYTES_MAX + 1)] })
    log.add({ type: 'result-conflict', message: '', evidence: Array(9).fill(Uint8Array.of(1)) })
    expect(log.list().map(({ evidence }) => evidence.length)).toEqual([EVIDENCE_ITEMS_MAX, 0, 1])
    expect(log.list()[2]?.message.length).toBeLessThan(400)
    for (let index = 0; index < SECURITY_EVENTS_MAX + 10; index++) {
      clock.nowMs += SECURITY_REPEATS_WINDOW_MS
      log.add({ type: 'tier-changed', message: `${index}` })
    }
    const all = log.list({ limit: 1e6 })
    expect(all).toHaveLength(SECURITY_EVENTS_MAX)
    expect(all.filter(({ severity }) => severity === 'serious')).toHaveLength(3)
    await log.flush()
    expect((await open()).list({ limit: 1e6 })).toEqual(all)
  })

  it('[T25] a flood is written a few times, counted whole, and told of when it ends', async () => {
    const { log, clock } = await setUp()
    const flood = () => log.add({ type: 'rate-exceeded', peerId: peer(1), message: 'Too many' })
    for (let index = 0; index < 500; index++) flood()
    log.add({ type: 'rate-exceeded', peerId: peer(2), message: 'Too many' })
    expect(log.list()).toHaveLength(SECURITY_REPEATS_MAX + 1)
    clock.nowMs += SECURITY_REPEATS_WINDOW_MS
    flood()
    expect(log.list()[0]?.message).toBe(`Too many (and ${500 - SECURITY_REPEATS_MAX} more like it before)`)
    expect(log.samples()).toMatchObject([{ labels: { event_type: 'rate-exceeded' }, value: 502 }])
    await log.flush()
  })

  it('drops a damaged record and goes on', async () => {
    const { log, store, open } = await setUp()
    log.add({ type: 'key-rotated', message: 'Good' })
    await log.flush()
    await store.write([{ bucket: 'security', key: '0000000000000002', value: Uint8Array.of(0xff) }])
    const again = await open()
    expect(again.list().map(({ message }) => message)).toEqual(['Good'])
    await again.flush()
    expect(await store.get('security', '0000000000000002')).toBeUndefined()
  })
})
