import { createPool } from '../../src/workers/sandbox/pool.ts'
import { superviseWebWorker } from '../../src/workers/sandbox/spawn.ts'
import { type Corpus, runCorpus } from '../support/corpus.ts'

/** Runs `/corpus.json` through the pool and the real worker, and posts the results to `/result`. */
async function main(): Promise<unknown> {
  const corpus = (await (await fetch('/corpus.json')).json()) as Corpus
  const pool = createPool({
    spawn: (events) => superviseWebWorker(new Worker('/sandbox-worker.js', { type: 'module' }), events),
    workers: 2,
  })
  const load = async (module: string): Promise<Uint8Array> => {
    const answer = await fetch(`/module/${encodeURIComponent(module)}`)
    return new Uint8Array(await answer.arrayBuffer())
  }
  const results = await runCorpus(pool, corpus, load)
  const { workersReplaced } = pool.stats()
  pool.close()
  return { results, workersReplaced }
}

main().then(
  (report) => post(report),
  (error: unknown) => post({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }),
)

function post(report: unknown): void {
  void fetch('/result', { method: 'POST', body: JSON.stringify(report) })
}
