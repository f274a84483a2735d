import { House, Send } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import type { LearningPreview, LearningTaskDetail } from '../../../node/learning-contract.ts'
import { plural } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { Notice, Panel, Skeleton } from '../../parts/panel.tsx'
import { useNode, useSnapshot } from '../../state/node-context.ts'
import { errorText } from '../../state/session.ts'
import { ClassBars } from './bars.tsx'
import { DataChooser } from './data-chooser.tsx'
import { wantsOf } from './data-wants.ts'
import { firstShareOf } from './first-share.ts'
import type { LoadedData } from './load-data.ts'
import { leavesWords, MODE_WORDS, RULE_WORDS, staysWords, warningWords } from './words.ts'

interface JoinPanelProps {
  readonly task: LearningTaskDetail
  readonly onJoined: () => void
}

/** Choose data, see what stays and what leaves, press one button. */
export function JoinPanel({ task, onJoined }: JoinPanelProps) {
  const node = useNode()
  const self = useSnapshot((snapshot) => snapshot.peerId, '')
  // A task's terms never change.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const wants = useMemo(() => wantsOf(task), [task.taskId])
  const [loaded, setLoaded] = useState<LoadedData | null>(null)
  const [joining, setJoining] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const { preview, error } = usePreview(task.taskId, loaded)
  const join = async (): Promise<void> => {
    if (loaded === null) return
    setJoining(true)
    setFailure(null)
    try {
      await node.joinLearning(task.taskId, loaded.data)
      onJoined()
    } catch (caught) {
      setFailure(errorText(caught))
      setJoining(false)
    }
  }
  const again = task.state !== 'announced'
  return (
    <Panel title={again ? 'Join again' : 'Take part'}>
      <div className="learn-join">
        <div className="stack">
          <p className="quiet small">
            This tab trains on samples that only it sees, and learns from what the others learned.{' '}
            {MODE_WORDS[task.mode].meaning} {RULE_WORDS[task.rule].word}: {RULE_WORDS[task.rule].withstands}
          </p>
          <DataChooser wants={wants} firstShare={firstShareOf(self, wants.bundled?.shares ?? 1)} onLoaded={setLoaded} />
          {preview === null ? null : (
            <>
              <p className="small">
                <strong>{plural(preview.samples, 'sample')}</strong> of yours
              </p>
              <ClassBars classes={task.classes} counts={preview.perClass} />
            </>
          )}
        </div>
        <div className="stack">
          {preview === null ? (
            <Waiting chosen={loaded !== null} error={error} />
          ) : (
            <>
              <Facts icon={<House aria-hidden="true" />} title="Stays on this device">
                {preview.stays.map((fact) => (
                  <li key={fact.code}>{staysWords(fact)}</li>
                ))}
              </Facts>
              <Facts icon={<Send aria-hidden="true" />} title="Leaves it">
                {preview.leaves.map((fact) => (
                  <li key={fact.code}>{leavesWords(fact)}</li>
                ))}
              </Facts>
              {preview.warnings.length === 0 ? null : (
                <Notice tone="warning" title="You should know">
                  <ul className="learn-sentences">
                    {preview.warnings.map((warning) => (
                      <li key={warning.code}>{warningWords(warning)}.</li>
                    ))}
                  </ul>
                </Notice>
              )}
            </>
          )}
          <div>
            <Button
              look="primary"
              disabled={loaded === null || preview === null || joining}
              onClick={() => void join()}
            >
              {joining ? 'Joining' : 'Join and train'}
            </Button>
          </div>
          {failure === null ? null : (
            <Notice tone="error" title="Joining did not work">
              {failure}. Nothing was sent.
            </Notice>
          )}
        </div>
      </div>
    </Panel>
  )
}

function Waiting({ chosen, error }: { readonly chosen: boolean; readonly error: string | null }) {
  if (error !== null) {
    return (
      <Notice tone="error" title="This data does not fit the task">
        {error}. Nothing left this device; choose other data.
      </Notice>
    )
  }
  return chosen ? (
    <Skeleton lines={7} />
  ) : (
    <p className="quiet small">Once you have chosen data, this says what of it stays here and what leaves.</p>
  )
}

interface FactsProps {
  readonly icon: ReactNode
  readonly title: string
  readonly children: ReactNode
}

function Facts({ icon, title, children }: FactsProps) {
  return (
    <div className="learn-facts-block">
      <h3 className="row">
        {icon}
        {title}
      </h3>
      <ul className="learn-sentences small">{children}</ul>
    </div>
  )
}

interface PreviewState {
  readonly preview: LearningPreview | null
  readonly error: string | null
}

const NOTHING: PreviewState = { preview: null, error: null }

function usePreview(taskId: string, loaded: LoadedData | null): PreviewState {
  const node = useNode()
  const [state, setState] = useState<PreviewState>(NOTHING)
  useEffect(() => {
    let stale = false
    setState(NOTHING)
    if (loaded === null) return
    node.previewLearning(taskId, loaded.data).then(
      (preview) => (stale ? undefined : setState({ preview, error: null })),
      (error: unknown) => (stale ? undefined : setState({ preview: null, error: errorText(error) })),
    )
    return () => {
      stale = true
    }
  }, [node, taskId, loaded])
  return state
}
