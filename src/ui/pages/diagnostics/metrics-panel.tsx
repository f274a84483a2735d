import { useEffect, useState } from 'react'
import { count, significant } from '../../format/number.ts'
import { Field } from '../../parts/controls.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Plot } from '../../parts/plot.tsx'
import {
  type MetricFamily,
  type MetricHistory,
  metricHistory,
  SERIES_PER_FAMILY_MAX,
} from '../../state/metric-history.ts'
import { useNode } from '../../state/node-context.ts'
import { useStore } from '../../state/store.ts'

/** Shown until another choice: what a lender looks at first. */
const FIRST = 'wasm_executions_total'

/** The peer's metrics under the names Prometheus scrapes, over time. */
export function MetricsPanel() {
  const node = useNode()
  const history = useStore(metricHistory(node), (value) => value)
  const [chosen, setChosen] = useState<string | null>(null)
  const names = [...history.families.keys()].sort()
  const name = chosen ?? (names.includes(FIRST) ? FIRST : (names[0] ?? ''))
  const family = history.families.get(name)
  useEffect(() => {
    if (chosen !== null && names.length > 0 && !names.includes(chosen)) setChosen(null)
  }, [chosen, names])
  return (
    <Panel title="Metrics" note="since this page was first opened">
      <div className="stack">
        <Field label="Metric" note={family?.help}>
          {(ids) => (
            <select {...ids} className="input mono" value={name} onChange={(event) => setChosen(event.target.value)}>
              {names.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <div className="metric-plot">
          {family === undefined ? (
            <p className="quiet small">Nothing was counted yet.</p>
          ) : (
            <FamilyPlot family={family} history={history} />
          )}
        </div>
        <details>
          <summary>All current values ({count(names.length)} metrics)</summary>
          <MetricValues history={history} names={names} />
        </details>
      </div>
    </Panel>
  )
}

function FamilyPlot({ family, history }: { readonly family: MetricFamily; readonly history: MetricHistory }) {
  const all = [...family.series.values()]
  const series = all
    .slice(0, SERIES_PER_FAMILY_MAX)
    .map(({ labels, values }) => ({ name: labels || family.name, values }))
  const last = series.map(({ name, values }) => `${name} ${significant(values.at(-1) ?? 0)}`).join(', ')
  return (
    <>
      <Plot label={`${family.name}: ${last}`} x={history.times} series={series} height={200} format={count} />
      {all.length > series.length ? (
        <p className="quiet small">
          The first {series.length} of {all.length} lines are drawn.
        </p>
      ) : null}
    </>
  )
}

function MetricValues({ history, names }: { readonly history: MetricHistory; readonly names: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="metric-values mono small" tabIndex={0} aria-label="Current values">
      {names.flatMap((name) =>
        [...(history.families.get(name)?.series.values() ?? [])].map(({ labels, values }) => (
          <p key={`${name} ${labels}`}>
            {name}
            {labels === '' ? '' : `{${labels}}`} {values.at(-1) ?? '–'}
          </p>
        )),
      )}
    </section>
  )
}
