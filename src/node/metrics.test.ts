import { expect, it } from 'vitest'
import { Metrics, prometheusText } from './metrics.ts'

it('Metrics counts executions under the Prometheus names and keeps module labels bounded', async () => {
  const metrics = new Metrics()
  for (let index = 0; index < 100; index++) {
    metrics.executed({ module: `m${index}`, status: 'success', durationMs: 3, memoryBytesPeak: 65536 })
  }
  metrics.sample(() => [{ name: 'wasm_active_executions', help: 'Now', kind: 'gauge', value: 2 }])
  const text = prometheusText(await metrics.samples())
  expect(text).toContain('wasm_executions_total{status="success"} 100')
  expect(text).toContain('wasm_execution_duration_seconds_bucket{le="0.005",status="success"} 100')
  expect(text).toContain('wasm_execution_duration_seconds_count{status="success"} 100')
  expect(text).toContain('# TYPE wasm_execution_duration_seconds histogram')
  expect(text).toContain('wasm_memory_usage_bytes{module="other"} 65536')
  expect(text).toContain('wasm_active_executions 2')
  expect(text.match(/wasm_memory_usage_bytes\{/g)).toHaveLength(65)
})
