import { ChevronDown, Download, LogOut, Pause, Play, Trash2 } from 'lucide-react'
import { useLocation } from 'wouter'
import type { LearningTaskDetail } from '../../../node/learning-contract.ts'
import { Button } from '../../parts/button.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Menu, MenuItem } from '../../parts/menu.tsx'
import { act, say } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'
import { fileName, saveBytes } from '../job/downloads.ts'

interface TaskActionsProps {
  readonly task: LearningTaskDetail
  /** The model is here. */
  readonly known: boolean
  readonly onDone: () => void
}

/** Everything that can be done about a task, as far as its state allows. */
export function TaskActions({ task, known, onDone }: TaskActionsProps) {
  const node = useNode()
  const { taskId, state } = task
  const then = (what: string, action: () => Promise<void>): void =>
    act(what, async () => {
      await action()
      onDone()
    })
  const takesPart = ['joining', 'waiting', 'training', 'agreeing'].includes(state)
  return (
    <div className="row row-wrap learn-actions">
      {known ? <ExportMenu task={task} /> : null}
      {takesPart ? (
        <Button icon={<Pause aria-hidden="true" />} onClick={() => then('Pausing', () => node.pauseLearning(taskId))}>
          Pause training
        </Button>
      ) : null}
      {state === 'paused' ? (
        <Button
          look="primary"
          icon={<Play aria-hidden="true" />}
          onClick={() => then('Resuming', () => node.resumeLearning(taskId))}
        >
          Resume training
        </Button>
      ) : null}
      {takesPart || state === 'paused' ? (
        <Confirm
          trigger={<Button icon={<LogOut aria-hidden="true" />}>Leave</Button>}
          title={`Leave “${task.name}”?`}
          cancel="Stay"
          action="Leave"
          onConfirm={() => then('Leaving', () => node.leaveLearning(taskId))}
        >
          The others go on without you. What you trained is already in the model and stays there. The model you have now
          stays here too, and you can join again with data of your choice.
        </Confirm>
      ) : (
        <Removal task={task} />
      )}
    </div>
  )
}

function Removal({ task }: { readonly task: LearningTaskDetail }) {
  const node = useNode()
  const [, navigate] = useLocation()
  const { state, own, name, taskId } = task
  // A task that others announce would be back in a moment.
  if (state === 'announced' && !own) return null
  const remove = (): void =>
    act('Removing the task', async () => {
      await node.removeLearning(taskId)
      say(`Removed “${name}”`)
      navigate('/learn')
    })
  return (
    <Confirm
      trigger={<Button icon={<Trash2 aria-hidden="true" />}>Remove</Button>}
      title={`Remove “${name}”?`}
      action="Remove"
      onConfirm={remove}
    >
      The model, its history and the data you gave are deleted from this device. Save the model first if you need it:
      this cannot be undone. Other members keep theirs.
    </Confirm>
  )
}

const FORMATS = [
  { format: 'safetensors', words: 'Weights (safetensors)' },
  { format: 'onnx', words: 'Model to run elsewhere (ONNX)' },
] as const

function ExportMenu({ task }: { readonly task: LearningTaskDetail }) {
  const node = useNode()
  const save = (format: (typeof FORMATS)[number]['format']): void =>
    act('Saving the model', async () =>
      saveBytes(`${fileName(task.name)}.${format}`, await node.exportLearningModel(task.taskId, format)),
    )
  return (
    <Menu
      label="Save the model"
      trigger={
        <Button icon={<Download aria-hidden="true" />}>
          Save model
          <ChevronDown aria-hidden="true" />
        </Button>
      }
    >
      {FORMATS.map(({ format, words }) => (
        <MenuItem key={format} onSelect={() => save(format)}>
          {words}
        </MenuItem>
      ))}
    </Menu>
  )
}
