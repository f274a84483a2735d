import { Link } from 'wouter'
import type { LearningTaskDetail } from '../../../node/learning-contract.ts'
import { percent, plural, significant } from '../../format/number.ts'
import { Empty, Figure, Figures, Notice, PageSkeleton } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { useSnapshot } from '../../state/node-context.ts'
import { useNow } from '../../state/now.ts'
import { useLearningTask } from '../../state/use-learning.ts'
import { BudgetPanel } from './budget-panel.tsx'
import { ConfusionPanel } from './confusion-panel.tsx'
import { CurvesPanel } from './curves-panel.tsx'
import { JoinPanel } from './join-panel.tsx'
import { LearningStateMark, RoundsBar } from './learning-state.tsx'
import { MembersPanel } from './members-panel.tsx'
import { RejectionsPanel } from './rejections-panel.tsx'
import { TaskActions } from './task-actions.tsx'
import { TermsPanel } from './terms-panel.tsx'
import { TryPanel } from './try-panel.tsx'
import { learningReason, progressWords } from './words.ts'
import './learn.css'

/** One learning task: what joining it means, then how it goes, then the model. */
export function LearningTask({ taskId }: { readonly taskId: string }) {
  const { value: task, error, reload } = useLearningTask(taskId)
  if (task === undefined && error !== null) {
    return (
      <Notice tone="error" title="The task could not be read">
        {error}. Starling keeps asking; reload the tab if it stays so.
      </Notice>
    )
  }
  if (task === undefined) return <PageSkeleton lines={16} />
  if (task === null) {
    return (
      <Empty whole title="This device knows no such task" action={<Link href="/learn">All tasks</Link>}>
        It was removed here, or nobody who takes part in it is connected now ({taskId.slice(0, 12)}…). It appears by
        itself once one of them is.
      </Empty>
    )
  }
  return (
    <>
      {error === null ? null : (
        <Notice tone="warning" title="What is shown may be old">
          {error}. Starling keeps asking.
        </Notice>
      )}
      <TaskPage task={task} reload={reload} />
    </>
  )
}

interface TaskPageProps {
  readonly task: LearningTaskDetail
  readonly reload: () => void
}

function TaskPage({ task, reload }: TaskPageProps) {
  const { state, own } = task
  // The model is here for who takes part or made the task.
  const known = state !== 'announced' || own
  return (
    <div className="stack">
      <header className="page-head">
        <h1 className="truncate">{task.name}</h1>
        <LearningStateMark state={state} />
        <span className="quiet small grow learn-by">
          by {own ? 'you' : <Peer peerId={task.creator} />}
          {task.description === '' ? '' : ` · ${task.description}`}
        </span>
        <TaskActions task={task} known={known} onDone={reload} />
      </header>
      {canJoin(task) ? <JoinPanel task={task} onJoined={reload} /> : null}
      {known ? <KnownTask task={task} /> : <TermsPanel task={task} />}
    </div>
  )
}

function canJoin({ state, reason }: LearningTaskDetail): boolean {
  // A budget that is spent stays spent.
  return state === 'announced' || state === 'left' || (state === 'stopped' && reason?.code !== 'budget-spent')
}

function KnownTask({ task }: { readonly task: LearningTaskDetail }) {
  const { taskId, roundsDone } = task
  return (
    <>
      <Standing task={task} />
      <CurvesPanel points={task.roundPoints} rounds={task.rounds} />
      <div className="learn-halves">
        <TryPanel task={task} />
        <ConfusionPanel taskId={taskId} roundsDone={roundsDone} heldOut={task.heldOut} />
      </div>
      <MembersPanel task={task} />
      <div className="learn-halves">
        <RejectionsPanel task={task} />
        <BudgetPanel budget={task.privacy} terms={task.options.privacy} state={task.state} />
      </div>
      <TermsPanel task={task} />
    </>
  )
}

/** The task in one look: figures, how far, and what it is doing. */
function Standing({ task }: { readonly task: LearningTaskDetail }) {
  const { roundsDone, rounds, accuracy, loss, members, current, samples, heldOut, reason, options } = task
  const part = current === null ? 0 : phasePart(current)
  return (
    <>
      <Figures>
        <Figure value={`${roundsDone} of ${rounds}`} label="Rounds merged" note={roundNote(task)} />
        <Figure
          value={accuracy === null ? '–' : percent(accuracy)}
          label="Right answers"
          note={heldOut === 0 ? 'needs held-back samples' : `on ${plural(heldOut, 'held-back sample')}`}
        />
        <Figure value={loss === null ? '–' : significant(loss)} label="Loss" note="on the same; lower is better" />
        <Figure
          value={String(members)}
          label="Members"
          note={
            samples === 0 ? `needs ${options.participantsMin}` : `you train on ${plural(samples - heldOut, 'sample')}`
          }
        />
      </Figures>
      <div className="stack stack-tight">
        <RoundsBar done={roundsDone} rounds={rounds} part={part} label={`Rounds of ${task.name}`} />
        <p className="small learn-now">
          {current === null
            ? reason === null
              ? IDLE_WORDS[task.state]
              : learningReason(reason)
            : progressWords(current)}
          {current === null || current.phase !== 'collect' ? null : <Deadline at={current.deadlineAt} />}
          {task.state === 'waiting' ? <InviteMore needed={options.participantsMin} /> : null}
        </p>
      </div>
    </>
  )
}

/** While there are too few people for a round, where to get more. */
function InviteMore({ needed }: { readonly needed: number }) {
  const here = useSnapshot((snapshot) => snapshot.network.peers + 1, 1)
  if (here >= needed) return null
  return (
    <span className="quiet">
      {' '}
      · {here === 1 ? 'you are alone here' : `${here} tabs are here`}, {needed} are needed:{' '}
      <Link href="/">invite others</Link>
    </span>
  )
}

const IDLE_WORDS: Readonly<Record<LearningTaskDetail['state'], string>> = {
  announced: 'You do not take part.',
  joining: 'Asked to be let in; members do so between two rounds.',
  waiting: 'Waiting for members.',
  training: 'Between two rounds.',
  agreeing: 'Agreeing on a round.',
  paused: 'Paused.',
  done: 'All rounds are merged. The model stays here until you remove it.',
  left: 'You take no part any more. The model of your last round stays here until you remove the task.',
  stopped: 'Stopped.',
}

function roundNote({ current, roundPoints }: LearningTaskDetail): string {
  const last = roundPoints.at(-1)
  if (current !== null && current.view > 0) return `attempt ${current.view + 1} to agree`
  return last === undefined ? 'none yet' : `last took ${significant(last.durationMs / 1_000)} s`
}

/** Training is most of a round. */
const TRAIN_PART = 0.7

function phasePart({ phase, step, steps }: NonNullable<LearningTaskDetail['current']>): number {
  if (phase === 'train') return steps === 0 ? 0 : (TRAIN_PART * step) / steps
  return phase === 'collect' ? TRAIN_PART : 0.9
}

function Deadline({ at }: { readonly at: number }) {
  const now = useNow()
  const left = Math.round((at - now) / 1_000)
  return left > 0 ? <span className="quiet"> · waits at most {left} s more</span> : null
}
