import { describe, expect, it } from 'vitest'
import { labRules } from './lab-rules.ts'
import { checkLabSetting, LAB_ATTACKS, type LabSetting, labChoices, labProblems, labTerms } from './lab-setting.ts'
import { LAB_PEERS_MAX, LAB_ROUNDS_MAX, LAB_RULES_MAX } from './limits.ts'
import { checkBounds, defaultRule } from './rules.ts'

const SETTING: LabSetting = {
  peers: 10,
  hostile: 2,
  alpha: 0.3,
  attack: 'sign-flip',
  rules: ['mean', 'nnm-trimmed-mean'],
  rounds: 60,
  seed: 1,
}
const problems = (change: Partial<LabSetting>) => labProblems({ ...SETTING, ...change })
const fields = (change: Partial<LabSetting>) => problems(change).map(({ field }) => field)

describe('labProblems', () => {
  it('finds none where there is none', () => {
    expect(problems({})).toEqual([])
    expect(
      problems({
        alpha: null,
        hostile: 0,
        rules: labRules(0)
          .map(({ id }) => id)
          .slice(0, 6),
      }),
    ).toEqual([])
  })

  it('names the field that has to change', () => {
    expect(fields({ peers: 2 })).toEqual(['peers'])
    expect(fields({ peers: LAB_PEERS_MAX + 1 })).toEqual(['peers'])
    expect(fields({ peers: Number.NaN })).toEqual(['peers'])
    expect(fields({ hostile: -1 })).toEqual(['hostile'])
    expect(fields({ hostile: 1.5 })).toEqual(['hostile'])
    expect(fields({ hostile: 10 })).toEqual(['hostile'])
    expect(fields({ rounds: LAB_ROUNDS_MAX + 1 })).toEqual(['rounds'])
    expect(fields({ seed: -1 })).toEqual(['seed'])
    expect(fields({ alpha: 0 })).toEqual(['alpha'])
    expect(fields({ alpha: Number.NaN })).toEqual(['alpha'])
    expect(fields({ attack: 'magic' })).toEqual(['attack'])
    expect(fields({ rules: [] })).toEqual(['rules'])
    expect(fields({ rules: ['magic'] })).toEqual(['rules'])
    expect(
      fields({
        rules: labRules(2)
          .map(({ id }) => id)
          .slice(0, LAB_RULES_MAX + 1),
      }),
    ).toEqual(['rules'])
  })

  it('says what a rule would need', () => {
    expect(problems({ rules: ['krum'], hostile: 4 })).toEqual([
      { field: 'rules', message: 'Krum needs n ≥ 2f + 3: against 4 hostile at least 11 members, not 10' },
    ])
    expect(problems({ rules: ['bulyan', 'mean', 'median'], hostile: 2 })).toHaveLength(1)
  })

  it('agrees with the rules’ own bound at every size', () => {
    for (let hostile = 0; hostile < 10; hostile++) {
      for (const { id, rule } of labRules(hostile)) {
        for (let peers = hostile + 1; peers <= LAB_PEERS_MAX; peers++) {
          if (peers < 3) continue
          const refused = problems({ peers, hostile, rules: [id] }).length > 0
          const check = () => checkBounds(rule, peers)
          if (refused) expect(check, `${id} ${peers} ${hostile}`).toThrow()
          else expect(check, `${id} ${peers} ${hostile}`).not.toThrow()
        }
      }
    }
  })
})

describe('checkLabSetting', () => {
  it('throws the first problem by its name', () => {
    expect(() => checkLabSetting(SETTING)).not.toThrow()
    expect(() => checkLabSetting({ ...SETTING, peers: 0 })).toThrow(
      expect.objectContaining({ name: 'InvalidLabSettingError', details: { field: 'peers', value: '0' } }),
    )
  })
})

describe('labChoices', () => {
  it('finds attack and rules, in the table’s order', () => {
    const { attack, rules } = labChoices({ ...SETTING, attack: 'inner-product-10', rules: ['nnm-krum', 'mean'] })
    expect(attack).toEqual({ attack: 'inner-product', tau: 10 })
    expect(rules.map(({ name }) => name)).toEqual(['mean', 'NNM + Krum'])
    expect(labTerms(SETTING)).toMatchObject({ peers: 10, hostile: 2, rounds: 60 })
  })

  it('ids are one each, and the default rule is among them', () => {
    const ids = [...labRules(2), ...LAB_ATTACKS].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(labRules(2).map(({ rule }) => rule)).toContainEqual(defaultRule(2))
  })
})
