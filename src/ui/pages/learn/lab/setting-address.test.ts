import { describe, expect, it } from 'vitest'
import { labProblems } from '../../../../core/learning/lab-setting.ts'
import { fieldText, settingOf, withField } from './setting-address.ts'

describe('settingOf', () => {
  it('without a query is a setting that can be run', () => {
    const setting = settingOf(new URLSearchParams())
    expect(labProblems(setting)).toEqual([])
    expect(setting.rules).toContain('mean')
  })

  it('reads what withField writes, and keeps defaults out of the address', () => {
    let query = new URLSearchParams('scenario=room')
    query = withField(query, 'n', '23')
    query = withField(query, 'split', 'iid')
    query = withField(query, 'rules', 'krum,mean')
    query = withField(query, 'seed', '1')
    expect(query.toString()).toBe('scenario=room&n=23&split=iid&rules=krum%2Cmean')
    expect(settingOf(query)).toMatchObject({ peers: 23, hostile: 2, alpha: null, rules: ['krum', 'mean'], seed: 1 })
    expect(withField(query, 'n', '10').has('n')).toBe(false)
  })

  it('what is no number is a problem of its field, and stays to be seen', () => {
    for (const [name, field] of [
      ['n', 'peers'],
      ['f', 'hostile'],
      ['split', 'alpha'],
      ['rounds', 'rounds'],
      ['seed', 'seed'],
    ] as const) {
      for (const text of ['many', '', '-1']) {
        const query = new URLSearchParams({ [name]: text })
        expect(labProblems(settingOf(query))[0]?.field, `${name}=${text}`).toBe(field)
        expect(fieldText(query, name)).toBe(text)
      }
    }
    expect(labProblems(settingOf(new URLSearchParams('rules='))).map(({ field }) => field)).toEqual(['rules'])
    expect(labProblems(settingOf(new URLSearchParams('attack=x'))).map(({ field }) => field)).toEqual(['attack'])
  })
})
