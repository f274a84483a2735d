import type { RuleName } from '../../../core/learning/rules.ts'
import type { LearningMode, LearningOptions } from '../../../node/learning-contract.ts'
import { Button } from '../../parts/button.tsx'
import { Field, Toggle } from '../../parts/controls.tsx'
import { Panel } from '../../parts/panel.tsx'
import { membersNeeded, type NumberName } from './draft.ts'
import { type FormPart, NumberInput } from './number-input.tsx'
import { PrivacyForm } from './privacy-form.tsx'
import { MODE_WORDS, RULE_WORDS } from './words.ts'

/** The terms that all members will train by. Everything has a good value already. */
export function TermsForm(props: FormPart & { readonly parameters: number | null }) {
  return (
    <>
      <TrainingPanel {...props} />
      <TrustPanel {...props} />
      <PrivacyForm {...props} />
    </>
  )
}

function TrainingPanel(props: FormPart) {
  const { draft, errors, onChange } = props
  return (
    <Panel title="Training">
      <div className="stack">
        <div className="fields">
          <Field
            label="Hidden layers"
            note="Widths of the model’s layers: 32 is quick, 64 32 finer, empty the simplest."
            error={errors.hidden ?? null}
          >
            {(ids) => (
              <input
                {...ids}
                className="input"
                value={draft.hidden}
                aria-invalid={errors.hidden !== undefined}
                onChange={(event) => onChange({ hidden: event.target.value })}
              />
            )}
          </Field>
          <Numbers names={['rounds', 'participantsMin', 'participantsTarget']} {...props} />
        </div>
        <MembersFix {...props} />
        <details>
          <summary>How each member trains</summary>
          <div className="fields">
            <Numbers names={['localSteps', 'batchSize', 'learningRate', 'momentum', 'proximalMu']} {...props} />
            <Field label="Optimiser" note="SGD is sturdy; Adam finds its own pace.">
              {(ids) => (
                <select
                  {...ids}
                  className="input"
                  value={draft.optimiser}
                  // The values of the options are those of the contract.
                  onChange={(event) => onChange({ optimiser: event.target.value as LearningOptions['optimiser'] })}
                >
                  <option value="sgd">SGD</option>
                  <option value="adam">Adam</option>
                </select>
              )}
            </Field>
          </div>
        </details>
        <details>
          <summary>Times</summary>
          <div className="fields">
            <Numbers names={['joinSeconds', 'trainSeconds', 'voteSeconds']} {...props} />
          </div>
        </details>
      </div>
    </Panel>
  )
}

function Numbers({ names, ...props }: FormPart & { readonly names: readonly NumberName[] }) {
  return names.map((name) => <NumberInput key={name} name={name} {...props} />)
}

/** The bound of the rule, mended by one press rather than silently. */
function MembersFix({ draft, errors, onChange }: FormPart) {
  const least = membersNeeded(draft)
  if (errors.participantsMin === undefined || !Number.isInteger(least) || least > 100) return null
  if (Number(draft.numbers.participantsMin) >= least) return null
  const target = String(Math.max(least, Number(draft.numbers.participantsTarget) || least))
  const fix = { ...draft.numbers, participantsMin: String(least), participantsTarget: target }
  return (
    <div>
      <Button onClick={() => onChange({ numbers: fix })}>{`Ask for ${least} members at least`}</Button>
    </div>
  )
}

// The keys are those of the words.
const RULES = Object.keys(RULE_WORDS) as RuleName[]
const MODES = Object.keys(MODE_WORDS) as LearningMode[]

function TrustPanel(props: FormPart) {
  const { draft, errors, onChange } = props
  const rule = RULE_WORDS[draft.rule]
  return (
    <Panel title="Who sees what, and who may lie">
      <div className="stack">
        <Field label="Updates" note={MODE_WORDS[draft.mode].meaning} error={errors.mode ?? null}>
          {(ids) => (
            <select
              {...ids}
              className="input"
              value={draft.mode}
              aria-invalid={errors.mode !== undefined}
              // The values of the options are those of the contract.
              onChange={(event) => onChange({ mode: event.target.value as LearningMode })}
            >
              {MODES.map((mode) => (
                <option key={mode} value={mode}>
                  {MODE_WORDS[mode].word}
                </option>
              ))}
            </select>
          )}
        </Field>
        {draft.mode === 'plain' ? null : (
          <Toggle
            label="Members prove that their updates are within the size bound"
            note="Nobody can put a huge update into a sum that hides it. Takes each member some seconds more in every round."
            checked={draft.proofs}
            onChange={(proofs) => onChange({ proofs })}
          />
        )}
        <Field
          label="Rule that merges updates"
          note={`${rule.withstands} Needs ${rule.bound}.`}
          error={errors.rule ?? null}
        >
          {(ids) => (
            <select
              {...ids}
              className="input"
              value={draft.rule}
              aria-invalid={errors.rule !== undefined}
              // The values of the options are those of the contract.
              onChange={(event) => onChange({ rule: event.target.value as RuleName })}
            >
              {RULES.map((name) => (
                <option key={name} value={name}>
                  {RULE_WORDS[name].word}
                </option>
              ))}
            </select>
          )}
        </Field>
        {draft.rule === 'mean' ? null : (
          <div className="fields">
            <NumberInput name="byzantineMax" {...props} />
            <NumberInput name="clipNorm" {...props} />
          </div>
        )}
        {draft.rule === 'mean' ? null : (
          <Toggle
            label="Cut the longest updates, and mix each with its nearest neighbours first"
            note="Helps most rules when members have different data."
            checked={draft.mixing}
            onChange={(mixing) => onChange({ mixing })}
          />
        )}
        <details>
          <summary>Bounds and votes</summary>
          <div className="fields">
            {draft.rule === 'mean' ? <NumberInput name="clipNorm" {...props} /> : null}
            {draft.rule === 'centered-clipping' ? <Numbers names={['radius', 'iterations']} {...props} /> : null}
            <Numbers names={['heldOutPercent', 'updateFactor', 'candidateFactor']} {...props} />
          </div>
        </details>
      </div>
    </Panel>
  )
}
