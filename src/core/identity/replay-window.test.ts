import { describe, expect, it } from 'vitest'
import { NOW_MS, testPeer } from '../../testing/task-fixtures.ts'
import { REPLAY_NONCES_MAX, REPLAY_NONCES_PER_AUTHOR_MAX, SEQUENCE_AUTHORS_MAX, TIMESTAMP_WINDOW_MS } from './limits.ts'
import { ReplayWindow, SequenceGuard } from './replay-window.ts'

const author = testPeer(1)
const nonce = (n: number) => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, n)
  return bytes
}

describe('ReplayWindow', () => {
  it('[S3] takes timestamps up to two minutes off, and none beyond', () => {
    const window = new ReplayWindow()
    for (const [i, offset] of [-TIMESTAMP_WINDOW_MS, 0, TIMESTAMP_WINDOW_MS].entries()) {
      window.admit({ author, nonce: nonce(i), timestampMs: NOW_MS + offset }, NOW_MS)
    }
    for (const offset of [-TIMESTAMP_WINDOW_MS - 1, TIMESTAMP_WINDOW_MS + 1]) {
      const stale = { author, nonce: nonce(9), timestampMs: NOW_MS + offset }
      expect(() => window.admit(stale, NOW_MS)).toThrow(`limit ±${TIMESTAMP_WINDOW_MS} ms`)
    }
  })

  it('[S4] refuses a nonce for as long as its timestamp would pass', () => {
    const window = new ReplayWindow()
    const statement = { author, nonce: nonce(1), timestampMs: NOW_MS + TIMESTAMP_WINDOW_MS }
    window.admit(statement, NOW_MS)
    window.admit({ ...statement, author: testPeer(2) }, NOW_MS)
    for (const later of [0, TIMESTAMP_WINDOW_MS, 2 * TIMESTAMP_WINDOW_MS]) {
      expect(() => window.admit(statement, NOW_MS + later)).toThrow('Nonce was used before')
    }
    expect(() => window.admit(statement, NOW_MS + 2 * TIMESTAMP_WINDOW_MS + 1)).toThrow('Timestamp')
  })

  it('[S4] remembers over a restart', () => {
    const window = new ReplayWindow()
    const statement = { author, nonce: nonce(1), timestampMs: NOW_MS }
    window.admit(statement, NOW_MS)
    expect(() => new ReplayWindow(window.snapshot()).admit(statement, NOW_MS)).toThrow('Nonce was used before')
  })

  it('[S4] refuses what it may have forgotten, even when the clock is set back or started anew', () => {
    const window = new ReplayWindow()
    const statement = { author, nonce: nonce(1), timestampMs: NOW_MS }
    window.admit(statement, NOW_MS)
    const later = NOW_MS + TIMESTAMP_WINDOW_MS + 1
    const { forgotten } = window.admit({ author, nonce: nonce(2), timestampMs: later }, later)
    expect(forgotten).toHaveLength(1)
    for (const each of [window, new ReplayWindow(window.snapshot())]) {
      expect(() => each.check(statement, NOW_MS)).toThrow('Timestamp')
      each.check({ ...statement, timestampMs: NOW_MS + 1 }, NOW_MS)
    }
  })

  it('[S4] checking takes no note', () => {
    const window = new ReplayWindow()
    const statement = { author, nonce: nonce(1), timestampMs: NOW_MS }
    window.check(statement, NOW_MS)
    window.admit(statement, NOW_MS)
    expect(() => window.check(statement, NOW_MS)).toThrow('Nonce was used before')
    expect(window.size).toBe(1)
  })

  it('[S4] refuses what it has no room to remember, by author first, and forgets in time', () => {
    const window = new ReplayWindow()
    for (let i = 0; i < REPLAY_NONCES_PER_AUTHOR_MAX; i++)
      window.admit({ author, nonce: nonce(i), timestampMs: NOW_MS }, NOW_MS)
    const more = { author, nonce: nonce(1e6), timestampMs: NOW_MS }
    expect(() => window.admit(more, NOW_MS)).toThrow(`limit ${REPLAY_NONCES_PER_AUTHOR_MAX}`)
    window.admit({ ...more, author: testPeer(2) }, NOW_MS)
    const later = NOW_MS + 2 * TIMESTAMP_WINDOW_MS + 1
    window.admit({ ...more, timestampMs: later }, later)
    expect(window.size).toBe(1)
  })

  it('[S4] is bounded over all authors', () => {
    const window = new ReplayWindow()
    for (let i = 0; i < REPLAY_NONCES_MAX; i++) {
      window.admit({ author: testPeer(i % 250), nonce: nonce(i), timestampMs: NOW_MS }, NOW_MS)
    }
    const more = { author: testPeer(251), nonce: nonce(1e8), timestampMs: NOW_MS }
    expect(() => window.admit(more, NOW_MS)).toThrow(`limit ${REPLAY_NONCES_MAX}`)
  })
})

describe('SequenceGuard', () => {
  const numbered = { author, kind: 'a', timestampMs: NOW_MS }

  it('[S5] admits only upwards, for each author and kind alone', () => {
    const guard = new SequenceGuard()
    guard.admit({ ...numbered, seq: 0 }, NOW_MS)
    guard.admit({ ...numbered, seq: 5 }, NOW_MS)
    for (const seq of [0, 4, 5]) expect(() => guard.admit({ ...numbered, seq }, NOW_MS)).toThrow('limit above 5')
    guard.admit({ ...numbered, kind: 'b', seq: 0 }, NOW_MS)
    guard.admit({ ...numbered, author: testPeer(2), seq: 0 }, NOW_MS)
  })

  it('[S5] holds to a number for as long as its timestamp passes, and no longer', () => {
    const guard = new SequenceGuard()
    guard.admit({ ...numbered, seq: 5 }, NOW_MS)
    const last = NOW_MS + TIMESTAMP_WINDOW_MS
    expect(() => guard.check({ ...numbered, seq: 1 }, last)).toThrow('limit above 5')
    guard.admit({ ...numbered, seq: 1, timestampMs: last + 1 }, last + 1)
  })

  it('[S5] forgets the author it has not heard for longest', () => {
    const guard = new SequenceGuard()
    guard.admit({ ...numbered, kind: 'first', seq: 7 }, NOW_MS)
    for (let i = 0; i < SEQUENCE_AUTHORS_MAX; i++) guard.admit({ ...numbered, kind: `${i}`, seq: 7 }, NOW_MS)
    guard.admit({ ...numbered, kind: 'first', seq: 1 }, NOW_MS)
    expect(() => guard.admit({ ...numbered, kind: '1', seq: 1 }, NOW_MS)).toThrow('limit above 7')
  })
})
