import { labRules } from '../../../../core/learning/lab-rules.ts'
import { LAB_ATTACKS, type LabField, type LabProblem, type LabSetting } from '../../../../core/learning/lab-setting.ts'
import { LAB_PEERS_MAX, LAB_PEERS_MIN, LAB_ROUNDS_MAX, LAB_ROUNDS_MIN } from '../../../../core/learning/limits.ts'
import { Field } from '../../../parts/controls.tsx'
import { Panel } from '../../../parts/panel.tsx'
import type { LabParam } from './setting-address.ts'

/** What each attack does, in words; by id. */
const ATTACK_WORDS: Readonly<Record<string, string>> = {
  none: 'All members are honest',
  'sign-flip': 'The opposite of what the honest want',
  'inner-product-2': 'Twice the opposite of what the honest want',
  'inner-product-10': 'Ten times the opposite of what the honest want',
  alie: 'A little off, within what is usual among the honest',
  'label-flip': 'Honest training on wrong labels: 9 for 0, 8 for 1',
  gaussian: 'Loud noise',
}

const SPLITS: readonly { readonly text: string; readonly words: string }[] = [
  { text: 'iid', words: 'IID: all alike' },
  { text: '1', words: 'α = 1: a little skewed' },
  { text: '0.3', words: 'α = 0.3: skewed' },
  { text: '0.1', words: 'α = 0.1: very skewed' },
]

interface LabFormProps {
  readonly setting: LabSetting
  /** What stands in a field, as it was typed. */
  readonly textOf: (name: LabParam) => string
  readonly problems: readonly LabProblem[]
  readonly onChange: (name: LabParam, text: string) => void
}

/** Who attacks, how, and which rules stand against it. */
export function LabForm({ setting, textOf, problems, onChange }: LabFormProps) {
  const problemOf = (field: LabField): string | null =>
    problems.find((problem) => problem.field === field)?.message ?? null
  const number = (name: LabParam, field: LabField, label: string, [min, max]: readonly [number, number]) => (
    <Field label={label} error={problemOf(field)} note={`${min} to ${max}`}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          type="number"
          inputMode="numeric"
          min={min}
          max={max}
          value={textOf(name)}
          aria-invalid={problemOf(field) !== null}
          onChange={(event) => onChange(name, event.target.value)}
        />
      )}
    </Field>
  )
  return (
    <Panel title="Setting" note="kept in the address: send the link to share it">
      <div className="stack">
        <div className="lab-fields">
          {number('n', 'peers', 'Members', [LAB_PEERS_MIN, LAB_PEERS_MAX])}
          {number('f', 'hostile', 'Hostile among them', [0, hostileMax(setting)])}
          {number('rounds', 'rounds', 'Rounds', [LAB_ROUNDS_MIN, LAB_ROUNDS_MAX])}
          <SplitField text={textOf('split')} error={problemOf('alpha')} onChange={(text) => onChange('split', text)} />
          <Field label="Attack" note={ATTACK_WORDS[setting.attack] ?? ''} error={problemOf('attack')}>
            {(ids) => (
              <select
                {...ids}
                className="input"
                value={setting.attack}
                onChange={(event) => onChange('attack', event.target.value)}
              >
                {problemOf('attack') === null ? null : <option value={setting.attack}>{setting.attack}</option>}
                {LAB_ATTACKS.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name === 'none' ? 'None' : name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {number('seed', 'seed', 'Seed', [0, 2 ** 32 - 1])}
        </div>
        <RulesField
          setting={setting}
          problems={problems.filter(({ field }) => field === 'rules').map(({ message }) => message)}
          onChange={(ids) => onChange('rules', ids.join(','))}
        />
      </div>
    </Panel>
  )
}

/** One member at least is honest. */
function hostileMax({ peers }: LabSetting): number {
  return Math.max(1, Math.min(LAB_PEERS_MAX, peers || 1)) - 1
}

interface SplitFieldProps {
  readonly text: string
  readonly error: string | null
  readonly onChange: (text: string) => void
}

function SplitField({ text, error, onChange }: SplitFieldProps) {
  return (
    <Field label="Data" error={error} note="How the digits lie among the members">
      {(ids) => (
        <select {...ids} className="input" value={text} onChange={(event) => onChange(event.target.value)}>
          {SPLITS.some((split) => split.text === text) ? null : <option value={text}>α = {text}</option>}
          {SPLITS.map((split) => (
            <option key={split.text} value={split.text}>
              {split.words}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface RulesFieldProps {
  readonly setting: LabSetting
  readonly problems: readonly string[]
  readonly onChange: (ids: readonly string[]) => void
}

function RulesField({ setting, problems, onChange }: RulesFieldProps) {
  const chosen = new Set(setting.rules)
  const choose = (id: string, wanted: boolean): void =>
    onChange(wanted ? [...setting.rules, id] : setting.rules.filter((each) => each !== id))
  return (
    <fieldset className="field" aria-describedby="lab-rules-note">
      <legend className="lab-legend">Rules, side by side</legend>
      <div className="lab-rules">
        {labRules(0).map(({ id, name }) => (
          <label key={id} className="lab-rule">
            <input type="checkbox" checked={chosen.has(id)} onChange={(event) => choose(id, event.target.checked)} />
            {name}
          </label>
        ))}
      </div>
      <div id="lab-rules-note" className="small" role={problems.length > 0 ? 'alert' : undefined}>
        {problems.length === 0 ? (
          <span className="quiet">
            NNM mixes each update with its nearest neighbours before the rule; ARC cuts the longest updates first
          </span>
        ) : (
          problems.map((problem) => (
            <p key={problem} className="field-error">
              {problem}
            </p>
          ))
        )}
      </div>
    </fieldset>
  )
}
