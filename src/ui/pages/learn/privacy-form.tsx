import { useMemo } from 'react'
import { privacyMeaning } from '../../../core/learning/privacy/meaning.ts'
import type { LearningPrivacy } from '../../../node/learning-contract.ts'
import { plural, significant } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { Field, Toggle } from '../../parts/controls.tsx'
import { Panel } from '../../parts/panel.tsx'
import { refuseNumber } from './draft.ts'
import { type FormPart, NumberInput } from './number-input.tsx'
import { epsilonAfter, noiseFor, noiseOverUpdate, roundsWithin } from './privacy-estimate.ts'

/** A promise to each member, with what it costs. */
export function PrivacyForm(props: FormPart & { readonly parameters: number | null }) {
  const { draft, errors, onChange } = props
  const fits = (names: readonly ['epsilonMax', 'delta', 'rounds']): boolean =>
    names.every((name) => refuseNumber(name, draft.numbers[name]) === null)
  const fitted = (mode = draft.privacy ?? 'local'): Partial<typeof draft.numbers> => {
    if (!fits(['epsilonMax', 'delta', 'rounds'])) return {}
    const { epsilonMax, delta, rounds } = draft.numbers
    const noise = noiseFor({ mode, epsilonMax: Number(epsilonMax), delta: Number(delta) }, Number(rounds))
    return noise === null ? {} : { noise: String(noise) }
  }
  const fit = (): void => onChange({ numbers: { ...draft.numbers, ...fitted() } })
  return (
    <Panel title="Privacy by noise">
      <div className="stack">
        <Toggle
          label="Members add noise to what they send"
          note="Data never leaves a member, but updates say something about it. Noise bounds how much, and costs accuracy."
          checked={draft.privacy !== null}
          onChange={(on) =>
            onChange(on ? { privacy: 'local', numbers: { ...draft.numbers, ...fitted() } } : { privacy: null })
          }
        />
        {draft.privacy === null ? null : (
          <>
            <Field label="Who is it private against" note={PRIVACY_NOTES[draft.privacy]} error={errors.privacy ?? null}>
              {(ids) => (
                <select
                  {...ids}
                  className="input"
                  value={draft.privacy ?? 'local'}
                  aria-invalid={errors.privacy !== undefined}
                  onChange={(event) => onChange({ privacy: event.target.value === 'local' ? 'local' : 'distributed' })}
                >
                  <option value="local">Everybody, other members too</option>
                  <option value="distributed">Whoever sees the sum (needs a secret sum)</option>
                </select>
              )}
            </Field>
            <div className="fields">
              <NumberInput name="epsilonMax" {...props} />
              <NumberInput name="delta" {...props} />
              <NumberInput name="noise" {...props} />
            </div>
            <div>
              <Button onClick={fit}>Fit the noise to all rounds</Button>
            </div>
            <Meaning mode={draft.privacy} {...props} />
          </>
        )}
      </div>
    </Panel>
  )
}

const PRIVACY_NOTES = {
  local: 'Each update is noised enough by itself.',
  distributed: 'Members share the noise among them, so each adds less.',
} as const

interface MeaningProps extends FormPart {
  readonly parameters: number | null
  readonly mode: LearningPrivacy['mode']
}

/** What the figures promise, said plainly, and what the noise does to the model. */
function Meaning({ draft, parameters, mode }: MeaningProps) {
  const { numbers } = draft
  const words = useMemo(() => {
    const used = ['epsilonMax', 'delta', 'noise', 'rounds', 'participantsTarget'] as const
    if (used.some((name) => refuseNumber(name, numbers[name]) !== null)) return null
    const [epsilonMax, delta, noise, rounds, members] = used.map((name) => Number(numbers[name])) as [
      number,
      number,
      number,
      number,
      number,
    ]
    const terms = { mode, noiseMultiplier: noise, delta }
    const paid = roundsWithin(terms, epsilonMax, rounds)
    const epsilon = epsilonAfter(terms, Math.max(1, paid))
    const { sentences } = privacyMeaning({ epsilon, delta, participants: members })
    const budget =
      paid === 0
        ? `The budget does not pay for one round: one costs ε ${significant(epsilon)}.`
        : paid < rounds
          ? `The budget pays for ${plural(paid, 'round')} of ${rounds}; then members stop.`
          : `All ${plural(rounds, 'round')} cost ε ${significant(epsilon)} of ${significant(epsilonMax)}.`
    const loud = parameters === null ? null : noiseOverUpdate(terms, { parameters, members })
    const cost =
      loud === null
        ? []
        : [
            loud > 1
              ? `With ${plural(members, 'member')} the noise left in a round is about ${significant(loud)} times as large as the largest update: ${loud > 10 ? 'expect the model to learn little or nothing' : 'expect it to learn slowly'}.`
              : `With ${plural(members, 'member')} the noise left in a round is smaller than the largest update.`,
          ]
    return [budget, ...sentences, ...cost]
  }, [numbers, parameters, mode])
  if (words === null) return null
  return (
    <ul className="learn-sentences small" aria-live="polite">
      {words.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  )
}
