import type { SandboxPool } from '../../src/workers/sandbox/contract.ts'
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
  const hang = await hangAndRecover(pool, corpus)
  pool.close()
  return { results, workersReplaced, hang }
}

/** A unit that never ends, with others beside it: how it ended, and how many of the others came back. */
async function hangAndRecover(pool: SandboxPool, corpus: Corpus): Promise<{ error: string; others: number }> {
  const echo = corpus.units.find(({ id }) => id === 'fixture/echo-0')
  const loop = corpus.units.find(({ id }) => id === 'fixture/loop-0')
  if (echo === undefined || loop === undefined) throw new Error('The corpus lacks the fixture')
  const load = async (module: string) => new Uint8Array(await (await fetch(`/module/${module}`)).arrayBuffer())
  const endless = { ...loop, limits: { ...loop.limits, gasMax: String(2n ** 45n), wallMsMax: 1_000 } }
  const [hung, ...others] = await runCorpus(
    pool,
    { modules: ['fixture'], units: [endless, ...Array(20).fill(echo)] },
    load,
  )
  return { error: hung?.error ?? 'none', others: others.filter(({ error }) => error === null).length }
}

main().then(
  (report) => post(report),
  (error: unknown) => post({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }),
)

function post(report: unknown): void {
  void fetch('/result', { method: 'POST', body: JSON.stringify(report) })
}
