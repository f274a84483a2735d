import { REFERENCE_KERNEL } from '../../src/core/learning/aggregate-reference.ts'
import { createAggregator, directAggregator } from '../../src/workers/aggregation/aggregator.ts'
import { superviseAggregator } from '../../src/workers/aggregation/spawn.ts'
import { runAggregates } from '../support/aggregates.ts'

/** Runs every case in the real worker, and with the plain loops, each in an order of its own, and posts the outcomes to `/result`. */
async function main(): Promise<unknown> {
  const aggregator = createAggregator({
    spawn: (events) => superviseAggregator(new Worker('/aggregation-worker.js', { type: 'module' }), events),
  })
  const kernel = await runAggregates(aggregator, 17)
  aggregator.close()
  return { kernel, plain: await runAggregates(directAggregator(REFERENCE_KERNEL), 29) }
}

main().then(
  (report) => post(report),
  (error: unknown) => post({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }),
)

function post(report: unknown): void {
  void fetch('/result', { method: 'POST', body: JSON.stringify(report) })
}
