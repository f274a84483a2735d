import { useEffect, useMemo, useState } from 'react'
import { exampleById } from '../../../../examples/catalog.ts'
import type { Example, ExampleSummary, ExampleValues, SummaryLine } from '../../../../examples/example.ts'
import type { UnitOutcome } from '../../../core/tasks/unit.ts'
import { Panel } from '../../parts/panel.tsx'
import { coalesce } from '../../state/coalesce.ts'
import { originOf } from '../../state/job-origins.ts'
import type { JobWatch } from '../../state/job-watch.ts'
import { Histogram } from './histogram.tsx'

/** Summing thousands of outcomes up again takes milliseconds; once in this time is often enough. */
const SUMMARY_REFRESH_MS = 2_000
/** Outcomes kept for it; with more, the sum says of how many it is. */
const OUTCOMES_MAX = 20_000

/** What all results together say; for jobs made of an example that knows how to combine them. */
export function Summary({ watch, jobId }: { readonly watch: JobWatch; readonly jobId: string }) {
  const origin = useMemo(() => originOf(jobId), [jobId])
  const example = origin === null ? null : exampleById(origin.example)
  const [summary, setSummary] = useState<ExampleSummary | null>(null)
  useEffect(() => {
    if (example === null || origin === null || example.summarize(origin.values, []) === null) return
    const outcomes: UnitOutcome[] = []
    const summing = coalesce(async () => setSummary(sum(example, origin.values, outcomes)), SUMMARY_REFRESH_MS)
    const stop = watch.followResults((items) => {
      const room = OUTCOMES_MAX - outcomes.length
      outcomes.push(...items.slice(0, room).map((item) => item.outcome))
      summing.request()
    })
    return () => {
      stop()
      summing.stop()
    }
  }, [watch, example, origin])
  if (summary === null) return null
  return (
    <Panel title="Together" note="from the results accepted so far">
      <div className="stack">
        <SummaryLines lines={summary.lines} />
        {summary.histogram === undefined ? null : <Histogram {...summary.histogram} />}
      </div>
    </Panel>
  )
}

/** Outcomes come from others: one that is not what the example writes must not take the page down. */
function sum(example: Example, values: ExampleValues, outcomes: readonly UnitOutcome[]): ExampleSummary {
  try {
    return example.summarize(values, outcomes) ?? { lines: [] }
  } catch {
    return { lines: [{ label: 'Cannot be summed up', value: 'a result is not what this example writes' }] }
  }
}

function SummaryLines({ lines }: { readonly lines: readonly SummaryLine[] }) {
  return (
    <dl className="facts facts-wide">
      {lines.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd className="summary-value">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
