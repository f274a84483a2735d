import { describe, expect, it } from 'vitest'
import { defaultRule } from '../../../core/learning/rules.ts'
import {
  FRESH,
  fieldOfRefusal,
  readDraft,
  readLayers,
  refusalText,
  refuseNumber,
  type TaskDraft,
  usedNumbers,
} from './draft.ts'

const DIGITS = { inputs: 196, classes: ['0', '1', '2'], table: null }
const numbers = (change: Partial<TaskDraft['numbers']>): TaskDraft['numbers'] => ({ ...FRESH.numbers, ...change })

describe('readDraft', () => {
  it('makes a spec of the fresh form and any data', () => {
    const { spec, errors } = readDraft(FRESH, DIGITS)
    expect(errors).toEqual({})
    expect(spec?.architecture).toEqual({ kind: 'mlp', inputs: 196, hidden: [32], outputs: 3 })
    expect(spec?.options).toMatchObject({
      rounds: 30,
      rule: defaultRule(1),
      privacy: null,
      joinMs: 30_000,
      validation: { heldOutShare: 0.1 },
    })
  })

  it('says nothing is wrong while there is no data, but makes no spec', () => {
    expect(readDraft(FRESH, null)).toEqual({ spec: null, errors: {} })
  })

  it.each([
    ['krum', '1', '4', 5],
    ['bulyan', '2', '10', 11],
    ['trimmed-mean', '2', '4', 5],
  ] as const)('refuses %s with f = %s and %s members at the field', (rule, byzantineMax, participantsMin, needed) => {
    const draft = { ...FRESH, rule, numbers: numbers({ byzantineMax, participantsMin, participantsTarget: '99' }) }
    const { spec, errors } = readDraft(draft, DIGITS)
    expect(spec).toBeNull()
    expect(errors.participantsMin).toContain(`needs ${needed} (n ≥`)
    const enough = { ...draft, numbers: { ...draft.numbers, participantsMin: String(needed) } }
    expect(readDraft(enough, DIGITS).errors).toEqual({})
  })

  it('ignores f under the plain average, and clipping steps under other rules', () => {
    const draft = { ...FRESH, rule: 'mean' as const, numbers: numbers({ byzantineMax: 'many', radius: '' }) }
    expect(readDraft(draft, DIGITS).spec?.options?.rule).toEqual({ rule: 'mean', byzantineMax: 0 })
    expect(usedNumbers(draft)).not.toContain('epsilonMax')
    expect(readDraft({ ...draft, rule: 'centered-clipping' }, DIGITS).errors).toHaveProperty('radius')
  })

  it('allows a secret sum the plain average alone', () => {
    const draft: TaskDraft = { ...FRESH, mode: 'secure-sum' }
    expect(readDraft(draft, DIGITS).errors).toEqual({ rule: expect.stringContaining('only the plain average') })
    expect(readDraft({ ...draft, rule: 'mean' }, DIGITS).errors).toEqual({})
    expect(readDraft({ ...draft, mode: 'grouped' }, DIGITS).errors).toEqual({})
  })

  it('hopes for at least as many members as it needs', () => {
    const { errors } = readDraft({ ...FRESH, numbers: numbers({ participantsMin: '4' }) }, DIGITS)
    expect(errors.participantsTarget).toContain('at least 4')
  })

  it('names an empty name, layers that are none, a model that is too large and data of one class', () => {
    expect(readDraft({ ...FRESH, name: ' ' }, DIGITS).errors).toHaveProperty('name')
    expect(readDraft({ ...FRESH, hidden: '32 x' }, DIGITS).errors).toHaveProperty('hidden')
    expect(readDraft({ ...FRESH, hidden: '60000' }, DIGITS).errors.hidden).toContain('smaller layers')
    expect(readDraft(FRESH, { ...DIGITS, classes: ['one'] }).errors).toHaveProperty('data')
  })

  it('asks for proofs where nobody sees the updates alone', () => {
    const draft: TaskDraft = { ...FRESH, proofs: true, mode: 'secure-sum', rule: 'mean' }
    expect(readDraft(draft, DIGITS).spec?.options?.proofs).toBe(126)
    expect(readDraft({ ...draft, mode: 'plain' }, DIGITS).spec?.options).not.toHaveProperty('proofs')
    expect(fieldOfRefusal(new Error('task.proofs is plain mode, limit a secure mode'))).toBe('mode')
  })

  it('takes the promise of privacy only when it is made', () => {
    const draft: TaskDraft = { ...FRESH, privacy: 'local', numbers: numbers({ noise: '6' }) }
    expect(readDraft(draft, DIGITS).spec?.options?.privacy).toEqual({
      mode: 'local',
      noiseMultiplier: 6,
      epsilonMax: 8,
      delta: 0.000_01,
    })
  })
})

describe('refuseNumber', () => {
  it.each(['', 'abc', '0', '1001', '2.5'])('refuses %j rounds', (text) => {
    expect(refuseNumber('rounds', text)).toContain('must be a whole number from 1 to 1000')
  })

  it('takes what is within', () => {
    expect(refuseNumber('rounds', '1000')).toBeNull()
    expect(refuseNumber('learningRate', '0.05')).toBeNull()
  })
})

describe('readLayers', () => {
  it('takes widths apart however they are written', () => {
    expect(readLayers('64 32')).toEqual([64, 32])
    expect(readLayers('64, 32')).toEqual([64, 32])
    expect(readLayers('')).toEqual([])
    expect(readLayers('1 2 3 4 5 6 7 8')).toBeNull()
  })
})

describe('fieldOfRefusal', () => {
  it('finds the field of the form in the details or the words', () => {
    expect(fieldOfRefusal(Object.assign(new Error('x'), { details: { field: 'task.training.localSteps' } }))).toBe(
      'localSteps',
    )
    expect(fieldOfRefusal(new Error('task.participantsMin is 2, limit 5 for krum'))).toBe('participantsMin')
    expect(fieldOfRefusal(Object.assign(new Error('x'), { details: { field: 'mode' } }))).toBe('mode')
    expect(fieldOfRefusal(new Error('task.privacy.mode is distributed, limit local'))).toBe('privacy')
    expect(fieldOfRefusal(new Error('The store is closed'))).toBeNull()
    expect(refusalText(new Error('task.rounds is 0'))).toBe('rounds is 0')
  })
})
