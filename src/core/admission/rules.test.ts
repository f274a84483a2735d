// Tests for docs/PROTOCOL.md, admission: difficulty, levels, places, nonces, one's own ticket.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner } from '../../testing/signers.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { nextDifficultyBits } from './difficulty.ts'
import { GuestPlaces } from './guest-places.ts'
import { Levels } from './levels.ts'
import { CREDENTIALS_WAIT_MS, EPOCH_MS, GUEST_PLACE_MS, WORK_CHUNK_HASHES, WORK_RANGES_MAX } from './limits.ts'
import { Newcomers } from './newcomers.ts'
import { decodeNonceRecord, encodeNonceRecord, NonceRanges } from './nonce-ranges.ts'
import { nextOwnStep, type OwnSituation } from './own-ticket.ts'
import { defaultPolicy, foundNetwork } from './policy.ts'

const peers = Array.from({ length: 8 }, (_, index) => testSigner(index).author)
const peer = (index: number): PeerId => peers[index] as PeerId
const root = (index: number): RootId => peer(index) as string as RootId

describe('[A8] the difficulty', () => {
  const bounds = { difficultyBitsMin: 16, difficultyBitsMax: 24, newcomersPerEpoch: 256 }
  const next = (bits: number, newcomers: number): number => nextDifficultyBits(bits, { ...bounds, newcomers })

  it('stays between its bounds, moves two bits at most, and never falls when more come', () => {
    const bits = fc.integer({ min: 16, max: 24 })
    const count = fc.integer({ min: 0, max: 1_000_000 })
    fc.assert(
      fc.property(bits, count, count, (now, a, b) => {
        const [fewer, more] = [Math.min(a, b), Math.max(a, b)]
        expect(next(now, more)).toBeGreaterThanOrEqual(next(now, fewer))
        for (const after of [next(now, a), next(now, b)]) {
          expect(after).toBeGreaterThanOrEqual(16)
          expect(after).toBeLessThanOrEqual(24)
          expect(Math.abs(after - now)).toBeLessThanOrEqual(2)
        }
      }),
    )
  })

  it('moves at twice and at half of what is meant, not one short of it', () => {
    expect([next(20, 511), next(20, 512), next(20, 513)]).toEqual([20, 21, 21])
    expect([next(20, 129), next(20, 128), next(20, 127)]).toEqual([20, 19, 19])
    expect([next(20, 1_023), next(20, 1_024), next(20, 1_000_000)]).toEqual([21, 22, 22])
    expect([next(16, 0), next(24, 1_000_000)]).toEqual([16, 24])
  })

  it('settles where an attacker with steady power brings what is meant', () => {
    const guesses = 256 * 2 ** 20
    let bits = 16
    for (let epoch = 0; epoch < 12; epoch++) bits = next(bits, Math.floor(guesses / 2 ** bits))
    expect(bits).toBe(20)
  })

  it('counts who is new, not who comes back', () => {
    const newcomers = new Newcomers()
    for (const index of [0, 1, 1, 0]) newcomers.admitted(root(index))
    expect(newcomers.count).toBe(2)
    newcomers.turn()
    for (const index of [0, 1, 2]) newcomers.admitted(root(index))
    expect(newcomers.count).toBe(1)
  })
})

describe('[A12] levels', () => {
  it('go from unknown to guest when nothing is shown in time', () => {
    const levels = new Levels()
    expect(levels.connected(peer(0), 0).map(({ level }) => level?.level)).toEqual(['unknown'])
    expect(levels.tick(CREDENTIALS_WAIT_MS - 1)).toEqual([])
    expect(levels.tick(CREDENTIALS_WAIT_MS).map(({ level }) => level?.level)).toEqual(['guest'])
    expect(levels.admitted(peer(0))).toBe(null)
  })

  it('end with the ticket, and not a millisecond before', () => {
    const levels = new Levels()
    levels.judged(peer(0), { level: 'admitted', root: root(1), expiresAtMs: 1_000 })
    expect(levels.tick(999)).toEqual([])
    expect(levels.admitted(peer(0))).toBe(root(1))
    expect(levels.tick(1_000)).toMatchObject([{ before: 'admitted', level: { level: 'guest', root: root(1) } }])
    expect(levels.admitted(peer(0))).toBe(null)
  })

  it('tell of every change once, whatever comes in whatever order', () => {
    const event = fc.oneof(
      fc.record({ type: fc.constant('connected' as const), at: fc.nat(3) }),
      fc.record({ type: fc.constant('gone' as const), at: fc.nat(3) }),
      fc.record({ type: fc.constant('good' as const), at: fc.nat(3), root: fc.nat(2), end: fc.nat(20_000) }),
      fc.record({ type: fc.constant('bad' as const), at: fc.nat(3) }),
      fc.record({ type: fc.constant('tick' as const) }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const levels = new Levels()
        const told = new Map<PeerId, string>()
        let now = 0
        for (const each of events) {
          now += 500
          const changes =
            each.type === 'tick'
              ? levels.tick(now)
              : each.type === 'connected'
                ? levels.connected(peer(each.at), now)
                : each.type === 'gone'
                  ? levels.disconnected(peer(each.at))
                  : each.type === 'bad'
                    ? levels.judged(peer(each.at), { level: 'guest', root: null })
                    : levels.judged(peer(each.at), {
                        level: 'admitted',
                        root: root(each.root),
                        expiresAtMs: now + each.end,
                      })
          for (const { peer: whom, before, level } of changes) {
            expect(before).toBe(told.get(whom) ?? null)
            if (level === null) told.delete(whom)
            else told.set(whom, level.level)
          }
          for (const whom of peers) {
            expect(told.get(whom) ?? null).toBe(levels.get(whom)?.level ?? null)
            expect(levels.admitted(whom) !== null).toBe(told.get(whom) === 'admitted')
          }
        }
      }),
    )
  })
})

describe('[A16] guest places', () => {
  it('are as many as there are, and given up only after their time', () => {
    const places = new GuestPlaces(2)
    expect(places.take(peer(0), 0)).toEqual({ taken: true, leaves: null })
    expect(places.take(peer(1), 1)).toEqual({ taken: true, leaves: null })
    expect(places.take(peer(1), 2)).toEqual({ taken: true, leaves: null })
    expect(places.take(peer(2), GUEST_PLACE_MS - 1)).toEqual({ taken: false, leaves: null })
    expect(places.size).toBe(2)
    expect(places.take(peer(2), GUEST_PLACE_MS)).toEqual({ taken: true, leaves: peer(0) })
    expect(places.take(peer(3), GUEST_PLACE_MS)).toEqual({ taken: false, leaves: null })
    places.free(peer(2))
    expect(places.take(peer(3), GUEST_PLACE_MS)).toEqual({ taken: true, leaves: null })
    expect(places.size).toBe(2)
  })
})

describe('[A13] nonces', () => {
  it('are each handed out once until done, over any number of stops and restarts', () => {
    const action = fc.oneof(
      fc.constant('take' as const),
      fc.constant('done' as const),
      fc.constant('back' as const),
      fc.constant('restart' as const),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), fc.nat(), (actions, seed) => {
        let ranges = new NonceRanges()
        const held: number[] = []
        const done = new Set<number>()
        for (const [index, each] of actions.entries()) {
          const pick = held.length === 0 ? 0 : (seed + index) % held.length
          if (each === 'take') {
            const next = ranges.take()
            if (next === null) continue
            expect(held).not.toContain(next.chunk)
            expect(done.has(next.chunk)).toBe(false)
            expect(next.first).toBe(BigInt(next.chunk) * BigInt(WORK_CHUNK_HASHES))
            held.push(next.chunk)
          } else if (each === 'restart') {
            const record = { challenge: new Uint8Array(32), elapsedMs: 5, ...ranges.record() }
            ranges = new NonceRanges(decodeNonceRecord(encodeNonceRecord(record)))
            held.length = 0
          } else {
            const [chunk] = held.splice(pick, 1)
            if (chunk === undefined) continue
            if (each === 'back') ranges.giveBack(chunk)
            else {
              ranges.done(chunk)
              done.add(chunk)
            }
          }
          expect(ranges.hashes).toBe(done.size * WORK_CHUNK_HASHES)
        }
        // Nothing was left out: whoever takes and finishes everything now fills every gap.
        const end = Math.max(0, ...done) + 1
        const covered = new Set([...done, ...held])
        for (;;) {
          const next = ranges.take()
          if (next === null || next.chunk >= end) break
          covered.add(next.chunk)
          ranges.done(next.chunk)
        }
        expect([...covered].filter((chunk) => chunk < end).length).toBe(end)
      }),
    )
  })

  it('are bounded in what is remembered', () => {
    const ranges = new NonceRanges()
    const first = ranges.take()
    for (let i = 1; i < WORK_RANGES_MAX; i++) ranges.done(ranges.take()?.chunk ?? -1)
    expect(ranges.take()).toBe(null)
    ranges.done(first?.chunk ?? -1)
    expect(ranges.take()?.chunk).toBe(WORK_RANGES_MAX)
  })
})

describe('[A5] one’s own ticket', () => {
  const founder = testSigner(7)
  const nowMs = 10 * EPOCH_MS + 5
  const beacon = { epoch: 10, random: new Uint8Array(32), difficultyBits: 16, statement: new Uint8Array(1) }
  const situation = async (
    kind: 'room' | 'open' | 'members',
    change: Partial<OwnSituation> = {},
  ): Promise<OwnSituation> => ({
    network: await foundNetwork(defaultPolicy(kind, 'x', kind === 'room' ? peer(2) : null), {
      founder,
      nowMs,
      nonce: new Uint8Array(16),
    }),
    root: root(0),
    held: null,
    hasCapability: false,
    invitation: null,
    beacon: null,
    nowMs,
    ...change,
  })
  const worked = (epoch: number, of = root(0)) => ({
    root: of,
    ticket: {
      kind: 'work' as const,
      epoch,
      memoryKibibytes: 2_048,
      passes: 1,
      difficultyBits: 16,
      nonce: new Uint8Array(8),
    },
    beacon: new Uint8Array(1),
  })

  it('is signed in a room with its capability, and a new one in every epoch', async () => {
    expect(nextOwnStep(await situation('room'))).toEqual({ type: 'none', reason: 'no-invite' })
    expect(nextOwnStep(await situation('room', { hasCapability: true }))).toEqual({ type: 'sign', epoch: 10 })
    const ticket = { kind: 'invite' as const, epoch: 10, signature: new Uint8Array(64) }
    const held = { root: root(0), ticket, beacon: null }
    expect(nextOwnStep(await situation('room', { hasCapability: true, held }))).toEqual({ type: 'keep' })
    const later = { hasCapability: true, held, nowMs: nowMs + EPOCH_MS }
    expect(nextOwnStep(await situation('room', later))).toEqual({ type: 'sign', epoch: 11 })
    const other = { ...held, root: root(1) }
    expect(nextOwnStep(await situation('room', { hasCapability: true, held: other }))).toEqual({
      type: 'sign',
      epoch: 10,
    })
  })

  it('is worked for in an open network, once the beacon of the epoch is known', async () => {
    expect(nextOwnStep(await situation('open'))).toEqual({ type: 'none', reason: 'beacon-unknown' })
    expect(nextOwnStep(await situation('open', { beacon }))).toEqual({ type: 'work', beacon })
    expect(nextOwnStep(await situation('open', { beacon: { ...beacon, epoch: 9 } })).type).toBe('none')
    expect(nextOwnStep(await situation('open', { held: worked(10) }))).toEqual({ type: 'keep' })
    expect(nextOwnStep(await situation('open', { held: worked(10, root(1)), beacon })).type).toBe('work')
    // Good for another epoch: kept until the new beacon is there, then worked for beside it.
    expect(nextOwnStep(await situation('open', { held: worked(9) }))).toEqual({ type: 'keep' })
    expect(nextOwnStep(await situation('open', { held: worked(9), beacon }))).toEqual({ type: 'work', beacon })
    expect(nextOwnStep(await situation('open', { held: worked(8) })).type).toBe('none')
  })

  it('is an invitation where there is one, and nothing for the founder', async () => {
    const invitation = new Uint8Array([1])
    expect(nextOwnStep(await situation('members'))).toEqual({ type: 'none', reason: 'not-a-member' })
    expect(nextOwnStep(await situation('members', { invitation }))).toEqual({
      type: 'show',
      ticket: { kind: 'member', invitation },
    })
    expect(nextOwnStep(await situation('open', { root: founder.author as string as RootId }))).toEqual({
      type: 'show',
      ticket: { kind: 'founder' },
    })
  })
})
