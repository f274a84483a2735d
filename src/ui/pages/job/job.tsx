import { useRef, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { JobDetail, JobSummary } from '../../../node/contract.ts'
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
import '../../parts/table.css'
import './job.css'

/** One job, alive. */
export function Job({ jobId }: { readonly jobId: string }) {
  const watch = useJobWatch(jobId)
  return watch === null ? <PageSkeleton lines={16} /> : <WatchedJob watch={watch} jobId={jobId} />
}

function WatchedJob({ watch, jobId }: { readonly watch: JobWatch; readonly jobId: string }) {
  const { detail, summary, error } = useStore(watch.view, (view) => view)
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
  return <JobPage watch={watch} job={detail} summary={summary ?? detail} />
}

interface JobPageProps {
  readonly watch: JobWatch
  readonly job: JobDetail
  /** Newer than `job`: its counts come with every event. */
  readonly summary: JobSummary
}

function JobPage({ watch, job, summary }: JobPageProps) {
  const picture = useRef<HTMLCanvasElement>(null)
  const [by, setBy] = useState<ColourBy>('state')
  const [unit, setUnit] = useUnitInUrl(summary.counts.units)
  return (
    <div className="stack">
      <header className="page-head job-head">
        <h1 className="truncate">{job.name}</h1>
        <JobStateMark state={summary.state} />
        <span className="quiet small truncate grow">
          {summary.reason === null ? null : `${reasonWords(summary.reason)} · `}
          started <RelativeTime at={job.createdAt} />
        </span>
        <JobActions watch={watch} job={summary} picture={picture} />
      </header>
      <JobFigures job={summary} />
      <Progress counts={summary.counts} label={`Progress of ${job.name}`} />
      <div className={job.view.kind === 'none' ? 'stack' : 'job-halves'}>
        <Panel
          title="Units"
          actions={
            <Toggle label="Colour by peer" checked={by === 'peer'} onChange={(on) => setBy(on ? 'peer' : 'state')} />
          }
        >
          <div className="stack">
            <Legend counts={summary.counts} by={by} watch={watch} />
            <UnitGrid watch={watch} units={summary.counts.units} by={by} selected={unit} onOpen={setUnit} />
          </div>
        </Panel>
        <Results watch={watch} job={job} accepted={summary.counts.accepted} picture={picture} onOpen={setUnit} />
      </div>
      <Summary watch={watch} jobId={job.jobId} />
      <div className="job-halves">
        <ThroughputPlot job={job} />
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

interface ResultsProps {
  readonly watch: JobWatch
  readonly job: JobDetail
  readonly accepted: number
  readonly picture: React.RefObject<HTMLCanvasElement | null>
  readonly onOpen: (unit: number) => void
}

function Results({ watch, job, accepted, picture, onOpen }: ResultsProps) {
  switch (job.view.kind) {
    case 'tiles':
      return <Picture watch={watch} view={job.view} name={job.name} canvas={picture} />
    case 'image-files':
      return <ImageFiles watch={watch} onOpen={onOpen} />
    case 'table':
    case 'text':
      return <ResultsTable jobId={job.jobId} accepted={accepted} onOpen={onOpen} />
    case 'none':
      return null
  }
}

/** The open unit is part of the address: a reload and a shared link show it again. */
function useUnitInUrl(units: number): [number | null, (unit: number | null) => void] {
  const [params, setParams] = useSearchParams()
  const text = params.get('unit')
  const unit = text !== null && /^\d{1,9}$/.test(text) && Number(text) < units ? Number(text) : null
  const set = (next: number | null): void => setParams(next === null ? {} : { unit: String(next) }, { replace: true })
  return [unit, set]
}
