import { describe, expect, it } from 'vitest'
import {
  leavesWords,
  progressWords,
  rejectionWords,
  skipWords,
  stateSentence,
  staysWords,
  warningWords,
} from './words.ts'

describe('stateSentence', () => {
  it('says the state, and the reason with its figures', () => {
    expect(stateSentence({ state: 'training', reason: null })).toBe('Training')
    expect(stateSentence({ state: 'waiting', reason: { code: 'members-missing', detail: '2/3' } })).toBe(
      'Waiting: too few members yet (2/3)',
    )
  })
})

describe('words for codes', () => {
  it('are sentences for every code of the contract', () => {
    for (const code of [
      'voted-out',
      'norm-over-bound',
      'wrong-shape',
      'non-finite',
      'wrong-round',
      'equivocated',
      'replayed',
      'bad-signature',
      'unavailable',
      'not-selected',
      'malformed',
      'bad-proof',
      'norm-differs',
      'spoiled-sum',
    ]) {
      expect(rejectionWords({ code })).not.toBe(code.replaceAll('-', ' '))
    }
    for (const code of ['roster', 'too-few', 'candidate-worse', 'sum-failed'])
      expect(skipWords({ code })).not.toBe(code.replaceAll('-', ' '))
  })

  it('are the code itself, in words, when it is not known', () => {
    expect(rejectionWords({ code: 'brand-new' })).toBe('brand new')
  })

  it('name missing classes and say sizes', () => {
    expect(warningWords({ code: 'classes-missing', detail: '3, 4' })).toBe('You have no sample of: 3, 4')
    expect(leavesWords({ code: 'norm', bytes: 8 })).toMatch(/\(8 B a round\)$/)
    expect(staysWords({ code: 'labels', bytes: 2048 })).toMatch(/\(2 KiB\)$/)
    expect(staysWords({ code: 'device-key', bytes: null })).not.toContain('(')
  })
})

describe('progressWords', () => {
  const progress = {
    round: 3,
    view: 0,
    phase: 'train',
    step: 12,
    steps: 60,
    announced: 2,
    scored: 1,
    votes: 0,
    quorum: 2,
    deadlineAt: 0,
  } as const

  it('says the step while training and what is waited for after', () => {
    expect(progressWords(progress)).toBe('training on your data, step 12 of 60')
    expect(progressWords({ ...progress, step: 60 })).toContain('announcing')
    expect(progressWords({ ...progress, phase: 'collect' })).toMatch(/2\schanges announced, 1 tried/)
    expect(progressWords({ ...progress, phase: 'agree', votes: 1 })).toMatch(/1\svote, 2 needed/)
  })
})
