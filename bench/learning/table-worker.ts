/** Runs cells of the table, one after the other, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadKernel } from '../../src/workers/aggregation/load.node.ts'
import { loadDigits } from './digits.ts'
import { type Experiment, runExperiment } from './experiment.ts'
import { SparseMlp } from './sparse-mlp.ts'
import { TERMS } from './table-rules.ts'

const train = loadDigits('train')
const mlp = new SparseMlp(workerData as Uint8Array<ArrayBuffer>, train, loadDigits('t10k'))
const data = { labels: train.labels, mlp, kernel: await loadKernel() }
parentPort?.on('message', (experiment: Experiment) => {
  const started = performance.now()
  const accuracy = runExperiment(experiment, TERMS, data)
  parentPort?.postMessage({ accuracy, seconds: (performance.now() - started) / 1000 })
})
