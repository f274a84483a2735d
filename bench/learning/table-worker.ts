/** Runs cells of the table, one after the other, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { type LabCase, labRounds } from '../../src/core/learning/lab.ts'
import { loadKernel } from '../../src/workers/aggregation/load.node.ts'
import { loadDigits } from './digits.ts'
import { SparseMlp } from './sparse-mlp.ts'
import { TERMS } from './table-rules.ts'

const learner = new SparseMlp(workerData as Uint8Array<ArrayBuffer>, loadDigits('train'), loadDigits('t10k'))
const options = { learner, kernel: await loadKernel(), scoreEvery: TERMS.rounds }
parentPort?.on('message', (experiment: LabCase) => {
  const started = performance.now()
  let accuracy = 0
  for (const { score } of labRounds(experiment, TERMS, options)) accuracy = score?.accuracy ?? 0
  parentPort?.postMessage({ accuracy, seconds: (performance.now() - started) / 1000 })
})
