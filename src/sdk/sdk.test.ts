import { describe, expect, it } from 'vitest'
import type { JobDetail, JobSpec, JobSummary, NodeApi, NodeEvent, ResultItem } from '../node/contract.ts'
import { RESULTS_PER_CALL } from './limits.ts'
import { Starling } from './starling.ts'

const MODULE = new Uint8Array([0, 97, 115, 109])

function resultOf(unit: number): ResultItem {
  const outcome = { exitCode: 0, trap: null, stdout: new Uint8Array([unit]), stderr: new Uint8Array(), files: [] }
  return { unit, outcome, executor: 'peer', agreeing: 2 }
}

/** The part of a node that a run uses; the test accepts units and ends the job by hand. */
class HandNode {
  readonly specs: JobSpec[] = []
  readonly accepted: ResultItem[] = []
  readonly calls: string[] = []
  state: JobSummary['state'] = 'running'
  abi: JobSpec['abi'] | null = 'wasi-command'
  refuse: Error | null = null
  quiet = false
  #listeners = new Map<number, (event: NodeEvent) => void>()

  get listening(): number {
    return this.#listeners.size
  }

  get summary(): JobSummary {
    const counts = {
      units: 9,
      pending: 0,
      leased: 0,
      verifying: 0,
      accepted: this.accepted.length,
      verified: 0,
      unsuccessful: 0,
      failed: 0,
    }
    return { jobId: 'job-1', name: 'job', state: this.state, reason: null, counts } as unknown as JobSummary
  }

  accept(...units: number[]): void {
    this.accepted.push(...units.map(resultOf))
    this.tell()
  }

  end(state: JobSummary['state']): void {
    this.state = state
    this.tell()
  }

  tell(): void {
    if (this.quiet) return
    for (const listener of this.#listeners.values()) {
      listener({ type: 'job', jobId: 'another', summary: { ...this.summary, state: 'failed' } })
      listener({ type: 'job', jobId: 'job-1', summary: this.summary })
    }
  }

  readonly api = {
    subscribe: async (listener: (event: NodeEvent) => void) => {
      this.#listeners.set(1, listener)
      return 1
    },
    unsubscribe: async (id: number) => void this.#listeners.delete(id),
    inspectModule: async () => ({ abi: this.abi }),
    submitJob: async (spec: JobSpec) => {
      if (this.refuse !== null) throw this.refuse
      this.specs.push(spec)
      // The first events can overtake the answer.
      this.tell()
      return 'job-1'
    },
    cancelJob: async () => this.end('cancelled'),
    job: async () => this.summary as JobDetail,
    results: async (_job: string, cursor: number, max: number) => {
      this.calls.push(`results ${cursor}`)
      return this.accepted.slice(cursor, cursor + max)
    },
  } as unknown as NodeApi

  readonly starling = new Starling(this.api, async () => undefined)
}

const units = async (items: AsyncIterable<ResultItem>): Promise<number[]> => {
  const seen: number[] = []
  for await (const { unit } of items) seen.push(unit)
  return seen
}

describe('run', () => {
  it('yields every accepted result once, in the order of acceptance, and ends with the job', async () => {
    const node = new HandNode()
    const run = node.starling.run({ module: MODULE, inputs: ['a'] })
    const seen = units(run)
    await run.jobId
    node.accept(2, 0)
    node.accept(...Array.from({ length: RESULTS_PER_CALL * 2 }, (_, i) => i + 3))
    node.accept(1)
    node.end('done')
    const all = await seen
    expect(all.slice(0, 3)).toEqual([2, 0, 3])
    expect(all).toHaveLength(RESULTS_PER_CALL * 2 + 3)
    expect(new Set(all).size).toBe(all.length)
    expect((await run.done).state).toBe('done')
    expect(node.listening).toBe(0)
  })

  it('orders results on request, and gives those after a gap at the end', async () => {
    const node = new HandNode()
    const run = node.starling.run({ module: MODULE, inputs: ['a'] })
    const seen = units(run.ordered())
    await run.jobId
    node.accept(2, 1, 0, 7, 5)
    node.end('done')
    expect(await seen).toEqual([0, 1, 2, 5, 7])
  })

  it('tells of progress until the job ends', async () => {
    const node = new HandNode()
    const run = node.starling.run({ module: MODULE, inputs: ['a'] })
    const accepted: number[] = []
    run.onProgress(({ counts }) => accepted.push(counts.accepted))
    await run.jobId
    node.accept(0)
    node.accept(1)
    node.end('done')
    await run.done
    expect(accepted.at(-1)).toBe(2)
    expect(accepted).toEqual([...accepted].sort())
    expect(run.summary?.state).toBe('done')
  })

  it('throws from the iteration when the job fails, after what was accepted', async () => {
    const node = new HandNode()
    const run = node.starling.run({ module: MODULE, inputs: ['a'] })
    await run.jobId
    node.accept(4)
    node.end('failed')
    const seen: number[] = []
    const iterate = async () => {
      for await (const { unit } of run) seen.push(unit)
    }
    await expect(iterate()).rejects.toMatchObject({
      name: 'JobEndedError',
      details: { state: 'failed', accepted: 1, units: 9 },
    })
    expect(seen).toEqual([4])
  })

  it('ends quietly when cancelled by the same program, with an error when by another', async () => {
    const own = new HandNode()
    const run = own.starling.run({ module: MODULE, inputs: ['a'] })
    await run.cancel()
    expect(await units(run)).toEqual([])
    const other = new HandNode()
    const cancelled = other.starling.run({ module: MODULE, inputs: ['a'] })
    await cancelled.jobId
    other.end('cancelled')
    await expect(units(cancelled)).rejects.toMatchObject({ name: 'JobEndedError' })
  })

  it('notices the end although the event that told of it was lost', async () => {
    const node = new HandNode()
    node.quiet = true
    const run = node.starling.run({ module: MODULE, inputs: ['a'] })
    const seen = units(run)
    await run.jobId
    node.accept(3)
    node.end('done')
    expect(await seen).toEqual([3])
  })

  it('passes on why the node refused the job', async () => {
    const node = new HandNode()
    node.refuse = new RangeError('job.inputs has 0 entries')
    const run = node.starling.run({ module: MODULE, inputs: [] })
    await expect(units(run)).rejects.toThrow('job.inputs has 0 entries')
    await expect(run.done).rejects.toThrow('job.inputs has 0 entries')
    const neither = new HandNode()
    neither.abi = null
    await expect(units(neither.starling.run({ module: MODULE, inputs: ['a'] }))).rejects.toMatchObject({
      name: 'InvalidMessageError',
      details: { field: 'module' },
    })
  })

  it('makes whole inputs of short ones, and finds the ABI itself', async () => {
    const node = new HandNode()
    node.abi = 'reactor'
    const run = node.starling.run({ module: MODULE, name: 'sum', inputs: ['ä', new Uint8Array([1]), { args: ['-x'] }] })
    await run.jobId
    expect(node.specs).toMatchObject([{ name: 'sum', abi: 'reactor', view: { kind: 'text' }, sharedFiles: [] }])
    expect(node.specs[0]?.inputs).toEqual([
      { args: [], env: [], stdin: new Uint8Array([195, 164]), files: [] },
      { args: [], env: [], stdin: new Uint8Array([1]), files: [] },
      { args: ['-x'], env: [], stdin: new Uint8Array(), files: [] },
    ])
    await run.cancel()
  })
})
