import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner } from '../../testing/signers.ts'
import { rootIdOf } from './root.ts'
import { type RotationEvent, type RotationOutcome, type RotationState, stepRotation } from './rotation.ts'

// Tests for docs/PROTOCOL.md, [I9].

const [old, next, other] = [testSigner(0).author, testSigner(1).author, testSigner(2).author]
const plan = { root: rootIdOf(old), old, seq: 1, reason: 'planned', notBeforeMs: 1_000 } as const
const bytes = Uint8Array.of(1)
const STATES = {
  none: null,
  requested: { ...plan, step: 'requested' },
  keyed: { ...plan, step: 'keyed', next },
  signed: { ...plan, step: 'signed', next, succession: bytes },
  certified: { ...plan, step: 'certified', next, succession: bytes, revocation: bytes, certificate: bytes },
} as const satisfies Record<string, RotationState | null>
type Name = keyof typeof STATES

const EVENTS = {
  rotate: { type: 'rotate', plan },
  rotateOther: { type: 'rotate', plan: { ...plan, reason: 'lost' } },
  resume: { type: 'resume' },
  keyMade: { type: 'keyMade', seq: 1, next },
  successionSigned: { type: 'successionSigned', seq: 1, succession: bytes },
  certified: { type: 'certified', seq: 1, revocation: bytes, certificate: bytes },
  switched: { type: 'switched', seq: 1 },
  ofAnotherRotation: { type: 'keyMade', seq: 2, next: other },
  overtaken: { type: 'overtaken' },
  keyMissing: { type: 'keyMissing', key: 'old' },
} as const satisfies Record<string, RotationEvent>

/** Every event in every state: outcome, and the state after it. */
const TABLE: Record<keyof typeof EVENTS, Record<Name, readonly [RotationOutcome, Name]>> = {
  rotate: {
    none: ['advanced', 'requested'],
    requested: ['repeated', 'requested'],
    keyed: ['repeated', 'keyed'],
    signed: ['repeated', 'signed'],
    certified: ['repeated', 'certified'],
  },
  rotateOther: {
    none: ['advanced', 'requested'],
    requested: ['busy', 'requested'],
    keyed: ['busy', 'keyed'],
    signed: ['busy', 'signed'],
    certified: ['busy', 'certified'],
  },
  resume: {
    none: ['out-of-order', 'none'],
    requested: ['advanced', 'requested'],
    keyed: ['advanced', 'keyed'],
    signed: ['advanced', 'signed'],
    certified: ['advanced', 'certified'],
  },
  keyMade: {
    none: ['out-of-order', 'none'],
    requested: ['advanced', 'keyed'],
    keyed: ['repeated', 'keyed'],
    signed: ['repeated', 'signed'],
    certified: ['repeated', 'certified'],
  },
  successionSigned: {
    none: ['out-of-order', 'none'],
    requested: ['out-of-order', 'requested'],
    keyed: ['advanced', 'signed'],
    signed: ['repeated', 'signed'],
    certified: ['repeated', 'certified'],
  },
  certified: {
    none: ['out-of-order', 'none'],
    requested: ['out-of-order', 'requested'],
    keyed: ['out-of-order', 'keyed'],
    signed: ['advanced', 'certified'],
    certified: ['repeated', 'certified'],
  },
  switched: {
    none: ['out-of-order', 'none'],
    requested: ['out-of-order', 'requested'],
    keyed: ['out-of-order', 'keyed'],
    signed: ['out-of-order', 'signed'],
    certified: ['switched', 'none'],
  },
  ofAnotherRotation: {
    none: ['out-of-order', 'none'],
    requested: ['out-of-order', 'requested'],
    keyed: ['out-of-order', 'keyed'],
    signed: ['out-of-order', 'signed'],
    certified: ['out-of-order', 'certified'],
  },
  overtaken: {
    none: ['out-of-order', 'none'],
    requested: ['abandoned', 'none'],
    keyed: ['abandoned', 'none'],
    signed: ['abandoned', 'none'],
    certified: ['abandoned', 'none'],
  },
  keyMissing: {
    none: ['out-of-order', 'none'],
    requested: ['failed', 'none'],
    keyed: ['failed', 'none'],
    signed: ['failed', 'none'],
    certified: ['failed', 'none'],
  },
}

describe('[I9] stepRotation', () => {
  for (const [event, row] of Object.entries(TABLE) as [keyof typeof EVENTS, (typeof TABLE)['rotate']][]) {
    it(`${event} has a named outcome in every state`, () => {
      for (const [name, [outcome, after]] of Object.entries(row) as [Name, readonly [RotationOutcome, Name]][]) {
        const step = stepRotation(STATES[name], EVENTS[event])
        expect(step.outcome, name).toBe(outcome)
        expect(step.state?.step ?? 'none', name).toBe(after)
      }
    })
  }

  it('asks again for the effect of whatever state it is resumed in', () => {
    const effects = (['requested', 'keyed', 'signed', 'certified'] as const).map(
      (name) => stepRotation(STATES[name], { type: 'resume' }).effects[0]?.type,
    )
    expect(effects).toEqual(['makeKey', 'signSuccession', 'certify', 'switch'])
  })

  it('forgets the key it made when it is given up', () => {
    for (const name of ['keyed', 'signed', 'certified'] as const) {
      expect(stepRotation(STATES[name], EVENTS.overtaken).effects).toEqual([{ type: 'forgetKey', key: next }])
    }
    expect(stepRotation(STATES.requested, EVENTS.overtaken).effects).toEqual([])
  })

  it('comes to a switch from any story of repeated, reordered and interrupted events', () => {
    const story = fc.array(fc.constantFrom(...(Object.keys(EVENTS) as (keyof typeof EVENTS)[])), { maxLength: 40 })
    const FORWARD = ['rotate', 'keyMade', 'successionSigned', 'certified', 'switched'] as const
    fc.assert(
      fc.property(story, (events) => {
        let state: RotationState | null = null
        for (const name of events) state = stepRotation(state, EVENTS[name]).state
        const outcomes = FORWARD.map((name) => {
          const step = stepRotation(state, EVENTS[name])
          state = step.state
          return step.outcome
        })
        expect(outcomes.at(-1)).toBe('switched')
        expect(state).toBeNull()
      }),
    )
  })
})
