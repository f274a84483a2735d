import type { SandboxStats } from '../workers/sandbox/contract.ts'
import type { JobSummary } from './contract.ts'
import type { SampledGauge } from './metrics.ts'

/** What a node says of its sandbox and its own jobs, for Prometheus and the page. */
export function nodeSamples(sandbox: SandboxStats, jobs: readonly JobSummary[]): SampledGauge[] {
  const { active, queued, modulesCached, workersReplaced } = sandbox
  const gauge = (name: string, help: string, value: number): SampledGauge => ({ name, help, kind: 'gauge', value })
  const sum = (pick: (job: JobSummary) => number): number => jobs.reduce((total, job) => total + pick(job), 0)
  return [
    gauge('wasm_active_executions', 'Units running here this moment', active),
    gauge('wasm_queued_executions', 'Units waiting for a sandbox worker', queued),
    gauge('wasm_modules_cached', 'Compiled modules kept', modulesCached),
    gauge('wasm_workers_replaced', 'Sandbox workers that were ended and replaced', workersReplaced),
    gauge('starling_jobs', 'Jobs this peer asked for', jobs.length),
    gauge(
      'starling_units_pending',
      'Units of own jobs not yet lent',
      sum(({ counts }) => counts.pending),
    ),
    gauge(
      'starling_units_leased',
      'Units of own jobs lent at this moment',
      sum(({ counts }) => counts.leased),
    ),
    gauge(
      'starling_units_accepted',
      'Units of own jobs accepted',
      sum(({ counts }) => counts.accepted),
    ),
  ]
}
