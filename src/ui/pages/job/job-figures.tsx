import type { JobSummary } from '../../../node/contract.ts'
import { count, duration, money, percentOf, plural, rate } from '../../format/number.ts'
import { isFinished } from '../../format/states.ts'
import { clock } from '../../format/time.ts'
import { Figure, Figures } from '../../parts/panel.tsx'

/** Is it going, when is it done, can I trust it, what does it cost. */
export function JobFigures({ job }: { readonly job: JobSummary }) {
  const { counts } = job
  return (
    <Figures>
      <Figure
        label="Done"
        value={percentOf(counts.accepted, counts.units)}
        note={`${count(counts.accepted)} of ${plural(counts.units, 'unit')}`}
      />
      <Figure
        label="Verified"
        value={percentOf(counts.verified, counts.accepted)}
        note={`by ${plural(job.executors, 'executor')}${counts.failed > 0 ? ` · ${count(counts.failed)} failed` : ''}`}
        title="Two executors' signed receipts agree, or the unit was recomputed here"
      />
      {isFinished(job) ? <Took job={job} /> : <TimeLeft job={job} />}
      <Figure label="Cost so far" value={money(job.costMicro)} note={`at most ${money(job.costMaxMicro)}`} />
    </Figures>
  )
}

function TimeLeft({ job }: { readonly job: JobSummary }) {
  const { etaMs, unitsPerSecond } = job
  if (etaMs === null) return <Figure label="Time left" value="–" note={rate(unitsPerSecond, 'units')} />
  const spread = `${duration(etaMs.low)} to ${duration(etaMs.high)}`
  return (
    <Figure
      label="Time left"
      value={duration(etaMs.middle)}
      note={`${spread} · ${rate(unitsPerSecond, 'u')}`}
      title={`Between ${clock(Date.now() + etaMs.low)} and ${clock(Date.now() + etaMs.high)}`}
    />
  )
}

function Took({ job }: { readonly job: JobSummary }) {
  if (job.finishedAt === null) return <Figure label="Took" value="–" />
  const ms = Math.max(1, job.finishedAt - job.createdAt)
  return <Figure label="Took" value={duration(ms)} note={rate(job.counts.accepted / (ms / 1000), 'units')} />
}
