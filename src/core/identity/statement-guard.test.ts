import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOW_MS, testPeer } from '../../testing/task-fixtures.ts'
import { StarlingError } from '../codec/errors.ts'
import { REPLAY_NONCES_PER_AUTHOR_MAX, TIMESTAMP_WINDOW_MS } from './limits.ts'
import { refusalReason } from './refusal.ts'
import type { Statement } from './statement.ts'
import { type GuardRecord, StatementGuard } from './statement-guard.ts'
import type { Recurrence } from './statement-kinds.ts'

function statement(seq: number, change: Partial<Statement<null>> = {}): Statement<null> {
  const nonce = new Uint8Array(16)
  new DataView(nonce.buffer).setUint32(0, seq)
  return { network: 'here', kind: 'offer', author: testPeer(1), seq, timestampMs: NOW_MS, nonce, body: null, ...change }
}

function reason(work: () => unknown): string | null {
  try {
    work()
  } catch (error) {
    return refusalReason(error)
  }
  return 'none'
}

describe('the guard of statements', () => {
  it('[S8] refuses statements of another network, whatever their kind', () => {
    const guard = new StatementGuard('here')
    for (const recurrence of ['evidence', 'newest', 'once'] satisfies Recurrence[]) {
      expect(reason(() => guard.check(statement(1, { network: 'there' }), recurrence, NOW_MS))).toBe('network')
    }
  })

  it('[S3] lets evidence be old and shown again, and nothing else', () => {
    const guard = new StatementGuard('here')
    const old = statement(1, { timestampMs: NOW_MS - TIMESTAMP_WINDOW_MS - 1 })
    for (let i = 0; i < 2; i++) expect(guard.admit(old, 'evidence', NOW_MS)).toBeNull()
    expect(reason(() => guard.admit(old, 'newest', NOW_MS))).toBe('stale')
    expect(reason(() => guard.admit(old, 'once', NOW_MS))).toBe('stale')
    const fresh = statement(1)
    for (let i = 0; i < 2; i++) expect(guard.admit(fresh, 'newest', NOW_MS)).toBeNull()
  })

  it('[S4] [S5] takes what is acted upon once, and in order', () => {
    const guard = new StatementGuard('here')
    expect(guard.admit(statement(5), 'once', NOW_MS)?.kept).toMatchObject({ kind: 'offer', seq: 5 })
    expect(reason(() => guard.admit(statement(5), 'once', NOW_MS))).toBe('replayed')
    expect(reason(() => guard.admit(statement(4), 'once', NOW_MS))).toBe('replayed')
    expect(reason(() => guard.check(statement(4), 'once', NOW_MS))).toBe('replayed')
    guard.admit(statement(4, { kind: 'another' }), 'once', NOW_MS + 1)
    guard.admit(statement(6), 'once', NOW_MS)
  })

  it('[S4] a number that is refused uses up no nonce', () => {
    const guard = new StatementGuard('here')
    guard.admit(statement(5), 'once', NOW_MS)
    const size = guard.size
    expect(reason(() => guard.admit(statement(3), 'once', NOW_MS))).toBe('replayed')
    expect(guard.size).toBe(size)
  })

  it('[S4] counts what it has no room for by a reason of its own', () => {
    const guard = new StatementGuard('here')
    for (let i = 0; i < REPLAY_NONCES_PER_AUTHOR_MAX; i++) guard.admit(statement(i), 'once', NOW_MS)
    const more = statement(REPLAY_NONCES_PER_AUTHOR_MAX)
    guard.check(more, 'once', NOW_MS)
    expect(reason(() => guard.admit(more, 'once', NOW_MS))).toBe('limit')
  })

  it('[S4] acts upon no statement twice, over restarts, expiry and a clock that is set back', () => {
    const step = fc.record({
      author: fc.nat(1),
      seq: fc.nat(6),
      minute: fc.integer({ min: -3, max: 6 }),
      clockMinutes: fc.integer({ min: -1, max: 3 }),
      restart: fc.boolean(),
    })
    let admittedAfterRestart = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const disk = new Map<string, GuardRecord>()
        const admitted = new Set<string>()
        let floorMs = 0
        let nowMs = NOW_MS
        let guard = new StatementGuard('here')
        for (const { author, seq, minute, clockMinutes, restart } of steps) {
          nowMs += clockMinutes * 60_000
          if (restart) guard = new StatementGuard('here', { floorMs, records: [...disk.values()] })
          const each = statement(seq, { author: testPeer(author + 1), timestampMs: NOW_MS + minute * 60_000 })
          try {
            const changes = guard.admit(each, 'once', nowMs)
            if (changes === null) throw new Error('Nothing to keep')
            disk.set(changes.kept.key, changes.kept)
            for (const key of changes.forgotten) disk.delete(key)
            floorMs = changes.floorMs
          } catch (error) {
            if (!(error instanceof StarlingError)) throw error
            continue
          }
          const name = `${author}/${seq}/${minute}`
          expect(admitted).not.toContain(name)
          admitted.add(name)
          if (restart) admittedAfterRestart++
        }
      }),
      { numRuns: 300 },
    )
    expect(admittedAfterRestart).toBeGreaterThan(100)
  })
})
