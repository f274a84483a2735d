import { privacyMeaning } from '../../../core/learning/privacy/meaning.ts'
import type { LearningBudget, LearningPrivacy, LearningState } from '../../../node/learning-contract.ts'
import { plural, significant } from '../../format/number.ts'
import { Notice, Panel } from '../../parts/panel.tsx'
import { RoundsBar } from './learning-state.tsx'
import { warningWords } from './words.ts'

/** So many that their number is no caveat. */
const MANY = 1_000

interface BudgetPanelProps {
  readonly budget: LearningBudget | null
  readonly terms: LearningPrivacy | null
  readonly state: LearningState
}

/** What your updates have given away, what is left, and what that means. */
export function BudgetPanel({ budget, terms, state }: BudgetPanelProps) {
  if (terms === null) {
    return (
      <Panel title="Privacy">
        <p className="quiet small">
          Your samples never leave this device. This task adds no noise, so who sees your updates may still guess things
          about the samples behind them; there is no budget to spend.
        </p>
      </Panel>
    )
  }
  if (budget === null) {
    return (
      <Panel title="Privacy">
        <p className="quiet small">
          Members add noise and stop at ε {significant(terms.epsilonMax)}. Yours counts from your first round on.
        </p>
      </Panel>
    )
  }
  const { epsilonSpent, epsilonMax, delta, roundsLeft, warnings } = budget
  return (
    <Panel title="Privacy" note="of your own data">
      <div className="stack">
        <div className="row spread small">
          <span>
            <strong>ε {significant(epsilonSpent)}</strong> spent of {significant(epsilonMax)}
          </span>
          <span className="quiet">
            {significant(Math.max(0, epsilonMax - epsilonSpent))} left, δ {significant(delta)}
          </span>
        </div>
        <RoundsBar
          done={Math.min(epsilonSpent, epsilonMax)}
          rounds={epsilonMax}
          label="Privacy budget spent"
          value={`ε ${significant(epsilonSpent)} of ${significant(epsilonMax)}`}
        />
        <p className="small">
          {state === 'done'
            ? 'Nothing more is spent.'
            : roundsLeft === 0
              ? 'The budget is spent: this device sends nothing more for this task.'
              : `Enough for ${plural(roundsLeft, 'more round')}; then this device stops by itself.`}{' '}
          <span className="quiet">{meaningOf(budget)}</span>
        </p>
        {warnings.length === 0 ? null : (
          <Notice tone="warning" title="The promise is weaker than it looks">
            <ul className="learn-sentences">
              {warnings.map((warning) => (
                <li key={warning.code}>{warningWords(warning)}.</li>
              ))}
            </ul>
          </Notice>
        )}
      </div>
    </Panel>
  )
}

/** What ε says about one member; the last sentence is about it alone, the caveats before it stand in the warnings. */
function meaningOf({ epsilonSpent, delta }: LearningBudget): string {
  if (epsilonSpent === 0) return ''
  return privacyMeaning({ epsilon: epsilonSpent, delta, participants: MANY }).sentences.at(-1) ?? ''
}
