import type { MetricSample, NodeApi } from '../../node/contract.ts'
import { METRIC_SAMPLES_MAX, METRICS_REFRESH_MS } from '../limits.ts'
import { createStore, type Store } from './store.ts'

/** One metric with one set of labels, over time. */
export interface MetricSeries {
  readonly labels: string
  readonly values: (number | null)[]
}

export interface MetricFamily {
  readonly name: string
  readonly help: string
  readonly type: MetricSample['type']
  readonly series: Map<string, MetricSeries>
}

export interface MetricHistory {
  /** Seconds since 1970 of each sample, oldest first. */
  readonly times: readonly number[]
  readonly families: ReadonlyMap<string, MetricFamily>
}

/** Lines that a plot can still tell apart. */
export const SERIES_PER_FAMILY_MAX = 6

const histories = new WeakMap<NodeApi, Store<MetricHistory>>()

/** Metrics since this page was first opened, sampled from then on; kept while the tab lives. */
export function metricHistory(node: NodeApi): Store<MetricHistory> {
  const known = histories.get(node)
  if (known !== undefined) return known
  const store = createStore<MetricHistory>({ times: [], families: new Map() })
  histories.set(node, store)
  const sample = async (): Promise<void> => {
    if (document.visibilityState === 'hidden') return
    const samples = await node.metrics().catch(() => null)
    if (samples !== null) store.set(addSamples(store.get(), samples, Date.now() / 1000))
  }
  void sample()
  setInterval(() => void sample(), METRICS_REFRESH_MS)
  return store
}

/** The history with one more point for each series; buckets of histograms are left to Prometheus. */
export function addSamples(history: MetricHistory, samples: readonly MetricSample[], atSeconds: number): MetricHistory {
  const times = [...history.times, atSeconds].slice(-METRIC_SAMPLES_MAX)
  const families = new Map(history.families)
  const before = Math.min(history.times.length, METRIC_SAMPLES_MAX - 1)
  const seen = new Set<MetricSeries>()
  for (const sample of samples) {
    if (sample.name.endsWith('_bucket')) continue
    const family = families.get(sample.name) ?? {
      name: sample.name,
      help: sample.help,
      type: sample.type,
      series: new Map<string, MetricSeries>(),
    }
    families.set(sample.name, family)
    const labels = Object.entries(sample.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')
    const series = family.series.get(labels) ?? { labels, values: new Array<number | null>(before).fill(null) }
    family.series.set(labels, series)
    push(series, sample.value)
    seen.add(series)
  }
  for (const family of families.values()) {
    for (const series of family.series.values()) if (!seen.has(series)) push(series, null)
  }
  return { times, families }
}

function push(series: MetricSeries, value: number | null): void {
  series.values.push(value)
  if (series.values.length > METRIC_SAMPLES_MAX) series.values.shift()
}
