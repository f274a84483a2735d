import { FlaskConical, Square } from 'lucide-react'
import { useMemo } from 'react'
import { Link, useSearchParams } from 'wouter'
import { labProblems } from '../../../../core/learning/lab-setting.ts'
import { Button } from '../../../parts/button.tsx'
import { Empty, Panel } from '../../../parts/panel.tsx'
import { LabForm } from './lab-form.tsx'
import { LabResults } from './lab-results.tsx'
import { type LabRun, useLabRun } from './lab-run.ts'
import { fieldText, type LabParam, settingOf, withField } from './setting-address.ts'
import './lab.css'

/** Attackers against rules, trained side by side in this tab. What is chosen stands in the address. */
export function Lab() {
  const [query, setQuery] = useSearchParams()
  const setting = useMemo(() => settingOf(query), [query])
  const problems = useMemo(() => labProblems(setting), [setting])
  const { run, start, stop } = useLabRun()
  const change = (name: LabParam, text: string): void =>
    setQuery((last) => withField(last, name, text), { replace: true })
  const running = run?.state === 'running'
  return (
    <div className="stack">
      <p className="small">
        <Link href="/learn">Learn</Link>
      </p>
      <header className="page-head">
        <h1>Attack lab</h1>
        <p className="quiet small grow">
          Members train one model on handwritten digits while some of them lie. Which rule for merging holds?
        </p>
      </header>
      <LabForm setting={setting} textOf={(name) => fieldText(query, name)} problems={problems} onChange={change} />
      <div className="row row-wrap">
        {running ? (
          <Button icon={<Square aria-hidden="true" />} onClick={stop}>
            Stop
          </Button>
        ) : (
          <Button
            look="primary"
            icon={<FlaskConical aria-hidden="true" />}
            disabled={problems.length > 0}
            onClick={() => start(setting)}
          >
            Run
          </Button>
        )}
        <Progress run={run} problems={problems.length} />
      </div>
      {run === null ? (
        <Panel title="Curves">
          <Empty title="Nothing was run yet">
            A curve for each rule will grow here, then a table of what each kept and dropped. All of it is computed in
            this tab; nobody else takes part.
          </Empty>
        </Panel>
      ) : (
        <LabResults run={run} current={JSON.stringify(run.setting) === JSON.stringify(setting)} />
      )}
    </div>
  )
}

function Progress({ run, problems }: { readonly run: LabRun | null; readonly problems: number }) {
  if (run?.state === 'running') {
    const { round } = run.curves
    return (
      <>
        <progress className="lab-progress" aria-label="Rounds done" max={run.setting.rounds} value={round} />
        <span className="quiet small">
          Round {round} of {run.setting.rounds}
        </span>
      </>
    )
  }
  if (problems > 0)
    return <span className="small field-error">See the field marked above: it cannot run like this</span>
  return <span className="quiet small">Takes a few seconds, and no network</span>
}
