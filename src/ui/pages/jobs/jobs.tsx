import { Plus } from 'lucide-react'
import { memo } from 'react'
import { Link } from 'wouter'
import type { JobSummary } from '../../../node/contract.ts'
import { count, duration, money, percentOf, plural, rate } from '../../format/number.ts'
import { reasonWords } from '../../format/reasons.ts'
import { isFinished } from '../../format/states.ts'
import { Empty } from '../../parts/panel.tsx'
import { Progress } from '../../parts/progress.tsx'
import { JobStateMark } from '../../parts/state-mark.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useSnapshot } from '../../state/node-context.ts'
import './jobs.css'

/** Every job given out from this device, newest first. */
export function Jobs() {
  const jobs = useSnapshot((snapshot) => snapshot.jobs, [])
  const newest = [...jobs].sort((a, b) => b.createdAt - a.createdAt)
  return (
    <>
      <header className="page-head">
        <h1 className="grow">Jobs</h1>
        <Link href="/run" className="button button-primary">
          <Plus aria-hidden="true" />
          Run a job
        </Link>
      </header>
      {newest.length === 0 ? (
        <Empty title="No jobs yet" action={<Link href="/run">Choose an example or bring your own program</Link>}>
          Jobs you give to the room appear here with their progress, results and receipts, and stay after a reload.
        </Empty>
      ) : (
        <ul className="jobs">
          {newest.map((job) => (
            <JobRow key={job.jobId} job={job} />
          ))}
        </ul>
      )}
    </>
  )
}

const JobRow = memo(function JobRow({ job }: { readonly job: JobSummary }) {
  const { counts } = job
  return (
    <li className="job-row">
      <div className="row">
        <Link href={`/jobs/${job.jobId}`} className="job-row-name truncate">
          {job.name}
        </Link>
        <JobStateMark state={job.state} />
        {job.reason === null ? null : <span className="quiet small truncate">{reasonWords(job.reason)}</span>}
        <span className="grow" />
        <span className="quiet small job-row-when">
          <RelativeTime at={job.createdAt} />
        </span>
      </div>
      <Progress counts={counts} label={`Progress of ${job.name}`} />
      <p className="quiet small job-row-facts">
        <span>
          {count(counts.accepted)} of {plural(counts.units, 'unit')}
        </span>
        <span>{percentOf(counts.verified, counts.accepted)} verified</span>
        <span>{plural(job.executors, 'executor')}</span>
        <span>{isFinished(job) ? took(job) : going(job)}</span>
        <span>{money(job.costMicro)}</span>
      </p>
    </li>
  )
})

function took(job: JobSummary): string {
  return job.finishedAt === null ? 'ended' : `took ${duration(job.finishedAt - job.createdAt)}`
}

function going(job: JobSummary): string {
  const left = job.etaMs === null ? '' : `, ${duration(job.etaMs.middle)} left`
  return rate(job.unitsPerSecond, 'units') + left
}
