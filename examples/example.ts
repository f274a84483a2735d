import type { UnitInput, UnitOutcome } from '../src/core/tasks/unit.ts'
import type { JobOptions, JobSpec, ResultView } from '../src/node/contract.ts'

/** One thing a person may choose before an example runs: a field of a form, an option of a command. */
export interface ExampleOption {
  readonly name: string
  readonly label: string
  readonly help: string
  /** `whole` numbers may be of any size and are decimal text. */
  readonly kind: 'whole' | 'decimal'
  readonly default: string
  readonly min: string
  readonly max: string
}

/** Values by option name, as text; what is missing has its default. */
export type ExampleValues = Readonly<Record<string, string>>

/** Everything of a job but its module and files, which the caller fetches. */
export interface ExamplePlan {
  readonly inputs: readonly UnitInput[]
  readonly view: ResultView
  /** What the picture or table says of itself. */
  readonly caption: string
}

/** A figure that all outcomes together give. */
export interface SummaryLine {
  readonly label: string
  readonly value: string
}

export interface ExampleSummary {
  readonly lines: readonly SummaryLine[]
  readonly histogram?: {
    readonly label: string
    readonly from: number
    readonly to: number
    readonly counts: readonly number[]
  }
}

/** An example as the gallery, the CLI and the welcome job see it. Plain functions and data: runs in every environment. */
export interface Example {
  readonly id: string
  readonly title: string
  readonly name: string
  readonly description: string
  readonly language: string
  readonly abi: JobSpec['abi']
  /** Paths below `examples/`: the caller turns them into URLs or file names. */
  readonly module: string
  readonly source: string
  readonly files: readonly string[]
  readonly options: readonly ExampleOption[]
  readonly jobOptions: Partial<JobOptions>
  /** @throws RangeError When a value is not a number or outside of its bounds. */
  plan(values: ExampleValues): ExamplePlan
  /** Combines the outcomes that are there; `null` when the view alone shows all. */
  summarize(values: ExampleValues, outcomes: Iterable<UnitOutcome>): ExampleSummary | null
}

/** The part of a `job.json` this code uses; the rest is for readers. */
export interface JobFile {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly language: string
  readonly abi: string
  readonly module: string
  readonly source: string
  readonly files: readonly string[]
  readonly resources: {
    readonly memoryBytesMax: number
    readonly gasMax: string
    readonly stackBytesMax: number
    readonly wallMsMax: number
    readonly outputBytesMax: number
  }
  readonly verification: { readonly replicas: number; readonly quorum: number; readonly auditPpm: number }
}

/** What an example is besides its `job.json`. */
export interface ExampleInit {
  readonly id: string
  readonly job: JobFile
  readonly options: readonly ExampleOption[]
  plan(read: OptionReader): ExamplePlan
  summarize?(read: OptionReader, outcomes: Iterable<UnitOutcome>): ExampleSummary
}

/** Reads the value of an option, checked. */
export interface OptionReader {
  whole(name: string): bigint
  decimal(name: string): number
  count(name: string): number
}

type OptionInit = Omit<ExampleOption, 'name' | 'kind'>

export function wholeOption(name: string, init: OptionInit): ExampleOption {
  return { ...init, name, kind: 'whole' }
}

export function decimalOption(name: string, init: OptionInit): ExampleOption {
  return { ...init, name, kind: 'decimal' }
}

/** Makes an example of its `job.json`, its options and its two functions. */
export function defineExample(init: ExampleInit): Example {
  const { id, job, options } = init
  const { gasMax, ...resources } = job.resources
  const summarize = init.summarize
  return {
    id,
    title: job.title,
    name: job.name,
    description: job.description,
    language: job.language,
    abi: job.abi === 'reactor' ? 'reactor' : 'wasi-command',
    module: `${id}/${job.module}`,
    source: `${id}/${job.source}`,
    files: job.files.map((file) => `${id}/${file}`),
    options,
    jobOptions: { ...job.verification, ...resources, gasMax: BigInt(gasMax) },
    plan: (values) => init.plan(readerOf(options, values)),
    summarize: (values, outcomes) => summarize?.(readerOf(options, values), outcomes) ?? null,
  }
}

/**
 * Makes the whole job: plans the units and fetches module and files.
 *
 * @param load - Fetches a path below `examples/`.
 */
export async function jobOf(
  example: Example,
  values: ExampleValues,
  load: (path: string) => Promise<Uint8Array>,
): Promise<JobSpec> {
  const { inputs, view } = example.plan(values)
  const [module, ...contents] = await Promise.all([example.module, ...example.files].map(load))
  // The list has at least the module.
  const sharedFiles = example.files.map((path, i) => ({ path: baseName(path), content: contents[i] as Uint8Array }))
  const { name, abi, jobOptions: options } = example
  return { name, abi, module: module as Uint8Array, inputs, sharedFiles, view, options }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** An input that is bytes or text alone. */
export function inputOf(stdin: Uint8Array | string): UnitInput {
  return { args: [], env: [], stdin: typeof stdin === 'string' ? encoder.encode(stdin) : stdin, files: [] }
}

/** The JSON objects that outcomes hold; what failed is left out. */
export function* jsonOf(outcomes: Iterable<UnitOutcome>): Generator<Record<string, unknown>> {
  for (const { stdout, trap, exitCode } of outcomes) {
    if (trap === null && exitCode === 0) yield JSON.parse(decoder.decode(stdout)) as Record<string, unknown>
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function readerOf(options: readonly ExampleOption[], values: ExampleValues): OptionReader {
  const find = (name: string): { option: ExampleOption; text: string } => {
    const option = options.find((one) => one.name === name)
    if (option === undefined) throw new RangeError(`No option is called ${name}`)
    return { option, text: (values[name] ?? option.default).trim() }
  }
  const whole = (name: string): bigint => {
    const { option, text } = find(name)
    const within = /^-?\d{1,80}$/.test(text) && BigInt(text) >= BigInt(option.min) && BigInt(text) <= BigInt(option.max)
    if (!within) throw refuse(option, text)
    return BigInt(text)
  }
  const decimal = (name: string): number => {
    const { option, text } = find(name)
    const value = Number(text)
    const within = text !== '' && value >= Number(option.min) && value <= Number(option.max)
    if (!within) throw refuse(option, text)
    return value
  }
  return { whole, decimal, count: (name) => Number(whole(name)) }
}

function refuse(option: ExampleOption, text: string): RangeError {
  return new RangeError(
    `${option.label} is ${text || 'empty'}; it must be a number from ${option.min} to ${option.max}`,
  )
}
