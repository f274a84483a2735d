import { useEffect, useState } from 'react'
import type { LearningPrediction, LearningTaskDetail } from '../../../node/learning-contract.ts'
import { percent } from '../../format/number.ts'
import { Panel } from '../../parts/panel.tsx'
import { useNode } from '../../state/node-context.ts'
import { errorText } from '../../state/session.ts'
import { Bars } from './bars.tsx'
import { isDigits, pictureSideOf } from './data-wants.ts'
import { TryDigit } from './try-digit.tsx'
import { TryPicture } from './try-picture.tsx'
import { TryTable } from './try-table.tsx'

/** Try the model on something of one's own: a drawing, a picture or a row. Nothing of it leaves the device. */
export function TryPanel({ task }: { readonly task: LearningTaskDetail }) {
  const [input, setInput] = useState<Float32Array | null>(null)
  const { prediction, error } = usePrediction(task, input)
  const side = pictureSideOf(task)
  const how =
    task.table !== null ? (
      <TryTable key={task.taskId} table={task.table} onInput={setInput} />
    ) : side === null ? null : isDigits(task) ? (
      <TryDigit side={side} onInput={setInput} />
    ) : (
      <TryPicture side={side} onInput={setInput} />
    )
  return (
    <Panel title="Try the model" note={task.roundsDone === 0 ? 'untrained yet: it guesses' : undefined}>
      {how === null ? (
        <p className="quiet small">
          Its samples are no square pictures and no table, so there is nothing to fill in here.
        </p>
      ) : (
        <div className="learn-try">
          <div className="stack learn-tools">{how}</div>
          <Verdict classes={task.classes} prediction={input === null ? null : prediction} error={error} />
        </div>
      )}
    </Panel>
  )
}

/** Drawing is left to go on before the model is asked again. */
const ASK_AFTER_MS = 120

/** Asks again when the input or the model changes. */
function usePrediction({ taskId, roundsDone }: LearningTaskDetail, input: Float32Array | null) {
  const node = useNode()
  const [prediction, setPrediction] = useState<LearningPrediction | null>(null)
  const [error, setError] = useState<string | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round is another model
  useEffect(() => {
    if (input === null) return
    let stale = false
    const timer = setTimeout(() => {
      node.learningPredict(taskId, input).then(
        (next) => {
          if (stale) return
          setPrediction(next)
          setError(null)
        },
        (caught: unknown) => (stale ? undefined : setError(errorText(caught))),
      )
    }, ASK_AFTER_MS)
    return () => {
      stale = true
      clearTimeout(timer)
    }
  }, [node, taskId, roundsDone, input])
  return { prediction, error }
}

/** So many classes keep their order; more are shown best first, up to so many. */
const ALL_CLASSES_MAX = 12

interface VerdictProps {
  readonly classes: readonly string[]
  readonly prediction: LearningPrediction | null
  readonly error: string | null
}

function Verdict({ classes, prediction, error }: VerdictProps) {
  const shares = classes.map((name, at) => ({ name, share: prediction?.probabilities[at] ?? 0 }))
  const best = prediction === null ? null : shares.reduce((a, b) => (b.share > a.share ? b : a))
  const shown =
    shares.length <= ALL_CLASSES_MAX ? shares : [...shares].sort((a, b) => b.share - a.share).slice(0, ALL_CLASSES_MAX)
  const bars = shown.map(({ name, share }) => ({
    label: name,
    share,
    value: prediction === null ? '–' : percent(Math.round(share * 100) / 100),
    strong: name === best?.name,
  }))
  return (
    <div className="stack learn-verdict">
      <p aria-live="polite" className="learn-verdict-word">
        {error !== null ? (
          <span className="field-error">{error}</span>
        ) : best === null ? (
          <span className="quiet">The model says nothing yet</span>
        ) : (
          <>
            It says <strong>{best.name}</strong>{' '}
            <span className="quiet small">{percent(Math.round(best.share * 100) / 100)} sure</span>
          </>
        )}
      </p>
      <Bars label="How sure the model is of each class" bars={bars} />
    </div>
  )
}
