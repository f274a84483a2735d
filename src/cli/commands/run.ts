import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { JobOptions, JobSummary } from '../../node/contract.ts'
import type { Run } from '../../sdk/run.ts'
import { admissionText } from '../admission-text.ts'
import { JobFailedError, NetworkUnavailableError, UsageError } from '../errors.ts'
import { type InputAs, readInputs } from '../inputs.ts'
import { progressText, resultText } from '../job-progress.ts'
import { MODULE_BYTES_MAX } from '../limits.ts'
import { folderOutput, pipeOutput } from '../outputs.ts'
import type { Context } from './context.ts'

export interface RunOptions {
  readonly relay: string
  readonly inputs: string
  readonly inputAs: InputAs
  readonly lines: boolean
  /** A folder, or `-` for standard output. */
  readonly out: string
  readonly ordered: boolean
  readonly name?: string
  readonly files: readonly string[]
  readonly job: Partial<JobOptions>
  readonly waitSeconds: number
  readonly dataDir: string
}

/** Reads a file the person named. @throws {@link UsageError} When it cannot be read, or is too large. */
export function readFile(path: string, what: string): Uint8Array {
  if (!existsSync(path)) throw new UsageError(`${what} is ${path}: no such file`, { field: what, value: path })
  const { size } = statSync(path)
  if (size > MODULE_BYTES_MAX) {
    throw new UsageError(`${what} is ${path} of ${size} bytes, the limit is ${MODULE_BYTES_MAX}`, {
      field: what,
      value: size,
      limit: MODULE_BYTES_MAX,
    })
  }
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    throw new UsageError(`${what} is ${path}, which cannot be read: ${(error as Error).message}`, {
      field: what,
      value: path,
    })
  }
}

/**
 * `starling run MODULE`: gives a job to the room and writes its results as they come.
 *
 * @throws {@link JobFailedError} When a unit failed or ended with an error; {@link NetworkUnavailableError} when nobody takes the job.
 */
export async function runCommand(modulePath: string, options: RunOptions, context: Context): Promise<void> {
  const { terminal, lifetime } = context
  const module = readFile(modulePath, 'MODULE')
  const files = options.files.map((path) => ({ path: basename(path), content: readFile(path, '--file') }))
  const inputs = await readInputs({ source: options.inputs, as: options.inputAs, lines: options.lines })
  const output = options.out === '-' ? pipeOutput(terminal) : folderOutput(options.out, inputs.length)

  // Loaded only now: libp2p takes a second, and a wrong line of input should not wait for it.
  const { join } = await import('../../sdk/join.node.ts')
  const started = performance.now()
  const starling = await lifetime.unlessInterrupted(join({ relay: options.relay, dataDir: options.dataDir }))
  await lifetime.add('the peer', () => starling.leave())
  const outside = admissionText(await starling.node.admission())
  if (outside !== null) terminal.complain(`This peer is ${outside}`)
  const run = starling.run({
    module,
    inputs,
    name: options.name ?? basename(modulePath).replace(/\.wasm$/, ''),
    files,
    options: options.job,
  })
  await lifetime.add('the job', async () => {
    // Only what still runs can be cancelled; by then it may never have been taken.
    if (run.summary === null || run.summary.state === 'running') await run.cancel().catch(() => undefined)
  })
  run.onProgress((summary) => terminal.progress(progressText(summary)))

  const broken = new Promise<void>((resolve) => terminal.onBroken(resolve))
  const results = async (): Promise<void> => {
    for await (const item of options.ordered ? run.ordered() : run) {
      if (terminal.broken) return
      await output.write(item)
    }
  }
  await lifetime.unlessInterrupted(Promise.race([results(), broken, someoneTakes(run, options.waitSeconds)]))
  // `… | head` has what it wanted.
  if (terminal.broken) return
  const summary = await run.done
  output.receipts(await starling.node.exportReceipts(await run.jobId))
  terminal.endProgress()
  terminal.say(resultText(summary, performance.now() - started))
  check(summary)
}

/** Rejects when no executor has delivered anything for too long at the start; otherwise never settles. */
async function someoneTakes(run: Run, waitSeconds: number): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const summary = run.summary
    if (summary !== null && (summary.executors > 0 || summary.counts.leased > 0 || summary.state !== 'running')) return
    reject(
      new NetworkUnavailableError(
        `No peer took the job within ${waitSeconds} s: none lends, or the relay is alone (--wait allows longer)`,
        {
          field: '--wait',
          value: waitSeconds,
        },
      ),
    )
  }, waitSeconds * 1_000)
  run.done.finally(() => clearTimeout(timer)).catch(() => undefined)
  return await promise
}

function check({
  counts,
  problems = [],
}: JobSummary & { readonly problems?: readonly { readonly example: string }[] }): void {
  const bad = counts.unsuccessful + (counts.units - counts.accepted)
  if (bad === 0) return
  const example = problems[0] === undefined ? '' : `; the first: ${problems[0].example}`
  throw new JobFailedError(`${bad} of ${counts.units} units failed or ended with an error${example}`, {
    failed: bad,
    units: counts.units,
  })
}
