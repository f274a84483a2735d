import { describe, expect, it } from 'vitest'
import type { LabRound } from '../../../../core/learning/lab.ts'
import type { LabSetting } from '../../../../core/learning/lab-setting.ts'
import { addRound, emptyCurves, type LabOutcome, outcomesOf, sentenceOf } from './lab-curves.ts'

const SETTING: LabSetting = {
  peers: 10,
  hostile: 2,
  alpha: 0.3,
  attack: 'sign-flip',
  rules: ['multi-krum', 'mean', 'median'],
  rounds: 60,
  seed: 1,
}

function round(number: number, change: Partial<LabRound> = {}): LabRound {
  return {
    round: number,
    score: { accuracy: number / 10, loss: 1 / number },
    selected: { hostile: 2, honest: 8 },
    agreement: 0.5,
    ...change,
  }
}

describe('addRound', () => {
  it('draws a point where there is a score, and counts every round', () => {
    let curves = emptyCurves(SETTING)
    expect(curves.curves.map(({ name }) => name)).toEqual(['mean', 'median', 'multi-Krum'])
    const reports = (number: number, score: boolean) =>
      SETTING.rules.map((rule) => ({ rule, round: round(number, score ? {} : { score: null }) }))
    curves = addRound(addRound(curves, reports(1, false)), reports(2, true))
    expect(curves).toMatchObject({ round: 2, x: [2] })
    expect(curves.curves[0]).toMatchObject({ accuracy: [0.2], loss: [0.5], rounds: 2, agreement: 1, lostAt: null })
  })

  it('a rule whose model is lost has a gap from there', () => {
    let curves = emptyCurves(SETTING)
    for (const number of [1, 2, 3]) {
      const mean = { rule: 'mean', round: number > 1 ? null : round(number) }
      curves = addRound(curves, [mean, { rule: 'median', round: round(number) }, { rule: 'multi-krum', round: null }])
    }
    expect(curves.curves[0]).toMatchObject({ accuracy: [0.1, null, null], lostAt: 2, rounds: 1 })
    expect(curves.curves[1]).toMatchObject({ accuracy: [0.1, 0.2, 0.3], lostAt: null, rounds: 3 })
    expect(curves.curves[2]).toMatchObject({ lostAt: 1 })
    expect(outcomesOf(curves, SETTING)[2]).toMatchObject({ accuracy: null, agreement: null, hostileKept: null })
  })
})

describe('outcomesOf', () => {
  it('says whose updates went in, of rules that take or leave them', () => {
    let curves = emptyCurves(SETTING)
    for (const number of [1, 2]) {
      const selected = { hostile: number === 1 ? 1 : 0, honest: 6 }
      curves = addRound(curves, [
        { rule: 'mean', round: round(number) },
        { rule: 'median', round: round(number) },
        { rule: 'multi-krum', round: round(number, { selected }) },
      ])
    }
    const [mean, median, krum] = outcomesOf(curves, SETTING)
    expect(mean).toMatchObject({ hostileKept: 1, honestDropped: 0, accuracy: 0.2, agreement: 0.5 })
    expect(median).toMatchObject({ hostileKept: null, honestDropped: null })
    expect(krum).toMatchObject({ hostileKept: 0.25, honestDropped: 0.25 })
    const clean = { ...SETTING, attack: 'none' }
    expect(outcomesOf(curves, clean)[0]).toMatchObject({ hostileKept: null })
  })
})

describe('sentenceOf', () => {
  const outcome = (name: string, accuracy: number | null): LabOutcome => ({
    ...{ id: name, name, accuracy, loss: 1, hostileKept: null, honestDropped: null, agreement: 1, lostAt: null },
  })

  it('says who did best, and what became of the last', () => {
    expect(sentenceOf([outcome('mean', 0.1), outcome('Krum', 0.7), outcome('median', 0.86)], SETTING)).toBe(
      'With 2 of 10 sending sign flip, median does best and reaches 86.0 %; mean is left guessing, at 10.0 %.',
    )
    expect(sentenceOf([outcome('mean', 0.6), outcome('Krum', 0.7)], { ...SETTING, attack: 'none' })).toBe(
      'With nobody hostile, Krum does best and reaches 70.0 %; mean ends at 60.0 %.',
    )
  })

  it('does not call a winner where there is none', () => {
    expect(sentenceOf([outcome('mean', 0.85), outcome('Krum', 0.86)], SETTING)).toBe(
      'With 2 of 10 sending sign flip, all 2 rules end alike, from 85.0 % to 86.0 %.',
    )
    expect(sentenceOf([outcome('mean', null), outcome('Krum', 0.12)], SETTING)).toContain('every rule is left guessing')
    expect(sentenceOf([outcome('mean', 0.9)], SETTING)).toBe('With 2 of 10 sending sign flip, mean reaches 90.0 %.')
    expect(sentenceOf([], SETTING)).toBe('')
  })
})
