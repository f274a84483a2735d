import { useMemo } from 'react'
import { rate } from '../../format/number.ts'
import { Panel } from '../../parts/panel.tsx'
import { Plot } from '../../parts/plot.tsx'

interface ThroughputPlotProps {
  /** Units accepted in each step, oldest first. */
  readonly steps: readonly number[]
  readonly stepMs: number
  readonly perSecond: number
}

/** Units finished per second over the last minutes. */
export function ThroughputPlot({ steps, stepMs, perSecond }: ThroughputPlotProps) {
  const { x, values } = useMemo(() => {
    const step = stepMs / 1000
    return { x: steps.map((_, at) => (at - steps.length + 1) * step), values: steps.map((units) => units / step) }
  }, [steps, stepMs])
  return (
    <Panel title="Throughput" note="units accepted per second">
      <Plot
        label={`Throughput, now ${rate(perSecond, 'units')}`}
        x={x}
        series={[{ name: 'units/s', values }]}
        height={200}
        axis="ago"
      />
    </Panel>
  )
}
