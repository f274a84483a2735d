import { describe, expect, test } from 'vitest'
import { privacyMeaning } from './meaning.ts'

describe('privacyMeaning', () => {
  test('[D7] says plainly that few participants make ε mean little', () => {
    const { level, caveats, sentences } = privacyMeaning({ epsilon: 3, delta: 1e-5, participants: 8 })
    expect(level).toBe('weak')
    expect(caveats).toEqual(['few-participants'])
    expect(sentences[0]).toContain('8 participants are few')
  })

  test('[D7] a δ of one in the number of participants is no promise', () => {
    expect(privacyMeaning({ epsilon: 0.1, delta: 0.01, participants: 100 })).toMatchObject({
      level: 'none',
      caveats: ['delta-large'],
    })
  })

  test('[D7] calls a large ε what it is, in odds', () => {
    const { level, sentences } = privacyMeaning({ epsilon: 24, delta: 1e-6, participants: 500 })
    expect(level).toBe('weak')
    expect(sentences[0]).toContain('over 99.99 % sure')
  })

  test.each([
    [0.5, 'strong', '62 % sure'],
    [4, 'useful', '98 % sure'],
    [7, 'useful', '99.91 % sure'],
  ])('calls ε = %d among many %s', (epsilon, level, belief) => {
    const meaning = privacyMeaning({ epsilon, delta: 1e-6, participants: 1_000 })
    expect(meaning.level).toBe(level)
    expect(meaning.caveats).toEqual([])
    expect(meaning.sentences.join(' ')).toContain(belief)
  })

  test('without noise there is no promise', () => {
    expect(privacyMeaning({ epsilon: Infinity, delta: 1e-5, participants: 1_000 })).toMatchObject({
      level: 'none',
      caveats: ['no-noise'],
    })
  })
})
