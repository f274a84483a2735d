import { memo, useMemo } from 'react'
import type { LearningRoundPoint } from '../../../node/learning-contract.ts'
import { percent, plural, significant } from '../../format/number.ts'
import { Panel } from '../../parts/panel.tsx'
import { Plot } from '../../parts/plot.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { curveOf, skippedRounds } from './curve.ts'
import { skipWords } from './words.ts'

interface CurvesPanelProps {
  readonly points: readonly LearningRoundPoint[]
  readonly rounds: number
}

const SKIPPED_SHOWN = 5

/** Accuracy and loss after each merged round; a dashed line where a round was skipped. */
export const CurvesPanel = memo(function CurvesPanel({ points, rounds }: CurvesPanelProps) {
  const curve = useMemo(() => curveOf(points), [points])
  const skipped = useMemo(() => skippedRounds(points), [points])
  const { x, accuracy, loss, trainLoss, skippedAt } = curve
  const lastAccuracy = accuracy.findLast((value) => value !== null) ?? null
  const lastLoss = loss.findLast((value) => value !== null) ?? null
  const empty = x.length === 0
  return (
    <div className="learn-halves">
      <Panel title="Accuracy" note="share of held-back samples that is right, by round">
        {empty ? (
          <NoCurve rounds={rounds} />
        ) : (
          <Plot
            axis="count"
            label={`Accuracy by round, now ${lastAccuracy === null ? 'not measured' : percent(lastAccuracy)}`}
            x={x}
            series={[{ name: 'Right', values: accuracy }]}
            height={200}
            format={percent}
            yMax={1}
            marks={skippedAt}
          />
        )}
        {skipped.length === 0 ? null : (
          <details className="small">
            <summary>{plural(skipped.length, 'round')} skipped</summary>
            <ul className="learn-sentences">
              {skipped.slice(0, SKIPPED_SHOWN).map((point) => (
                <li key={point.round}>
                  <RelativeTime at={point.at} />: {point.skippedBecause === null ? '' : skipWords(point.skippedBecause)}
                </li>
              ))}
              {skipped.length > SKIPPED_SHOWN ? <li>and {skipped.length - SKIPPED_SHOWN} before</li> : null}
            </ul>
          </details>
        )}
      </Panel>
      <Panel title="Loss" note="how wrong the model is; lower is better">
        {empty ? (
          <NoCurve rounds={rounds} />
        ) : (
          <Plot
            axis="count"
            label={`Loss by round, now ${lastLoss === null ? 'not measured' : significant(lastLoss)}`}
            x={x}
            series={[
              { name: 'Held-back samples', values: loss },
              { name: 'While training here', values: trainLoss },
            ]}
            height={200}
            marks={skippedAt}
            dashed
          />
        )}
      </Panel>
    </div>
  )
})

function NoCurve({ rounds }: { readonly rounds: number }) {
  return (
    <p className="quiet small learn-no-curve">
      A curve of {plural(rounds, 'round')} grows here, from the first one on.
    </p>
  )
}
