/**
 * `npm run learning:table [-- --workers N] [--document]`: runs every cell of the table that is not in out/learning-table yet and writes
 * docs/LEARNING.md. Cells are kept as they end, by the terms they were run with; `--document` only writes what is there. To be kind to a
 * machine with other work, start it with `nice`.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { TABLE_ATTACKS } from '../../src/core/learning/attacks.ts'
import type { LabCase } from '../../src/core/learning/lab.ts'
import { attackName } from '../../src/core/learning/lab-rules.ts'
import { compileLayer } from './sparse-mlp.ts'
import { cellKey, document } from './table-document.ts'
import { ROWS, SEEDS, SPLITS, TERMS } from './table-rules.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const DOCUMENT = join(ROOT, 'docs', 'LEARNING.md')

interface Cell {
  /** What the cell depends on; the name of its result. */
  readonly id: string
  readonly key: string
  readonly experiment: LabCase
}

const { values: options } = parseArgs({
  options: { workers: { type: 'string', default: '2' }, document: { type: 'boolean', default: false } },
})
const folder = join(ROOT, 'out', 'learning-table')
const kept = join(folder, 'cells.jsonl')
mkdirSync(folder, { recursive: true })

const cells: Cell[] = SPLITS.flatMap(({ name: split, alpha }) =>
  ROWS.flatMap(({ name, rule }) =>
    TABLE_ATTACKS.flatMap((attack) =>
      SEEDS.map((seed) => {
        const experiment = { rule, attack, alpha, seed }
        const id = createHash('sha256').update(JSON.stringify({ experiment, TERMS })).digest('hex').slice(0, 16)
        return { id, key: cellKey(split, name, attackName(attack), seed), experiment }
      }),
    ),
  ),
)

const results = new Map<string, number>()
if (existsSync(kept)) {
  for (const line of readFileSync(kept, 'utf8').split('\n').filter(Boolean)) {
    const { id, accuracy } = JSON.parse(line) as { readonly id: string; readonly accuracy: number }
    results.set(id, accuracy)
  }
}

// Seed by seed: the first is a whole table already.
const missing = options.document
  ? []
  : cells.filter(({ id }) => !results.has(id)).sort((a, b) => a.experiment.seed - b.experiment.seed)
process.stderr.write(`${cells.length} cells, ${missing.length} to run, seeds ${SEEDS.join(', ')}\n`)
if (missing.length > 0) {
  const layer = compileLayer()
  const queue = missing.values()
  await Promise.all(Array.from({ length: Number(options.workers) }, () => work(layer, queue)))
}
const known = new Map(cells.flatMap(({ id, key }) => (results.has(id) ? [[key, results.get(id) as number]] : [])))
writeFileSync(DOCUMENT, document(known as Map<string, number>))
process.stderr.write(`${DOCUMENT} has ${known.size} of ${cells.length} cells\n`)

/** One thread, cell after cell. */
async function work(layer: Uint8Array<ArrayBuffer>, queue: Iterator<Cell>): Promise<void> {
  const worker = new Worker(new URL('./table-worker.ts', import.meta.url), { workerData: layer })
  try {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const { id, key, experiment } = next.value
      worker.postMessage(experiment)
      // An error of the thread ends the wait too.
      const [answer] = await once(worker, 'message')
      const { accuracy, seconds } = answer as { readonly accuracy: number; readonly seconds: number }
      results.set(id, accuracy)
      appendFileSync(kept, `${JSON.stringify({ id, key, accuracy, seconds })}\n`)
      process.stderr.write(`${key}: ${accuracy.toFixed(4)} in ${seconds.toFixed(1)} s\n`)
    }
  } finally {
    await worker.terminate()
  }
}
