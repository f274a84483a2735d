import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testPeer } from '../../testing/task-fixtures.ts'
import { InvalidMessageError, LimitExceededError } from '../codec/errors.ts'
import {
  BadSignatureError,
  ForeignStatementError,
  ReplayedStatementError,
  StaleStatementError,
} from '../identity/errors.ts'
import {
  EVIDENCE_BYTES_MAX,
  EVIDENCE_ITEMS_MAX,
  MISCONDUCT_COST_MILLI,
  MISCONDUCT_MAX_MILLI,
  MISCONDUCT_MILLI_STEP_MS,
  MISCONDUCT_SENDERS_MAX,
} from './limits.ts'
import { type Misconduct, MisconductMeter, misconductOf, publisherMisconduct } from './misconduct.ts'

const NOW_MS = 1_800_000_000_000
const KINDS = Object.keys(MISCONDUCT_COST_MILLI) as Misconduct[]
/** Acts of the cheapest kind that fit. */
const ACTS_MAX = MISCONDUCT_MAX_MILLI / MISCONDUCT_COST_MILLI.replayed
const ACT_MS = MISCONDUCT_COST_MILLI.replayed * MISCONDUCT_MILLI_STEP_MS

const blame = (meter: MisconductMeter<string>, nowMs = NOW_MS, kind: Misconduct = 'replayed') =>
  meter.blame('peer', { nowMs, kind })

/** Fills a bucket to its limit and no further. */
function full(): MisconductMeter<string> {
  const meter = new MisconductMeter<string>()
  for (let act = 0; act < ACTS_MAX; act++) expect(blame(meter)).toBeNull()
  expect(meter.levelMilli('peer', NOW_MS)).toBe(MISCONDUCT_MAX_MILLI)
  return meter
}

describe('the measure of misconduct', () => {
  it('[T26] takes the limit and not one more', () => {
    const meter = full()
    expect(blame(meter)?.counts).toEqual(new Map([['replayed', ACTS_MAX + 1]]))
    // A verdict is given once; after it the sender begins anew.
    expect(meter.levelMilli('peer', NOW_MS)).toBe(0)
    expect(blame(meter)).toBeNull()
  })

  it('[T26] forgives one act at its millisecond, and not one before', () => {
    expect(blame(full(), NOW_MS + ACT_MS - 1)).not.toBeNull()
    const meter = full()
    expect(blame(meter, NOW_MS + ACT_MS)).toBeNull()
    expect(blame(meter, NOW_MS + ACT_MS)).not.toBeNull()
  })

  it('[T26] never bars who does one thing in a minute, however long', () => {
    const meter = new MisconductMeter<string>()
    for (let act = 0; act < 10_000; act++) expect(blame(meter, NOW_MS + act * ACT_MS)).toBeNull()
    expect(meter.levelMilli('peer', NOW_MS + 10_000 * ACT_MS)).toBe(0)
  })

  it('[T26] loses nothing of a step by being asked often', () => {
    const meter = full()
    // Seven times a part of a step: what is left over counts towards the next.
    for (let asked = 1; asked <= 7; asked++) meter.levelMilli('peer', NOW_MS + asked * 10)
    expect(meter.levelMilli('peer', NOW_MS + MISCONDUCT_MILLI_STEP_MS)).toBe(MISCONDUCT_MAX_MILLI - 1)
    expect(meter.levelMilli('peer', NOW_MS + MISCONDUCT_MILLI_STEP_MS - 1)).toBe(MISCONDUCT_MAX_MILLI)
  })

  it('[T26] gives nothing to a clock that is set back, and takes nothing', () => {
    const meter = full()
    expect(meter.levelMilli('peer', NOW_MS - 3_600_000)).toBe(MISCONDUCT_MAX_MILLI)
    expect(blame(meter, NOW_MS - 3_600_000)).not.toBeNull()
  })

  it('[T26] says of whatever acts what an exact count says', () => {
    const act = fc.record({ waitMs: fc.integer({ min: 0, max: 3 * ACT_MS }), kind: fc.constantFrom(...KINDS) })
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        const meter = new MisconductMeter<string>()
        // In whole thousandths over time that is never rounded: level times the step, as one number.
        let [exact, nowMs] = [0, NOW_MS]
        for (const { waitMs, kind } of acts) {
          nowMs += waitMs
          exact = Math.max(0, exact - waitMs)
          // An empty bucket begins to leak when something is put into it.
          exact += MISCONDUCT_COST_MILLI[kind] * MISCONDUCT_MILLI_STEP_MS
          const verdict = meter.blame('peer', { nowMs, kind })
          const over = exact > MISCONDUCT_MAX_MILLI * MISCONDUCT_MILLI_STEP_MS
          // Steps are whole: the meter is late by less than one of them, never early to forgive.
          const near = Math.abs(exact - MISCONDUCT_MAX_MILLI * MISCONDUCT_MILLI_STEP_MS) < MISCONDUCT_MILLI_STEP_MS
          if (!near) expect(verdict !== null).toBe(over)
          if (verdict !== null) exact = 0
        }
      }),
      { numRuns: 300 },
    )
  })

  it('[T26] keeps each sender apart, and a bounded number of them', () => {
    const meter = new MisconductMeter<number>()
    for (let sender = 0; sender <= MISCONDUCT_SENDERS_MAX; sender++) {
      expect(meter.blame(sender, { nowMs: NOW_MS, kind: 'rate' })).toBeNull()
    }
    expect(meter.size).toBe(MISCONDUCT_SENDERS_MAX)
    expect(meter.levelMilli(0, NOW_MS)).toBe(0)
    expect(meter.levelMilli(1, NOW_MS)).toBe(MISCONDUCT_COST_MILLI.rate)
  })

  it('[T26] keeps the newest evidence, whole pieces only, and a bounded number of them', () => {
    const meter = new MisconductMeter<string>()
    let verdict: ReturnType<typeof blame> = null
    let other: ReturnType<typeof blame> = null
    for (let act = 0; verdict === null; act++) {
      const large = new Uint8Array(EVIDENCE_BYTES_MAX + 1)
      other = meter.blame('other', { nowMs: NOW_MS, kind: 'malformed', evidence: large })
      verdict = meter.blame('peer', { nowMs: NOW_MS, kind: 'malformed', evidence: Uint8Array.of(act) })
    }
    const pieces = Array.from({ length: EVIDENCE_ITEMS_MAX }, (_, index) => ACTS_MAX + 1 - EVIDENCE_ITEMS_MAX + index)
    expect(verdict.evidence).toEqual(pieces.map((piece) => Uint8Array.of(piece)))
    expect(other?.evidence).toEqual([])
  })

  it('[T26] holds against a sender only what it must have done itself', () => {
    const named = (error: Error) => misconductOf(error)
    expect(named(new BadSignatureError('x'))).toBe('forged')
    expect(named(new ReplayedStatementError('x'))).toBe('replayed')
    expect(named(new ForeignStatementError('x'))).toBe('foreign')
    expect(named(new InvalidMessageError('x', { field: 'offer.network' }))).toBe('foreign')
    expect(named(new InvalidMessageError('x', { field: 'offer' }))).toBe('malformed')
    expect(named(new LimitExceededError('x', { field: 'offer.bytes' }))).toBe('oversized')
    expect(named(new LimitExceededError('x', { field: 'nonce' }))).toBeNull()
    expect(named(new StaleStatementError('x'))).toBeNull()
    expect(named(new TypeError('x'))).toBeNull()
  })

  it('[T26] does not hold against an author that others send again what it published', () => {
    const [author, other] = [testPeer(1), testPeer(2)]
    const [again, late] = [new ReplayedStatementError('x'), new StaleStatementError('x')]
    for (const error of [again, late]) {
      expect(publisherMisconduct(error, { publisher: author, author })).toBeNull()
      expect(publisherMisconduct(error, { publisher: other, author })).toBe('replayed')
      expect(publisherMisconduct(error, { publisher: other, author: null })).toBeNull()
    }
    expect(publisherMisconduct(new BadSignatureError('x'), { publisher: other, author })).toBe('forged')
    expect(publisherMisconduct(new InvalidMessageError('x'), { publisher: author, author: null })).toBe('malformed')
  })
})
