import { FlaskConical, Plus } from 'lucide-react'
import { memo } from 'react'
import { Link } from 'wouter'
import type { LearningTaskSummary } from '../../../node/learning-contract.ts'
import { percent, plural } from '../../format/number.ts'
import { Empty, Notice, Panel, Skeleton } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useLearningTasks } from '../../state/use-learning.ts'
import { LearningStateMark, RoundsBar } from './learning-state.tsx'
import { StartDigits } from './start-digits.tsx'
import { learningReason, MODE_WORDS, RULE_WORDS } from './words.ts'
import './learn.css'

/** Every learning task that is known here: own, joined and announced by others. */
export function Learn() {
  const { value, error } = useLearningTasks()
  return (
    <div className="stack">
      <header className="page-head">
        <h1 className="grow">Learn</h1>
        <Link href="/learn/lab" className="button">
          <FlaskConical aria-hidden="true" />
          Attack lab
        </Link>
        <Link href="/learn/new" className="button button-primary">
          <Plus aria-hidden="true" />
          New task
        </Link>
      </header>
      {error === null ? null : (
        <Notice tone="warning" title="The list may be old">
          {error}. Starling keeps asking.
        </Notice>
      )}
      {value === undefined ? <Skeleton lines={8} /> : <Tasks tasks={value} />}
    </div>
  )
}

function Tasks({ tasks }: { readonly tasks: readonly LearningTaskSummary[] }) {
  if (tasks.length === 0) {
    return (
      <Empty title="Nobody trains anything here yet" action={<StartDigits />}>
        People here can train one model together without showing each other their data. Every tab learns from its own
        samples and sends only what that changed in the model; the changes are merged, round after round, and everybody
        holds the result.
      </Empty>
    )
  }
  const mine = tasks.filter(({ state, own }) => state !== 'announced' || own)
  const others = tasks.filter(({ state, own }) => state === 'announced' && !own)
  return (
    <>
      {others.length === 0 ? null : (
        <Panel title="Open to join" note="announced by others in this room">
          <ul className="learn-tasks">
            {others.map((task) => (
              <TaskRow key={task.taskId} task={task} />
            ))}
          </ul>
        </Panel>
      )}
      <Panel title="Yours" note="created or joined on this device">
        {mine.length === 0 ? (
          <p className="quiet small">None yet. Join one above, or start a new one.</p>
        ) : (
          <ul className="learn-tasks">
            {mine.map((task) => (
              <TaskRow key={task.taskId} task={task} />
            ))}
          </ul>
        )}
      </Panel>
    </>
  )
}

const TaskRow = memo(function TaskRow({ task }: { readonly task: LearningTaskSummary }) {
  const { taskId, name, state, reason, roundsDone, rounds, members, accuracy, rule, mode, own, creator } = task
  return (
    <li className="learn-task">
      <div className="row row-wrap">
        <Link href={`/learn/${taskId}`} className="learn-task-name truncate">
          {name}
        </Link>
        <LearningStateMark state={state} />
        {reason === null ? null : <span className="small">{learningReason(reason)}</span>}
        <span className="grow" />
        <span className="quiet small">
          <RelativeTime at={task.createdAt} />
        </span>
      </div>
      {state === 'announced' ? null : <RoundsBar done={roundsDone} rounds={rounds} label={`Rounds of ${name}`} />}
      <p className="quiet small learn-facts">
        {state === 'announced' ? (
          <span>{plural(rounds, 'round')}</span>
        ) : (
          <span>{`${roundsDone} of ${plural(rounds, 'round')}`}</span>
        )}
        {state === 'announced' ? null : <span>{plural(members, 'member')}</span>}
        {accuracy === null ? null : <span>{percent(accuracy)} right on held-back samples</span>}
        <span>{RULE_WORDS[rule].word}</span>
        <span>{MODE_WORDS[mode].word}</span>
        <span>by {own ? 'you' : <Peer peerId={creator} />}</span>
      </p>
    </li>
  )
})
