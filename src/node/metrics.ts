import type { MetricSample } from './contract.ts'
import { Counter, Gauge, Histogram, Registry } from './prometheus.ts'

/** Upper bounds in seconds: from a tiny unit to the default wall-clock limit. */
const DURATION_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]

/**
 * Module labels kept; executions of further modules are counted under `other`, so that a stream of new modules cannot grow
 * the registry without bound.
 */
const MODULE_LABELS_MAX = 64

export interface ExecutionSample {
  readonly module: string
  readonly status: string
  readonly durationMs: number
  readonly memoryBytesPeak: number
}

/** Figures that exist elsewhere and are read when somebody looks. */
export interface SampledGauge {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** What a peer counts, under Prometheus names. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #executions: Counter
  readonly #durations: Histogram
  readonly #memory: Gauge
  readonly #modules = new Set<string>()
  readonly #samplers: (() => readonly SampledGauge[])[] = []

  constructor() {
    const registers = [this.#registry]
    this.#executions = new Counter({
      name: 'wasm_executions_total',
      help: 'Units executed here, by how they ended',
      labelNames: ['status'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'wasm_execution_duration_seconds',
      help: 'Time units took in the sandbox',
      labelNames: ['status'],
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    })
    this.#memory = new Gauge({
      name: 'wasm_memory_usage_bytes',
      help: 'Highest linear memory a unit of the module reached here',
      labelNames: ['module'],
      registers,
    })
  }

  executed(sample: ExecutionSample): void {
    this.#executions.inc({ status: sample.status })
    this.#durations.observe({ status: sample.status }, sample.durationMs / 1000)
    if (sample.memoryBytesPeak === 0) return
    const module = this.#moduleLabel(sample.module)
    const peaks = this.#memoryPeaks
    const peak = Math.max(peaks.get(module) ?? 0, sample.memoryBytesPeak)
    peaks.set(module, peak)
    this.#memory.set({ module }, peak)
  }

  readonly #memoryPeaks = new Map<string, number>()

  /** Adds a source of figures that is read at every {@link samples}. */
  sample(sampler: () => readonly SampledGauge[]): void {
    this.#samplers.push(sampler)
  }

  async samples(): Promise<MetricSample[]> {
    // prom-client types neither the histogram's sub-names nor its numeric labels.
    const own = (await this.#registry.getMetricsAsJSON()) as unknown as readonly JsonMetric[]
    const counted = own.flatMap((metric) =>
      metric.values.map((each) => ({
        name: each.metricName ?? metric.name,
        help: metric.help,
        type: metric.type,
        labels: Object.fromEntries(Object.entries(each.labels).map(([key, value]) => [key, String(value)])),
        value: each.value,
      })),
    )
    const sampled = this.#samplers.flatMap((sampler) =>
      sampler().map((each) => ({ ...each, type: each.kind, labels: each.labels ?? {} })),
    )
    return [...counted, ...sampled]
  }

  #moduleLabel(module: string): string {
    if (this.#modules.has(module)) return module
    if (this.#modules.size >= MODULE_LABELS_MAX) return 'other'
    this.#modules.add(module)
    return module
  }
}

interface JsonMetric {
  readonly name: string
  readonly help: string
  readonly type: MetricSample['type']
  readonly values: readonly {
    readonly metricName?: string
    readonly labels: Readonly<Record<string, string | number>>
    readonly value: number
  }[]
}

/**
 * The text format that Prometheus scrapes.
 *
 * Source: Prometheus exposition formats, text format 0.0.4.
 */
export function prometheusText(samples: readonly MetricSample[]): string {
  const lines: string[] = []
  const described = new Set<string>()
  for (const { name, help, type, labels, value } of samples) {
    const family = type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name
    if (!described.has(family)) {
      described.add(family)
      lines.push(`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`)
    }
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`)
    lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`)
  }
  return `${lines.join('\n')}\n`
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
