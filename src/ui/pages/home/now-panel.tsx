import { memo } from 'react'
import { Link } from 'wouter'
import type { RunningUnit } from '../../../node/contract.ts'
import type { LearningState, LearningTaskSummary } from '../../../node/learning-contract.ts'
import { plural } from '../../format/number.ts'
import { reasonWords } from '../../format/reasons.ts'
import { span } from '../../format/time.ts'
import { Panel } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { useSnapshot } from '../../state/node-context.ts'
import { useNow } from '../../state/now.ts'
import { useLearningTasks } from '../../state/use-learning.ts'

/** Rows kept free, so that units coming and going move nothing. */
const ROWS = 4

/** What this tab does this second. */
export function NowPanel() {
  const lending = useSnapshot((snapshot) => snapshot.lending, null)
  const learning = (useLearningTasks().value ?? []).filter(({ state }) => state in LEARNING_WORDS).slice(0, 1)
  if (lending === null) return null
  const { running, queued, pausedBecause, idleBecause } = lending
  const shown = running.slice(0, ROWS - learning.length)
  const more = running.length - shown.length
  const why = pausedBecause.length > 0 ? pausedBecause : idleBecause === null ? [] : [idleBecause]
  const idle = why.length === 0 ? 'Between two units.' : `Nothing: ${why.map(reasonWords).join('; ')}.`
  return (
    <Panel title="This tab, now" note={queued > 0 ? `${plural(queued, 'unit')} waiting here` : undefined}>
      <ul className="now-list">
        {learning.map((task) => (
          <LearningRow key={task.taskId} task={task} />
        ))}
        {running.length === 0 ? <li className="quiet">{idle}</li> : null}
        {shown.map((unit) => (
          <NowRow key={`${unit.jobId}/${unit.unit}`} unit={unit} />
        ))}
        {more > 0 ? <li className="quiet small">and {plural(more, 'more unit')}</li> : null}
      </ul>
    </Panel>
  )
}

/** States in which a task is something this tab does now. */
const LEARNING_WORDS: Readonly<Partial<Record<LearningState, string>>> = {
  joining: 'Joining',
  waiting: 'Waiting for members of',
  training: 'Training',
  agreeing: 'Training',
}

function LearningRow({ task }: { readonly task: LearningTaskSummary }) {
  const { taskId, name, state, roundsDone, rounds } = task
  return (
    <li className="now-row">
      <span className="now-pulse" aria-hidden="true" />
      <span className="grow truncate">
        {LEARNING_WORDS[state]} <Link href={`/learn/${taskId}`}>“{name}”</Link>
      </span>
      <span className="quiet small">
        {roundsDone} of {plural(rounds, 'round')}
      </span>
    </li>
  )
}

const NowRow = memo(function NowRow({ unit }: { readonly unit: RunningUnit }) {
  const now = useNow()
  return (
    <li className="now-row">
      <span className="now-pulse" aria-hidden="true" />
      <span className="grow truncate">
        Unit {unit.unit} of “{unit.jobName}”
      </span>
      <span className="quiet small now-for truncate">
        for <Peer peerId={unit.requester} plain />
      </span>
      <span className="quiet small now-time">{span(Math.max(0, now - unit.startedAt))}</span>
    </li>
  )
})
