import { useCallback, useRef, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { JobDetail } from '../../../node/contract.ts'
import { reasonWords } from '../../format/reasons.ts'
import { Toggle } from '../../parts/controls.tsx'
import { Empty, Notice, PageSkeleton, Panel } from '../../parts/panel.tsx'
import { Progress } from '../../parts/progress.tsx'
import { JobStateMark } from '../../parts/state-mark.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import { useStore } from '../../state/store.ts'
import { useJobWatch } from '../../state/use-job-watch.ts'
import { Executors } from './executors.tsx'
import type { ColourBy } from './grid-painter.ts'
import { ImageFiles } from './image-files.tsx'
import { JobActions } from './job-actions.tsx'
import { JobFigures } from './job-figures.tsx'
import { Legend } from './legend.tsx'
import { Picture } from './picture.tsx'
import { Problems } from './problems.tsx'
import { ResultsTable } from './results-table.tsx'
import { Summary } from './summary.tsx'
import { Terms } from './terms.tsx'
import { ThroughputPlot } from './throughput-plot.tsx'
import { UnitGrid } from './unit-grid.tsx'
import { UnitSheet } from './unit-sheet.tsx'
import './job.css'

/** One job, alive. */
export function Job({ jobId }: { readonly jobId: string }) {
  const watch = useJobWatch(jobId)
  return watch === null ? <PageSkeleton lines={16} /> : <WatchedJob watch={watch} jobId={jobId} />
}

function WatchedJob({ watch, jobId }: { readonly watch: JobWatch; readonly jobId: string }) {
  const detail = useStore(watch.view, (view) => view.detail)
  const error = useStore(watch.view, (view) => view.error)
  if (detail === undefined && error !== null) {
    return (
      <Notice tone="error" title="The job could not be read">
        {error}. Starling keeps asking; reload the tab if it stays so.
      </Notice>
    )
  }
  if (detail === undefined) return <PageSkeleton lines={16} />
  if (detail === null) {
    return (
      <Empty whole title="This device has no such job" action={<Link href="/jobs">All jobs</Link>}>
        It was removed here, or given out from another device ({jobId.slice(0, 12)}…).
      </Empty>
    )
  }
  return <JobPage watch={watch} job={detail} />
}

interface JobPageProps {
  readonly watch: JobWatch
  readonly job: JobDetail
}

/** Renders about once a second; what changes oftener selects it from the watch by itself. */
function JobPage({ watch, job }: JobPageProps) {
  const picture = useRef<HTMLCanvasElement>(null)
  const [by, setBy] = useState<ColourBy>('state')
  const [unit, setUnit] = useUnitInUrl(job.counts.units)
  return (
    <div className="stack">
      <header className="page-head job-head">
        <h1 className="truncate">{job.name}</h1>
        <JobStanding watch={watch} createdAt={job.createdAt} />
        <JobActions watch={watch} jobId={job.jobId} name={job.name} picture={picture} />
      </header>
      <JobTop watch={watch} name={job.name} />
      <div className={job.view.kind === 'none' ? 'stack' : 'job-halves'}>
        <Panel
          title="Units"
          actions={
            <Toggle label="Colour by peer" checked={by === 'peer'} onChange={(on) => setBy(on ? 'peer' : 'state')} />
          }
        >
          <div className="stack">
            <Legend by={by} watch={watch} />
            <UnitGrid watch={watch} units={job.counts.units} by={by} selected={unit} onOpen={setUnit} />
          </div>
        </Panel>
        <Results watch={watch} job={job} picture={picture} onOpen={setUnit} />
      </div>
      <Summary watch={watch} jobId={job.jobId} />
      <div className="job-halves">
        <ThroughputPlot steps={job.throughput} stepMs={job.throughputStepMs} perSecond={job.unitsPerSecond} />
        <Problems problems={job.problems} />
      </div>
      <div className="job-halves job-terms">
        <Executors executors={job.executorStats} />
        <Terms job={job} />
      </div>
      <UnitSheet watch={watch} job={job} unit={unit} onClose={() => setUnit(null)} />
    </div>
  )
}

/** Running or not, and why. */
function JobStanding({ watch, createdAt }: { readonly watch: JobWatch; readonly createdAt: number }) {
  const state = useStore(watch.view, ({ summary }) => summary?.state ?? 'running')
  const why = useStore(watch.view, ({ summary }) => (summary?.reason ? `${reasonWords(summary.reason)} · ` : ''))
  return (
    <>
      <JobStateMark state={state} />
      <span className="quiet small truncate grow">
        {why}
        started <RelativeTime at={createdAt} />
      </span>
    </>
  )
}

function JobTop({ watch, name }: { readonly watch: JobWatch; readonly name: string }) {
  const summary = useStore(watch.view, (view) => view.summary)
  if (summary === null) return null
  return (
    <>
      <JobFigures job={summary} />
      <Progress counts={summary.counts} label={`Progress of ${name}`} />
    </>
  )
}

interface ResultsProps {
  readonly watch: JobWatch
  readonly job: JobDetail
  readonly picture: React.RefObject<HTMLCanvasElement | null>
  readonly onOpen: (unit: number) => void
}

function Results({ watch, job, picture, onOpen }: ResultsProps) {
  switch (job.view.kind) {
    case 'tiles':
      return <Picture watch={watch} view={job.view} name={job.name} canvas={picture} />
    case 'image-files':
      return <ImageFiles watch={watch} onOpen={onOpen} />
    case 'table':
    case 'text':
      return <ResultsTable watch={watch} jobId={job.jobId} onOpen={onOpen} />
    case 'none':
      return null
  }
}

/** The open unit is part of the address: a reload and a shared link show it again. */
function useUnitInUrl(units: number): [number | null, (unit: number | null) => void] {
  const [params, setParams] = useSearchParams()
  const text = params.get('unit')
  const unit = text !== null && /^\d{1,9}$/.test(text) && Number(text) < units ? Number(text) : null
  const set = useCallback(
    (next: number | null): void => setParams(next === null ? {} : { unit: String(next) }, { replace: true }),
    [setParams],
  )
  return [unit, set]
}
