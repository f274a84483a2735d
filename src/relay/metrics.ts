import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { MetricSample } from '../net/network.ts'
import { prometheusText } from '../node/metrics.ts'

/** A page's files are answered in under a millisecond; the upper end is for a machine under load. */
const DURATION_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2]

export interface RelayMetricsInit {
  readonly connections: () => number
  readonly webSockets: () => number
  /** Figures of the libp2p host, asked for at every scrape. */
  readonly hostSamples: () => readonly MetricSample[]
}

/** What `/metrics` shows: the process, HTTP, and the libp2p host. */
export class RelayMetrics {
  readonly #registry = new Registry()
  readonly #requests: Counter<'route' | 'status'>
  readonly #duration: Histogram<'route'>
  readonly #upgrades: Counter<'result'>
  readonly #hostSamples: () => readonly MetricSample[]

  constructor(init: RelayMetricsInit) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#requests = new Counter({
      name: 'relay_http_requests_total',
      help: 'HTTP requests answered, by route and status',
      labelNames: ['route', 'status'],
      registers,
    })
    this.#duration = new Histogram({
      name: 'relay_http_request_duration_seconds',
      help: 'Time from the request to the end of the answer',
      labelNames: ['route'],
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    })
    this.#upgrades = new Counter({
      name: 'relay_websocket_upgrades_total',
      help: 'WebSocket upgrades, by what became of them',
      labelNames: ['result'],
      registers,
    })
    gauge('relay_http_connections', 'Open TCP connections', init.connections)
    gauge('relay_websocket_connections', 'Open WebSockets', init.webSockets)
    this.#hostSamples = init.hostSamples

    function gauge(name: string, help: string, read: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    }
  }

  answered(route: string, status: number, durationSeconds: number): void {
    this.#requests.inc({ route, status: String(status) })
    this.#duration.observe({ route }, durationSeconds)
  }

  upgraded(result: 'accepted' | 'refused'): void {
    this.#upgrades.inc({ result })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    const host = this.#hostSamples().map(({ kind, labels = {}, ...rest }) => ({ ...rest, type: kind, labels }))
    return `${await this.#registry.metrics()}${prometheusText(host)}`
  }
}
