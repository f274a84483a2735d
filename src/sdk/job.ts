import type { UnitInput } from '../core/tasks/unit.ts'
import type { JobOptions, JobSpec, ResultView } from '../node/contract.ts'

/** One unit's input: text or bytes are its standard input; an object names what it needs. */
export type Input = string | Uint8Array | Partial<UnitInput>

/** A job as a program writes it; everything but the module and the inputs has a default. */
export interface Job {
  /** A WebAssembly module: a WASI preview 1 command, or a reactor that exports `starling_run`. */
  readonly module: Uint8Array
  /** One for each unit. */
  readonly inputs: Iterable<Input>
  /** Shown to those who compute it, and the program's `argv[0]`. @default 'job' */
  readonly name?: string
  /** @default Read from the module's exports. */
  readonly abi?: JobSpec['abi']
  /** Files every unit sees under `/in`; each executor fetches them once. */
  readonly files?: readonly { readonly path: string; readonly content: Uint8Array }[]
  /** How a page shows the results. @default text */
  readonly view?: ResultView
  /** Replicas, quorum, limits, prices. */
  readonly options?: Partial<JobOptions>
}

const encoder = new TextEncoder()

/** The whole input that a short form stands for. */
export function unitInput(input: Input): UnitInput {
  if (typeof input === 'string') return { args: [], env: [], stdin: encoder.encode(input), files: [] }
  if (input instanceof Uint8Array) return { args: [], env: [], stdin: input, files: [] }
  return {
    args: input.args ?? [],
    env: input.env ?? [],
    stdin: input.stdin ?? new Uint8Array(),
    files: input.files ?? [],
  }
}

/** The spec that the node takes. */
export function specOf(job: Job, abi: JobSpec['abi']): JobSpec {
  return {
    name: job.name ?? 'job',
    abi,
    module: job.module,
    inputs: Array.from(job.inputs, unitInput),
    sharedFiles: job.files ?? [],
    view: job.view ?? { kind: 'text' },
    options: job.options ?? {},
  }
}
