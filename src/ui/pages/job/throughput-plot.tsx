import { useMemo } from 'react'
import type { JobDetail } from '../../../node/contract.ts'
import { rate } from '../../format/number.ts'
import { Panel } from '../../parts/panel.tsx'
import { Plot } from '../../parts/plot.tsx'

/** Units finished per second over the last minutes. */
export function ThroughputPlot({ job }: { readonly job: JobDetail }) {
  const { throughput, throughputStepMs } = job
  const { x, values } = useMemo(() => {
    const step = throughputStepMs / 1000
    return {
      x: throughput.map((_, at) => (at - throughput.length + 1) * step),
      values: throughput.map((units) => units / step),
    }
  }, [throughput, throughputStepMs])
  return (
    <Panel title="Throughput" note="units accepted per second">
      <Plot
        label={`Throughput, now ${rate(job.unitsPerSecond, 'units')}`}
        x={x}
        series={[{ name: 'units/s', values }]}
        height={200}
        relativeTime
      />
    </Panel>
  )
}
