import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { parameterCount } from '../../../core/learning/model.ts'
import type { LearningTaskSpec } from '../../../node/learning-contract.ts'
import { bytes, count, plural } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { Field, Toggle } from '../../parts/controls.tsx'
import { Notice, Panel } from '../../parts/panel.tsx'
import { useNode, useSnapshot } from '../../state/node-context.ts'
import { errorText } from '../../state/session.ts'
import { DataChooser } from './data-chooser.tsx'
import { ANY_DATA, sharesOf } from './data-wants.ts'
import { type FieldErrors, FRESH, fieldOfRefusal, readDraft, refusalText, type TaskDraft } from './draft.ts'
import { firstShareOf } from './first-share.ts'
import type { LoadedData } from './load-data.ts'
import { TermsForm } from './terms-form.tsx'
import './learn.css'

/** Typing is left to finish before the node is asked. */
const ASK_AFTER_MS = 250

/** A new learning task: data, model and terms; everything but the data has a good value already. */
export function NewLearningTask() {
  const [draft, setDraft] = useState<TaskDraft>(FRESH)
  const [loaded, setLoaded] = useState<LoadedData | null>(null)
  const suggested = useRef<readonly string[]>([FRESH.name])
  const take = useCallback((next: LoadedData | null): void => {
    setLoaded(next)
    if (next === null) return
    suggested.current = [...suggested.current, next.name]
    // A name that nobody typed follows the data.
    const follow = (last: TaskDraft): boolean => suggested.current.includes(last.name)
    setDraft((last) => (follow(last) ? { ...last, name: next.name } : last))
  }, [])
  const change = (part: Partial<TaskDraft>): void => setDraft((last) => ({ ...last, ...part }))
  const { spec, errors } = useMemo(() => readDraft(draft, loaded?.summary ?? null), [draft, loaded])
  const refusal = useRefusal(spec)
  const shown: FieldErrors = { ...refusal.errors, ...errors }
  const parameters = spec === null ? null : parameterCount(spec.architecture)
  return (
    <div className="stack">
      <header className="page-head">
        <h1 className="grow">New learning task</h1>
        <Link href="/learn">All tasks</Link>
      </header>
      <div className="learn-columns">
        <div className="stack">
          <NamePanel draft={draft} errors={shown} onChange={change} />
          <Panel title="Data" note="stays on this device">
            <div className="stack">
              <DataChooser wants={ANY_DATA} onLoaded={take} />
              {shown.data === undefined ? null : (
                <Notice tone="error" title="This data cannot be learned from">
                  {shown.data}.
                </Notice>
              )}
            </div>
          </Panel>
          <TermsForm draft={draft} errors={shown} onChange={change} parameters={parameters} />
        </div>
        <div className="learn-side">
          <Create spec={spec} loaded={loaded} errors={shown} general={refusal.general} asking={refusal.asking} />
        </div>
      </div>
    </div>
  )
}

interface NamePanelProps {
  readonly draft: TaskDraft
  readonly errors: FieldErrors
  readonly onChange: (change: Partial<TaskDraft>) => void
}

function NamePanel({ draft, errors, onChange }: NamePanelProps) {
  return (
    <Panel title="What it is">
      <div className="stack">
        <Field label="Name" note="What others see in their list." error={errors.name ?? null}>
          {(ids) => (
            <input
              {...ids}
              className="input"
              value={draft.name}
              aria-invalid={errors.name !== undefined}
              onChange={(event) => onChange({ name: event.target.value })}
            />
          )}
        </Field>
        <Field
          label="Description"
          note="What the model is for, and what data members should bring."
          error={errors.description ?? null}
        >
          {(ids) => (
            <input
              {...ids}
              className="input"
              value={draft.description}
              onChange={(event) => onChange({ description: event.target.value })}
            />
          )}
        </Field>
      </div>
    </Panel>
  )
}

interface Refusal {
  readonly errors: FieldErrors
  /** About no field of the form. */
  readonly general: string | null
  readonly asking: boolean
}

const AGREED: Refusal = { errors: {}, general: null, asking: false }

/** What the node itself refuses about a spec, at the field it is about. */
function useRefusal(spec: LearningTaskSpec | null): Refusal {
  const node = useNode()
  const [refusal, setRefusal] = useState<Refusal>(AGREED)
  useEffect(() => {
    if (spec === null) return setRefusal(AGREED)
    let stale = false
    setRefusal((last) => ({ ...last, asking: true }))
    const timer = setTimeout(() => {
      node.learningOptions(spec).then(
        () => (stale ? undefined : setRefusal(AGREED)),
        (error: unknown) => {
          if (stale) return
          const field = fieldOfRefusal(error)
          const text = refusalText(error)
          setRefusal({
            errors: field === null ? {} : { [field]: text },
            general: field === null ? text : null,
            asking: false,
          })
        },
      )
    }, ASK_AFTER_MS)
    return () => {
      stale = true
      clearTimeout(timer)
    }
  }, [node, spec])
  return refusal
}

interface CreateProps {
  readonly spec: LearningTaskSpec | null
  readonly loaded: LoadedData | null
  readonly errors: FieldErrors
  readonly general: string | null
  readonly asking: boolean
}

/** What will be announced, the button for it, and why it cannot be pressed. */
function Create({ spec, loaded, errors, general, asking }: CreateProps) {
  const node = useNode()
  const [, navigate] = useLocation()
  const self = useSnapshot((snapshot) => snapshot.peerId, '')
  const peers = useSnapshot((snapshot) => snapshot.network.peers, 0)
  const [takePart, setTakePart] = useState(true)
  const [creating, setCreating] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const wrong = Object.values(errors)[0] ?? general
  const create = async (): Promise<void> => {
    if (spec === null || loaded === null) return
    setCreating(true)
    setFailure(null)
    try {
      const taskId = await node.createLearningTask(spec)
      if (takePart) {
        const { data } = loaded
        const of = sharesOf({ participantsTarget: spec.options?.participantsTarget ?? 0 })
        const own = data.kind === 'bundled' ? { ...data, part: { index: firstShareOf(self, of), of } } : data
        await node.joinLearning(taskId, own)
      }
      navigate(`/learn/${taskId}`)
    } catch (error) {
      setFailure(errorText(error))
      setCreating(false)
    }
  }
  return (
    <section className="panel stack" aria-label="Create the task">
      <div>
        <p>
          <strong>{spec === null ? 'Not ready yet' : plural(parameterCount(spec.architecture), 'parameter')}</strong>
        </p>
        <p className="quiet small">{spec === null ? (wrong ?? 'Choose data first') : modelWords(spec)}</p>
        <p className="quiet small">
          {peers === 0
            ? 'Nobody else is here now; the task waits for members.'
            : `${plural(peers, 'peer')} here can join.`}
        </p>
      </div>
      <Toggle
        label="Take part with this data"
        note={
          loaded?.data.kind === 'bundled'
            ? 'With one share of the digits; others take other shares. Else you only watch.'
            : 'Else others train, and you only watch.'
        }
        checked={takePart}
        onChange={setTakePart}
      />
      <Button
        look="primary"
        disabled={spec === null || wrong !== null || asking || creating}
        onClick={() => void create()}
      >
        {creating ? 'Announcing it' : takePart ? 'Create and take part' : 'Create the task'}
      </Button>
      {spec !== null && wrong !== null ? (
        <Notice tone="warning" title="Something must be changed first">
          {wrong}.
        </Notice>
      ) : null}
      {failure === null ? null : (
        <Notice tone="error" title="The task was not created">
          {failure}. Nothing was announced. Change what is named and try again.
        </Notice>
      )}
    </section>
  )
}

function modelWords({ architecture, classes }: LearningTaskSpec): string {
  const parameters = parameterCount(architecture)
  return `${count(classes.length)} classes; an update is ${bytes(parameters * 4)} from each member in each round.`
}
