import { describe, expect, it } from 'vitest'
import { METRIC_SAMPLES_MAX } from '../limits.ts'
import { addSamples, type MetricHistory } from './metric-history.ts'

const sample = (name: string, value: number, labels: Record<string, string> = {}) => ({
  name,
  help: '',
  type: 'gauge' as const,
  labels,
  value,
})

describe('addSamples', () => {
  it('keeps every series as long as the times, gaps included, and bounded', () => {
    let history: MetricHistory = { times: [], families: new Map() }
    for (let i = 0; i < METRIC_SAMPLES_MAX + 50; i++) {
      const samples = [sample('a', i)]
      if (i > 10 && i % 2 === 0) samples.push(sample('b', i, { status: 'ok' }))
      history = addSamples(history, samples, i)
    }
    expect(history.times).toHaveLength(METRIC_SAMPLES_MAX)
    expect(history.families.get('a')?.series.get('')?.values).toHaveLength(METRIC_SAMPLES_MAX)
    const gaps = history.families.get('b')?.series.get('status=ok')?.values ?? []
    expect(gaps).toHaveLength(METRIC_SAMPLES_MAX)
    expect(gaps.at(-1)).toBeNull()
    expect(gaps.at(-2)).toBe(METRIC_SAMPLES_MAX + 48)
  })

  it('leaves buckets of histograms out', () => {
    const history = addSamples({ times: [], families: new Map() }, [sample('x_seconds_bucket', 1)], 0)
    expect(history.families.size).toBe(0)
  })
})
