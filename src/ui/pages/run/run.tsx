import { useCallback, useEffect, useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import { EXAMPLES, exampleById } from '../../../../examples/catalog.ts'
import type { JobOptions, JobSpec } from '../../../node/contract.ts'
import { plural } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { Notice } from '../../parts/panel.tsx'
import { rememberOrigin } from '../../state/job-origins.ts'
import { useNode, useSnapshot } from '../../state/node-context.ts'
import { errorText } from '../../state/session.ts'
import type { DraftState } from './draft.ts'
import { DryRunPanel } from './dry-run-panel.tsx'
import { ExampleForm } from './example-form.tsx'
import { Gallery } from './gallery.tsx'
import { FORM_DEFAULTS, optionsError } from './options.ts'
import { OptionsPanel } from './options-panel.tsx'
import { OwnForm } from './own-form.tsx'
import './run.css'

const PREPARING: DraftState = { draft: null, why: 'Getting it ready' }

/** Give work to the room: choose, look at one unit, run. */
export function Run({ example: id }: { readonly example: string | null }) {
  const chosen = id ?? EXAMPLES[0]?.id ?? 'own'
  const example = exampleById(chosen)
  return (
    <div className="stack">
      <header className="page-head">
        <h1>Run a job</h1>
      </header>
      <Gallery chosen={chosen} />
      {example === null && chosen !== 'own' ? (
        <Notice tone="warning" title={`There is no example called “${chosen}”`}>
          Choose one above.
        </Notice>
      ) : (
        <RunForm key={chosen} exampleId={chosen} />
      )}
    </div>
  )
}

function RunForm({ exampleId }: { readonly exampleId: string }) {
  const example = exampleById(exampleId)
  const [state, setState] = useState<DraftState>(PREPARING)
  const [options, setOptions] = useState<JobOptions>({ ...FORM_DEFAULTS, ...example?.jobOptions })
  const onDraft = useCallback((next: DraftState) => setState(next), [])
  const { draft } = state
  const spec = useMemo<JobSpec | null>(() => (draft === null ? null : { ...draft.spec, options }), [draft, options])
  return (
    <div className="run-columns">
      <div className="stack run-form">
        {example === null ? <OwnForm onDraft={onDraft} /> : <ExampleForm example={example} onDraft={onDraft} />}
      </div>
      <div className="run-aside">
        <div className="stack run-side">
          <Submit spec={spec} state={state} options={options} />
          <DryRunPanel spec={spec} options={options} />
        </div>
      </div>
      <div className="run-options">
        <OptionsPanel options={options} onChange={(change) => setOptions((last) => ({ ...last, ...change }))} />
      </div>
    </div>
  )
}

interface SubmitProps {
  readonly spec: JobSpec | null
  readonly state: DraftState
  readonly options: JobOptions
}

/** What will be given out, the button for it, and why it cannot be pressed. */
function Submit({ spec, state, options }: SubmitProps) {
  const node = useNode()
  const [, navigate] = useLocation()
  const peers = useSnapshot((snapshot) => snapshot.network.peers, 0)
  const [sending, setSending] = useState(false)
  const [error, setError] = useState<string | null>(null)
  useEffect(() => {
    if (spec !== null) setError(null)
  }, [spec])
  const wrong = state.draft === null ? state.why : optionsError(options)
  const submit = async (): Promise<void> => {
    if (spec === null) return
    setSending(true)
    try {
      const jobId = await node.submitJob(spec)
      if (state.draft?.origin) rememberOrigin(jobId, state.draft.origin)
      navigate(`/jobs/${jobId}`)
    } catch (caught) {
      setError(errorText(caught))
      setSending(false)
    }
  }
  const executors = peers + (options.useOwnWorkers ? 1 : 0)
  const few = executors < options.replicas
  return (
    <section className="panel run-submit" aria-label="Give it to the room">
      <div className="grow">
        <p>
          <strong>{spec === null ? '–' : plural(spec.inputs.length, 'unit')}</strong>{' '}
          <span className="quiet">{spec === null ? wrong : state.draft?.caption}</span>
        </p>
        <p className="quiet small">
          {few
            ? `Needs ${plural(options.replicas, 'different executor')}; ${executors} here now. It waits until enough come.`
            : `${plural(peers, 'peer')} here now.`}
        </p>
      </div>
      <Button look="primary" disabled={spec === null || wrong !== null || sending} onClick={() => void submit()}>
        {sending ? 'Handing it out' : 'Run the job'}
      </Button>
      {error === null ? null : (
        <Notice tone="error" title="The job was not taken">
          {error}. Nothing was given out. Change what is named and try again.
        </Notice>
      )}
    </section>
  )
}
