import { useMemo } from 'react'
import type { LabSetting } from '../../../../core/learning/lab-setting.ts'
import { percent, plural, significant } from '../../../format/number.ts'
import { Notice, Panel } from '../../../parts/panel.tsx'
import { Plot } from '../../../parts/plot.tsx'
import { type Column, Table } from '../../../parts/table.tsx'
import { type LabCurves, type LabOutcome, outcomesOf, sentenceOf } from './lab-curves.ts'
import type { LabRun } from './lab-run.ts'

const twoDigits = (value: number): string => value.toFixed(2)

interface LabResultsProps {
  readonly run: LabRun
  /** Whether the form still says what was run. */
  readonly current: boolean
}

/** The curves of a run, and what came of it. */
export function LabResults({ run, current }: LabResultsProps) {
  const { curves, setting, state, error } = run
  const outcomes = useMemo(() => outcomesOf(curves, setting), [curves, setting])
  return (
    <>
      {state === 'failed' ? (
        <Notice tone="error" title="The run ended">
          {error}. Run it again; should it fail again, reload the page.
        </Notice>
      ) : null}
      {current ? null : (
        <Notice tone="info" title="These curves are of another setting">
          The setting was changed since. Run it to see what it does.
        </Notice>
      )}
      <Seen run={run} outcomes={outcomes} />
      <Curves curves={curves} outcomes={outcomes} />
      <Outcomes outcomes={outcomes} setting={setting} />
    </>
  )
}

function Seen({ run, outcomes }: { readonly run: LabRun; readonly outcomes: readonly LabOutcome[] }) {
  const { curves, setting, state } = run
  return (
    <div className="lab-seen" aria-live="polite">
      {state === 'running' ? (
        <p className="quiet">Training: the curves grow as rounds end.</p>
      ) : (
        <p>
          {curves.x.length === 0 ? null : <strong>{sentenceOf(outcomes, setting)}</strong>}
          {state === 'stopped' ? <span className="quiet"> Stopped after {plural(curves.round, 'round')}.</span> : null}
        </p>
      )}
    </div>
  )
}

function Curves({ curves, outcomes }: { readonly curves: LabCurves; readonly outcomes: readonly LabOutcome[] }) {
  const accuracy = useMemo(() => curves.curves.map(({ name, accuracy: values }) => ({ name, values })), [curves])
  const loss = useMemo(() => curves.curves.map(({ name, loss: values }) => ({ name, values })), [curves])
  const last = outcomes.map(({ name, accuracy: value }) => `${name} ${value === null ? 'none' : percent(value)}`)
  return (
    <div className="lab-plots">
      <Panel title="Accuracy" note="by round, on 1,000 digits kept out">
        <Plot
          label={`Accuracy after round ${curves.round}: ${last.join(', ')}`}
          x={curves.x}
          series={accuracy}
          height={240}
          axis="count"
          yMax={1}
          format={twoDigits}
          dashed
        />
      </Panel>
      <Panel title="Loss" note="by round, cross-entropy">
        <Plot
          label={`Loss after round ${curves.round}; the table below has the last values`}
          x={curves.x}
          series={loss}
          height={240}
          axis="count"
          yMax={LOSS_SHOWN_MAX}
          format={twoDigits}
          dashed
        />
      </Panel>
    </div>
  )
}

/** A model that attackers drive away has a loss in the thousands, which would flatten all others. */
const LOSS_SHOWN_MAX = 4

const WEIGHS = 'by value'
const weighs = 'It weighs the values of all updates, and takes or leaves none as a whole'

const COLUMNS: readonly Column<LabOutcome>[] = [
  { header: 'Rule', cell: ({ name }) => name, sortBy: ({ name }) => name },
  {
    header: 'Accuracy',
    cell: ({ accuracy, lostAt }) =>
      accuracy !== null ? percent(accuracy) : lostAt === null ? '–' : `lost in round ${lostAt}`,
    sortBy: ({ accuracy }) => accuracy ?? -1,
    number: true,
  },
  {
    header: 'Loss',
    cell: ({ loss }) => (loss === null ? '–' : significant(loss)),
    sortBy: ({ loss }) => loss ?? Number.MAX_VALUE,
    number: true,
  },
  {
    header: 'Hostile updates kept',
    cell: ({ hostileKept, honestDropped }) =>
      hostileKept !== null ? percent(hostileKept) : honestDropped === null ? WEIGHS : 'none there',
    sortBy: ({ hostileKept }) => hostileKept ?? -1,
    number: true,
    title: ({ honestDropped }) => (honestDropped === null ? weighs : 'Mean over the rounds'),
  },
  {
    header: 'Honest updates dropped',
    cell: ({ honestDropped }) => (honestDropped === null ? WEIGHS : percent(honestDropped)),
    sortBy: ({ honestDropped }) => honestDropped ?? -1,
    number: true,
    title: ({ honestDropped }) => (honestDropped === null ? weighs : 'Mean over the rounds'),
  },
  {
    header: 'Goes the honest way',
    cell: ({ agreement }) => (agreement === null ? '–' : twoDigits(agreement)),
    sortBy: ({ agreement }) => agreement ?? -2,
    number: true,
    title: () => 'Cosine between the aggregate and the mean of the honest updates, mean over the rounds',
  },
]

function Outcomes({ outcomes, setting }: { readonly outcomes: readonly LabOutcome[]; readonly setting: LabSetting }) {
  const mixed = setting.rules.some((id) => id.startsWith('nnm-'))
  return (
    <Panel title="By rule" note={`seed ${setting.seed}`}>
      <div className="stack">
        <Table label="Outcome by rule" columns={COLUMNS} rows={outcomes} rowKey={({ id }) => id} />
        <p className="quiet small">
          “Goes the honest way” is 1 where the merged update points where the honest ones want, and below 0 where it
          goes backwards. “By value” rules look at each number of all updates, so that no update is kept or dropped as a
          whole. No rule takes an update that is longer than any model’s.
          {mixed ? ' Behind NNM, a kept update is the mixture of a member and its nearest neighbours.' : null}
        </p>
      </div>
    </Panel>
  )
}
