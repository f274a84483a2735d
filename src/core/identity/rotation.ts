import type { PeerId, RootId } from '../codec/ids.ts'
import type { SuccessionReason } from './succession.ts'

/**
 * The replacing of a root key as a state machine. Every state is stored before its effect is performed, and every effect may be
 * performed again, so a peer that stops anywhere goes on from what it stored. Rule [I9].
 *
 * `requested` → make a key → `keyed` → sign with both → `signed` → certify, sign the next revocation → `certified` → switch → over.
 * Nobody else has seen anything before the switch; until then a rotation can be given up without a trace.
 */
export type RotationState =
  | (RotationPlan & { readonly step: 'requested' })
  | (RotationPlan & { readonly step: 'keyed'; readonly next: PeerId })
  | (RotationPlan & { readonly step: 'signed'; readonly next: PeerId; readonly succession: Uint8Array })
  | (RotationPlan & {
      readonly step: 'certified'
      readonly next: PeerId
      readonly succession: Uint8Array
      readonly revocation: Uint8Array
      readonly certificate: Uint8Array
    })

export interface RotationPlan {
  readonly root: RootId
  readonly old: PeerId
  readonly seq: number
  readonly reason: SuccessionReason
  readonly notBeforeMs: number
}

export type RotationEvent =
  | { readonly type: 'rotate'; readonly plan: RotationPlan }
  /** The peer started with this stored state. */
  | { readonly type: 'resume' }
  | { readonly type: 'keyMade'; readonly seq: number; readonly next: PeerId }
  | { readonly type: 'successionSigned'; readonly seq: number; readonly succession: Uint8Array }
  | {
      readonly type: 'certified'
      readonly seq: number
      readonly revocation: Uint8Array
      readonly certificate: Uint8Array
    }
  | { readonly type: 'switched'; readonly seq: number }
  /** The lineage was heard to go on from the old key without this rotation: another device was first. */
  | { readonly type: 'overtaken' }
  /** A key that is needed is not there. */
  | { readonly type: 'keyMissing'; readonly key: 'old' | 'next' }

/** What is to be done after the new state was stored; all of it may be done again. */
export type RotationEffect =
  | { readonly type: 'makeKey'; readonly plan: RotationPlan }
  | { readonly type: 'signSuccession'; readonly plan: RotationPlan; readonly next: PeerId }
  | { readonly type: 'certify'; readonly plan: RotationPlan; readonly next: PeerId; readonly succession: Uint8Array }
  | { readonly type: 'switch'; readonly rotation: Extract<RotationState, { step: 'certified' }> }
  | { readonly type: 'forgetKey'; readonly key: PeerId }

/**
 * How an event ended, by name: `advanced` to the next step; `switched`, the new key is in force; `repeated`, was done before;
 * `out-of-order`, belongs to another step or rotation and is ignored; `busy`, another rotation goes on; `abandoned`, given up because
 * another device rotated first; `failed`, given up because a key is gone. After the last two the old key is in force as before.
 */
export type RotationOutcome = 'advanced' | 'switched' | 'repeated' | 'out-of-order' | 'busy' | 'abandoned' | 'failed'

export interface RotationStep {
  /** `null` while no rotation goes on. */
  readonly state: RotationState | null
  readonly effects: readonly RotationEffect[]
  readonly outcome: RotationOutcome
}

/** The next state and what follows from it. Pure and total: every event in every state has an outcome. */
export function stepRotation(state: RotationState | null, event: RotationEvent): RotationStep {
  if (event.type === 'rotate') return rotate(state, event.plan)
  if (state === null) return { state, effects: [], outcome: 'out-of-order' }
  switch (event.type) {
    case 'resume':
      return { state, effects: [effectOf(state)], outcome: 'advanced' }
    case 'overtaken':
      return { state: null, effects: forget(state), outcome: 'abandoned' }
    case 'keyMissing':
      return { state: null, effects: event.key === 'next' ? [] : forget(state), outcome: 'failed' }
    default:
      return event.seq === state.seq ? advance(state, event) : ignored(state)
  }
}

function rotate(state: RotationState | null, plan: RotationPlan): RotationStep {
  if (state === null) return entered({ ...plan, step: 'requested' })
  const same = state.seq === plan.seq && state.old === plan.old && state.reason === plan.reason
  return { state, effects: [], outcome: same ? 'repeated' : 'busy' }
}

type Progress = Extract<RotationEvent, { readonly seq: number }>

const ORDER = ['requested', 'keyed', 'signed', 'certified'] as const
/** The state in which each event is awaited. */
const AWAITED = {
  keyMade: 'requested',
  successionSigned: 'keyed',
  certified: 'signed',
  switched: 'certified',
} as const satisfies Record<Progress['type'], RotationState['step']>

function advance(state: RotationState, event: Progress): RotationStep {
  if (ORDER.indexOf(AWAITED[event.type]) < ORDER.indexOf(state.step)) {
    return { state, effects: [], outcome: 'repeated' }
  }
  if (state.step === 'requested' && event.type === 'keyMade') {
    return entered({ ...state, step: 'keyed', next: event.next })
  }
  if (state.step === 'keyed' && event.type === 'successionSigned') {
    return entered({ ...state, step: 'signed', succession: event.succession })
  }
  if (state.step === 'signed' && event.type === 'certified') {
    const { revocation, certificate } = event
    return entered({ ...state, step: 'certified', revocation, certificate })
  }
  if (state.step === 'certified' && event.type === 'switched') return { state: null, effects: [], outcome: 'switched' }
  return ignored(state)
}

function entered(state: RotationState): RotationStep {
  return { state, effects: [effectOf(state)], outcome: 'advanced' }
}

function ignored(state: RotationState): RotationStep {
  return { state, effects: [], outcome: 'out-of-order' }
}

function effectOf(state: RotationState): RotationEffect {
  const { root, old, seq, reason, notBeforeMs } = state
  const plan = { root, old, seq, reason, notBeforeMs }
  switch (state.step) {
    case 'requested':
      return { type: 'makeKey', plan }
    case 'keyed':
      return { type: 'signSuccession', plan, next: state.next }
    case 'signed':
      return { type: 'certify', plan, next: state.next, succession: state.succession }
    case 'certified':
      return { type: 'switch', rotation: state }
  }
}

function forget(state: RotationState): RotationEffect[] {
  return 'next' in state ? [{ type: 'forgetKey', key: state.next }] : []
}
