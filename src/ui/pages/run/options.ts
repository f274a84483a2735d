import type { JobOptions } from '../../../node/contract.ts'

const MEBIBYTE = 1024 * 1024
const PPM = 1_000_000
const MICRO = 1_000_000

/** What the form starts from for a program of one's own; examples bring their own limits. */
export const FORM_DEFAULTS: JobOptions = {
  replicas: 2,
  quorum: 2,
  auditPpm: 0,
  useOwnWorkers: true,
  priority: 5,
  memoryBytesMax: 128 * MEBIBYTE,
  gasMax: 1n << 40n,
  wallMsMax: 30_000,
  stackBytesMax: 256 * 1024,
  outputBytesMax: 16 * MEBIBYTE,
  pricePerSecondMicro: 100n,
  pricePerMebibyteMicro: 1n,
  priceMaxMicro: 10_000n,
}

type NumberField = Exclude<keyof JobOptions, 'useOwnWorkers'>

/** One number of the form: how it is shown, what it means, and how it goes into the options. */
export interface OptionField {
  readonly name: NumberField
  readonly label: string
  readonly note: string
  readonly min: number
  readonly max: number
  readonly step: number
  read(options: JobOptions): number
  write(value: number): Partial<JobOptions>
}

export const TRUST_FIELDS: readonly OptionField[] = [
  {
    name: 'replicas',
    label: 'Runs of each unit',
    note: 'Different peers that compute it. One is fastest, two or more can be compared.',
    min: 1,
    max: 8,
    step: 1,
    read: (options) => options.replicas,
    write: (replicas) => ({ replicas }),
  },
  {
    name: 'quorum',
    label: 'Must agree',
    note: 'Equal results needed before a unit is accepted; at most the runs of each unit.',
    min: 1,
    max: 8,
    step: 1,
    read: (options) => options.quorum,
    write: (quorum) => ({ quorum }),
  },
  {
    name: 'auditPpm',
    label: 'Recomputed here, %',
    note: 'Share of units this device checks by itself.',
    min: 0,
    max: 100,
    step: 1,
    read: (options) => (options.auditPpm / PPM) * 100,
    write: (percent) => ({ auditPpm: Math.round((percent / 100) * PPM) }),
  },
  {
    name: 'priority',
    label: 'Priority',
    note: '0 to 9; among your own jobs, the higher goes first.',
    min: 0,
    max: 9,
    step: 1,
    read: (options) => options.priority,
    write: (priority) => ({ priority }),
  },
]

export const LIMIT_FIELDS: readonly OptionField[] = [
  {
    name: 'wallMsMax',
    label: 'Time limit, s',
    note: 'A unit that takes longer is stopped and given to another peer.',
    min: 0.1,
    max: 3_600,
    step: 0.1,
    read: (options) => options.wallMsMax / 1000,
    write: (seconds) => ({ wallMsMax: Math.round(seconds * 1000) }),
  },
  {
    name: 'memoryBytesMax',
    label: 'Memory limit, MiB',
    note: 'The program sees a full memory beyond it.',
    min: 1,
    max: 4_096,
    step: 1,
    read: (options) => options.memoryBytesMax / MEBIBYTE,
    write: (mebibytes) => ({ memoryBytesMax: Math.round(mebibytes * MEBIBYTE) }),
  },
  {
    name: 'gasMax',
    label: 'Gas limit, millions',
    note: 'Counts instructions, the same on every device; at the limit the unit ends as stopped.',
    min: 1,
    max: 1_000_000_000,
    step: 1,
    read: (options) => Number(options.gasMax) / MICRO,
    write: (millions) => ({ gasMax: BigInt(Math.round(millions * MICRO)) }),
  },
  {
    name: 'outputBytesMax',
    label: 'Output limit, MiB',
    note: 'Standard output, error output and files of a unit together.',
    min: 1,
    max: 256,
    step: 1,
    read: (options) => options.outputBytesMax / MEBIBYTE,
    write: (mebibytes) => ({ outputBytesMax: Math.round(mebibytes * MEBIBYTE) }),
  },
]

export const PRICE_FIELDS: readonly OptionField[] = [
  {
    name: 'pricePerSecondMicro',
    label: 'Per second, µ',
    note: 'Millionths of a unit of money for a second of computing.',
    min: 0,
    max: 1_000_000_000,
    step: 1,
    read: (options) => Number(options.pricePerSecondMicro),
    write: (micro) => ({ pricePerSecondMicro: BigInt(Math.round(micro)) }),
  },
  {
    name: 'pricePerMebibyteMicro',
    label: 'Per MiB of memory, µ',
    note: 'For the most memory the unit used.',
    min: 0,
    max: 1_000_000_000,
    step: 1,
    read: (options) => Number(options.pricePerMebibyteMicro),
    write: (micro) => ({ pricePerMebibyteMicro: BigInt(Math.round(micro)) }),
  },
  {
    name: 'priceMaxMicro',
    label: 'At most per run, µ',
    note: 'No receipt costs more than this. Receipts are true; nobody pays them out yet.',
    min: 0,
    max: 1_000_000_000_000,
    step: 1,
    read: (options) => Number(options.priceMaxMicro),
    write: (micro) => ({ priceMaxMicro: BigInt(Math.round(micro)) }),
  },
]

/** Why the options contradict each other, or `null`. */
export function optionsError(options: JobOptions): string | null {
  if (options.quorum > options.replicas) {
    return `Must agree is ${options.quorum}; it can be at most the runs of each unit, ${options.replicas}`
  }
  return null
}
