/** A setting of the lab as the query of its address, so that it can be sent to somebody. */
import { defaultLabRule } from '../../../../core/learning/lab-rules.ts'
import type { LabSetting } from '../../../../core/learning/lab-setting.ts'

/** Names in the query, one for each field. */
export type LabParam = 'n' | 'f' | 'split' | 'attack' | 'rules' | 'rounds' | 'seed'

const IID = 'iid'
const HOSTILE = 2

/** What is shown to whoever comes without a query: the mean, which gives way, beside rules that withstand. */
const DEFAULTS: Readonly<Record<LabParam, string>> = {
  n: '10',
  f: String(HOSTILE),
  split: '0.3',
  attack: 'inner-product-10',
  rules: ['mean', 'median', defaultLabRule(HOSTILE).id].join(','),
  rounds: '100',
  seed: '1',
}

/** What stands in a field: the query's word, whatever it is, or the default. */
export function fieldText(query: URLSearchParams, name: LabParam): string {
  return query.get(name) ?? DEFAULTS[name]
}

/** The setting that a query says; what is no number comes out as NaN, for the field to say so. */
export function settingOf(query: URLSearchParams): LabSetting {
  const text = (name: LabParam): string => fieldText(query, name)
  const number = (name: LabParam): number => (text(name).trim() === '' ? Number.NaN : Number(text(name)))
  return {
    peers: number('n'),
    hostile: number('f'),
    alpha: text('split') === IID ? null : number('split'),
    attack: text('attack'),
    rules: text('rules')
      .split(',')
      .filter((id) => id !== ''),
    rounds: number('rounds'),
    seed: number('seed'),
  }
}

/** The query with one field changed; what is the default is left out, and what is not the lab's stays. */
export function withField(query: URLSearchParams, name: LabParam, text: string): URLSearchParams {
  const next = new URLSearchParams(query)
  if (text === DEFAULTS[name]) next.delete(name)
  else next.set(name, text)
  return next
}
